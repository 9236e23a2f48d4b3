"""The device tree of a VM: what a guest of Bao would find in the tree that its builder wrote for it.

Bindings are those of Linux (Documentation/devicetree/bindings): arm,gic-v3, arm,gic-400, arm,armv8-timer, arm,psci,
arm,pl011; ``bao,ipcshmem`` is that of Bao's Linux driver.
"""

from __future__ import annotations

from baonet.config import fdt
from baonet.config.armv8.gic import GICC_SIZE, GICD_SIZE, GICD_SIZE_V2, GICR_SIZE
from baonet.config.fdt import FdtNode
from baonet.machine import Machine, Platform, Vm, uarts
from baonet.machine.armv8 import Armv8Platform, Armv8Vm
from baonet.machine.armv8.affinity import affinity

_GIC, _CLOCK = 1, 2  # phandles
_SPI, _PPI, _EDGE, _LEVEL = 0, 1, 1, 4
_UART_CLOCK = 24_000_000
_TIMER_INTERRUPTS = (29, 30, 27, 26)  # secure, EL1 physical, virtual, EL2: the order of arm,armv8-timer
_CPU_COMPATIBLE = {"max": "arm,armv8"}


def blob(machine: Machine, vm: Vm) -> bytes:
    """The tree that the VM is given, or the one that ``device_tree: auto`` would give it."""
    placed = (segment.data for segment in vm.segments if segment.base == vm.device_tree and segment.data)
    return next(placed, b"") or generate(machine, vm)


def generate(machine: Machine, vm: Vm) -> bytes:
    """A tree for the VM. Its size does not depend on the addresses in it."""
    root = FdtNode()
    root.cells("#address-cells", 2)
    root.cells("#size-cells", 2)
    root.text("model", f"baonet {vm.name}")
    root.text("compatible", "baonet,vm", "linux,dummy-virt")
    root.cells("interrupt-parent", _GIC)
    chosen, aliases = root.add("chosen"), root.add("aliases")
    _cpus(root, machine.platform, vm)
    psci = root.add("psci")
    psci.text("compatible", "arm,psci-1.0", "arm,psci-0.2")
    psci.text("method", "smc")
    _gic(root, vm)
    _timer(root, vm)
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


def _cpus(root: FdtNode, platform: Platform, vm: Vm) -> None:
    model = Armv8Platform.of(platform).cpu_model
    cpus = root.add("cpus")
    cpus.cells("#address-cells", 1)
    cpus.cells("#size-cells", 0)
    for place in map(affinity, range(vm.cpus)):
        cpu = cpus.add(f"cpu@{place:x}")
        cpu.text("device_type", "cpu")
        cpu.text("compatible", _CPU_COMPATIBLE.get(model, f"arm,{model}"))
        cpu.text("enable-method", "psci")
        cpu.cells("reg", place)


def _gic(root: FdtNode, vm: Vm) -> None:
    config = Armv8Vm.of(vm).gic
    gic = root.add(f"interrupt-controller@{config.gicd:x}")
    gic.cells("#address-cells", 0)
    gic.cells("#interrupt-cells", 3)
    gic.flag("interrupt-controller")
    if config.gicr is not None:
        gic.text("compatible", "arm,gic-v3")
        gic.wide("reg", config.gicd, GICD_SIZE, config.gicr, GICR_SIZE * vm.cpus)
    elif config.gicc is not None:
        gic.text("compatible", "arm,gic-400", "arm,cortex-a15-gic")
        gic.wide("reg", config.gicd, GICD_SIZE_V2, config.gicc, GICC_SIZE)
    gic.cells("phandle", _GIC)


def _interrupt(vm: Vm, intid: int, trigger: int) -> tuple[int, int, int]:
    """The three cells of a GIC interrupt; a GICv2 PPI names its CPUs in bits 15:8."""
    if intid >= 32:
        return _SPI, intid - 32, trigger
    return _PPI, intid - 16, trigger | (((1 << vm.cpus) - 1) << 8 if Armv8Vm.of(vm).gic.version == 2 else 0)


def _timer(root: FdtNode, vm: Vm) -> None:
    timer = root.add("timer")
    timer.text("compatible", "arm,armv8-timer")
    timer.cells("interrupts", *(cell for intid in _TIMER_INTERRUPTS for cell in _interrupt(vm, intid, _LEVEL)))
    timer.flag("always-on")


def _uarts(root: FdtNode, aliases: FdtNode, platform: Platform, vm: Vm) -> None:
    found = list(uarts(platform, vm))
    if not found:
        return
    clock = root.add("apb-pclk")
    clock.text("compatible", "fixed-clock")
    clock.cells("#clock-cells", 0)
    clock.cells("clock-frequency", _UART_CLOCK)
    clock.cells("phandle", _CLOCK)
    for number, (base, device) in enumerate(found):
        uart = root.add(f"serial@{base:x}")
        uart.text("compatible", "arm,pl011", "arm,primecell")
        uart.wide("reg", base, device.size)
        if device.interrupt in vm.interrupts:
            uart.cells("interrupts", *_interrupt(vm, device.interrupt, _LEVEL))
        uart.cells("clocks", _CLOCK, _CLOCK)
        uart.text("clock-names", "uartclk", "apb_pclk")
        aliases.text(f"serial{number}", f"/serial@{base:x}")


def channels(size: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """The two channels of a shared memory object, as (offset, size): its halves.

    Bao's driver wants a channel to end before the last byte of the object, so each is 8 bytes short of its half.
    """
    half = size // 2
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
        node.cells("interrupts", *(cell for intid in ipc.interrupts for cell in _interrupt(vm, intid, _EDGE)))
