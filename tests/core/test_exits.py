"""The state that a guest starts in, and where each way out leaves the PC and the count of instructions."""

from __future__ import annotations

import pytest

from baonet.hyp.armv8.cpu import (
    EXIT_ESR,
    EXIT_INTID,
    EXIT_REGISTER,
    EXIT_VALUE,
    HCR_EN,
    HCR_NPIE,
    HCR_UIE,
    ICH_HCR,
    ICH_VMCR,
    LR_ACTIVE,
    LR_GROUP,
    LR_HW,
    LR_PENDING,
    LR_PINTID_SHIFT,
    LR_PRIORITY_SHIFT,
    VMCR_VENG0,
    VMCR_VENG1,
    VMCR_VPMR_SHIFT,
    Exit,
)
from tests.core.bench import GICV, RAM, Bench, address, retired, run
from tests.hyp.armv8.virtual_interface import Gicv

ENABLED = 0xF8 << VMCR_VPMR_SHIFT | VMCR_VENG0 | VMCR_VENG1


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench()


def pending(intid: int, flags: int = LR_GROUP) -> int:
    return intid | 0xA0 << LR_PRIORITY_SHIFT | flags | LR_PENDING


# Entry


def test_a_vcpu_starts_as_bao_starts_it(bench: Bench) -> None:
    core = bench.core
    bench.go("exceptions", 3, 1 << 32, x21=RAM)
    for n in range(len(core.ich)):
        core.ich[n] = n + 1
    core.reset(address("nothing"), 0x1234)
    assert list(core.x) == [0x1234] + [0] * 30
    assert core.pc == address("nothing")
    assert set(core.ich) == {0}
    state = core.state()
    assert state.pop("sctlr_el1") == 0x30C5_0830
    assert state.pop("pstate") & 0x3FF == 0x3C5, "EL1h, DAIF masked"
    assert set(state.values()) == {0}, state


@pytest.mark.parametrize(
    ("routine", "value"),
    [("level", 1 << 2), ("masks", 0x3C0), ("system_control", 0x30C5_0830), ("stack", 0), ("frequency", 62_500_000)],
)
def test_the_guest_sees_it_so(bench: Bench, routine: str, value: int) -> None:
    assert bench.go(routine) == Exit.HVC
    assert hex(bench.core.x[3]) == hex(value)


@pytest.mark.parametrize("model", [0, 1, 2, 3])
def test_who_it_is(model: int) -> None:
    bench = Bench(model=model, mpidr=0xC000_0005)
    found = [hex(bench.call(routine)) for routine in ("identification", "affinity")]
    assert found == [hex(0x410F_D034), hex(0xC000_0005)]


@pytest.mark.parametrize(("version", "field"), [(3, 1), (2, 0)])
def test_the_interrupt_controller_that_it_says_it_has(version: int, field: int) -> None:
    bench = Bench(gic_version=version)
    assert bench.call("features") >> 24 & 0xF == field


# Calls and traps


def test_a_hypercall_is_past_its_instruction(bench: Bench) -> None:
    assert bench.go("call", 1, 2, 3) == Exit.HVC
    assert bench.core.pc == address("call") + 4
    assert list(bench.core.x)[:4] == [1, 2, 3, 0]


def test_a_secure_call_is_at_its_instruction(bench: Bench) -> None:
    assert bench.go("secure_call") == Exit.SMC
    assert bench.core.pc == address("secure_call")
    bench.core.pc += 4
    assert run(bench.core) == Exit.HVC
    assert bench.core.pc == address("secure_call") + 8


@pytest.mark.parametrize(("routine", "op2"), [("sgi1", 5), ("asgi1", 6), ("sgi0", 7)])
def test_a_software_generated_interrupt_is_at_its_instruction(bench: Bench, routine: str, op2: int) -> None:
    assert bench.go(routine, 0, 0x0123_4567_89AB_CDEF) == Exit.SYSTEM_REGISTER
    assert bench.core.exit[EXIT_REGISTER] == 3 << 14 | 12 << 7 | 11 << 3 | op2
    assert bench.core.exit[EXIT_VALUE] == 0x0123_4567_89AB_CDEF
    assert bench.core.pc == address(routine)
    bench.core.pc += 4
    assert run(bench.core) == Exit.HVC


def test_an_interrupt_does_not_come_between_a_trap_and_its_exit(bench: Bench) -> None:
    """The PC must be what the exit says, though an interrupt waits that the guest would take."""
    for routine, reason in (("sgi1", Exit.SYSTEM_REGISTER), ("call", Exit.HVC), ("secure_call", Exit.SMC)):
        bench.enter(routine)
        bench.core.ich[ICH_HCR], bench.core.ich[ICH_VMCR] = HCR_EN, ENABLED
        bench.core.ich[0] = pending(40)
        assert run(bench.core) == reason
        assert bench.core.pc - address(routine) == (4 if reason == Exit.HVC else 0)


def test_the_registers_of_a_gicv3_are_undefined_for_a_gicv2_guest() -> None:
    bench = Bench(gic_version=2)
    bench.enter("acknowledge")
    assert bench.core.run(1000) == Exit.FAULT or bench.core.statistics()["native_exceptions"]


def test_waiting(bench: Bench) -> None:
    assert bench.go("wait_for_interrupt") == Exit.WFI
    assert bench.core.pc == address("wait_for_interrupt") + 4
    assert not bench.core.wakes()
    bench.core.ich[ICH_HCR], bench.core.ich[ICH_VMCR] = HCR_EN, ENABLED
    bench.core.ich[0] = pending(40)
    assert bench.core.wakes()
    assert run(bench.core) == Exit.HVC


def test_waiting_for_what_is_there_already(bench: Bench) -> None:
    """Masked in PSTATE, an interrupt ends a WFI all the same."""
    bench.enter("wait_for_interrupt")
    bench.core.ich[ICH_HCR], bench.core.ich[ICH_VMCR] = HCR_EN, ENABLED
    bench.core.ich[0] = pending(40)
    assert run(bench.core) == Exit.HVC


def test_waiting_for_an_event_lets_others_run(bench: Bench) -> None:
    assert bench.go("wait_for_event") == Exit.BUDGET
    assert bench.core.pc == address("wait_for_event") + 4
    assert run(bench.core) == Exit.HVC


# Interrupts


@pytest.mark.parametrize(("flags", "counter"), [(LR_GROUP, 17), (0, 18)], ids=["IRQ", "FIQ"])
def test_a_listed_interrupt_is_taken(bench: Bench, flags: int, counter: int) -> None:
    bench.enter("take_interrupt")
    bench.core.ich[ICH_HCR], bench.core.ich[ICH_VMCR] = HCR_EN, ENABLED
    assert bench.core.run(10_000) == Exit.BUDGET
    bench.core.ich[0] = pending(40, flags)
    assert run(bench.core) == Exit.HVC
    assert [bench.core.x[n] for n in (17, 18)] == [int(counter == 17), int(counter == 18)]


def test_an_ended_hardware_interrupt_is_told(bench: Bench) -> None:
    """That of a device to whoever has its line, once each; the timers' own is the core's business."""
    core = bench.core
    bench.enter("nothing")
    core.ich[ICH_HCR], core.ich[ICH_VMCR] = HCR_EN, ENABLED
    for n, intid in enumerate((33, 27, 1019)):
        core.ich[n] = pending(intid, LR_GROUP | LR_HW | intid << LR_PINTID_SHIFT)
    for intid in (33, 27, 1019):
        assert bench.call("acknowledge") == intid
        core.x[1], core.pc = intid, address("end")
        if intid != 27:
            assert run(core) == Exit.DEACTIVATED
            assert core.exit[EXIT_INTID] == intid
            assert core.pc == address("end") + 4
        assert run(core) == Exit.HVC
    assert not any(core.ich[n] & (LR_PENDING | LR_ACTIVE) for n in range(4))


def test_a_maintenance_interrupt_comes_at_once(bench: Bench) -> None:
    core = bench.core
    bench.enter("nothing")
    core.ich[ICH_HCR], core.ich[ICH_VMCR] = HCR_EN | HCR_UIE, ENABLED
    core.ich[0], core.ich[1] = pending(40), pending(41)
    assert bench.call("acknowledge") == 40
    core.x[1], core.pc = 40, address("end")
    assert run(core) == Exit.MAINTENANCE
    assert core.pc == address("end") + 4


def test_a_maintenance_condition_that_the_hypervisor_makes_is_seen_on_entry(bench: Bench) -> None:
    bench.enter("nothing")
    bench.core.ich[ICH_HCR], bench.core.ich[ICH_VMCR] = HCR_EN | HCR_NPIE, ENABLED
    assert run(bench.core) == Exit.MAINTENANCE
    assert bench.core.pc == address("nothing")
    bench.core.ich[ICH_HCR] = HCR_EN
    assert run(bench.core) == Exit.HVC


@pytest.mark.parametrize("register", [Gicv.IAR, Gicv.AIAR])
def test_a_maintenance_interrupt_comes_at_once_to_a_gicv2_guest(register: Gicv) -> None:
    """An acknowledge in the frame that leaves nothing pending, before the call at the end of its block."""
    bench = Bench(gic_version=2)
    bench.enter("nothing")
    core = bench.core
    core.ich[ICH_HCR], core.ich[ICH_VMCR] = HCR_EN | HCR_NPIE, ENABLED
    core.ich[0] = pending(40, LR_GROUP if register == Gicv.AIAR else 0)
    core.x[0], core.pc = GICV + register, address("ldr_w")
    assert run(core) == Exit.MAINTENANCE
    assert core.x[3] == 40
    core.ich[ICH_HCR] = HCR_EN
    assert run(core) == Exit.HVC
    assert core.pc == address("ldr_w") + 8


# What retires


@pytest.mark.parametrize("rounds", [1, 100])
def test_exceptions_of_the_guests_own_count_exactly(bench: Bench, rounds: int) -> None:
    """SVC retires; an undefined instruction and a load that faults do not. The handlers run 6 and 9 instructions."""
    tables = RAM + 0x10_0000
    bench.memory.write(tables, 0, RAM | 0x701)
    assert bench.go("exceptions", rounds, 0x1_0000_0000 >> 1, x21=tables) == Exit.HVC
    before = retired(bench.core)
    assert run(bench.core) == Exit.HVC
    assert bench.core.x[16] == 3 * rounds
    assert retired(bench.core) - before == rounds * (1 + 6 + 9 + 9 + 2) + 1


def test_a_refused_register_in_mid_block_counts_exactly(bench: Bench) -> None:
    assert bench.go("ungranted") == Exit.HVC
    before = retired(bench.core)
    assert run(bench.core) == Exit.HVC
    assert bench.core.x[9] == 4
    assert bench.core.x[16] == 2
    assert retired(bench.core) - before == 3 + 9 + 3 + 6


def test_an_exception_without_a_vector_is_a_fetch_from_nowhere(bench: Bench) -> None:
    assert bench.go("undefined", 0, 0x1000) == Exit.FAULT
    assert bench.core.pc == 0x1200
    assert bench.core.exit[EXIT_ESR] >> 26 == 0x20


def test_an_endless_exception_does_not_keep_the_host(bench: Bench) -> None:
    """Vectors of zeroes are undefined instructions: none ever retires."""
    assert bench.go("undefined", 0, RAM + 0x3F_0000) == Exit.BUDGET
    before = retired(bench.core)
    assert run(bench.core) == Exit.BUDGET
    assert bench.core.pc == RAM + 0x3F_0200
    assert retired(bench.core) == before


# Budgets


@pytest.mark.parametrize("budget", [1, 2, 3, 4, 7, 100, 299, 300, 301, 10_000, 19_999, 20_000, 20_001, 100_000])
def test_a_slice_never_runs_over_its_budget_but_for_one_block(bench: Bench, budget: int) -> None:
    rounds, block = 1_000 if budget < 1_000 else 100_000, 3
    bench.enter("rounds", rounds)
    start = retired(bench.core)
    for slices in range(1, 1 << 20):
        reason = run(bench.core, budget)
        done = retired(bench.core) - start
        over = done - slices * budget
        assert over <= 0 if budget >= block + 1 else over <= block
        if reason != Exit.BUDGET:
            break
        assert done >= slices * budget - slices * block, "and it uses it as far as blocks go"
    assert (reason, done) == (Exit.HVC, 3 * rounds + 2)


def test_no_budget_runs_nothing(bench: Bench) -> None:
    bench.enter("rounds", 5)
    assert run(bench.core, 0) == Exit.BUDGET
    assert bench.core.pc == address("rounds")
