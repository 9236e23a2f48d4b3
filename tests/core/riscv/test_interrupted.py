"""A host that interrupts a hart at any time changes nothing of a run in virtual time: what it did, when and where."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from baonet.core import _node
from baonet.hyp.riscv import cpu
from baonet.hyp.riscv.cpu import RiscvExit
from tests.core.kicks import another_process
from tests.core.riscv import asm
from tests.core.riscv.asm import A0, A1, A2, A3, A4, A5, ECALL, PAUSE, RA, S2, S3, S4, S5, S6, S7, S8, T0, T1, ZERO
from tests.core.riscv.bench import COSTS, DATA, KERNEL, RAM, UART, Hart, Memory, entry

WINDOW = 0x0C00_0000
REMAPPED = 0x5000_0000
FUNCTION = RAM + 0x8_0800
HANDLER = RAM + 0x9_0000
C_LI = int.from_bytes(asm.c_li(T1, 0), "little")


def skip(condition: Callable[[int, int, int], bytes], register: int, *code: bytes) -> tuple[bytes, ...]:
    """Code that is left out where the condition holds of the register and 0."""
    return (condition(register, ZERO, 4 + sum(map(len, code))), *code)


# s2: 512 pages of data; s3: an emulated window; s4: a function; s5: UART; s6: the entry of REMAPPED; s7, s8: its values
LOOP = (
    asm.c_addi(A0, 1),
    asm.slli(T0, A0, 55),
    asm.word(0x02B2_D293),  # SRLI t0, t0, 43
    asm.add(T0, T0, S2),
    asm.ld(A1, T0),
    asm.add(A1, A1, A0),
    asm.sd(A1, T0),
    asm.amo("add", "d", A4, A0, S2, aq=True),
    asm.amo("lr", "w", A5, ZERO, S2),
    asm.amo("sc", "w", A5, A5, S2),
    asm.load("w", A2, S3),
    asm.store("w", A2, S3, 8),
    asm.csrr(A3, asm.TIME),
    asm.add(asm.S1, asm.S1, A3),
    asm.andi(T0, A0, 7),
    *skip(asm.bne, T0, PAUSE, asm.C_EBREAK, asm.sb(A0, S5)),
    asm.andi(T0, A0, 31),
    *skip(
        asm.bne,
        T0,
        # a function of its own that returns another number, beside data of the same page
        asm.sd(A0, S4, 0x100),
        asm.slli(T0, A0, 54),
        asm.word(0x03B2_D293),  # SRLI t0, t0, 59
        asm.slli(T0, T0, 2),
        asm.lui(T1, C_LI >> 12),
        asm.addi(T1, T1, C_LI & 0xFFF),
        asm.add(T0, T0, T1),
        asm.store("h", T0, S4),
        asm.fence_i(),
        asm.jalr(RA, S4),
        asm.add(asm.S9, asm.S9, T1),
    ),
    asm.andi(T0, A0, 15),
    *skip(
        asm.bne,
        T0,
        # a page that leads elsewhere, by an entry that changes
        asm.sd(S7, S6),
        asm.lui(T1, REMAPPED >> 12),
        asm.sfence_vma(T1),
        asm.ld(A4, T1),
        asm.add(asm.S10, asm.S10, A4),
        asm.c_mv(T0, S7),
        asm.c_mv(S7, S8),
        asm.c_mv(S8, T0),
        ECALL,
    ),
)
GUEST = (asm.csrsi(asm.SSTATUS, 2), *LOOP, asm.jal(ZERO, -sum(map(len, LOOP))))
# Of interrupts and breakpoints: the next timer, or on behind the breakpoint
TRAPS = (
    asm.csrr(T0, asm.SCAUSE),
    asm.blt(T0, ZERO, 4 + 4 + 2 + 4 + 4),
    asm.csrr(T0, asm.SEPC),
    asm.c_addi(T0, 2),
    asm.csrw(asm.SEPC, T0),
    asm.SRET,
    asm.csrr(T0, asm.TIME),
    asm.addi(T0, T0, 7),
    asm.csrw(asm.STIMECMP, T0),
    asm.c_addi(asm.S11, 1),
    asm.SRET,
)


@dataclass
class Course:
    """What came of a run, and how often it was interrupted."""

    events: list[tuple[RiscvExit, int, int, bool]] = field(default_factory=list)
    digest: str = ""
    kicks: int = 0


def run(memory: Memory, cycles: int) -> Course:
    """In turns of uneven length, in which a guest that yields leaves."""
    costs = tuple(100 + 7 * n for n in range(COSTS))
    hart = Hart("virtual", memory=memory, levels=3, costs=costs, records=True)
    core, tables = hart.core, hart.tables
    tables.map(WINDOW, WINDOW)
    tables.map(UART, UART)
    place = tables.map(REMAPPED, DATA + 0x1000)
    for n in (1, 2):
        memory.write(DATA + 0x1000 * n, n)
    hart.load(FUNCTION, asm.c_li(T1, 0), asm.C_RET)
    hart.load(HANDLER, *TRAPS)
    hart.set(asm.STVEC, HANDLER)
    hart.set(asm.SIE, 1 << cpu.TIMER)
    reads = iter(range(1 << 62))
    core.emulate(((WINDOW, 0x1000),), lambda ipa, size: next(reads) & 0xFFFF, lambda ipa, size, value: True, [])
    hart.enter(*GUEST, a0=0, s2=DATA, s3=WINDOW, s4=FUNCTION, s5=UART, s6=place)
    core.x[S7], core.x[S8] = (entry(DATA + 0x1000 * n, KERNEL) for n in (2, 1))
    course, turns, limit = Course(), random.Random(1), core.time
    while limit < cycles:
        limit += turns.randrange(1, 20_000)
        reason = RiscvExit.KICKED
        while reason == RiscvExit.KICKED or core.time < limit:
            reason = RiscvExit(core.run_until(limit, True))
            if reason == RiscvExit.KICKED:
                course.kicks += 1
                continue
            course.events.append((reason, core.time, core.pc, core.yielded))
            assert reason in (RiscvExit.BUDGET, RiscvExit.ECALL), hart.trap
    records = b"".join(data for data, _, _ in core.take_records(True))
    state = repr((list(core.x), sorted(core.state().items()), core.time, core.take_output()))
    course.digest = hashlib.sha256(records + state.encode() + bytes(memory.ram)).hexdigest()
    assert core.x[asm.S11] > 100, "timers came"
    assert core.x[asm.S10] > 100, "pages were read"
    return course


@pytest.mark.parametrize(
    "cycles",
    [
        pytest.param(1_000_000),
        pytest.param(20_000_000, marks=pytest.mark.slow),
        pytest.param(300_000_000, marks=pytest.mark.long),
    ],
)
@pytest.mark.timeout(1200)
def test_a_host_that_interrupts_changes_nothing(cycles: int) -> None:
    quiet = run(Memory(), cycles)
    assert {reason for reason, *_ in quiet.events} == {RiscvExit.BUDGET, RiscvExit.ECALL}
    assert any(yielded for *_, yielded in quiet.events)
    memory = Memory()

    def kicks() -> None:
        moment = random.Random(2)
        while True:
            _node.kick(memory.slots, 0)
            until = time.perf_counter() + moment.uniform(0, 100e-6)
            while time.perf_counter() < until:
                pass

    total = 0
    with another_process(kicks):
        while total < 100:
            kicked = run(memory, cycles)
            assert (kicked.events == quiet.events, kicked.digest) == (True, quiet.digest)
            memory.ram[:], memory.slots[:] = bytes(len(memory.ram)), bytes(len(memory.slots))
            memory.uart[:] = bytes(len(memory.uart))
            total += kicked.kicks
