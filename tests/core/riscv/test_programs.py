"""Random programs come to what they come to on QEMU: registers, memory, and every trap of the guest and below it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import pytest

from tests.core.riscv import oracle
from tests.core.riscv.bench import HZ
from tests.core.riscv.layout import Program
from tests.core.riscv.oracle import ANSWERS, Hart, digest, kept, plain
from tests.core.riscv.programs import program

FEW: Final = 25
HARTS = {"host": (0, 1 << 40), "virtual": (HZ, 1 << 40), "block by block": (HZ, 1)}
EACH_HART = pytest.mark.parametrize("how", HARTS)
WITH_QEMU = pytest.mark.skipif(not oracle.available(), reason=f"no {oracle.QEMU} here")


def as_kept(how: str, seeds: Iterable[int]) -> None:
    hart, answers = Hart(*HARTS[how]), kept()
    for seed in seeds:
        what, came = digest(each := program(seed), hart.run(each)).split()
        asked, expected = answers[seed].split()
        assert what == asked, f"program {seed} is another: run python -m tests.core.riscv.oracle"
        assert came == expected, f"program {seed}"


def as_qemu(programs: list[Program], how: str) -> None:
    hart = Hart(*HARTS[how])
    for each, answer in zip(programs, oracle.qemu(programs), strict=True):
        found = hart.run(each)
        if answer.ended and found.ended and not oracle.has_odd_sepc(answer):
            assert plain(found) == plain(answer), f"program {each.seed}"


def test_some_programs() -> None:
    as_kept("host", range(FEW))


@pytest.mark.slow
@EACH_HART
def test_programs(how: str) -> None:
    as_kept(how, range(ANSWERS))


@pytest.mark.slow
@WITH_QEMU
def test_programs_beside_qemu() -> None:
    as_qemu([program(seed) for seed in range(ANSWERS, 2 * ANSWERS)], "host")


@pytest.mark.long
@pytest.mark.timeout(7200)
@WITH_QEMU
@EACH_HART
def test_thousands_of_programs_beside_qemu(how: str) -> None:
    for start in range(1_000, 31_000, 500):
        as_qemu([program(seed) for seed in range(start, start + 500)], how)
