"""What has to hold between the fields of a machine file. The rules are in one module for each matter.

Bao checks little of this: most of these mistakes make it halt before its console is up, wait for ever on a barrier,
or hand a guest memory that is not there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from baonet.config import console_input, cpus, faults, guest_space, interrupts, node_placement, physical, wings
from baonet.config.draft import Draft
from baonet.config.models import DeviceModel, IpcModel, SharedMemoryModel, VmModel
from baonet.document.document import YamlNode
from baonet.document.errors import Problem
from baonet.document.kinds import nearest
from baonet.document.quantities import human, human_duration, listing, span
from baonet.machine import Clock, ClockMode

_NO_VM_NAMES = ("all", "none")  # of the option --console


def problems(draft: Draft) -> Iterator[Problem]:
    """Everything that is wrong between the fields of what could be read."""
    yield from _names(draft.shared_memory, "shared memory objects")
    yield from _names(draft.vms, "VMs")
    for vm in draft.vms:
        if draft.platform is not None:
            yield from wings.strangers(draft.architecture, vm.node, lambda each: each.vm_part)
        if vm.name in _NO_VM_NAMES:
            yield vm.node.at("name").problem(f"{vm.name!r} is no name for a VM", "it has a meaning for --console")
        for device in vm.devices:
            yield from _device(draft, device)
        for ipc in vm.ipcs:
            yield from _ipc(draft, ipc)
        if draft.intact(vm.node, "device_tree", "initrd"):
            yield from _boot(vm)
        yield from guest_space.problems(draft, vm)
    yield from _clock(draft)
    yield from _memory_system(draft)
    yield from _virtual_only(draft, "input", draft.input, "input at given times needs")
    yield from _virtual_only(draft, "faults", draft.faults, "a fault at a given time needs")
    yield from faults.problems(draft)
    if draft.intact(draft.root, "vms"):
        yield from console_input.problems(draft.input, [vm.name for vm in draft.vms])
        yield from node_placement.problems(draft.placement, [(vm.name, vm.cpus) for vm in draft.vms])
    yield from cpus.problems(draft)
    yield from interrupts.problems(draft)
    yield from physical.problems(draft)


def _names(named: Sequence[SharedMemoryModel] | Sequence[VmModel], what: str) -> Iterator[Problem]:
    first: dict[str, YamlNode] = {}
    for each in named:
        if not each.name:
            continue  # it could not be read
        node = each.node.at("name")
        if each.name in first:
            hint = f"the first is {first[each.name].place}: rename one"
            yield node.problem(f"two {what} are named {each.name!r}", hint)
        first.setdefault(each.name, node)


def _clock(draft: Draft) -> Iterator[Problem]:
    clock = draft.clock
    if clock is None:
        return
    cycles = Clock(mhz=clock.mhz).cycles
    for name, length in (("window", clock.window), ("slice", clock.slice)):
        if not cycles.whole_ticks(length):
            message = f"{human_duration(length)} is less than one instruction at {clock.mhz} MHz"
            least = human_duration(cycles.first_ns(1))
            yield clock.node.at(name).problem(message, f"use {least} or more: a {name} has many instructions")


def _memory_system(draft: Draft) -> Iterator[Problem]:
    """What the clock has to be for memory to take time."""
    clock, system = draft.clock, None if draft.platform is None else draft.platform.memory_system
    if clock is None or system is None:
        return
    from baonet.config import memory_system  # noqa: PLC0415 - few machines have one

    yield from memory_system.in_time(system, clock)


def _virtual_only(draft: Draft, key: str, given: Sequence[object], what: str) -> Iterator[Problem]:
    """A problem if something is given that only virtual time can do, and time is the host's."""
    mode = Clock().mode.value if draft.clock is None else draft.clock.mode
    if given and mode != ClockMode.VIRTUAL.value and draft.intact(draft.root, "clock"):
        yield draft.root.at(key).key_problem(f"{what} the virtual clock", "set 'mode: virtual' under 'clock'")


def _device(draft: Draft, device: DeviceModel) -> Iterator[Problem]:
    if device.name is not None:
        yield from _named_device(draft, device)
    elif device.pa is None:
        for key in ("va", "size"):
            if getattr(device, key) is not None:
                hint = "give 'pa', the physical address of the device"
                yield device.node.at(key).key_problem(f"{key!r} without 'pa': there is nothing to map", hint)
        if not device.lines:
            yield device.node.problem("the entry gives nothing", "give 'name', 'pa', 'interrupts' or two of them")
    if device.pa is None:
        return
    size = draft.device_size(device)
    if draft.platform is None or device.pa % 0x1000 or (size or 0) % 0x1000:
        return
    there = listing(f"{each.name} ({each.kind}) at {each.pa:#x}" for each in draft.platform.devices)
    there += "; what nothing models can stand under the platform's 'devices' with 'kind: none'"
    if size is None:
        hint = _replaced(draft) or f"it has {there}"
        yield device.node.at("pa").problem(f"the platform has no device at {device.pa:#x}", hint)
    elif not draft.devices_in(device.pa, device.pa + size):
        where = span(device.pa, device.pa + size)
        for each in draft.platform.devices:
            if device.pa < each.pa + each.size and each.pa < device.pa + size:
                message = f"{where} has only a part of '{each.name}', which is at {span(each.pa, each.pa + each.size)}"
                yield device.node.at("pa").problem(message, f"use pa {each.pa:#x} and size {human(each.size)}, or more")
                return
        hint = _replaced(draft) or f"it has {there}"
        yield device.node.at("pa").problem(f"the platform has no device within {where}", hint)


def _replaced(draft: Draft) -> str:
    """A hint, where a platform from outside the file stands for one of the file's own, with what that has."""
    node = draft.root.at("platform")
    if node.instead is None or not isinstance(node.instead.value, dict) or not isinstance(node.value, str):
        return ""
    return f"{node.value!r} replaces the file's platform: with 'platform.extends={node.value}' that keeps its devices"


def _named_device(draft: Draft, device: DeviceModel) -> Iterator[Problem]:
    if device.node.child("pa") is not None:
        yield device.node.at("pa").key_problem("both 'name' and 'pa'", "keep one of them: the name says where it is")
    elif draft.platform is not None and device.pa is None:
        names = [each.name for each in draft.platform.devices]
        near = nearest(device.name or "", names)
        hint = f"did you mean {near!r}?" if near else f"its devices are {listing(names)}"
        hint = _replaced(draft) or hint
        yield device.node.at("name").problem(f"the platform has no device {device.name!r}", hint)


def _ipc(draft: Draft, ipc: IpcModel) -> Iterator[Problem]:
    shared = draft.shared(ipc.shared_memory)
    if shared is None:
        if draft.intact(draft.root, "shared_memory"):
            names = [each.name for each in draft.shared_memory]
            near = nearest(ipc.shared_memory, names)
            hint = f"did you mean {near!r}?" if near else f"defined under 'shared_memory': {listing(names)}"
            node = ipc.node.at("shared_memory")
            yield node.problem(f"there is no shared memory {ipc.shared_memory!r}", hint)
    elif ipc.size is not None and ipc.size > shared.size:
        message = f"{human(ipc.size)} is more than {shared.name!r} has"
        yield ipc.node.at("size").problem(message, f"use {human(shared.size)}, or make the object larger")


def _boot(vm: VmModel) -> Iterator[Problem]:
    """What the guest could not learn without a device tree, or not whole."""
    if "\0" in vm.command_line:
        node = vm.node.at("command_line")
        yield node.problem("a NUL character ends a command line: the rest would be lost", "remove it")
    if vm.device_tree is not None:
        return
    if vm.command_line:
        node = vm.node.at("command_line")
        yield node.problem("a command line reaches the guest in its device tree only", "add 'device_tree: auto'")
    if vm.initrd is not None and vm.initrd.base is None:
        hint = "add 'device_tree: auto', or give 'base', an address that the guest knows"
        yield vm.initrd.node.problem("without a device tree the guest cannot find its initrd", hint)
