"""The typed face of the engine, ``_engine.pyi``, has what the module has, and says what each of it is."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import pytest

import baonet.core
import baonet.core.native
from baonet.core.engine import native

STUB = ast.parse((Path(next(iter(baonet.core.__path__))) / "_engine.pyi").read_text())
(CORE,) = (node for node in STUB.body if isinstance(node, ast.ClassDef))
CALLS = [node for node in (*STUB.body, *CORE.body) if isinstance(node, ast.FunctionDef)]


def declared(body: list[ast.stmt]) -> set[str]:
    names = {node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    return names | {
        node.target.id for node in body if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }


def public(names: object) -> set[str]:
    return {name for name in vars(names) if not name.startswith("_")}


def test_the_module_and_its_stub_have_the_same_names() -> None:
    assert declared(STUB.body) == public(native)


def test_the_type_and_its_stub_have_the_same_members() -> None:
    assert declared(CORE.body) - {"__init__"} == public(native.Core)
    for node in CORE.body:
        if isinstance(node, ast.FunctionDef) and node.name != "__init__":
            assert inspect.isgetsetdescriptor(vars(native.Core)[node.name]) == bool(node.decorator_list)


def test_a_core_is_made_from_the_keywords_of_the_stub() -> None:
    native = Path(next(iter(baonet.core.native.__path__)))
    taken: set[str] = set()
    for source in (native / "construct.c", native / "armv8" / "entry.c"):
        names = re.search(r"\*names\[\] = \{(.*?), NULL\}", source.read_text(), re.DOTALL)
        assert names is not None
        taken.update(re.findall(r'"(\w+)"', names[1]))
    (init,) = (node for node in CORE.body if isinstance(node, ast.FunctionDef) and node.name == "__init__")
    assert {argument.arg for argument in init.args.kwonlyargs} == taken


@pytest.mark.parametrize("call", [call for call in CALLS if call.name != "__init__"], ids=lambda call: call.name)
def test_everything_says_what_it_is(call: ast.FunctionDef) -> None:
    assert ast.get_docstring(call)


def test_what_is_wrong_is_raised_as_the_stub_says() -> None:
    with pytest.raises(IndexError, match="no slot 1"):
        native.kick(bytearray(native.SLOT_SIZE), 1)
    with pytest.raises(TypeError):
        native.kick(b"read-only", 0)
    with pytest.raises(TypeError, match="model"):
        native.Core()  # type: ignore[call-arg]
