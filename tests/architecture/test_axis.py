"""What all architectures share names none of them, in what it does: its comments and docstrings may."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import baonet
from baonet.hyp.wings import ARCHITECTURES

PACKAGE = Path(baonet.__path__[0])
FLOORS = (
    *("actors", "cli", "cluster", "core", "document", "hyp", "launch", "machine", "memory", "outlets", "run", "study"),
    *("testing", "trace", "wire"),
)
"""The configuration has words of its own: tests/config/test_architecture.py."""
WORDS = re.compile(
    r"(?i:(?<![a-z])(gicv\d|gic[a-z]?|hvc|psci|ich_\w+|intids?|aarch64|arm64|capstone|armv8)(?![a-z]))"
    r"|(?<=[a-z])(Gic|Hvc|Psci|Intid|Aarch64|Arm64|Capstone|Armv8)|(Gic|Hvc|Psci|Intid|Aarch64|Arm64|Capstone|Armv8)(?=[A-Z])"
)
ALLOWED = {
    "core/wings.py": {"armv8"},  # the registry
    "hyp/wings.py": {"armv8"},  # the registry
}


def shared() -> list[Path]:
    wings = {PACKAGE / floor / name for floor in FLOORS for name in ARCHITECTURES}
    return sorted(
        path for floor in FLOORS for path in (PACKAGE / floor).rglob("*.py") if wings.isdisjoint(path.parents)
    )


def written(tree: ast.Module) -> Iterator[str]:
    """Every name and every text of a file, but for what stands alone and so does nothing."""
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) in alone:
            continue
        for _, value in ast.iter_fields(node):
            for each in value if isinstance(value, list) else [value]:
                if isinstance(each, bytes):
                    yield each.decode("latin-1")
                elif isinstance(each, str):
                    yield each


def named(text: str) -> set[str]:
    return {found[0].lower() for each in written(ast.parse(text)) for found in WORDS.finditer(each)}


@pytest.mark.parametrize("path", shared(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_what_all_architectures_share_names_none(path: Path) -> None:
    """An exception that nothing needs is wrong too."""
    assert named(path.read_text(encoding="utf-8")) == ALLOWED.get(str(path.relative_to(PACKAGE)), set())


def test_the_exceptions_are_files() -> None:
    assert set(ALLOWED) <= {str(path.relative_to(PACKAGE)) for path in shared()}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('"""Of a GIC."""\n# psci\ndef f():\n    """hvc"""\n', set()),
        ("import capstone\n", {"capstone"}),
        ("from baonet.hyp.armv8 import x as y\n", {"armv8"}),
        ("def f(intid): ...\n", {"intid"}),
        ("f(gic_version=1)\n", {"gic"}),
        ("x.is_hvc\n", {"hvc"}),
        ("class MyArmv8Report: ...\n", {"armv8"}),
        ("y = CS_ARCH_ARM64\n", {"arm64"}),
        ("y = f'{x} GICv3 {z:>PSCI}'\n", {"gicv3", "psci"}),
        ("y = cpu.ich[ICH_LR0]\n", {"ich_lr0"}),
        ("y = b'aarch64'\n", {"aarch64"}),
        ("y = 'magic', logic, which_one\n", set()),
    ],
)
def test_what_is_found_by_it(text: str, words: set[str]) -> None:
    assert named(text) == words


def test_the_wing_is_where_they_are_named() -> None:
    wing = (PACKAGE / "hyp" / "armv8").glob("*.py")
    words = set().union(*(named(path.read_text(encoding="utf-8")) for path in wing))
    assert {"gic", "psci", "hvc", "intid", "capstone", "armv8", "ich_lr0"} <= words
