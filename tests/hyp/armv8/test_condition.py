"""How a vcpu is when a run ends, and what is said of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from baonet.hyp.armv8.condition import IDLE, Condition, TimerCondition, level
from baonet.hyp.armv8.cpu import ICH_AP1R0, ICH_LR0, LR_ACTIVE, LR_GROUP, LR_PENDING, LR_PRIORITY_SHIFT
from baonet.hyp.condition import Doing, doing
from baonet.hyp.lines import LineCondition
from baonet.hyp.vcpu import State
from baonet.machine import Device
from baonet.machine.armv8 import Armv8Vm, Gic
from tests.hyp.fabric import Fabric, Guest
from tests.hyp.machines import GIC_V2, GIC_V3, armv8, machine, vm

GICD, GICR = 0x0800_0000, 0x080A_0000
ISENABLER, ISPENDR, IROUTER = 0x100, 0x200, 0x6000
CPU_SUSPEND, CPU_ON = 0xC400_0001, 0xC400_0003
HOLE = 0x2000_0000
PLAIN = Condition(
    pcpu=0, doing=Doing.WAITING, pc=0x4000_0000, pstate=0x305, vbar=0x800, exceptions=0, last_esr=0, last_elr=0,
    last_far=0, last_spsr=0, timers=(), vmcr=0xF800_0002, distributor=True,
    priority=0xA0, preempted=IDLE, listed=(), active=(), disabled=(), unrouted=(), lines_up=(),
)  # fmt: skip


def said(condition: Condition) -> str:
    return "\n".join(condition.lines(lambda address: f" <at_{address:x}>"))


def of(guest: Guest, *, waiting: bool = False) -> Condition:
    found = guest.pcpu.wing.examine(doing(guest.pcpu.vcpu, waiting=waiting, crashed=False))
    assert isinstance(found, Condition)
    return found


def test_what_a_guest_does() -> None:
    fabric = Fabric(machine(vm(0, 3)))
    boot, second = fabric.guest(0, 0), fabric.guest(0, 1)
    assert of(boot).doing is Doing.RUNNING
    assert of(boot, waiting=True).doing is Doing.WAITING
    assert of(second).doing is Doing.POWERDOWN
    assert boot.call(CPU_ON, 1, 0x4000_0000, 0) == 0
    fabric.settle()
    assert second.call(CPU_ON, 2, 0x4000_0000, 0) is None
    assert of(second).doing is Doing.CALL
    fabric.settle()
    second.load(GICD)
    assert of(second).doing is Doing.LOAD
    fabric.settle()
    second.store(GICD, 3)
    assert of(second).doing is Doing.STORE
    fabric.settle()
    assert of(second).doing is Doing.RUNNING
    second.call(CPU_SUSPEND, 0, 0, 0)
    assert of(second).doing is Doing.STANDBY
    boot.load(HOLE)
    assert boot.state is State.PARKED
    assert said(of(boot)) == "is parked, as it was reported"


@pytest.mark.parametrize("gic", [GIC_V2, GIC_V3], ids=["GICv2", "GICv3"])
def test_interrupts_that_go_to_nobody(gic: Gic) -> None:
    """One that the guest has not enabled, one that its CPU interface holds back, and a device's line."""
    fabric = Fabric(machine(vm(0, arch=Armv8Vm(gic)), arch=armv8(gic)))
    guest = fabric.guest(0, 0)
    bank = GICR + 0x10000 if gic.version == 3 else GICD
    guest.store(bank + ISPENDR, 1 << 20)
    guest.pcpu.line(33, 1, 1)
    found = of(guest)
    assert (found.distributor, found.listed, found.disabled) == (False, (), (20, 33))
    guest.store(GICD, 3)
    guest.store(bank + ISENABLER, 1 << 20)
    found = of(guest)
    assert (found.distributor, found.listed, found.disabled) == (True, (20,), (33,))
    assert "not enabled by the guest: interrupt 33" in said(found)


def test_an_spi_that_is_routed_to_no_vcpu() -> None:
    fabric = Fabric(machine(vm(0)))
    guest = fabric.guest(0, 0)
    guest.store(GICD, 3)
    guest.store(GICD + IROUTER + 8 * 33, 5, 8)
    guest.store(GICD + ISENABLER + 4, 1 << 1)
    guest.pcpu.line(33, 1, 1)
    assert of(guest).unrouted == (33,)
    assert "routed to no vcpu of the VM: interrupt 33" in said(of(guest))


def test_a_uart_whose_interrupt_another_vm_has() -> None:
    """Of a VM that maps it; the VM's first vcpu tells it alone."""
    device = Device(0x0900_0000, 0x0900_0000, 0x1000)
    fabric = Fabric(machine(vm(0), replace(vm(1, 2), devices=(device,))))
    for vcpu in range(2):
        fabric.guest(1, vcpu).cpu.uart_states = [(0x70, 0x50, 12)]
    fabric.guest(0, 0).cpu.uart_states = [(0x70, 0x50, 12)]
    line = LineCondition("uart", "pl011", 33, "vm0", 0x50, 12)
    assert of(fabric.guest(1, 0)).lines_up == (line,)
    assert of(fabric.guest(1, 1)).lines_up == ()
    assert of(fabric.guest(0, 0)).lines_up == (), "it has the interrupt"
    fabric.guest(1, 0).cpu.uart_states = [(0x70, 0, 12)]
    assert of(fabric.guest(1, 0)).lines_up == (), "masked by UARTIMSC"


def test_a_line_that_is_up_is_said() -> None:
    line = LineCondition("uart1", "pl011", 40, "rtos", 0x20, 0)
    assert line.text() in said(replace(PLAIN, lines_up=(line,)))


@pytest.mark.parametrize(
    ("timer", "words"),
    [
        (TimerCondition(27, True, 1, 1_500_000), "timer CNTV (interrupt 27): armed, due in 1.500 ms"),
        (TimerCondition(30, True, 5, -2_000_000_000), "timer CNTP (interrupt 30): armed, due 2.000 s ago"),
        (
            TimerCondition(30, False, 5, -999),
            "timer CNTP (interrupt 30): armed, due 999 ns ago; but the VM does not have interrupt 30: "
            "add it to the VM's 'timer'",
        ),
        (
            TimerCondition(27, True, 3, 1000),
            "timer CNTV (interrupt 27): armed, due in 1.000 us; but masked by CNTV_CTL.IMASK",
        ),
    ],
)
def test_timers(timer: TimerCondition, words: str) -> None:
    assert timer.text() == words
    assert words in said(replace(PLAIN, timers=(timer,)))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"distributor": False}, "GICD_CTLR is not enabled"),
        ({"vmcr": 0xF800_0000}, "the CPU interface's group is not enabled"),
        ({"vmcr": 0x0000_0002}, "the priority mask (ICC_PMR_EL1, GICC_PMR) is 0"),
        ({"pstate": 0x3C5}, "PSTATE.I masks it"),
        ({"priority": 0xF8}, "its priority 0xf8 is not above the mask 0xf8 (ICC_PMR_EL1, GICC_PMR)"),
        ({"preempted": 0xA0}, "not taken before one of priority 0xa0 has ended"),
        ({}, "not taken yet"),
    ],
)
def test_why_a_pending_interrupt_is_not_taken(changes: dict[str, int], why: str) -> None:
    text = said(replace(PLAIN, listed=(27,), **changes))  # type: ignore[arg-type]
    assert f"pending: interrupt 27; {why}" in text.replace("not taken, as PSTATE", "PSTATE")


def test_many_interrupts_are_not_all_named() -> None:
    assert "interrupt 32, 33, 34, 35, 36, 37, 38, 39 and 60 more" in said(
        replace(PLAIN, disabled=tuple(range(32, 100)))
    )


def test_the_last_exception_is_decoded() -> None:
    abort = replace(
        PLAIN, exceptions=7, last_esr=0x9600_0045, last_elr=0x1234, last_far=0xDEAD, last_spsr=0x0, pstate=0x3C5
    )
    text = said(abort)
    assert "pc 0x0000000040000000 <at_40000000>, interrupts masked in PSTATE" in text
    assert "last of 7 exceptions: from EL0t, ELR_EL1 0x1234 <at_1234>, VBAR_EL1 0x800, FAR_EL1 0xdead" in text
    assert "ESR_EL1 0x96000045: EC 0x25 data abort, at its own level" in text
    assert "WnR write, DFSC translation fault, level 1" in text
    assert "FAR_EL1" not in said(replace(abort, last_esr=0x5600_0000)), "a call has no address"
    assert "EC 0x15 SVC" in said(replace(abort, last_esr=0x5600_0000))
    assert "no exception" in said(PLAIN)


@pytest.mark.parametrize(("pstate", "words"), [(0x3C5, "EL1h"), (0x304, "EL1t"), (0, "EL0t"), (0x10, "EL0 (AArch32)")])
def test_levels(pstate: int, words: str) -> None:
    assert level(pstate) == words


def test_a_storm_names_who_where_and_why() -> None:
    guest = Fabric(machine(vm(0, 2))).guest(0, 0)
    text = guest.pcpu.wing.storm(4096, 12, interrupts=False)
    state = guest.cpu.state()
    assert text.startswith(
        "VM 'vm0', vcpu 0 is in an exception loop: 4096 exceptions with 12 instructions between them"
    )
    assert f"pc {state['last_elr']:#x}" in text
    assert f"VBAR_EL1 {state['vbar_el1']:#x}" in text
    assert f"ESR_EL1 {state['last_esr']:#010x}: EC" in text


@pytest.mark.parametrize("gic", [GIC_V2, GIC_V3], ids=["GICv2", "GICv3"])
def test_an_interrupt_that_the_guest_acknowledges_and_does_not_end(gic: Gic) -> None:
    guest = Fabric(machine(vm(0, arch=Armv8Vm(gic)), arch=armv8(gic))).guest(0, 0)
    guest.cpu.ich[ICH_LR0] = 27 | LR_ACTIVE | LR_GROUP | 0xA0 << LR_PRIORITY_SHIFT
    guest.cpu.ich[ICH_LR0 + 1] = 40 | LR_PENDING | LR_GROUP | 0xA0 << LR_PRIORITY_SHIFT
    guest.cpu.ich[ICH_AP1R0] = 1 << 20
    found = of(guest)
    assert (found.active, found.listed, found.priority, found.preempted) == ((27,), (40,), 0xA0, 0xA0)
    assert "acknowledged by the guest, and not ended: interrupt 27" in said(found)


def test_a_storm_of_interrupts_names_them() -> None:
    guest = Fabric(machine(vm(0, 2))).guest(0, 0)
    guest.cpu.ich[ICH_LR0] = 27 | LR_PENDING | LR_GROUP
    text = guest.pcpu.wing.storm(4096, 4100, interrupts=True)
    assert text.startswith(
        "VM 'vm0', vcpu 0 is in an interrupt loop: 4096 interrupts with 4100 instructions between them; "
        "its handler silences none of 27 (VBAR_EL1 "
    )
