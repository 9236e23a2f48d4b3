"""The device tree of a VM: what a guest of Bao would find in the tree that its builder wrote for it.

What it says of CPUs, interrupts and the timer is the architecture's. ``bao,ipcshmem`` is the binding of Bao's Linux
driver.
"""

from __future__ import annotations

from baonet.config import fdt, wings
from baonet.config.fdt import FdtNode
from baonet.config.uart_bindings import BINDINGS
from baonet.machine import Machine, Platform, Vm, uarts

_CONTROLLER, _CLOCK = 1, 2  # phandles


def blob(machine: Machine, vm: Vm) -> bytes:
    """The tree that the VM is given, or the one that ``device_tree: auto`` would give it."""
    placed = (segment.data for segment in vm.segments if segment.base == vm.device_tree and segment.data)
    return next(placed, b"") or generate(machine, vm)


def generate(machine: Machine, vm: Vm) -> bytes:
    """A tree for the VM. Its size does not depend on the addresses in it."""
    trees = wings.of(machine.platform).trees()
    root = FdtNode()
    root.cells("#address-cells", 2)
    root.cells("#size-cells", 2)
    root.text("model", f"baonet {vm.name}")
    root.text("compatible", "baonet,vm", "linux,dummy-virt")
    root.cells("interrupt-parent", _CONTROLLER)
    chosen, aliases = root.add("chosen"), root.add("aliases")
    trees.describe(root, machine.platform, vm, _CONTROLLER)
    for region in vm.regions:
        memory = root.add(f"memory@{region.base:x}")
        memory.text("device_type", "memory")
        memory.wide("reg", region.base, region.size)
    _uarts(root, aliases, machine.platform, vm)
    for index in range(len(vm.ipcs)):
        _ipc(root, machine, vm, index)
    describe_boot(chosen, vm)
    if "serial0" in aliases.properties:
        chosen.text("stdout-path", "serial0:115200n8")
    return fdt.write(root)


def describe_boot(chosen: FdtNode, vm: Vm) -> None:
    """Tell in /chosen what the VM's configuration gives: the command line and where the initrd is."""
    if vm.command_line:
        chosen.text("bootargs", vm.command_line)
    if vm.initrd is not None:
        chosen.wide("linux,initrd-start", vm.initrd[0])
        chosen.wide("linux,initrd-end", vm.initrd[1])


def _uarts(root: FdtNode, aliases: FdtNode, platform: Platform, vm: Vm) -> None:
    found = [(base, device, BINDINGS[device.kind]) for base, device in uarts(platform, vm)]
    clocked = [binding.frequency for _, _, binding in found if binding.clocks]
    if clocked:
        clock = root.add("apb-pclk")
        clock.text("compatible", "fixed-clock")
        clock.cells("#clock-cells", 0)
        clock.cells("clock-frequency", clocked[0])
        clock.cells("phandle", _CLOCK)
    for number, (base, device, binding) in enumerate(found):
        uart = root.add(f"serial@{base:x}")
        uart.text("compatible", *binding.compatible)
        uart.wide("reg", base, device.size)
        if device.interrupt in vm.interrupts:
            uart.cells("interrupts", *wings.of(platform).trees().cells(vm, device.interrupt, edge=False))
        if binding.clocks:
            uart.cells("clocks", *[_CLOCK] * len(binding.clocks))
            uart.text("clock-names", *binding.clocks)
        else:
            uart.cells("clock-frequency", binding.frequency)
        aliases.text(f"serial{number}", f"/serial@{base:x}")


def channels(size: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """The two channels of a shared memory object, as (offset, size): its halves, or those of what 32 bits reach.

    Bao's driver wants a channel to end before the last byte of the object, so each is 8 bytes short of its half.
    """
    half = min(size, 1 << 32) // 2
    return (0, half - 8), (half, half - 8)


def _ipc(root: FdtNode, machine: Machine, vm: Vm, index: int) -> None:
    ipc = vm.ipcs[index]
    node = root.add(f"bao-ipc@{ipc.base:x}")
    node.text("compatible", "bao,ipcshmem")
    node.wide("reg", ipc.base, ipc.size)
    first = next((each.index for each in machine.vms if any(i.shmem == ipc.shmem for i in each.ipcs)), vm.index)
    lower, upper = channels(machine.shared_memory[ipc.shmem].size)
    own, other = (upper, lower) if vm.index == first else (lower, upper)
    node.cells("read-channel", *other)
    node.cells("write-channel", *own)
    node.cells("id", index)
    if ipc.interrupts:
        cells = (wings.of(machine.platform).trees().cells(vm, interrupt, edge=True) for interrupt in ipc.interrupts)
        node.cells("interrupts", *(cell for each in cells for cell in each))
