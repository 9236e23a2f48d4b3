"""From models that passed every check to the records of ``machine``, with the contents of each VM's memory placed."""

from __future__ import annotations

from collections.abc import Sequence

from baonet.config import console_input, faults, node_placement
from baonet.config.clock_models import ClockModel
from baonet.config.draft import Draft
from baonet.config.placement import VmContents
from baonet.document.errors import Problem
from baonet.machine import (
    Clock,
    ClockMode,
    Device,
    Faithful,
    Ipc,
    Latency,
    LoadSegment,
    Machine,
    Platform,
    SharedMemory,
    Vm,
)
from baonet.machine.dataclass import replace


def build(
    draft: Draft, platform: Platform, placements: Sequence[VmContents], faithful: Faithful
) -> tuple[Machine, list[Problem]]:
    """The machine of a draft that has no problems so far, and what came up while placing initrds and device trees.

    ``placements`` has read the images of every VM. The machine can run only when there are no problems.
    """
    names = [vm.name for vm in draft.vms]
    machine = Machine(
        path=draft.root.source.path,
        platform=platform,
        clock=_clock(draft.clock),
        faithful=faithful,
        shared_memory=tuple(SharedMemory(each.name, each.size, each.colors, each.phys) for each in draft.shared_memory),
        vms=tuple(_vm(draft, platform, index, placement) for index, placement in enumerate(placements)),
        hypervisor_colors=0 if draft.hypervisor is None else draft.hypervisor.colors,
        input=console_input.resolve(draft.input, names),
        faults=faults.resolve(draft.faults, names, [each.name for each in draft.shared_memory]),
        placement=node_placement.resolve(draft.placement, names),
    )
    problems: list[Problem] = []
    vms = []
    for vm, placement in zip(machine.vms, placements, strict=True):
        vms.append(_contents(machine, vm, placement))
        problems += placement.problems
    return replace(machine, vms=tuple(vms)), problems


def _clock(model: ClockModel | None) -> Clock:
    if model is None:
        return Clock()
    given = model.latency
    latency = Latency() if given is None else Latency(given.ipi, given.ipc, given.spi, given.console)
    return Clock(ClockMode(model.mode), model.mhz, model.window, model.slice, latency)


def _vm(draft: Draft, platform: Platform, index: int, placement: VmContents) -> Vm:
    """The record of a VM whose image was read and placed, without what ``_contents`` adds."""
    model, architecture = placement.model, draft.architecture
    part = model.part(architecture.vm_part)
    names = [each.name for each in draft.shared_memory]
    devices = []
    for device in model.devices:
        va = device.pa if device.va is None else device.va
        devices.append(Device(device.pa or 0, va, draft.device_size(device) or 0, device.lines, device.id))
    ipcs = []
    for ipc in model.ipcs:
        shmem = names.index(ipc.shared_memory)
        size = draft.shared_memory[shmem].size if ipc.size is None else ipc.size
        ipcs.append(Ipc(ipc.base, size, shmem, ipc.interrupts))
    arch = architecture.vm(part, platform)
    interrupts = {each for device in devices for each in device.interrupts} | set(architecture.hardware(part))
    return Vm(
        index=index,
        name=model.name,
        entry=placement.image.entry if placement.image else 0,
        context=0,
        cpus=model.cpus,
        cpu_affinity=model.cpu_affinity,
        colors=model.colors,
        regions=placement.regions,
        devices=tuple(devices),
        ipcs=tuple(ipcs),
        arch=arch,
        segments=tuple(placement.segments),
        interrupts=tuple(sorted(interrupts)),
        command_line=model.command_line,
        huge_pages=model.huge_pages,
        direct_interrupts=(model.interrupts or architecture.delivery(arch)[0]) == "direct",
    )


def _contents(machine: Machine, vm: Vm, placement: VmContents) -> Vm:
    """Place the device tree and the initrd, and fill the tree in."""
    given = placement.model.device_tree
    if given is None:
        placement.place_initrd()
        return replace(vm, segments=tuple(placement.segments), initrd=placement.initrd)
    from baonet.config import devicetree  # noqa: PLC0415 - few VMs have one

    tree = placement.tree

    def blob(vm: Vm) -> bytes:
        if tree is None:
            return devicetree.generate(machine, vm)
        if vm.command_line or vm.initrd:
            devicetree.describe_boot(tree.root.child("chosen"), vm)
        return tree.write()

    # The size of a tree does not depend on where the initrd is, only on whether there is one.
    placement.place_device_tree(blob(replace(vm, initrd=(0, 0) if placement.model.initrd else None)))
    placement.place_initrd()
    if placement.problems or placement.device_tree is None:
        return vm
    address = placement.device_tree
    vm = replace(vm, initrd=placement.initrd, device_tree=address)
    data = blob(vm)
    return replace(
        vm,
        context=0 if machine.faithful is Faithful.STRICT else address,
        segments=(*placement.segments, LoadSegment(address, len(data), data=data)),
    )
