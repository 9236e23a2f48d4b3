"""Watchpoints, breakpoints and single step as EL1 uses them (Arm ARM D2): all that ID_AA64DFR0_EL1 advertises."""

from __future__ import annotations

import pytest

from baonet.core import _node
from baonet.hyp.armv8.cpu import Exit
from tests.core.bench import retired
from tests.core.probe import (
    CLOCKS,
    DATA,
    EL0,
    EL1H,
    HANDLER,
    IL,
    LOWER_EL,
    MASKED,
    NORMAL,
    SAME_EL,
    USER,
    Probe,
    address,
    user,
)
from tests.core.vectors import Taken

SS, KDE, MDE = 1, 1 << 13, 1 << 15
ENABLE, EL1, EL0_TOO, LOAD, STORE = 1, 1 << 1, 2 << 1, 1 << 3, 2 << 3
ALL_BYTES = 0xFF << 5
EVERYTHING = ENABLE | EL1 | EL0_TOO | LOAD | STORE
LINKED, CONTEXT_MATCH = 1 << 20, 3 << 20
UNMASKED = 0x1C0  # all but D
WATCHPOINT, BREAKPOINT, STEP = 0x34 << 26 | IL | 0x22, 0x30 << 26 | IL | 0x22, 0x32 << 26 | IL | 0x22
FROM_SAME_EL, WRITE, STEP_VALID = 1 << 26, 1 << 6, 1 << 24
PSTATE_SS = 1 << 21
HERE = NORMAL + DATA

clocks = pytest.mark.parametrize("clock", CLOCKS)


def debugged(clock: str = "host", mdscr: int = MDE | KDE) -> Probe:
    probe = Probe(clock, mmu=True)
    probe.set_up(mdscr=mdscr)
    assert probe.go("set_os_lock", 0) is None, "it is locked at reset"
    return probe


def watch(probe: Probe, value: int, control: int = EVERYTHING | ALL_BYTES, *, n: int = 0) -> None:
    assert probe.go(f"set_w{n}", value, control) is None


def run(probe: Probe, routine: str, *arguments: int) -> Taken | None:
    """At EL1 with debug exceptions enabled."""
    return probe.go(routine, *arguments, spsr=EL1H | UNMASKED)


def is_watchpoint(taken: Taken | None, routine: str, far: int, *, store: bool) -> None:
    assert taken is not None
    assert (taken.vector, hex(taken.esr)) == (SAME_EL, hex(WATCHPOINT | FROM_SAME_EL | (WRITE if store else 0)))
    assert (taken.elr, hex(taken.far)) == (address(routine), hex(far))


@clocks
@pytest.mark.parametrize("n", range(4))
def test_a_store_to_a_watched_address_is_not_made(clock: str, n: int) -> None:
    probe = debugged(clock)
    probe.store(0, 5)
    assert run(probe, "str_x", HERE, 6) is None, "the page is in the TLB before"
    watch(probe, HERE, n=n)
    is_watchpoint(run(probe, "str_x", HERE, 7), "str_x", HERE, store=True)
    assert probe.data() == 6
    assert probe.retired == HANDLER
    is_watchpoint(run(probe, "ldr_x", HERE), "ldr_x", HERE, store=False)
    for beside in (HERE - 8, HERE + 8, HERE + 0x1000):
        assert run(probe, "str_x", beside, 7) is None
        assert run(probe, "ldr_x", beside) is None
    assert probe.data(8) == 7
    watch(probe, HERE, 0, n=n)
    assert run(probe, "str_x", HERE, 8) is None
    assert probe.data() == 8


@clocks
def test_a_hit_in_mid_block_retires_what_was_before_it(clock: str) -> None:
    probe = debugged(clock)
    watch(probe, HERE)
    for routine in ("load_amid", "store_amid"):
        taken = run(probe, routine, HERE, 1)
        assert taken is not None
        assert taken.elr == address(routine) + 12
        assert probe.retired == 3 + HANDLER


@pytest.mark.parametrize("kinds", [0, LOAD, STORE, LOAD | STORE])
def test_loads_or_stores_are_watched(kinds: int) -> None:
    probe = debugged()
    watch(probe, HERE, ENABLE | EL1 | ALL_BYTES | kinds)
    for routine, kind in (("ldr_x", LOAD), ("str_x", STORE), ("ldp", LOAD), ("stp", STORE), ("ldxr", LOAD)):
        assert (run(probe, routine, HERE) is not None) == bool(kinds & kind), routine


@pytest.mark.parametrize("select", [0x01, 0x80, 0x18, 0xF0, 0x55, 0xFF])
def test_each_byte_is_selected_on_its_own(select: int) -> None:
    probe = debugged()
    watch(probe, HERE, EVERYTHING | select << 5)
    selected = [n for n in range(8) if select >> n & 1]
    for n in range(8):
        assert (run(probe, "ldrb", HERE + n) is not None) == (n in selected)
        assert (run(probe, "strb", HERE + n) is not None) == (n in selected)
    for at in range(-8, 9):  # misaligned, too
        hit = [n for n in selected if at <= n < at + 4]
        taken = run(probe, "str_w", HERE + at)
        assert (taken is not None) == bool(hit)
        if taken is not None:
            assert taken.far == HERE + hit[0], "the lowest watched byte"


def test_an_address_of_half_a_double_word() -> None:
    probe = debugged()
    watch(probe, HERE + 4, EVERYTHING | 0xF << 5)
    assert run(probe, "ldr_w", HERE) is None
    is_watchpoint(run(probe, "ldr_w", HERE + 4), "ldr_w", HERE + 4, store=False)


@pytest.mark.parametrize("mask", [3, 6, 12, 14, 20])
def test_a_masked_range(mask: int) -> None:
    probe = debugged()
    size = 1 << mask
    start = HERE & ~(size - 1)
    watch(probe, start, EVERYTHING | ALL_BYTES | mask << 24)
    for inside in (start, start + size // 2, start + size - 1):
        assert run(probe, "strb", inside) is not None
    for outside in (start - 1, start + size):
        assert run(probe, "strb", outside) is None


@pytest.mark.parametrize("routine", ["ldr_w", "str_w"])
def test_an_access_across_two_pages_hits_in_the_bytes_that_it_has(routine: str) -> None:
    probe = debugged()
    edge = HERE + 0x1000
    for watched in range(-4, 4):
        watch(probe, (edge + watched) & ~7, EVERYTHING | 1 << ((edge + watched) & 7) << 5)
        for at in range(-4, 1):
            hit = at <= watched < at + 4
            assert (run(probe, routine, edge + at) is not None) == hit, (watched, at)


def test_the_levels_that_are_watched() -> None:
    probe = debugged()
    for control, el1, el0 in (
        (EL1, True, False),
        (EL0_TOO, False, True),
        (EL1 | EL0_TOO, True, True),
        (0, False, False),
    ):
        watch(probe, HERE, ENABLE | LOAD | STORE | ALL_BYTES | control)
        watch(probe, USER + DATA, ENABLE | LOAD | STORE | ALL_BYTES | control, n=1)
        assert (run(probe, "str_x", HERE) is not None) == el1
        assert (run(probe, "ldtr", USER + DATA) is not None) == el0, "an unprivileged load is EL0's"
        assert (run(probe, "sttr", USER + DATA) is not None) == el0
        taken = probe.go("str_x", USER + DATA, spsr=EL0)
        assert taken is not None
        if el0:
            assert (taken.vector, hex(taken.esr), taken.far) == (LOWER_EL, hex(WATCHPOINT | WRITE), USER + DATA)
            assert taken.elr == user("str_x")
        else:
            assert taken.elr == user("str_x") + 4


def test_what_disables_debug_exceptions() -> None:
    probe = debugged()
    watch(probe, HERE)
    watch(probe, USER + DATA, n=1)

    def hits(spsr: int = EL1H | UNMASKED) -> bool:
        base = USER + DATA if spsr & 0xF == EL0 else HERE
        taken = probe.go("str_x", base, spsr=spsr)
        return taken is not None and taken.far == base and taken.esr >> 26 in (0x34, 0x35)

    assert hits()
    assert not hits(EL1H | MASKED), "PSTATE.D"
    assert hits(EL0 | MASKED), "which does not matter to exceptions from below"
    probe.go("set_mdscr", MDE)
    assert not hits(), "MDSCR_EL1.KDE"
    assert hits(EL0)
    probe.go("set_mdscr", KDE)
    assert not hits(), "MDSCR_EL1.MDE"
    assert not hits(EL0)
    probe.go("set_mdscr", KDE | MDE)
    probe.go("set_os_lock", 1)
    assert not hits(), "the OS lock"
    assert not hits(EL0)
    probe.go("set_os_lock", 0)
    assert hits()


def test_a_watchpoint_that_is_linked_to_a_context() -> None:
    probe = debugged()
    probe.go("set_b4", 0x1234, ENABLE | CONTEXT_MATCH | EL1 | EL0_TOO)
    watch(probe, HERE, EVERYTHING | ALL_BYTES | LINKED | 4 << 16)
    assert run(probe, "str_x", HERE) is None
    probe.go("set_context", 0x1234)
    assert run(probe, "str_x", HERE) is not None
    probe.go("set_b4", 0x1234, CONTEXT_MATCH)
    assert run(probe, "str_x", HERE) is None, "the breakpoint is disabled"
    watch(probe, HERE, EVERYTHING | ALL_BYTES | LINKED | 1 << 16)
    assert run(probe, "str_x", HERE) is None, "breakpoint 1 knows no contexts"


@clocks
@pytest.mark.parametrize("routine", ["ldadd", "stadd", "swp", "cas"])
@pytest.mark.parametrize("kinds", [LOAD, STORE, LOAD | STORE])
def test_an_atomic_operation_loads_and_stores(clock: str, routine: str, kinds: int) -> None:
    """WnR is 0 if a load would have hit (Arm ARM D17.2.37, ISS of a Watchpoint exception)."""
    probe = debugged(clock)
    probe.store(0, 5)
    watch(probe, HERE, ENABLE | EL1 | ALL_BYTES | kinds)
    for _ in range(2):
        is_watchpoint(run(probe, routine, HERE, 1), routine, HERE, store=kinds == STORE)
        assert probe.retired == HANDLER
        assert probe.data() == 5
        assert run(probe, routine, HERE + 8, 1) is None


def test_a_store_exclusive_stores() -> None:
    probe = debugged()
    watch(probe, HERE, ENABLE | EL1 | ALL_BYTES | STORE)
    taken = run(probe, "exclusive", HERE, 7)
    assert taken is not None
    assert (taken.elr, hex(taken.esr)) == (address("exclusive") + 4, hex(WATCHPOINT | FROM_SAME_EL | WRITE))
    watch(probe, HERE, ENABLE | EL1 | ALL_BYTES | LOAD)
    is_watchpoint(run(probe, "exclusive", HERE, 7), "exclusive", HERE, store=False)
    assert probe.data() == 0


def test_the_second_half_of_an_atomic_pair() -> None:
    probe = debugged()
    watch(probe, HERE + 8)
    is_watchpoint(run(probe, "casp", HERE), "casp", HERE + 8, store=False)
    assert run(probe, "casp_w", HERE) is None
    watch(probe, HERE + 8, ENABLE | EL1 | ALL_BYTES | STORE)
    taken = run(probe, "exclusive_pair", HERE, 7)
    assert taken is not None
    assert (taken.elr, taken.far) == (address("exclusive_pair") + 4, HERE + 8)
    assert (probe.data(), probe.data(8)) == (0, 0)


def test_a_line_that_is_zeroed() -> None:
    probe = debugged()
    probe.store(0, *range(1, 9))
    watch(probe, HERE + 0x20)
    for at in (0, 0x20, 0x3F):
        taken = run(probe, "zero", HERE + at)
        assert taken is not None
        assert (hex(taken.esr), taken.far) == (hex(WATCHPOINT | FROM_SAME_EL | WRITE), HERE + 0x20)
        assert [probe.data(8 * n) for n in range(8)] == list(range(1, 9))
    assert run(probe, "zero", HERE + 0x40) is None


def test_a_fault_of_the_translation_comes_first() -> None:
    probe = debugged()
    watch(probe, 0x7F_0000_0000)
    taken = run(probe, "str_x", 0x7F_0000_0000)
    assert taken is not None
    assert taken.esr >> 26 == 0x25


@clocks
def test_the_count_does_not_depend_on_watchpoints_or_kicks(clock: str) -> None:
    """With the watched bytes in another page, in that of the stores, or nowhere."""
    counts = []
    for watched in (None, HERE + 0x100, HERE + 0x800):
        probe = debugged(clock)
        if watched:
            watch(probe, watched)
        core = probe.core
        for n, value in ((0, HERE), (2, 1000), (3, HERE + 0x80)):
            core.x[n] = value
        core.x[30], core.x[29], core.x[28], core.x[27] = address("store_loop"), EL1H | UNMASKED, 0, 0
        core.pc = address("go")
        before = retired(core)
        reason = Exit.BUDGET
        while reason != Exit.HVC:
            if reason == Exit.BUDGET:
                _node.kick(probe.memory.slots, 0)
            reason = Exit(core.run_until(core.time + 100) if clock == "virtual" else core.run(100))
            assert reason in (Exit.BUDGET, Exit.KICKED, Exit.HVC)
        counts.append(retired(core) - before)
    assert counts == [5 + 4 * 1000 + 1] * 3


@pytest.mark.parametrize("again", [False, True])
def test_code_in_a_watched_page_runs_and_is_seen_when_it_changes(again: bool) -> None:
    probe = debugged()
    code = HERE + 0x3000
    watch(probe, code + 0x800)
    for value in range(1, 4):
        word = 0xD2800003 | value << 5  # mov x3, #value
        if again:
            watch(probe, code + 0x800 + 8 * value)
        assert run(probe, "str_x", code, word | 0xD4000002 << 32) is None
        assert probe.go(code) is None
        assert probe.core.x[3] == value


# Breakpoints


@clocks
@pytest.mark.parametrize("n", range(6))
@pytest.mark.parametrize("at", [0, 3])
def test_a_breakpoint(clock: str, n: int, at: int) -> None:
    probe = debugged(clock)
    where = address("steps") + 4 * at
    assert run(probe, "steps") is None
    assert probe.go(f"set_b{n}", where, ENABLE | EL1 | 0xF << 5) is None
    for _ in range(2):
        taken = run(probe, "steps")
        assert taken is not None
        assert (taken.vector, hex(taken.esr), taken.elr) == (SAME_EL, hex(BREAKPOINT | FROM_SAME_EL), where)
        assert probe.retired == at + HANDLER
    assert probe.go("steps") is None, "PSTATE.D"
    assert probe.go(f"set_b{n}", where, 0) is None
    assert run(probe, "steps") is None
    assert probe.retired == 7


def test_the_os_lock_disables_breakpoints_and_steps() -> None:
    probe = debugged(mdscr=MDE | KDE | SS)
    probe.go("set_b0", address("steps"), ENABLE | EL1 | 0xF << 5)
    probe.go("set_os_lock", 1)
    assert run(probe, "steps") is None
    assert probe.go("steps", spsr=EL1H | UNMASKED | PSTATE_SS) is None
    assert probe.retired == 7


def test_a_breakpoint_at_el0() -> None:
    probe = debugged()
    where = user("steps") + 8
    assert probe.go("set_b2", where, ENABLE | EL0_TOO | 0xF << 5) is None
    taken = probe.go("steps", spsr=EL0)
    assert taken is not None
    assert (taken.vector, hex(taken.esr), taken.elr) == (LOWER_EL, hex(BREAKPOINT), where)


def test_a_breakpoint_that_is_linked_to_a_context() -> None:
    probe = debugged()
    probe.go("set_b5", 77, ENABLE | CONTEXT_MATCH | EL1 | EL0_TOO)
    probe.go("set_b0", address("steps"), ENABLE | EL1 | 0xF << 5 | LINKED | 5 << 16)
    assert run(probe, "steps") is None
    probe.go("set_context", 77)
    assert run(probe, "steps") is not None


# Single step


@clocks
def test_single_step(clock: str) -> None:
    """Each return to EL1 or EL0 with SPSR.SS set retires one instruction."""
    probe = debugged(clock, MDE | KDE | SS)
    for spsr, place, level in ((EL1H | UNMASKED, address, SAME_EL), (EL0, user, LOWER_EL)):
        pc = place("steps")
        for step in range(1, 7):
            taken = probe.go(pc, spsr=spsr | PSTATE_SS)
            assert taken is not None
            same = FROM_SAME_EL if level == SAME_EL else 0
            assert (taken.vector, hex(taken.esr)) == (level, hex(STEP | STEP_VALID | same))
            assert (taken.elr, probe.core.x[8 + step]) == (pc + 4, step)
            assert probe.retired == 1 + HANDLER
            pc += 4


@clocks
def test_a_step_that_is_pending_already_retires_nothing(clock: str) -> None:
    probe = debugged(clock, MDE | KDE | SS)
    taken = probe.go("steps", spsr=EL0)
    assert taken is not None
    assert (taken.vector, hex(taken.esr), taken.elr) == (LOWER_EL, hex(STEP), user("steps"))
    assert probe.retired == HANDLER
    taken = probe.go(USER, spsr=EL0)  # the page before is not EL0's
    assert taken is not None
    assert (taken.vector, hex(taken.esr), taken.elr) == (LOWER_EL, hex(STEP), USER)


def test_a_step_over_a_watched_access() -> None:
    """As a debugger goes on: the watchpoint off, one step, and on again."""
    probe = debugged(mdscr=MDE)
    watch(probe, USER + DATA)
    taken = probe.go("str_x", USER + DATA, 9, spsr=EL0)
    assert taken is not None
    assert taken.esr >> 26 == 0x34
    watch(probe, USER + DATA, 0)
    probe.go("set_mdscr", MDE | SS)
    stepped = probe.go(user("str_x"), USER + DATA, 9, spsr=EL0 | PSTATE_SS)
    assert stepped is not None
    assert (stepped.esr >> 26, stepped.elr) == (0x32, user("str_x") + 4)
    assert probe.data() == 9
    probe.go("set_mdscr", MDE)
    watch(probe, USER + DATA)
    again = probe.go("str_x", USER + DATA, 10, spsr=EL0)
    assert again is not None
    assert again.esr >> 26 == 0x34


def test_nothing_is_left_after_a_reset() -> None:
    probe = debugged()
    watch(probe, HERE)
    probe.go("set_b0", address("steps"), ENABLE | EL1 | 0xF << 5)
    probe.set_up(mdscr=MDE | KDE)
    probe.go("set_os_lock", 0)
    assert run(probe, "str_x", HERE) is None
    assert run(probe, "steps") is None
