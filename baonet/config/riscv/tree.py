"""The device tree's nodes for harts and their interrupt controllers.

Bindings are those of Linux (Documentation/devicetree/bindings): riscv/cpus.yaml and extensions.yaml, and under
interrupt-controller riscv,cpu-intc, sifive,plic-1.0.0, riscv,aplic and riscv,imsics.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from baonet.config.fdt import FdtNode
from baonet.config.riscv import irqc
from baonet.config.tree_nodes import TreePlace, numbers
from baonet.config.tree_nodes import cells as cells_of
from baonet.machine import PAGE_SIZE, Platform, Vm
from baonet.machine.riscv import Aia, Plic, RiscvPlatform, RiscvVm

HART_CONTROLLER: Final = "riscv,cpu-intc"
CONTROLLERS: Final = {
    "riscv,plic0": "plic",
    "sifive,plic-1.0.0": "plic",
    "riscv,aplic": "aplic",
    "riscv,imsics": "imsic",
}
"""What the binding of a controller is of, as its address is called."""
CELLS: Final = "#interrupt-cells"
_IMSIC, _HARTS = 3, 16  # phandles: hart n has _HARTS + n
_EXTERNAL, _MACHINE_EXTERNAL = 9, 11  # causes of a hart's interrupts (privileged architecture, table 15)
_EDGE, _LEVEL = 1, 4
_LETTERS = "imafdc"
_BLOCK = 64  # bytes of a block of the cache, as on QEMU


def describe(root: FdtNode, platform: Platform, vm: Vm, controller: int) -> None:
    """``controller`` is the phandle of the PLIC or the APLIC."""
    _cpus(root, platform, vm)
    own = RiscvVm.of(vm).irqc
    if isinstance(own, Plic):
        _plic(root, own, vm, controller)
    else:
        _aplic(root, own, vm, controller)
        if own.imsic is not None:
            _imsics(root, own.imsic, own.identities, vm.cpus)


def extensions(platform: Platform) -> tuple[str, ...]:
    """Those with names of several letters: what a guest of Bao can use, in their canonical order.

    Zicntr is not one: of its counters Bao lets a guest have ``time`` alone.
    """
    arch = RiscvPlatform.of(platform)
    aia = isinstance(arch.irqc, Aia) and arch.irqc.imsic is not None
    present = {"ssaia": aia, "sstc": arch.sstc}
    return tuple(
        each for each in ("zicbom", "zicboz", "zicsr", "zifencei", "ssaia", "sstc", "svpbmt") if present.get(each, True)
    )


def _cpus(root: FdtNode, platform: Platform, vm: Vm) -> None:
    names = extensions(platform)
    cpus = root.add("cpus")
    cpus.cells("#address-cells", 1)
    cpus.cells("#size-cells", 0)
    cpus.cells("timebase-frequency", platform.timer_frequency)
    for hart in range(vm.cpus):
        cpu = cpus.add(f"cpu@{hart:x}")
        cpu.text("device_type", "cpu")
        cpu.text("compatible", "riscv")
        cpu.cells("reg", hart)
        cpu.text("status", "okay")
        cpu.text("riscv,isa", "_".join([f"rv64{_LETTERS}", *names]))
        cpu.text("riscv,isa-base", "rv64i")
        cpu.text("riscv,isa-extensions", *_LETTERS, *names)
        cpu.cells("riscv,cbom-block-size", _BLOCK)
        cpu.cells("riscv,cboz-block-size", _BLOCK)
        cpu.text("mmu-type", "riscv,sv57")
        own = cpu.add("interrupt-controller")
        own.text("compatible", HART_CONTROLLER)
        own.cells("#address-cells", 0)
        own.cells(CELLS, 1)
        own.flag("interrupt-controller")
        own.cells("phandle", _HARTS + hart)
        own.cells("interrupt-parent", _HARTS + hart)  # itself: the root's would put it below what it is above


def _inputs(harts: int, *causes: int) -> Iterator[int]:
    """``interrupts-extended``: these of each hart."""
    for hart in range(harts):
        for cause in causes:
            yield from (_HARTS + hart, cause)


def _highest(vm: Vm) -> int:
    """The last source that anything of the VM has: a guest goes through all of them."""
    return max((*vm.interrupts, *(each for ipc in vm.ipcs for each in ipc.interrupts)), default=1)


def _controller(root: FdtNode, window: tuple[int, int], cells: int, phandle: int, *compatible: str) -> FdtNode:
    base, size = window
    node = root.add(f"interrupt-controller@{base:x}")
    node.text("compatible", *compatible)
    node.cells("#address-cells", 0)
    node.cells(CELLS, cells)
    node.flag("interrupt-controller")
    node.wide("reg", base, size)
    node.cells("phandle", phandle)
    return node


def _plic(root: FdtNode, own: Plic, vm: Vm, phandle: int) -> None:
    window = own.base, irqc.plic_size(vm.cpus)
    node = _controller(root, window, 1, phandle, "sifive,plic-1.0.0", "riscv,plic0")
    node.cells("riscv,ndev", _highest(vm))
    node.cells("interrupts-extended", *_inputs(vm.cpus, _MACHINE_EXTERNAL, _EXTERNAL))


def _aplic(root: FdtNode, own: Aia, vm: Vm, phandle: int) -> None:
    node = _controller(root, (own.aplic, irqc.aplic_size(own, vm.cpus)), 2, phandle, "riscv,aplic")
    node.cells("riscv,num-sources", _highest(vm))
    if own.imsic is None:
        node.cells("interrupts-extended", *_inputs(vm.cpus, _EXTERNAL))
    else:
        node.cells("msi-parent", _IMSIC)


def _imsics(root: FdtNode, base: int, identities: int, harts: int) -> None:
    node = _controller(root, (base, PAGE_SIZE * harts), 0, _IMSIC, "riscv,imsics")
    node.flag("msi-controller")
    node.cells("#msi-cells", 0)
    node.cells("riscv,num-ids", identities)
    node.cells("interrupts-extended", *_inputs(harts, _EXTERNAL))


def cells(vm: Vm, source: int, *, edge: bool) -> tuple[int, ...]:
    """Of an APLIC the source and what triggers it, of a PLIC the source alone."""
    if isinstance(RiscvVm.of(vm).irqc, Plic):
        return (source,)
    return source, _EDGE if edge else _LEVEL


def told_sources(place: TreePlace) -> tuple[int, ...]:
    """The sources of ``interrupts``, each of as many cells as the tree's PLIC or APLIC says."""
    root = place.above[0] if place.above else place.node
    given = numbers(place.node.properties.get("interrupts", b""))
    return tuple(given[:: max(1, _width(root))])


def _width(node: FdtNode) -> int:
    """Cells of an interrupt of the controllers that have sources; 0 if there is none."""
    words = node.properties.get("compatible", b"").decode("ascii", "replace").split("\0")
    if any(CONTROLLERS.get(word) in ("plic", "aplic") for word in words):
        return cells_of(node, CELLS, 1)
    return max((_width(child) for child in node.children), default=0)
