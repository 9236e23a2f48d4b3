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
OF_ARMV8 = r"gicv\d|gic[a-z]?|hvc|psci|ich_\w+|intids?|aarch64|arm64|capstone|armv8"
OF_RISCV = r"riscv\d*|rv\d\d\w*|sbi|harts?|v?plic|v?aplic|imsics?|sstc|s?stimecmp|satp|sepc|scause|stval|hvip|ecall"
IN_NAMES = "Gic|Hvc|Psci|Intid|Aarch64|Arm64|Capstone|Armv8|Riscv|Sbi|Hart|Plic|Aplic|Imsic"
WORDS = re.compile(rf"(?i:(?<![a-z])({OF_ARMV8}|{OF_RISCV})(?![a-z]))|(?<=[a-z])({IN_NAMES})|({IN_NAMES})(?=[A-Z])")
ALLOWED = {
    "cli/init.py": {"riscv64"},  # a platform's name, in an example
    "cli/study.py": {"riscv", "riscv64"},  # likewise
    "core/wings.py": {"armv8", "riscv"},  # the registry
    "hyp/wings.py": {"armv8", "riscv"},  # the registry
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


RISCV = {"vplic", "imsics", "rv64gc", "hart", "harts"}


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
        ("from baonet.hyp.riscv import x as y\n", {"riscv"}),
        ("class RiscvPlic(HartOf): ...\n", {"riscv", "plic", "hart"}),
        ("y = 'qemu-riscv64-virt', vplic.claim, 'IMSICs', 'rv64gc', [hart for hart in harts]\n", {"riscv64"} | RISCV),
        ("y = 'magic', logic, which_one, charts, explicit, start, curve, serve\n", set()),
    ],
)
def test_what_is_found_by_it(text: str, words: set[str]) -> None:
    assert named(text) == words


@pytest.mark.parametrize(
    ("wing", "expected"),
    [
        ("armv8", {"gic", "psci", "hvc", "intid", "capstone", "armv8", "ich_lr0"}),
        ("riscv", {"riscv", "sbi", "hart", "harts", "vplic", "vaplic", "aplic", "imsic", "scause", "sepc"}),
    ],
)
def test_the_wing_is_where_they_are_named(wing: str, expected: set[str]) -> None:
    files = (PACKAGE / "hyp" / wing).glob("*.py")
    assert expected <= set().union(*(named(path.read_text(encoding="utf-8")) for path in files))
