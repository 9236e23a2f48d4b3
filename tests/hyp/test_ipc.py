"""The IPC hypercall between two and three VMs, as their guests see it."""

from __future__ import annotations

import pytest

from baonet.hyp.messages import IpcNotify
from baonet.machine.armv8 import Armv8Vm, Gic
from tests.hyp.fabric import Fabric, Guest
from tests.hyp.machines import GIC_V2, GIC_V3, MAILBOX, armv8, machine, mailbox, vm

IPC = 0xC600_0001
GICD_ISPENDR = 0x0800_0200


def pending(guest: Guest) -> list[int]:
    """INTIDs of shared interrupts that are pending at the guest's distributor (it has enabled none)."""
    found = []
    for n in range(1, 3):
        word = guest.load_settled(GICD_ISPENDR + 4 * n)
        found += [32 * n + bit for bit in range(32) if word >> bit & 1]
    return found


def pair(gic: Gic = GIC_V3) -> Fabric:
    ipcs = (mailbox(52, 53),)
    vms = (vm(number, ipcs=ipcs, arch=Armv8Vm(gic)) for number in range(2))
    return Fabric(machine(*vms, shared_memory=(MAILBOX,), arch=armv8(gic)))


@pytest.mark.parametrize("gic", [GIC_V2, GIC_V3], ids=["GICv2", "GICv3"])
@pytest.mark.parametrize("caller", [0, 1])
@pytest.mark.parametrize(("event", "interrupt"), [(0, 52), (1, 53), (1 << 32, 52)])
def test_both_ways(caller: int, event: int, interrupt: int, gic: Gic) -> None:
    """The event is 32 bits of the register."""
    fabric = pair(gic)
    assert fabric.guest(caller, 0).call(IPC, 0, event) == 0
    fabric.settle()
    assert pending(fabric.guest(1 - caller, 0)) == [interrupt]
    assert pending(fabric.guest(caller, 0)) == []


def test_bad_event_is_silent_and_bad_index_is_refused() -> None:
    fabric = pair()
    guest = fabric.guest(0, 0)
    assert guest.call(IPC, 0, 9) == 0
    assert fabric.settle() == 1
    assert guest.call(IPC, 1, 0) == -3
    assert guest.call(IPC, 1 << 63, 0) == -3
    assert fabric.waiting() == []
    assert pending(fabric.guest(1, 0)) == []


def test_nobody_listens() -> None:
    fabric = Fabric(machine(vm(0, ipcs=(mailbox(52),)), vm(1), shared_memory=(MAILBOX,)))
    assert fabric.guest(0, 0).call(IPC, 0, 0) == 0
    assert fabric.waiting() == []


def test_all_others_are_told_on_their_masters() -> None:
    """Three VMs of two vcpus on shuffled pcpus: each master is told once, though VM 2 attaches twice."""
    fabric = Fabric(
        machine(
            vm(0, 2, cpu_affinity=(5,), ipcs=(mailbox(60),)),
            vm(1, 2, cpu_affinity=(1, 4), ipcs=(mailbox(61),)),
            vm(2, 2, cpu_affinity=(3,), ipcs=(mailbox(62), mailbox(63))),
            cpus=6,
            shared_memory=(MAILBOX,),
        )
    )
    assert [(v.pcpus, v.master) for v in fabric.plan.vms] == [((0, 5), 5), ((1, 4), 1), ((2, 3), 3)]
    assert fabric.guest(0, 0).call(IPC, 0, 0) == 0
    assert fabric.waiting() == [(0, 1), (0, 3)]
    assert fabric.deliver((0, 1)) == IpcNotify(0, 0)
    fabric.settle()
    assert [pending(fabric.guest(n, 0)) for n in range(3)] == [[], [61], [62]]


def test_index_is_the_callers_own_and_bad_objects_keep_their_place() -> None:
    second = MAILBOX
    fabric = Fabric(
        machine(
            vm(0, ipcs=(mailbox(shmem=9), mailbox(shmem=1), mailbox(shmem=0))),
            vm(1, ipcs=(mailbox(70, shmem=0), mailbox(71, shmem=1))),
            shared_memory=(MAILBOX, second),
        )
    )
    guest = fabric.guest(0, 0)
    assert [guest.call(IPC, index, 0) for index in range(4)] == [-3, 0, 0, -3]
    fabric.settle()
    assert pending(fabric.guest(1, 0)) == [70, 71]


def test_notifications_coalesce() -> None:
    fabric = pair()
    for _ in range(5):
        fabric.guest(0, 0).call(IPC, 0, 0)
    assert fabric.settle() == 5
    assert pending(fabric.guest(1, 0)) == [52]
