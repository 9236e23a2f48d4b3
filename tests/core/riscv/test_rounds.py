"""Harts of one VM in virtual time, side by side on threads: all comes out the same each time, and nothing is lost."""

from __future__ import annotations

from typing import Any

import pytest

from baonet.core.riscv.engine import native
from baonet.hyp.riscv.cpu import FENCE_I, FENCE_VMA, RiscvExit
from baonet.wire.turns import NEVER
from tests.core.riscv import asm
from tests.core.riscv.asm import A0, A1, A2, A3, A4, A7, ECALL, PAUSE, RA, S1, S2, T0, T1, ZERO
from tests.core.riscv.bench import CODE, DATA, HZ, RAM, Memory, Owners, core_of

HARTS = 2
FUNCTION = RAM + 0x3_0000
COUNTERS = DATA
C_LI = int.from_bytes(asm.c_li(T1, 0), "little")
WINDOW, SLICE = 20_000, 2_000

# a0: the hart; a1: counters; a2: rounds; a3: a function of its own on a page of all; s2: C.LI t1, 0
BODY = (
    asm.amo("lr", "d", T0, ZERO, A1, aq=True),
    asm.addi(T0, T0, 1),
    asm.amo("sc", "d", T0, T0, A1, rl=True),
    asm.bne(T0, ZERO, -12),
    asm.addi(T0, ZERO, 1),
    asm.amo("add", "d", ZERO, T0, A4, aq=True, rl=True),
    PAUSE,
    asm.andi(T0, A2, 15),
    asm.bne(T0, ZERO, 11 * 4),
    asm.andi(T0, A2, 31),
    asm.slli(T0, T0, 2),
    asm.add(T0, T0, S2),
    asm.store("h", T0, A3),
    asm.addi(A7, ZERO, 1),
    ECALL,
    asm.jalr(RA, A3),
    asm.andi(T0, A2, 31),
    asm.beq(T0, T1, 8),
    asm.addi(S1, S1, 1),
    asm.addi(A2, A2, -1),
)
GUEST = b"".join((*BODY, asm.bne(A2, ZERO, -sum(map(len, BODY))), asm.addi(A7, ZERO, 0), ECALL))


def course(threads: int, rounds: int) -> list[Any]:
    """Both count with two counters; now and then one changes its function, and asks all to forget code."""
    memory, owners = Memory(HARTS), Owners()
    memory.load(CODE, GUEST)
    cores = tuple(core_of(memory, n, hz=HZ, owners=owners, records=True) for n in range(HARTS))
    for n, core in enumerate(cores):
        memory.load(FUNCTION + 0x40 * n, asm.c_li(T1, 0) + asm.C_RET)
        core.reset(CODE, COUNTERS)
        for register, value in ((A2, rounds), (A3, FUNCTION + 0x40 * n), (A4, COUNTERS + 64), (S2, C_LI)):
            core.x[register] = value
    conducted = native.Rounds(cores, WINDOW, SLICE, threads, owners.ledger)
    for member in range(HARTS):
        conducted.ready(member, 0, NEVER)
    left: list[Any] = []
    while len([each for each in left if each[1] == 0]) < HARTS:
        member = conducted.go(NEVER)
        if member < 0:
            continue
        reason, moment = conducted.take(member)
        core = cores[member]
        if reason == RiscvExit.ECALL:
            left.append((member, core.x[A7], moment, core.x[S1], core.x[A0]))
            if not core.x[A7]:
                conducted.gone(member)
                continue
            core.fence(range(HARTS), FENCE_I, 0, 0, 0)
            core.fence(range(HARTS), FENCE_VMA, FUNCTION, 0x1000, 0)
        else:
            assert reason in (RiscvExit.BUDGET, RiscvExit.KICKED, -1), reason
        conducted.ready(member, core.time, NEVER)
    counters = [memory.read(COUNTERS), memory.read(COUNTERS + 64)]
    assert counters == [HARTS * rounds] * 2
    assert [each[3] for each in left] == [0] * len(left), "ran what it had changed"
    times = [(core.time, core.statistics()["instructions"], list(core.x)) for core in cores]
    return [left, times, [b"".join(data for data, _, _ in core.take_records(True)) for core in cores]]


@pytest.mark.parametrize("rounds", [200, pytest.param(20_000, marks=pytest.mark.slow)])
def test_threads_change_nothing(rounds: int) -> None:
    assert course(1, rounds) == course(2, rounds) == course(2, rounds)
