"""The device tree's nodes for CPUs, PSCI, GIC, generic timer, and for performance monitors where memory takes time
or the VM has their interrupt.

Bindings are those of Linux (Documentation/devicetree/bindings): arm,gic-v3, arm,gic-400, arm,armv8-timer, arm,psci,
arm,pmu.
"""

from __future__ import annotations

from baonet.config.armv8.gic import GICC_SIZE, GICD_SIZE, GICD_SIZE_V2, GICR_SIZE
from baonet.config.armv8.interrupts import MONITORS
from baonet.config.fdt import FdtNode
from baonet.config.tree_nodes import TreePlace, numbers
from baonet.machine import Platform, Vm
from baonet.machine.armv8 import Armv8Platform, Armv8Vm
from baonet.machine.armv8.affinity import affinity

_SPI, _PPI, _EDGE, _LEVEL = 0, 1, 1, 4
_TIMER_INTERRUPTS = (29, 30, 27, 26)  # secure, EL1 physical, virtual, EL2: the order of arm,armv8-timer
_CPU_COMPATIBLE = {"max": "arm,armv8"}


def describe(root: FdtNode, platform: Platform, vm: Vm, controller: int) -> None:
    """``controller`` is the GIC's phandle."""
    _cpus(root, platform, vm)
    psci = root.add("psci")
    psci.text("compatible", "arm,psci-1.0", "arm,psci-0.2")
    psci.text("method", "smc")
    _gic(root, vm, controller)
    _timer(root, vm)
    if platform.memory_system is not None or MONITORS in vm.interrupts:
        _pmu(root, platform, vm)


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


def _gic(root: FdtNode, vm: Vm, phandle: int) -> None:
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
    gic.cells("phandle", phandle)


def cells(vm: Vm, intid: int, *, edge: bool) -> tuple[int, int, int]:
    """The three cells of a GIC interrupt; a GICv2 PPI names its CPUs in bits 15:8."""
    trigger = _EDGE if edge else _LEVEL
    if intid >= 32:
        return _SPI, intid - 32, trigger
    return _PPI, intid - 16, trigger | (((1 << vm.cpus) - 1) << 8 if Armv8Vm.of(vm).gic.version == 2 else 0)


def intids(place: TreePlace) -> tuple[int, ...]:
    """The INTIDs of ``interrupts``, of three cells each (arm,gic: SPI or PPI, number, flags)."""
    given = numbers(place.node.properties.get("interrupts", b""))
    return tuple(given[at + 1] + (32 if given[at] == _SPI else 16) for at in range(0, len(given) - 2, 3))


def _timer(root: FdtNode, vm: Vm) -> None:
    timer = root.add("timer")
    timer.text("compatible", "arm,armv8-timer")
    timer.cells("interrupts", *(cell for intid in _TIMER_INTERRUPTS for cell in cells(vm, intid, edge=False)))
    timer.flag("always-on")


def _pmu(root: FdtNode, platform: Platform, vm: Vm) -> None:
    """Without an interrupt, if the VM has none, what counts is read, and not sampled."""
    model = Armv8Platform.of(platform).cpu_model
    names = ["arm,armv8-pmuv3"] if model in _CPU_COMPATIBLE else [f"arm,{model}-pmu", "arm,armv8-pmuv3"]
    pmu = root.add("pmu")
    pmu.text("compatible", *names)
    if MONITORS in vm.interrupts:
        pmu.cells("interrupts", *cells(vm, MONITORS, edge=False))
