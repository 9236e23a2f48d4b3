"""Remote fences of two harts in two processes at the same time, both ways: each ends, and reaches what it is for."""

from __future__ import annotations

import random
import time

import pytest

from baonet.core import _node
from baonet.core.riscv.testbed import ALIAS, BLOCKS, FUNCTION, RAM, SATP, RiscvSide
from tests.core.kicks import another_process
from tests.core.riscv import asm
from tests.core.riscv.asm import A1, A2, A3, A4, A5, A7, ECALL, S2, S3, T0, T1, T2, ZERO
from tests.core.riscv.pairs import both, needs_two

CODE = RAM + 0x6000
COUNTER = BLOCKS + 64

# a1: the counter; a2: rounds; a3: the own function, a4: the same through another address; a5: the other's. In each
# round the own function comes to return another number, and all harts are asked to forget code, the page, and all
BODY = (
    asm.addi(T0, ZERO, 1),
    asm.amo("add", "d", ZERO, T0, A1, aq=True, rl=True),
    asm.andi(T0, A2, 31),
    asm.slli(T0, T0, 2),
    asm.add(T0, T0, S2),
    asm.store("h", T0, A4),
    asm.addi(A7, ZERO, 2),
    ECALL,
    asm.jalr(asm.RA, A3),
    asm.andi(T2, A2, 31),
    asm.beq(T1, T2, 8),
    asm.addi(asm.S1, asm.S1, 1),
    asm.addi(A7, ZERO, 3),
    ECALL,
    asm.jalr(asm.RA, A5),
    asm.addi(A7, ZERO, 4),
    ECALL,
    asm.addi(A2, A2, -1),
)
PRELUDE = (asm.csrw(asm.SATP, S3), asm.sfence_vma())
GUEST = b"".join(
    (*PRELUDE, *BODY, asm.bne(A2, ZERO, -sum(map(len, BODY))), asm.addi(A7, ZERO, 0), ECALL),
)
C_LI = int.from_bytes(asm.c_li(T1, 0), "little")


def errors(rounds: int, *, kicked: bool) -> tuple[int, int]:
    """How often a hart ran what it had changed, and how often both have counted."""

    def run(side: RiscvSide) -> tuple[int, int]:
        shared, core, slots = side.shared, side.core, side.shared.slots
        if not side.number:
            shared.ram[CODE - RAM : CODE - RAM + len(GUEST)] = GUEST
        side.meet(1)

        def kicks() -> None:
            moment = random.Random(side.number)
            while True:
                _node.kick(slots, side.number)
                until = time.perf_counter() + moment.uniform(0, 100e-6)
                while time.perf_counter() < until:
                    pass

        mine, others = (0x100 * n for n in (side.number, 1 - side.number))
        core.reset(CODE, COUNTER)
        values = {A2: rounds, A3: FUNCTION + mine, A4: ALIAS + mine, A5: FUNCTION + others, S2: C_LI, S3: SATP}
        for register, value in values.items():
            core.x[register] = value
        if kicked:
            with another_process(kicks):
                wrong = side.finish()
        else:
            wrong = side.finish()
        shared.write(BLOCKS + 8 * side.number, wrong)
        side.meet(2)
        return shared.read(BLOCKS) + shared.read(BLOCKS + 8), shared.read(COUNTER)

    return both(run)


@needs_two
@pytest.mark.parametrize("kicked", [False, True], ids=["alone", "kicked"])
@pytest.mark.parametrize("rounds", [300, pytest.param(20_000, marks=pytest.mark.slow)])
def test_fences_both_ways(rounds: int, kicked: bool) -> None:
    assert errors(rounds, kicked=kicked) == (0, 2 * rounds)
