"""The guest address space of a VM: alignment and overlap of RAM, devices, shared memory, interrupt controller."""

from __future__ import annotations

from collections.abc import Iterator

from baonet.config.draft import Draft
from baonet.config.models import VmModel
from baonet.config.ranges import AddressRange, beyond, overlapping, unaligned
from baonet.document.errors import Problem


def problems(draft: Draft, vm: VmModel) -> Iterator[Problem]:
    yield from _alignment(vm)
    windows = list(_windows(draft, vm))
    architecture = draft.architecture
    if draft.platform is not None and draft.intact(vm.node, architecture.key):
        part = vm.part(architecture.vm_part)
        mine = architecture.vm(part, draft.platform)
        yield from architecture.vm_problems(part, mine)
        yield from _delivery(vm, *architecture.delivery(mine))
        controller = vm.node.child(architecture.key)
        node = vm.node if controller is None else controller
        found = architecture.vm_windows(mine, vm.cpus)
        own = [AddressRange(each.start, each.end, each.what, node.at(each.key)) for each in found]
        # Where the controller is at the platform's addresses, it is the others that are in its way.
        windows = own + windows if controller is None else windows + own
    for window in windows:
        yield from beyond(window, architecture.address_limit)
    yield from overlapping(windows)


def _delivery(vm: VmModel, possible: str, why: str) -> Iterator[Problem]:
    if why and vm.interrupts not in (None, possible):
        message = f"interrupts cannot be {vm.interrupts}: {why}"
        yield vm.node.at("interrupts").problem(message, f"write 'interrupts: {possible}', or nothing")


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
        if memory.base is not None:
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
