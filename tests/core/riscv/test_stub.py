"""The typed face of RISC-V's engine has what that has, and says what it is."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import baonet.core
from baonet.core.riscv.engine import native

PACKAGE = Path(next(iter(baonet.core.__path__)))
ENGINE = ast.parse((PACKAGE / "riscv/_engine.pyi").read_text())
SHARED = ast.parse((PACKAGE / "native/type.pyi").read_text())


def members(stub: ast.Module, name: str) -> dict[str, ast.stmt]:
    (found,) = (node for node in stub.body if isinstance(node, ast.ClassDef) and node.name == name)
    named = {node.name: node for node in found.body if isinstance(node, ast.FunctionDef)}
    return named | {ast.unparse(node.target): node for node in found.body if isinstance(node, ast.AnnAssign)}


def test_a_core_has_what_all_have_and_what_its_stub_adds() -> None:
    own = members(ENGINE, "Core")
    assert (own.keys() | members(SHARED, "NativeCore").keys()) - {"__init__"} == {
        name for name in vars(native.Core) if not name.startswith("_")
    }
    for name, node in own.items():
        if isinstance(node, ast.FunctionDef) and name != "__init__":
            assert ast.get_docstring(node)
            assert inspect.isgetsetdescriptor(vars(native.Core)[name]) == bool(node.decorator_list)
