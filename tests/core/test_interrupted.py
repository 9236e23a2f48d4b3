"""A host that interrupts a core at any time changes nothing of a run in virtual time: what it did, when and where."""

from __future__ import annotations

import hashlib
import random
import time
from dataclasses import dataclass, field

import pytest

from baonet.core import _node
from baonet.hyp.armv8.cpu import Exit
from tests.core.bench import RAM, UART, Memory
from tests.core.kicks import another_process
from tests.core.virtual import COSTS, core

WINDOW = 0x0800_0000
PAGES, FUNCTION = RAM + 0x10_0000, RAM + 0x8000
MOVZ_W13, RET = 0x5280000D, 0xD65F03C0

# x9: 512 pages of data; x10: an emulated window; x11: a function of its own; x14: its first instruction
GUEST = (
    *(0xD280050F, 0xD51BE30F),  # start: mov x15, #40; msr cntv_tval_el0, x15
    *(0xD280002F, 0xD51BE32F),  # mov x15, #1; msr cntv_ctl_el0, x15
    0x91000400,  # loop: add x0, x0, #1
    *(0xD3742002, 0x8B090042),  # ubfiz x2, x0, #12, #9; add x2, x2, x9
    *(0xF9400043, 0x8B000063, 0xF9000043),  # ldr x3, [x2]; add x3, x3, x0; str x3, [x2]
    *(0xB9400144, 0xB9000944),  # ldr w4, [x10]; str w4, [x10, #8]
    *(0xD53BE045, 0xCA0500C6),  # mrs x5, cntvct_el0; eor x6, x6, x5
    *(0x37180040, 0xD503203F),  # tbnz w0, #3, 1f; yield
    0x37280140,  # 1: tbnz w0, #5, 2f
    *(0xB9000960, 0x12001C0C),  # str w0, [x11, #8]; and w12, w0, #0xff
    *(0x2A0C15CC, 0xB900016C),  # orr w12, w14, w12, lsl #5; str w12, [x11]
    *(0xD50B752B, 0xD5033B9F, 0xD5033FDF),  # ic ivau, x11; dsb ish; isb
    *(0xD63F0160, 0x8B0D00E7),  # blr x11; add x7, x7, x13
    *(0xF2400C1F, 0x54000061),  # 2: tst x0, #15; b.ne 3f
    *(0xD4000002, 0xD51BE301),  # hvc #0; msr cntv_tval_el0, x1
    0x17FFFFE6,  # 3: b loop
)


@dataclass
class Course:
    """What came of a run, and how often it was interrupted."""

    events: list[tuple[Exit, int, int, bool]] = field(default_factory=list)
    digest: str = ""
    kicks: int = 0


def run(memory: Memory, cycles: int) -> Course:
    """In turns of uneven length, in which a guest that yields leaves."""
    guest = core(*GUEST, costs=tuple(100 + 7 * n for n in range(COSTS)), memory=memory)
    memory.load(FUNCTION, MOVZ_W13.to_bytes(4, "little") + RET.to_bytes(4, "little"))
    reads = iter(range(1 << 62))
    guest.emulate(((WINDOW, 0x1000),), lambda ipa, size: next(reads), lambda ipa, size, value: True, [])
    for register, value in ((1, 700), (9, PAGES), (10, WINDOW), (11, FUNCTION), (14, MOVZ_W13)):
        guest.x[register] = value
    course, turns, limit = Course(), random.Random(1), 0
    while limit < cycles:
        limit += turns.randrange(1, 20_000)
        reason = Exit.KICKED
        while reason == Exit.KICKED or guest.time < limit:
            reason = Exit(guest.run_until(limit, True))
            if reason == Exit.KICKED:
                course.kicks += 1
                continue
            course.events.append((reason, guest.time, guest.pc, guest.yielded))
            if reason == Exit.BUDGET:
                guest.deactivate(27)
    records = b"".join(data for data, _, _ in guest.take_records(True))
    state = repr((list(guest.x), sorted(guest.state().items()), guest.time))
    course.digest = hashlib.sha256(records + state.encode() + bytes(memory.ram)).hexdigest()
    return course


def test_a_kick_that_came_with_another_exit_takes_no_yield() -> None:
    """The line of the UART moves, which rings too; the YIELD that follows is seen all the same."""
    mask, yield_ = 0xB9003841, 0xD503203F  # str w1, [x2, #0x38]: UARTIMSC
    guest = core(0x39000043, mask, 0xD5033FDF, yield_, 0xD503201F, 0x14000000)  # strb w3, [x2]; isb; nop; b .
    guest.x[1], guest.x[2], guest.x[3] = 1 << 5, UART, ord("x")
    reasons = []
    while not guest.yielded:
        reasons.append(guest.run_until(1000, True))
        assert guest.time < 1000, "it spins behind the YIELD"
    assert Exit.LINE in reasons


@pytest.mark.parametrize("cycles", [pytest.param(3_000_000), pytest.param(300_000_000, marks=pytest.mark.long)])
@pytest.mark.timeout(1200)
def test_a_host_that_interrupts_changes_nothing(cycles: int) -> None:
    quiet = run(Memory(), cycles)
    assert {reason for reason, *_ in quiet.events} == {Exit.BUDGET, Exit.HVC, Exit.INTERRUPT}
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
            total += kicked.kicks
