"""A name of the package means one thing: docs/glossary.md."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import baonet

PACKAGE = Path(baonet.__file__).parent
TWICE = {
    "Architecture": "what one brings to the hypervisor, and to the configuration",
    "Armv8": "its wing of the hypervisor, and of the configuration",
    "Control": "what the agent and actors say to each other, and GICD_CTLR",
    "Image": "what a file puts where in a VM, and its bytes as they go between hosts",
    "Ipc": "a VM's window on shared memory as it is configured, and the hypercall of it",
    "Palette": "page colours, for those that check a machine file and for those that place",
    "Riscv": "as Armv8",
    "Send": "the effect, and the vGIC's way to have one",
    "VmOff": "the effect, and the message that tells the agent of it",
    "VmReset": "likewise",
}
"""Public names that two modules define, and what both are."""


def defined(path: Path) -> Iterator[str]:
    """Public classes and aliases of types, as far as they begin with a capital and are not constants."""
    for node in ast.parse(path.read_text()).body:
        match node:
            case (
                ast.ClassDef(name=name)
                | ast.AnnAssign(target=ast.Name(id=name))
                | ast.Assign(targets=[ast.Name(id=name)])
            ):
                if name[0].isupper() and not name.isupper():
                    yield name


def test_a_name_is_defined_once() -> None:
    homes: dict[str, list[str]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        for name in defined(path):
            homes.setdefault(name, []).append(str(path.relative_to(PACKAGE)))
    assert {name: where for name, where in homes.items() if len(where) > 1 and name not in TWICE} == {}
    assert [name for name in TWICE if len(homes.get(name, [])) < 2] == [], "no exceptions that nothing needs"
