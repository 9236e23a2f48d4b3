"""The guest address space of a VM: alignment and overlap of its RAM, devices, shared memory and GIC."""

from __future__ import annotations

from collections.abc import Iterator

from baonet.config.armv8.gic import GICD_SIZE, GICR_SIZE, of_vm
from baonet.config.armv8.gic import windows as gic_windows
from baonet.config.draft import Draft
from baonet.config.models import VmModel
from baonet.config.ranges import AddressRange, beyond, overlapping, unaligned
from baonet.document.errors import Problem
from baonet.machine.armv8 import Armv8Platform, Gic


def problems(draft: Draft, vm: VmModel) -> Iterator[Problem]:
    yield from _alignment(vm)
    windows = list(_windows(draft, vm))
    if draft.platform is not None and draft.intact(vm.node, "gic"):
        gic = of_vm(vm.gic, Armv8Platform.of(draft.platform).gic)
        yield from _gic(vm, gic)
        node = vm.node if vm.gic is None else vm.gic.node
        own = [AddressRange(start, end, what, node.at(field)) for field, start, end, what in gic_windows(gic, vm.cpus)]
        # Where the GIC is at the platform's addresses, it is the others that are in its way.
        windows = own + windows if vm.gic is None else windows + own
    for window in windows:
        yield from beyond(window)
    yield from overlapping(windows)


def _alignment(vm: VmModel) -> Iterator[Problem]:
    for memory in vm.memory:
        for key in ("base", "size", "phys"):
            yield from unaligned(memory.node.at(key), getattr(memory, key))
    for device in vm.devices:
        for key in ("pa", "va", "size"):
            yield from unaligned(device.node.at(key), getattr(device, key))
    for ipc in vm.ipcs:
        for key in ("base", "size"):
            yield from unaligned(ipc.node.at(key), getattr(ipc, key))


def _windows(draft: Draft, vm: VmModel) -> Iterator[AddressRange]:
    for memory in vm.memory:
        yield AddressRange(memory.base, memory.base + memory.size, "RAM", memory.node.at("base"))
    for device in vm.devices:
        size = draft.device_size(device)
        if device.pa is not None and size is not None:
            va = device.pa if device.va is None else device.va
            node = device.node.at("pa" if device.va is None else "va")
            yield AddressRange(va, va + size, "the device", node)
    for ipc in vm.ipcs:
        shared = draft.shared(ipc.shared_memory)
        size = shared.size if ipc.size is None and shared is not None else ipc.size
        if size is not None:
            yield AddressRange(ipc.base, ipc.base + size, f"shared memory '{ipc.shared_memory}'", ipc.node.at("base"))


def _gic(vm: VmModel, gic: Gic) -> Iterator[Problem]:
    if vm.gic is None:
        return
    foreign = "gicr" if gic.version == 2 else "gicc"
    if getattr(vm.gic, foreign) is not None:
        own = "gicc" if gic.version == 2 else "gicr"
        hint = f"give {own!r}, or nothing"
        yield vm.gic.node.at(foreign).key_problem(f"the platform's GIC has version {gic.version}: no {foreign}", hint)
    yield from unaligned(vm.gic.node.at("gicd"), vm.gic.gicd, 0x1000 if gic.version == 2 else GICD_SIZE)
    yield from unaligned(vm.gic.node.at("gicc"), vm.gic.gicc)
    yield from unaligned(vm.gic.node.at("gicr"), vm.gic.gicr, GICR_SIZE)
