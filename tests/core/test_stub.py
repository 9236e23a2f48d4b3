"""The typed faces of the native modules have what those have and say what it is, once what all engines have."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from types import ModuleType

import pytest

import baonet.core
import baonet.core.native
from baonet.core import _node, architecture
from baonet.core.architecture import Core
from baonet.core.armv8.engine import native
from baonet.hyp.cpu import Cpu

PACKAGE = Path(next(iter(baonet.core.__path__)))
ENGINE = ast.parse((PACKAGE / "armv8/_engine.pyi").read_text())
SHARED = ast.parse((PACKAGE / "native/type.pyi").read_text())
NODE = ast.parse((PACKAGE / "_node.pyi").read_text())
TYPES = {node.name: node for tree in (ENGINE, SHARED) for node in tree.body if isinstance(node, ast.ClassDef)}
CORE = TYPES["Core"]
MEMBERS = {"Core": [*TYPES["NativeCore"].body, *CORE.body], "Rounds": TYPES["Rounds"].body}
CALLS = [node for node in (*ENGINE.body, *NODE.body, *CORE.body) if isinstance(node, ast.FunctionDef)]


def declared(body: list[ast.stmt]) -> set[str]:
    names = {node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    for node in body:
        if isinstance(node, ast.ImportFrom):
            names |= {alias.asname for alias in node.names if alias.asname}
    return names | {
        node.target.id for node in body if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }


def public(names: object) -> set[str]:
    return {name for name in vars(names) if not name.startswith("_")}


@pytest.mark.parametrize(("module", "stub"), [(native, ENGINE), (_node, NODE)], ids=["_engine", "_node"])
def test_a_module_and_its_stub_have_the_same_names(module: ModuleType, stub: ast.Module) -> None:
    assert declared(stub.body) == public(module)


@pytest.mark.parametrize("name", MEMBERS)
def test_a_type_and_its_stub_have_the_same_members(name: str) -> None:
    stub, made = MEMBERS[name], getattr(native, name)
    assert declared(stub) - {"__init__"} == public(made)
    for node in stub:
        if isinstance(node, ast.FunctionDef) and node.name != "__init__":
            assert inspect.isgetsetdescriptor(vars(made)[node.name]) == bool(node.decorator_list)


def test_what_gives_turns_has_what_an_island_asks_for() -> None:
    """The protocol says what each does; the type has no other."""
    assert public(architecture.Rounds) == public(native.Rounds)


def test_what_all_architectures_have_is_what_their_engines_have_in_common() -> None:
    """The protocol is the type without the methods that its architecture adds."""
    source = (Path(next(iter(baonet.core.native.__path__))) / "type.c").read_text()
    shared = set(re.findall(r'^    \{"(\w+)", ', source, re.MULTILINE))
    assert shared == public(Core) | public(Cpu) | set(Cpu.__annotations__)
    assert shared == declared(TYPES["NativeCore"].body)


def test_a_core_is_made_from_the_keywords_of_the_stub() -> None:
    directory = Path(next(iter(baonet.core.native.__path__)))
    taken: set[str] = set()
    for source in (directory / "construct.c", directory / "armv8/entry.c"):
        names = re.search(r"\*names\[\] = \{(.*?), NULL\}", source.read_text(), re.DOTALL)
        assert names is not None
        taken.update(re.findall(r'"(\w+)"', names[1]))
    (init,) = (node for node in CORE.body if isinstance(node, ast.FunctionDef) and node.name == "__init__")
    assert {argument.arg for argument in init.args.kwonlyargs} == taken


@pytest.mark.parametrize("call", [call for call in CALLS if call.name != "__init__"], ids=lambda call: call.name)
def test_everything_says_what_it_is(call: ast.FunctionDef) -> None:
    assert ast.get_docstring(call)


@pytest.mark.parametrize("name", sorted(public(Core) | public(Cpu)))
def test_the_protocol_says_what_all_engines_have(name: str) -> None:
    assert inspect.getdoc(vars(Core).get(name) or vars(Cpu)[name])


def test_what_is_wrong_is_raised_as_the_stub_says() -> None:
    with pytest.raises(IndexError, match="no slot 1"):
        _node.kick(bytearray(_node.SLOT_SIZE), 1)
    with pytest.raises(TypeError):
        _node.kick(b"read-only", 0)
    with pytest.raises(TypeError, match="frequency"):
        native.Core()  # type: ignore[call-arg]
