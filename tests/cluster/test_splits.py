"""What goes between nodes, of VMs and of what they share."""

from __future__ import annotations

from dataclasses import replace

from baonet.cluster.splits import SplitIsland, SplitVm, split_islands, split_vms
from baonet.hyp.vmm import Plan, plan
from baonet.machine import SharedMemory
from tests.hyp.machines import MIB, machine, mailbox, vm

UART = vm(0).devices[0]


def chain() -> Plan:
    """0 and 1 share a mailbox, 1 and 2 the UART, 3 has memory of its own and a UART that it does not map."""
    box, other = SharedMemory("box", 0x10000), SharedMemory("other", 0x10000)
    vms = (
        vm(0, 2, devices=(), interrupts=(27,), ipcs=(mailbox(),)),
        vm(1, 1, devices=(UART,), interrupts=(27, 33), ipcs=(mailbox(),)),
        vm(2, 1, devices=(replace(UART, interrupts=()),)),
        vm(3, 2, devices=(replace(UART, va=None, interrupts=()),), ipcs=(mailbox(shmem=1),)),
    )
    return plan(machine(*vms, shared_memory=(box, other)))


def test_what_is_on_one_node_is_whole() -> None:
    assert split_vms(chain(), [0] * 6) == []
    assert split_islands(chain(), [0, 0, 0, 0, 1, 1]) == []


def test_a_vm_on_two_nodes_has_its_ram_on_both() -> None:
    of = chain()
    assert split_vms(of, [0, 0, 0, 0, 2, 1]) == [SplitVm(3, {1: (1,), 2: (0,)}, 64 * MIB)]
    assert split_islands(of, [0, 0, 0, 0, 2, 1]) == [], "what VM 3 alone has goes over with it"


def test_only_what_is_on_two_nodes_goes_over() -> None:
    of = chain()
    assert split_islands(of, [0, 0, 0, 1, 0, 0]) == [SplitIsland({0: (0, 1), 1: (2,)}, (("uart", 0x1000),))]
    assert split_islands(of, [0, 0, 1, 1, 0, 0]) == [SplitIsland({0: (0,), 1: (1, 2)}, (("box", 0x10000),))]
    split = SplitIsland({0: (0, 1), 1: (0, 2)}, (("box", 0x10000), ("uart", 0x1000)))
    assert split_islands(of, [0, 1, 0, 1, 0, 0]) == [split]


def test_a_device_that_the_platform_does_not_name_has_its_address() -> None:
    wide = replace(UART, pa=UART.pa - 0x1000, size=0x2000)
    of = plan(machine(vm(0, devices=(wide,)), vm(1, devices=(replace(wide, interrupts=()),))))
    assert split_islands(of, [0, 1])[0].shared == (("the device at 0x8fff000", 0x2000),)
