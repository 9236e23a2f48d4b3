"""Interrupts through whole pcpus: notifications, timers, SGIs and device lines, up to the guest's acknowledge."""

from __future__ import annotations

import pytest

from baonet.hyp.vcpu import State
from baonet.machine.armv8 import Armv8Vm, Gic
from tests.hyp.fabric import Fabric, Guest
from tests.hyp.machines import GIC_V2, GIC_V3, MAILBOX, armv8, machine, mailbox, vm

IPC, CPU_SUSPEND, CPU_ON = 0xC600_0001, 0xC400_0001, 0xC400_0003
GICD, GICR = 0x0800_0000, 0x080A_0000
ISENABLER, IPRIORITYR, ITARGETSR, IROUTER = 0x100, 0x400, 0x800, 0x6000
ICC_SGI1R_EL1 = 3 << 14 | 12 << 7 | 11 << 3 | 5
NONE = 1023


def store(fabric: Fabric, guest: Guest, ipa: int, value: int, size: int = 4) -> None:
    guest.store(ipa, value, size)
    fabric.settle()
    assert guest.state is State.RUNNING


def enable(fabric: Fabric, guest: Guest, *intids: int) -> None:
    guest.open()
    store(fabric, guest, GICD, 3)
    for intid in intids:
        store(fabric, guest, GICD + IPRIORITYR + intid, 0x80, 1)
        store(fabric, guest, GICD + ISENABLER + intid // 32 * 4, 1 << intid % 32)


def enable_private(fabric: Fabric, guest: Guest, gicr: int, intid: int) -> None:
    store(fabric, guest, gicr + 0x10000 + IPRIORITYR + intid, 0x80, 1)
    store(fabric, guest, gicr + 0x10000 + ISENABLER, 1 << intid)


@pytest.mark.parametrize("gic", [GIC_V2, GIC_V3], ids=["GICv2", "GICv3"])
def test_notifications_as_seen_on_the_real_bao(gic: Gic) -> None:
    """Two VMs, events 0 and 1 with INTIDs 52 and 53, enabled; never routed where the GIC is a v3."""
    ipcs = (mailbox(52, 53),)
    vms = (vm(number, ipcs=ipcs, arch=Armv8Vm(gic)) for number in range(2))
    fabric = Fabric(machine(*vms, shared_memory=(MAILBOX,), arch=armv8(gic)))
    caller, receiver = fabric.guest(0, 0), fabric.guest(1, 0)
    for guest in (caller, receiver):
        enable(fabric, guest, 52, 53)
        if gic.version == 2:
            store(fabric, guest, GICD + ITARGETSR + 52, 0x0101)
    assert [caller.call(IPC, 0, event) for event in (0, 1, 9)] == [0, 0, 0]
    assert caller.call(IPC, 1, 0) == -3
    fabric.settle()
    assert [receiver.take() for _ in range(3)] == [52, 53, NONE]
    assert caller.take() == NONE


def test_notification_routed_away_from_the_master() -> None:
    """The master is told; the guest has routed the interrupt to its other vcpu."""
    ipcs = (mailbox(52),)
    fabric = Fabric(machine(vm(0, ipcs=ipcs), vm(1, 2, ipcs=ipcs), shared_memory=(MAILBOX,)))
    boot = fabric.guest(1, 0)
    assert boot.call(CPU_ON, 1, 0x4000_0000, 0) == 0
    fabric.settle()
    second = fabric.guest(1, 1)
    store(fabric, second, GICD + IROUTER + 8 * 52, 1, 8)
    enable(fabric, second, 52)
    fabric.guest(0, 0).call(IPC, 0, 0)
    fabric.settle()
    assert (boot.take(), second.take(), second.take()) == (NONE, 52, NONE)


def test_the_timer_fires_again_while_its_line_is_high() -> None:
    fabric = Fabric(machine(vm(0)))
    guest = fabric.guest(0, 0)
    enable(fabric, guest)
    enable_private(fabric, guest, GICR, 27)
    guest.cpu.high.add(27)
    assert [guest.take(), guest.take()] == [27, 27]
    guest.cpu.high.clear()
    guest.take()  # the one that was taken before the line fell
    assert guest.take() == NONE


def test_a_timer_that_the_vm_does_not_have_never_arrives() -> None:
    fabric = Fabric(machine(vm(0)))
    guest = fabric.guest(0, 0)
    enable(fabric, guest)
    enable_private(fabric, guest, GICR, 30)
    guest.cpu.high.add(30)
    assert guest.take() == NONE


def test_an_sgi_ends_a_suspend() -> None:
    fabric = Fabric(machine(vm(0, 2)))
    boot, second = fabric.guest(0, 0), fabric.guest(0, 1)
    boot.call(CPU_ON, 1, 0x4000_0000, 0)
    fabric.settle()
    enable(fabric, boot)
    second.open()
    enable_private(fabric, second, GICR + 0x20000, 5)
    assert second.call(CPU_SUSPEND, 0) is None
    boot.write_register(ICC_SGI1R_EL1, 5 << 24 | 0b110)  # vcpu 1, and a vcpu 2 that is not there
    assert len(fabric.waiting()) == 1
    fabric.settle()
    assert (second.state, second.x0, second.take(), boot.take()) == (State.RUNNING, 0, 5, NONE)


def test_a_devices_line_from_another_vms_access() -> None:
    """The UART of VM 0 is mapped in VM 1 too; an access there raises the line."""
    fabric = Fabric(machine(vm(0), vm(1)))
    guest, other = fabric.guest(0, 0), fabric.guest(1, 0)
    enable(fabric, guest, 33)
    other.pcpu.line(33, 1, 1)
    fabric.collect(other.pcpu)
    fabric.settle()
    assert guest.take() == 33
    guest.pcpu.line(33, 0, 2)
    other.pcpu.line(33, 1, 1)  # old news
    fabric.collect(other.pcpu)
    fabric.settle()
    guest.take()  # what was taken before the line fell
    assert guest.take() == NONE


def test_interrupts_wait_for_a_vcpu_that_is_off() -> None:
    """Bao keeps them: the vcpu finds them when it is turned on."""
    ipcs = (mailbox(52),)
    fabric = Fabric(machine(vm(0, ipcs=ipcs), vm(1, 2, ipcs=ipcs), shared_memory=(MAILBOX,)))
    boot, second = fabric.guest(1, 0), fabric.guest(1, 1)
    store(fabric, boot, GICD + IROUTER + 8 * 52, 1, 8)
    enable(fabric, boot, 52)
    fabric.guest(0, 0).call(IPC, 0, 0)
    fabric.settle()
    assert second.state is State.POWERDOWN
    boot.call(CPU_ON, 1, 0x4000_0000, 0)
    fabric.settle()
    second.open()
    assert second.take() == 52
