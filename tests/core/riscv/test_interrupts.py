"""Interrupts of a hart: which is taken, when, and what it waits for (privileged architecture, 10.1.3; AIA, 2, 3, 7)."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baonet.hyp.riscv import cpu
from baonet.hyp.riscv.cpu import EXIT_NUMBER, MESSAGES, RiscvExit
from baonet.trace.records import RECORD, Kind
from tests.core.memory import MASK
from tests.core.riscv import asm
from tests.core.riscv.asm import (
    A0,
    A1,
    A2,
    ECALL,
    LOOP,
    NOP,
    SIE,
    SIP,
    SIREG,
    SISELECT,
    SSTATUS,
    STIMECMP,
    STOPEI,
    STOPI,
    STVEC,
    WFI,
    ZERO,
)
from tests.core.riscv.bench import CLOCKS, CODE, COSTS, FREQUENCY, HANDLER, TICK, USER, Hart
from tests.trace.record import Record

clocks = pytest.mark.parametrize("clock", CLOCKS)
SOFTWARE, TIMER, EXTERNAL = cpu.SOFTWARE, cpu.TIMER, cpu.EXTERNAL
INTERRUPT = 1 << 63
NEVER = MASK
ENABLE = asm.csrsi(SSTATUS, 2)


def hart_of(clock: str, *, sie: int = 0, timer: int = NEVER, **arguments: object) -> Hart:
    """With its own timer out of the way, and interrupts of these causes enabled."""
    hart = Hart(clock, **arguments)  # type: ignore[arg-type]
    if arguments.get("sstc", True):
        hart.set(STIMECMP, timer)
    hart.set(SIE, sie)
    return hart


def bits(*causes: int) -> int:
    return sum(1 << cause for cause in causes)


def set_pending(hart: Hart, causes: set[int]) -> None:
    hart.core.software = SOFTWARE in causes
    hart.core.timer = TIMER in causes
    hart.core.external = EXTERNAL in causes


@clocks
@pytest.mark.parametrize("cause", [SOFTWARE, TIMER, EXTERNAL])
def test_an_interrupt_comes_behind_what_enables_it(clock: str, cause: int) -> None:
    hart = hart_of(clock, sie=bits(cause))
    set_pending(hart, {cause})
    assert hart.go(NOP, asm.C_NOP, ENABLE, NOP, LOOP) == RiscvExit.ECALL
    assert hart.taken is not None
    assert hart.taken[:2] == (INTERRUPT | cause, CODE + 10)
    assert hart.taken.tval == 0
    assert hart.count == 4
    assert hart.core.state()["exceptions"] == 0


@clocks
@pytest.mark.parametrize("pending", range(8))
@pytest.mark.parametrize("enabled", range(8))
def test_the_order_is_external_software_timer(clock: str, pending: int, enabled: int) -> None:
    order = (EXTERNAL, SOFTWARE, TIMER)
    waiting = {cause for n, cause in enumerate(order) if pending >> n & 1}
    hart = hart_of(clock, sie=bits(*(cause for n, cause in enumerate(order) if enabled >> n & 1)))
    set_pending(hart, waiting)
    assert hart.get(SIP) == bits(*waiting)
    comes = [cause for n, cause in enumerate(order) if pending & enabled & 1 << n]
    assert hart.core.wakes() == bool(comes)
    assert hart.go(ENABLE, NOP, ECALL) == RiscvExit.ECALL
    if comes:
        assert hart.taken is not None
        assert hart.taken[:2] == (INTERRUPT | comes[0], CODE + 4)
    else:
        assert hart.taken is None


@clocks
def test_vectored_interrupts(clock: str) -> None:
    hart = hart_of(clock, sie=bits(SOFTWARE, TIMER, EXTERNAL))
    hart.load(HANDLER, *[ECALL] * 12)
    hart.set(STVEC, HANDLER | 1)
    for cause in (SOFTWARE, TIMER, EXTERNAL):
        set_pending(hart, {cause})
        assert hart.go(ENABLE, NOP, LOOP) == RiscvExit.ECALL
        assert hart.core.pc == HANDLER + 4 * cause + 4
        set_pending(hart, set())


@clocks
def test_a_u_mode_guest_is_interrupted_whatever_sie_says(clock: str) -> None:
    hart = hart_of(clock, sie=bits(SOFTWARE), levels=3)
    hart.tables.map(0x10_0000, CODE, USER)
    hart.load(CODE, NOP, LOOP)
    hart.enter(at=0x10_0000, user=True)
    hart.core.software = True
    assert hart.stay() == RiscvExit.ECALL
    assert hart.taken is not None
    assert hart.taken.cause == INTERRUPT | SOFTWARE
    assert hart.core.state()["sstatus"] & asm.SSTATUS_SPP == 0


@clocks
def test_sie_and_sip_are_seen_at_once(clock: str) -> None:
    """The instruction behind the one that makes an interrupt possible does not run."""
    hart = hart_of(clock)
    hart.core.software = True
    for last in (asm.csrrs(ZERO, SIE, A1), asm.csrrw(ZERO, SIE, A1)):
        hart.core.pc = CODE
        hart.set(SIE, 0)
        assert hart.go(ENABLE, last, asm.c_addi(A0, 1), LOOP, a1=2, a0=0) == RiscvExit.ECALL
        assert hart.taken is not None
        assert hart.taken[:2] == (INTERRUPT | SOFTWARE, hart.at + 8)
        assert hart.core.x[A0] == 0
    hart.core.software = False
    hart.set(SIE, 2)
    assert hart.go(ENABLE, asm.csrsi(SIP, 2), asm.c_addi(A0, 1), LOOP) == RiscvExit.ECALL
    assert hart.taken is not None
    assert hart.taken[:2] == (INTERRUPT | SOFTWARE, hart.at + 8)
    assert hart.core.software, "its own"


@clocks
def test_sret_enables(clock: str) -> None:
    hart = hart_of(clock, sie=bits(SOFTWARE))
    hart.core.software = True
    hart.set(asm.SEPC, CODE + 0x100)
    hart.set(SSTATUS, 0x6000 | asm.SSTATUS_SPIE | asm.SSTATUS_SPP)
    assert hart.go(asm.SRET) == RiscvExit.ECALL
    assert hart.taken is not None
    assert hart.taken[:2] == (INTERRUPT | SOFTWARE, CODE + 0x100)
    assert hart.count == 2


# WFI


@clocks
@pytest.mark.parametrize("before", [(), (asm.C_NOP,), (NOP, asm.C_NOP)], ids=len)
def test_a_wait(clock: str, before: tuple[bytes, ...]) -> None:
    """It has retired; the guest goes on behind it, once something that is enabled is pending."""
    hart = hart_of(clock, sie=bits(SOFTWARE))
    behind = CODE + sum(map(len, before)) + 4
    assert hart.go(*before, WFI, asm.c_addi(A0, 1), ECALL, a0=0) == RiscvExit.WFI
    assert (hart.core.pc, hart.count) == (behind, len(before) + 1)
    assert not hart.core.wakes()
    hart.core.external = True
    assert not hart.core.wakes(), "it is not enabled"
    hart.core.software = True
    assert hart.core.wakes()
    assert hart.stay() == RiscvExit.ECALL
    assert hart.core.x[A0] == 1, "without SIE there is no trap"
    assert hart.count == len(before) + 3


@clocks
def test_a_wait_for_what_is_there_is_none(clock: str) -> None:
    hart = hart_of(clock, sie=bits(SOFTWARE))
    hart.core.software = True
    assert hart.go(asm.C_NOP, WFI, WFI, NOP, ECALL) == RiscvExit.ECALL
    assert hart.count == 5


@clocks
def test_a_wait_that_an_interrupt_ends(clock: str) -> None:
    hart = hart_of(clock, sie=bits(EXTERNAL))
    assert hart.go(ENABLE, WFI, LOOP) == RiscvExit.WFI
    hart.core.external = True
    assert hart.stay() == RiscvExit.ECALL
    assert hart.taken is not None
    assert hart.taken[:2] == (INTERRUPT | EXTERNAL, CODE + 8)


# The timer


@pytest.mark.parametrize("due", [16, 160, 1600, 16_000])
def test_a_timer_comes_at_its_moment(due: int) -> None:
    """At the first block that begins when it is due."""
    hart = hart_of("virtual", sie=bits(TIMER))
    base = hart.core.time // TICK + 10
    work = (asm.c_addi(A0, 1), NOP, asm.c_j(-6))
    assert hart.go(asm.csrw(STIMECMP, A1), ENABLE, *work, a1=base + due) == RiscvExit.ECALL
    assert hart.taken is not None
    assert hart.taken.cause == INTERRUPT | TIMER
    assert (base + due) * TICK <= hart.core.time - 1 <= (base + due) * TICK + 4


def test_a_timer_in_the_past_is_pending_at_once_and_one_in_the_future_is_not() -> None:
    hart = hart_of("virtual", sie=0)
    hart.core.skip_to(1_000_000)
    for value, pending in ((0, True), (NEVER, False), (9_000, True), (11_000, False), (10_000, True)):
        assert hart.go(asm.csrw(STIMECMP, A1), asm.csrr(A0, SIP), ECALL, a1=value) == RiscvExit.ECALL
        assert hart.core.x[A0] == bits(TIMER) * pending, value


def test_sip_says_when_the_timer_is_due_to_the_tick() -> None:
    """A guest that looks at time and at sip in turn never sees one without the other."""
    hart = hart_of("virtual")
    base = hart.core.time // TICK + 50
    code = (asm.csrw(STIMECMP, A1), asm.csrr(A2, SIP), asm.csrr(A0, asm.TIME), asm.beq(A2, ZERO, -8), ECALL)
    assert hart.go(*code, a1=base) == RiscvExit.ECALL
    assert hart.core.x[A2] == bits(TIMER)
    assert base <= hart.core.x[A0] <= base + 1


def test_the_alarm_tells_when_a_waiting_guest_goes_on() -> None:
    hart = hart_of("virtual", sie=bits(TIMER))
    assert hart.go(asm.csrw(STIMECMP, A1), WFI, ECALL, a1=1000) == RiscvExit.WFI
    assert hart.core.alarm() == 1000 * TICK
    assert not hart.core.wakes()
    hart.core.skip_to(hart.core.alarm())
    assert hart.core.wakes()
    assert hart.stay() == RiscvExit.ECALL
    assert hart.core.alarm() == -1, "it has come"
    assert hart.core.time == 1000 * TICK + 1


@pytest.mark.parametrize("due", [1600, 16_000])
def test_a_timer_that_is_enabled_after_it_was_set(due: int) -> None:
    """Nothing is due before; then it comes at its moment, or at once."""
    hart = hart_of("virtual")
    code = (asm.csrw(STIMECMP, A1), ENABLE, *[NOP] * 30, asm.csrw(SIE, A2), LOOP)
    assert hart.core.alarm() == -1
    assert hart.go(*code, a1=due, a2=bits(TIMER)) == RiscvExit.ECALL
    assert hart.taken is not None
    assert hart.taken[:2] == (INTERRUPT | TIMER, hart.at + len(b"".join(code)) - 4)
    assert due * TICK <= hart.core.time - 1 <= due * TICK + 4
    assert hart.go(asm.csrw(SIE, ZERO), asm.csrw(STIMECMP, ZERO), ENABLE, asm.csrw(SIE, A2), LOOP) == RiscvExit.ECALL
    assert hart.taken[:2] == (INTERRUPT | TIMER, hart.at + 16)


def test_a_timer_of_the_hosts_clock() -> None:
    hart = hart_of("host", sie=bits(TIMER))
    code = (asm.csrr(A0, asm.TIME), asm.add(A1, A0, A1), asm.csrw(STIMECMP, A1), ENABLE, WFI, LOOP)
    assert hart.go(*code, a1=FREQUENCY // 50) == RiscvExit.WFI
    wait = hart.core.deadline()
    assert 0 < wait <= 20_000_000
    time.sleep(wait * 1e-9)
    assert hart.core.deadline() == 0 or hart.core.wakes()
    assert hart.stay() == RiscvExit.ECALL
    assert hart.taken is not None
    assert hart.taken.cause == INTERRUPT | TIMER


def test_a_timer_of_the_hosts_clock_interrupts_a_loop() -> None:
    hart = hart_of("host", sie=bits(TIMER))
    code = (asm.csrr(A0, asm.TIME), asm.add(A1, A0, A1), asm.csrw(STIMECMP, A1), ENABLE, LOOP)
    assert hart.go(*code, a1=FREQUENCY // 100) == RiscvExit.ECALL
    assert hart.taken is not None
    assert hart.taken[:2] == (INTERRUPT | TIMER, CODE + 16)


@pytest.mark.parametrize("far", [1 << 40, 1 << 60, 1 << 63, NEVER - 1, NEVER])
def test_a_far_deadline_is_far(far: int) -> None:
    hart = hart_of("host", timer=far, sie=bits(TIMER))
    assert not 0 <= hart.core.deadline() < 1_000_000_000_000
    assert hart.go(ENABLE, NOP, ECALL) == RiscvExit.ECALL
    assert hart.taken is None


@clocks
def test_without_sstc_the_timer_is_the_hypervisors(clock: str) -> None:
    hart = hart_of(clock, sie=bits(TIMER), sstc=False)
    assert hart.get(SIP) == 0
    assert hart.go(asm.csrr(A0, STIMECMP), ECALL) == RiscvExit.TRAP
    assert hart.trap.cause in (cpu.ILLEGAL_INSTRUCTION, cpu.VIRTUAL_INSTRUCTION)
    hart.enter(LOOP)
    now = hart.core.time // (TICK if clock == "virtual" else 1_000_000_000 // FREQUENCY)
    hart.core.set_timer(now + 10_000)
    assert hart.stay() == RiscvExit.INTERRUPT
    assert hart.core.exit[EXIT_NUMBER] == cpu.LOCAL + TIMER
    hart.core.timer = True
    assert hart.go(ENABLE, NOP, LOOP) == RiscvExit.ECALL
    assert hart.taken is not None
    assert hart.taken.cause == INTERRUPT | TIMER


def test_what_is_told_of_a_timer_that_the_guest_has_not_enabled() -> None:
    """It is pending in sip when it is due, though nobody wakes for it."""
    hart = hart_of("virtual")
    assert hart.go(asm.csrw(STIMECMP, A1), WFI, ECALL, a1=1000) == RiscvExit.WFI
    hart.core.skip_to(1000 * TICK - 1)
    assert hart.core.state()["sip"] == 0
    hart.core.skip_to(1000 * TICK)
    assert hart.core.state()["sip"] == bits(TIMER)
    assert not hart.core.wakes()


def test_set_timer_is_stimecmp() -> None:
    hart = hart_of("virtual")
    hart.core.set_timer(1234)
    assert hart.get(STIMECMP) == 1234
    assert hart.core.state()["stimecmp"] == 1234
    hart.core.set_timer(NEVER)
    assert hart.get(SIP) == 0
    hart.core.set_timer(0)
    assert hart.get(SIP) == bits(TIMER)


# The interrupt file

DELIVERY, THRESHOLD, PENDING, ENABLED = 0x70, 0x72, 0x80, 0xC0
IDENTITIES = 255


def select(register: int, value: int | None = None) -> tuple[bytes, ...]:
    choose = (asm.addi(A0, ZERO, register), asm.csrw(SISELECT, A0))
    return (*choose, asm.csrr(A0, SIREG) if value is None else asm.csrw(SIREG, A1), ECALL)


def write(hart: Hart, register: int, value: int) -> None:
    assert hart.go(*select(register, value), a1=value) == RiscvExit.ECALL


def read(hart: Hart, register: int) -> int:
    assert hart.go(*select(register)) == RiscvExit.ECALL
    return hart.core.x[A0]


def with_file(clock: str, *enabled: int, delivery: int = 1) -> Hart:
    hart = hart_of(clock, sie=bits(EXTERNAL), identities=IDENTITIES)
    write(hart, DELIVERY, delivery)
    for identity in enabled:
        number = identity // 64 * 2
        write(hart, ENABLED + number, read(hart, ENABLED + number) | 1 << identity % 64)
    return hart


@clocks
def test_a_message_interrupts(clock: str) -> None:
    hart = with_file(clock, 5, 200)
    for identity in (5, 200):
        hart.core.inject(identity)
        assert hart.get(SIP) == bits(EXTERNAL)
        assert hart.go(ENABLE, NOP, LOOP) == RiscvExit.ECALL
        assert hart.taken is not None
        assert hart.taken.cause == INTERRUPT | EXTERNAL
        hart.core.pc = CODE
        assert hart.get(STOPI) == 9 << 16 | 1
        assert hart.get(STOPEI) == identity << 16 | identity
        assert hart.go(asm.csrrw(A1, STOPEI, ZERO), ECALL) == RiscvExit.ECALL
        assert hart.core.x[A1] == identity << 16 | identity
        assert hart.get(STOPEI) == 0
        assert hart.get(SIP) == 0


@clocks
def test_the_lowest_identity_is_first(clock: str) -> None:
    hart = with_file(clock, 3, 64, 65, 254)
    for identity in (254, 65, 3, 64):
        hart.core.inject(identity)
    claimed = []
    while True:
        assert hart.go(asm.csrrw(A1, STOPEI, ZERO), ECALL) == RiscvExit.ECALL
        if not (top := hart.core.x[A1]):
            break
        claimed.append(top >> 16)
    assert claimed == [3, 64, 65, 254]


@clocks
def test_what_is_not_enabled_or_beyond_the_threshold_waits(clock: str) -> None:
    hart = with_file(clock, 7)
    hart.core.inject(6)
    assert hart.get(SIP) == 0
    hart.core.inject(7)
    write(hart, THRESHOLD, 7)
    assert hart.get(SIP) == 0, "only identities below it"
    write(hart, THRESHOLD, 8)
    assert hart.get(SIP) == bits(EXTERNAL)
    write(hart, DELIVERY, 0)
    assert hart.get(SIP) == 0
    assert read(hart, PENDING) == 1 << 6 | 1 << 7
    _, threshold, pending, enabled = hart.core.file()
    assert (threshold, list(pending), list(enabled)) == (8, [6, 7], [7])


def test_identities_that_are_not_there_are_ignored() -> None:
    hart = with_file("host")
    write(hart, ENABLED, MASK)
    write(hart, ENABLED + 6, MASK)
    assert read(hart, ENABLED) == MASK - 1, "there is no identity 0"
    for identity in (0, 256, 1 << 20, 255):
        hart.core.inject(identity)
    assert list(hart.core.file()[2]) == [255]


def test_registers_that_are_not_there() -> None:
    """As on QEMU: those behind the end, odd ones of 64 bits and unknown ones are the hypervisor's."""
    for register in (0x71, 0x73, 0x81, 0x88, 0xC1, 0xC8, 0x100, 0):
        hart = with_file("host")
        assert hart.go(*select(register)) == RiscvExit.TRAP, hex(register)
        assert hart.trap[:2] == (cpu.VIRTUAL_INSTRUCTION, hart.at + 8)


@clocks
def test_software_interrupts_come_after_messages(clock: str) -> None:
    hart = with_file(clock, 9)
    hart.set(SIE, bits(EXTERNAL, SOFTWARE, TIMER))
    hart.core.software = True
    hart.core.inject(9)
    assert hart.get(STOPI) >> 16 == EXTERNAL
    assert hart.go(ENABLE, asm.csrrw(A1, STOPEI, ZERO), LOOP) == RiscvExit.ECALL
    assert hart.taken is not None
    assert hart.taken.cause == INTERRUPT | EXTERNAL
    assert hart.go(asm.csrrw(A1, STOPEI, ZERO), ECALL) == RiscvExit.ECALL
    assert hart.get(STOPI) >> 16 == SOFTWARE


@given(st.lists(st.tuples(st.sampled_from(("inject", "claim", "enable", "disable")), st.integers(1, 255)), max_size=30))
@settings(max_examples=25)
def test_the_file_against_a_model(steps: list[tuple[str, int]]) -> None:
    hart = with_file("host")
    pending: set[int] = set()
    enabled: set[int] = set()
    for what, identity in steps:
        number, bit = ENABLED + identity // 64 * 2, 1 << identity % 64
        match what:
            case "inject":
                hart.core.inject(identity)
                pending.add(identity)
            case "enable":
                write(hart, number, read(hart, number) | bit)
                enabled.add(identity)
            case "disable":
                write(hart, number, read(hart, number) & ~bit)
                enabled.discard(identity)
            case _:
                top = min(pending & enabled, default=0)
                assert hart.go(asm.csrrw(A1, STOPEI, ZERO), ECALL) == RiscvExit.ECALL
                assert hart.core.x[A1] == top << 16 | top
                pending.discard(top)
        assert bool(hart.get(SIP)) == bool(pending & enabled)
    assert [set(each) for each in hart.core.file()[2:]] == [pending, enabled]


# Its page, in guest-physical memory

PAGE = 0x2800_0000


def test_a_store_to_the_own_file() -> None:
    hart = with_file("host", 12)
    hart.core.map_imsic(PAGE, 1)
    assert hart.go(asm.store("w", A1, A2), ECALL, a1=12, a2=PAGE) == RiscvExit.ECALL
    assert hart.get(STOPEI) == 12 << 16 | 12
    for value, place in ((13, 4), (0, 0), (256, 0)):
        assert hart.go(asm.store("w", A1, A2), ECALL, a1=value, a2=PAGE + place) == RiscvExit.ECALL
    assert list(hart.core.file()[2]) == [12]
    assert hart.go(asm.load("wu", A1, A2), ECALL, a1=7, a2=PAGE) == RiscvExit.ECALL
    assert hart.core.x[A1] == 0


def test_what_is_told_of_a_store_to_the_own_file() -> None:
    """It is raised as often as it is stored, and pending once until it is claimed, as another hart's is."""
    hart = hart_of("virtual", identities=IDENTITIES, records=True)
    hart.core.map_imsic(PAGE, 1)
    store = asm.store("w", A1, A2)
    assert hart.go(store, store, ECALL, a1=12, a2=PAGE) == RiscvExit.ECALL
    assert hart.go(store, ECALL, a1=IDENTITIES + 1, a2=PAGE) == RiscvExit.ECALL
    kinds = told(hart, Kind.RAISED, Kind.PENDING)
    assert kinds == [(kind, MESSAGES + 12) for kind in (Kind.RAISED, Kind.PENDING, Kind.RAISED)]


def told(hart: Hart, *kinds: Kind) -> list[tuple[int, int]]:
    rows = [Record(*each) for data, _, _ in hart.core.take_records(True) for each in RECORD.iter_unpack(data)]
    return [(row.kind, row.a) for row in rows if row.kind in kinds]


def test_what_is_told_of_identities_that_a_guest_sets_pending_itself() -> None:
    """Once each, whichever way it writes them; not those that are so already, nor what the file has not."""
    hart = hart_of("virtual", identities=IDENTITIES, records=True)
    set_bits = (asm.csrw(SISELECT, A0), asm.csrrs(ZERO, SIREG, A1), asm.csrrs(ZERO, SIREG, A1), ECALL)
    assert hart.go(*set_bits, a0=PENDING, a1=0x13) == RiscvExit.ECALL
    assert hart.go(*set_bits, a0=PENDING + 6, a1=1 << 63) == RiscvExit.ECALL
    write(hart, PENDING, 0x30)
    write(hart, ENABLED, 0xFF)
    assert told(hart, Kind.PENDING) == [(Kind.PENDING, MESSAGES + identity) for identity in (1, 4, 255, 5)]
    assert hart.go(asm.csrrw(A2, STOPEI, ZERO), *set_bits, a0=PENDING, a1=0x30) == RiscvExit.ECALL
    kinds = (Kind.ACKNOWLEDGED, MESSAGES + 4), (Kind.PENDING, MESSAGES + 4)
    assert told(hart, Kind.PENDING, Kind.ACKNOWLEDGED) == list(kinds)


def test_what_is_told_of_a_software_interrupt_that_a_guest_sets_itself() -> None:
    hart = hart_of("virtual", records=True)
    both = (asm.csrsi(SIP, 2), asm.csrsi(SIP, 2), asm.csrw(SIP, ZERO), asm.csrw(SIP, A1), ECALL)
    assert hart.go(*both, a1=MASK) == RiscvExit.ECALL
    assert told(hart, Kind.PENDING) == [(Kind.PENDING, cpu.LOCAL + SOFTWARE)] * 2


def test_a_store_to_anothers_file_is_told() -> None:
    """And costs nothing, as on hardware, where it does not enter the hypervisor."""
    costs = [5000] * COSTS
    costs[RiscvExit.ECALL] = 0
    hart = hart_of("virtual", sie=bits(EXTERNAL), identities=IDENTITIES, costs=tuple(costs))
    hart.core.map_imsic(PAGE, 2)
    told: list[tuple[int, int, int]] = []

    def tell(ipa: int, size: int, value: int) -> bool:
        told.append((ipa, size, value))
        return True

    hart.core.emulate((), lambda *_: None, tell, [])
    begin = hart.core.time
    assert hart.go(asm.store("w", A1, A2), ECALL, a1=12, a2=PAGE + 0x1000) == RiscvExit.ECALL
    assert told == [(PAGE + 0x1000, 4, 12)]
    assert hart.core.time - begin < 10
    assert hart.go(asm.store("w", A1, A2), ECALL, a1=12, a2=PAGE + 0x2000) == RiscvExit.TRAP
