"""ECALL as a guest sees it: the results that were observed on the real Bao, and ours where we depart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baonet.hyp.cpu import FROM_CPU, NOTE_PENDING, NOTE_RAISED
from baonet.hyp.effects import Effect, VmOff, VmReset, Warn
from baonet.hyp.messages import IpcNotify
from baonet.hyp.riscv.cpu import FENCE_I, FENCE_VMA, FENCE_VMA_ASID, RiscvExit
from baonet.hyp.vcpu import MASK64, State
from baonet.machine import Faithful
from tests.hyp.machines import MAILBOX, mailbox
from tests.hyp.riscv.fabric import RAM, Guest, RiscvFabric, machine, vm

STRICT = Faithful.STRICT
BASE, TIME, IPI, RFENCE, HSM, BAO = 0x10, 0x5449_4D45, 0x73_5049, 0x5246_4E43, 0x48_534D, 0x0800_0BA0
SRST, DBCN, PMU, SUSP = 0x5352_5354, 0x4442_434E, 0x50_4D55, 0x5355_5350
ALL = MASK64
TOP = 1 << 63
HIGH = 1 << 32

# What the real Bao gave to a probe guest with 2 harts: (extension, function, arguments) -> (a0, a1).
OBSERVED: list[tuple[tuple[int, ...], tuple[int, int]]] = [
    ((BASE, 0, 0x10), (0, 2)),
    *(((BASE, function, 0x10), (0, 0)) for function in (1, 2, 4, 5, 6, 7, 8, ALL, HIGH)),
    *(((BASE, 3, known), (0, known)) for known in (BASE, TIME, IPI, RFENCE, HSM)),
    *(
        ((BASE, 3, unknown), (0, 0))
        for unknown in (*range(10), BAO, BAO + 1, SRST, DBCN, PMU, SUSP, ALL, HIGH | TIME)
    ),
    *(((legacy, 0), (-2, 0)) for legacy in range(9)),
    ((1, 0, 0x78), (-2, 0)),
    *(
        ((unknown, 0, 1, 2, 3, 4, 5), (-2, 0))
        for unknown in (9, 0xF, 0x11, SRST, DBCN, PMU, SUSP, BAO + 1, 0x0900_0000, ALL, HIGH | BASE, HIGH | TIME)
    ),
    ((TIME, 1), (-2, 0)),
    ((TIME, ALL), (-2, 0)),
    ((TIME, 0, ALL, 0x77), (0, 0)),
    ((IPI, 1, 1), (-2, 0)),
    ((IPI, 0, 0, 0), (0, 0)),
    *(((RFENCE, function, 1, 0), (-2, 0)) for function in (*range(3, 9), ALL)),
    ((RFENCE, 3, 0, 1), (-3, 0)),
    ((RFENCE, 1, 1, 0, 0x8020_0003, 5), (0, 0)),
    ((RFENCE, 1, 1, 0, ALL - 0xFFF, 0x10000), (0, 0)),
    *(((HSM, 2, hart), (-3, 0)) for hart in (2, 3, 4, 63, 64, ALL, HIGH)),
    ((HSM, 0, 0, RAM, 0), (-6, 0)),
    *(((HSM, 0, hart, RAM), (-3, 0)) for hart in (2, 3, 4, 63, 64, ALL, HIGH)),
    *(((HSM, function, 0), (-2, 0)) for function in (1, 4, 5, 6, 7, ALL)),
    *(((HSM, 3, kind, RAM), (-2, 0)) for kind in (1 << 31, 0xFFFF_FFFF, 0xFFFF_FFFF_8000_0000, 0x8000_0001)),
    *(((HSM, 3, kind, RAM), (-2, 0)) for kind in (0x7FFF_FFFF, 0x1000_0000)),
    *(((HSM, 3, kind, RAM), (-3, 0)) for kind in (1, 0x0FFF_FFFF)),
    ((HSM, 2, 0), (0, 0)),
    *(((BAO, number, 0), (0, ALL - 1)) for number in (0, 3, 4, 5, 0xFF, 0xFFFF, ALL, HIGH | 1, 0x8600_0001)),
    *(((BAO, 1, index), (0, ALL - 2)) for index in (1, 2, 63, 64, ALL, HIGH)),
    *(((BAO, 2, 0, 0, index), (0, ALL - 2)) for index in (0, 1, 2, 3, 4)),
    ((BAO, 2, ALL, ALL, ALL, ALL, ALL), (0, ALL - 2)),
]  # fmt: skip

# (mask, base) -> error of each of the three remote fences.
FENCES = [
    *((mask, 0, 0) for mask in (0, 1, 2, 3, 4, 7, 0xF, ALL, TOP)),
    *((mask, ALL, -3) for mask in (0, 1, ALL)),
    *((1, 1, 0), (2, 1, 0), (1, 2, 0), (0, 1, -3), (0, 63, -3), (1, 63, 0), (2, 63, -3), (1, 64, -3), (1, 65, -3)),
    *((ALL, 1, 0), (TOP, 1, -3), (1, HIGH, -3)),
]

# (mask, base) -> which of the two harts have an IPI then.
IPIS = [
    *((1, 0, {0}), (2, 0, {1}), (3, 0, {0, 1}), (4, 0, set()), (0xF, 0, {0, 1}), (ALL, 0, {0, 1}), (0, ALL, set())),
    *((1, ALL, set()), (3, ALL, {0}), (1, 1, {1}), (1, 2, set()), (2, 1, set()), (TOP, 0, set()), (1, 63, set())),
    *((1, 64, set()), (3, 63, set()), (4, ALL - 1, {0}), (1, HIGH, set())),
]


def strict(cpus: int = 2) -> RiscvFabric:
    return RiscvFabric(machine(vm(0, cpus), faithful=STRICT))


def both(**changes: object) -> tuple[RiscvFabric, Guest, Guest]:
    """Two harts that run."""
    fabric = RiscvFabric(machine(vm(0, 2), **changes))  # type: ignore[arg-type]
    boot, second = fabric.guest(0, 0), fabric.guest(0, 1)
    assert boot.settled(HSM, 0, 1, RAM, 0) == (0, 0)
    return fabric, boot, second


@pytest.mark.parametrize(("call", "result"), OBSERVED)
def test_results_of_the_real_bao(call: tuple[int, ...], result: tuple[int, int]) -> None:
    guest = RiscvFabric(machine(vm(0, 2, ipcs=(mailbox(52),)), faithful=STRICT, shared_memory=(MAILBOX,))).guest(0, 0)
    extension, function, *arguments = call
    guest.cpu.x[:] = marks = [0x50 + n for n in range(32)]
    assert guest.call(extension, function, *arguments) == result
    kept = [n for n in range(32) if n not in (10, 11, 16, 17, *range(12, 10 + len(arguments)))]
    assert [guest.cpu.x[n] for n in kept] == [marks[n] for n in kept]
    assert [guest.cpu.x[10 + n] for n in range(2, len(arguments))] == arguments[2:]
    assert guest.cpu.pc == guest.pcpu.vcpu.config.entry + 4


@pytest.mark.parametrize("function", [0, 1, 2])
@pytest.mark.parametrize(("mask", "base", "error"), FENCES)
def test_errors_of_remote_fences(function: int, mask: int, base: int, error: int) -> None:
    guest = strict().guest(0, 0)
    assert guest.call(RFENCE, function, mask, base, 0x1000, 0x2000, 5) == (error, 0)
    harts = tuple(hart for hart in range(2) if error == 0 and base <= hart and mask >> (hart - base) & 1)
    what = (FENCE_I, FENCE_VMA, FENCE_VMA_ASID)[function]
    assert guest.cpu.fences == ([(harts, what, 0x1000, 0x2000, 5)] if harts else [])


def test_fences_reach_the_pcpus_of_the_vm() -> None:
    """Hart 0 of VM 1 is pcpu 2."""
    fabric = RiscvFabric(machine(vm(0, 2), vm(1, 2), faithful=STRICT))
    guest = fabric.guest(1, 0)
    assert guest.call(RFENCE, 1, 3, 0, 0, ALL) == (0, 0)
    assert guest.cpu.fences == [((2, 3), FENCE_VMA, 0, ALL, 0)]


@pytest.mark.parametrize(("mask", "base", "harts"), IPIS)
def test_ipis_reach_the_harts_that_exist(mask: int, base: int, harts: set[int]) -> None:
    fabric, boot, second = both(faithful=STRICT)
    assert boot.call(IPI, 0, mask, base) == (0, 0)
    fabric.settle()
    assert {n for n, guest in enumerate((boot, second)) if guest.cpu.software} == harts


def test_all_harts_at_once_where_somebody_expects_it() -> None:
    """A base of all ones (SBI 2.0, chapter 3.1), which Bao does not know."""
    fabric, boot, second = both()
    assert boot.call(IPI, 0, 0, ALL) == (0, 0)
    assert boot.call(RFENCE, 0, 0, ALL) == (0, 0)
    fabric.settle()
    assert (boot.cpu.software, second.cpu.software) == (True, True)
    assert boot.cpu.fences == [((0, 1), FENCE_I, 0, 0, 0)] or boot.cpu.fences[0][:2] == ((0, 1), FENCE_I)


def test_an_ipi_is_told_in_the_trace_of_who_sends_and_who_gets_it() -> None:
    fabric, boot, second = both()
    boot.call(IPI, 0, 2, 0)
    boot.call(IPI, 0, 2, 0)
    fabric.settle()
    assert boot.cpu.notes == [(NOTE_RAISED, 1025, FROM_CPU, 0)] * 2
    assert second.cpu.notes == [(NOTE_PENDING, 1025, 0, 0)], "it is pending once"


def test_an_ipi_to_a_stopped_hart_is_lost() -> None:
    fabric = RiscvFabric(machine(vm(0, 2)))
    boot, second = fabric.guest(0, 0), fabric.guest(0, 1)
    boot.call(IPI, 0, 2, 0)
    fabric.settle()
    boot.settled(HSM, 0, 1, RAM, 0)
    assert second.cpu.software is False


@pytest.mark.parametrize(
    ("extension", "function", "line"),
    [
        (SRST, 0, Warn("guest issued unsupport sbi extension call (1397904212)")),
        (9, 3, Warn("guest issued unsupport sbi extension call (9)")),
        (ALL, 0, Warn("guest issued unsupport sbi extension call (-1)")),
        (HIGH | BASE, 0, Warn("guest issued unsupport sbi extension call (16)")),
        (BAO, 3, Warn("Unknown hypercall id 3")),
        (BAO, HIGH | 1, Warn("Unknown hypercall id 1")),
    ],
)
def test_lines_that_bao_prints(extension: int, function: int, line: Effect) -> None:
    fabric = strict()
    fabric.guest(0, 0).call(extension, function)
    assert fabric.others == [(0, line)]


def test_known_calls_print_nothing() -> None:
    fabric = strict()
    for call in [(BASE, 9), (BASE, 3, SRST), (HSM, 1), (HSM, 9), (RFENCE, 7, 1), (BAO, 1, 5), (BAO, 2), (TIME, 4)]:
        fabric.guest(0, 0).call(*call)
    assert fabric.others == []


@given(st.integers(0, ALL), st.integers(0, ALL), st.lists(st.integers(0, ALL), max_size=6), st.booleans())
def test_any_call_has_an_answer(extension: int, function: int, arguments: list[int], practical: bool) -> None:
    """Or stops the guest as it asked for."""
    fabric = RiscvFabric(machine(vm(0, 2), faithful=Faithful.PRACTICAL if practical else STRICT))
    guest = fabric.guest(0, 0)
    if guest.call(extension, function, *arguments) is None:
        assert guest.state in (State.PAUSED, State.STANDBY, State.POWERDOWN, State.OFF)
    assert not fabric.reports


# Timers


def test_a_timer_of_the_guests_own() -> None:
    guest = strict().guest(0, 0)
    assert guest.cpu.state()["sip"] == 1 << 5, "stimecmp is 0 at first"
    guest.cpu.csrs["time"] = 1000
    assert guest.call(TIME, 0, 1001) == (0, 0)
    assert (guest.cpu.state()["stimecmp"], guest.cpu.state()["sip"]) == (1001, 0)
    guest.call(TIME, 0, 999)
    assert guest.cpu.state()["sip"] == 1 << 5


def test_without_sstc_the_timer_is_the_hypervisors() -> None:
    guest = RiscvFabric(machine(vm(0), faithful=STRICT, sstc=False)).guest(0, 0)
    assert guest.cpu.state()["sip"] == 0
    guest.call(TIME, 0, 5000)
    assert guest.cpu.csrs["deadline"] == 5000
    guest.exit(RiscvExit.INTERRUPT)
    assert guest.cpu.state()["sip"] == 1 << 5
    assert guest.cpu.csrs["deadline"] == ALL, "it does not fire twice"
    guest.call(TIME, 0, 6000)
    assert (guest.cpu.state()["sip"], guest.cpu.csrs["deadline"]) == (0, 6000)


# IPC


def test_a_notification_goes_to_the_other_vm() -> None:
    vms = vm(0, ipcs=(mailbox(52, 53),)), vm(1, ipcs=(mailbox(60, 61, 62),))
    fabric = RiscvFabric(machine(*vms, shared_memory=(MAILBOX,)))
    guest, other = fabric.guest(0, 0), fabric.guest(1, 0)
    for event in (0, 2, 3, HIGH | 1, ALL):
        assert guest.call(BAO, 1, 0, event) == (0, 0)
    fabric.settle()
    assert other.controller.injected == [60, 62, 61], "the event has 32 bits, and there are three"
    assert fabric.pcpus[1].statistics().received[IpcNotify.__name__] == 5


# What Bao refuses, and somebody expects


def test_practical_extensions_are_found() -> None:
    guest = RiscvFabric(machine(vm(0))).guest(0, 0)
    assert guest.call(BASE, 0) == (0, 0x0200_0000), "Linux asks for SRST from 0.3 on, and for DBCN from 2.0 on"
    for extension in (SRST, DBCN, 1, 2, 8):
        assert guest.call(BASE, 3, extension) == (0, extension)
    for extension in (BAO, SUSP, PMU, 3):
        assert guest.call(BASE, 3, extension) == (0, 0)


@pytest.mark.parametrize(
    ("call", "effect"),
    [
        ((SRST, 0, 0, 0), VmOff),
        ((SRST, 0, 0, 1), VmOff),
        ((SRST, 0, 1, 0), VmReset),
        ((SRST, 0, 2, 0), VmReset),
        ((8, 0), VmOff),
    ],
)
def test_a_vm_ends_or_starts_anew(call: tuple[int, ...], effect: type) -> None:
    fabric = RiscvFabric(machine(vm(0), vm(1)))
    guest = fabric.guest(1, 0)
    assert guest.call(*call) is None
    assert guest.state is State.OFF
    ((pcpu, found),) = fabric.others
    assert isinstance(found, VmOff | VmReset)
    assert (pcpu, type(found), found.vm) == (1, effect, 1)


@pytest.mark.parametrize(
    ("call", "error"), [((SRST, 1, 0, 0), -2), ((SRST, 0, 3, 0), -3), ((SRST, 0, 0, 2), -3), ((SRST, 0, ALL, 0), -3)]
)
def test_resets_that_are_none(call: tuple[int, ...], error: int) -> None:
    guest = RiscvFabric(machine(vm(0))).guest(0, 0)
    assert guest.call(*call) == (error, 0)


def test_the_debug_console() -> None:
    guest = RiscvFabric(machine(vm(0))).guest(0, 0)
    guest.cpu.write_memory(RAM, b"hello, world")
    assert guest.call(DBCN, 0, 5, RAM, 0) == (0, 5)
    assert guest.call(DBCN, 2, 0x121) == (0, 0)
    assert guest.cpu.printed == b"hello!"
    assert guest.call(DBCN, 0, 13, RAM, 0) == (-3, 0), "there is no more"
    assert guest.call(DBCN, 0, 5, RAM, 1) == (-3, 0)
    assert guest.call(DBCN, 0, 5, ALL - 2, 0) == (-3, 0)
    assert guest.call(DBCN, 3, 0) == (-2, 0)
    assert guest.call(DBCN, 0, 0, 0, 0) == (0, 0)
    guest.cpu.typed = b"abc"
    assert guest.call(DBCN, 1, 2, RAM, 0) == (0, 2)
    assert guest.cpu.read_memory(RAM, 5) == b"abllo"
    assert guest.call(DBCN, 1, 5, 0x1000, 0) == (-3, 0)
    assert guest.call(DBCN, 1, 5, RAM, 0) == (0, 1)
    assert guest.call(DBCN, 1, 5, RAM, 0) == (0, 0)


def test_the_legacy_console_answers_in_a0_alone() -> None:
    guest = RiscvFabric(machine(vm(0))).guest(0, 0)
    assert guest.call(1, 0, 0x178, 0x55) == (0, 0x55)
    assert guest.cpu.printed == b"x"
    guest.cpu.typed = b"y"
    assert guest.call(2, 0, 0, 0x55) == (ord("y"), 0x55)
    assert guest.call(2, 0, 0, 0x55) == (-1, 0x55)


def test_a_vm_without_a_uart_has_no_console() -> None:
    guest = RiscvFabric(machine(vm(0), vm(1))).guest(1, 0)
    assert guest.call(BASE, 3, DBCN) == (0, 0)
    assert guest.call(DBCN, 2, 0x41) == (-2, 0)
    assert guest.call(1, 0, 0x41) == (-2, 0)
