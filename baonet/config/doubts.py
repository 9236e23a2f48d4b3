"""What is allowed and probably not meant: the warnings of ``baonet check``.

Each would end in a guest that hangs without a word, or that does not see what its user gave it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from baonet.config import cpus
from baonet.config.draft import Draft
from baonet.config.fault_models import CrashModel, MessageFaultModel, StallModel
from baonet.config.models import DeviceModel, VmModel
from baonet.config.placement import VmContents
from baonet.config.uart_bindings import BINDINGS
from baonet.document.document import YamlNode
from baonet.document.errors import Problem
from baonet.document.quantities import human_duration, listing
from baonet.machine import UNMODELLED, Clock, Faithful, Machine, MessageKind, PlatformDevice
from baonet.machine.memory_system import IN_NANOSECONDS


def of_draft(draft: Draft, placements: Sequence[VmContents]) -> Iterator[Problem]:
    """Doubts about what was written, as far as it could be read."""
    for placement in placements:
        vm = placement.model
        for device in vm.devices:
            yield from _interrupts(draft, vm, device, placement)
        if draft.intact(vm.node, "image", "device_tree"):
            yield from _linux(draft, placement)
            yield from _console(draft, placement)
        guests, length = draft.architecture.guests, len(vm.command_line.encode())
        if length > guests.command_line:
            message = f"{length} characters, of which {guests.linux} keeps {guests.command_line}"
            yield vm.node.at("command_line").problem(message, "make it shorter, or give the rest in the initrd")
        yield from _image(placement)
    yield from _guessed(draft)
    yield from _no_time(draft)
    if draft.intact(draft.root, "vms"):
        yield from _alone(draft)
        yield from _unheard(draft)
        yield from _faults(draft)


def of_machine(machine: Machine, placements: Sequence[VmContents]) -> Iterator[Problem]:
    """Doubts about a machine that is complete: whether the device trees that it was given tell the truth."""
    for vm, placement in zip(machine.vms, placements, strict=True):
        tree, model = placement.tree, placement.model.device_tree
        if tree is not None and model is not None:
            from baonet.config import given_tree, tree_links  # noqa: PLC0415 - few VMs are given one

            node = model.node.at("path")
            if any(part.name == "__overlay__" for each in tree.root.children for part in each.children):
                hint = "apply it to one with fdtoverlay, and give what comes out"
                yield node.problem("it is an overlay, which changes a tree and is none", hint)
                continue
            for message, hint in given_tree.disagreements(tree.root, machine, vm):
                yield node.problem(message, hint)
            for message, hint in tree_links.loose_ends(tree.root, machine.platform, vm):
                yield node.problem(message, hint)


def _guessed(draft: Draft) -> Iterator[Problem]:
    """What a memory system has from a preset that cannot know it."""
    system = None if draft.platform is None else draft.platform.memory_system
    presets = {} if system is None else draft.architecture.memory_presets()
    platform = draft.root.at("platform")
    for name, preset in presets.items():
        same = [each for each in preset.lacking if getattr(system, each) == getattr(preset.system, each)]
        keys = list(dict.fromkeys(each.removesuffix("_entries").removesuffix("_ways") for each in same))
        if keys:
            message = f"{listing(keys)} of '{name}' can only be guessed: its core has nothing of the kind"
            hint = (
                "give what is known of the core that is meant; docs/configuration.md tells of each value whence it is"
            )
            yield (platform.child("memory_system") or platform).problem(message, hint)


def _no_time(draft: Draft) -> Iterator[Problem]:
    """What is about the time that memory takes where it takes none."""
    system = None if draft.platform is None else draft.platform.memory_system
    if system is not None and draft.clock is not None:
        cycles = Clock(mhz=draft.clock.mhz).cycles
        given = {name: getattr(system, name) for name in sorted(IN_NANOSECONDS)}
        short = [name.replace("_", ".", 1) for name, time in given.items() if time and not cycles.whole_ticks(time)]
        if short:
            told = (
                f"a cycle is {human_duration(cycles.first_ns(1))}, and {listing(short)} of the memory system take one"
            )
            message = f"at {draft.clock.mhz} MHz {told}"
            yield draft.clock.node.at("mhz").problem(message, "give the clock of the cores, or leave it out for 1000")
    if draft.platform is None or system is not None or draft.root.at("platform").child("memory_system") is not None:
        return  # with 'memory_system: off' it is known
    hint = "the platform has no 'memory_system': with one it tells in the time that memory takes"
    for vm in draft.vms:
        if not vm.huge_pages:
            yield vm.node.at("huge_pages").problem("nothing comes of it", hint)
    if draft.hypervisor is not None and draft.hypervisor.colors:
        yield draft.hypervisor.node.at("colors").problem("nothing comes of it", hint)


def _owners(draft: Draft, interrupt: int) -> list[VmModel]:
    return [vm for vm in draft.vms if any(interrupt in device.lines for device in vm.devices)]


def _interrupts(draft: Draft, vm: VmModel, entry: DeviceModel, placement: VmContents) -> Iterator[Problem]:
    """An entry's interrupts are those of the devices that it maps."""
    if draft.platform is None or not draft.intact(entry.node, "interrupts"):
        return
    of_platform = {device.interrupt: device for device in draft.platform.devices if device.interrupt}
    size = draft.device_size(entry)
    mapped = [] if entry.pa is None or size is None else draft.devices_in(entry.pa, entry.pa + size)
    modelled = [device for device in mapped if device.kind != UNMODELLED]
    lacking = [device for device in modelled if not any(device.interrupt in each.lines for each in vm.devices)]
    strange = [
        interrupt
        for interrupt in entry.lines
        if interrupt not in of_platform and interrupt not in draft.architecture.raised
    ]
    for device in lacking:
        yield from _lacking(draft, entry, device, strange, placement)
    for place, interrupt in enumerate(entry.lines):
        node = entry.node.at("interrupts", place)
        if interrupt in strange and not lacking:
            yield node.problem(f"nothing on this platform raises interrupt {interrupt}", _raises(draft, interrupt))
        elif mapped and interrupt in of_platform and of_platform[interrupt] not in mapped:
            other = of_platform[interrupt]
            message = f"interrupt {interrupt} is that of '{other.name}' at {other.pa:#x}, which this entry does not map"
            own = mapped[0].interrupt
            yield node.problem(message, f"'{mapped[0].name}' has " + (f"interrupt {own}" if own else "none"))


def _lacking(
    draft: Draft, entry: DeviceModel, device: PlatformDevice, strange: Sequence[int], placement: VmContents
) -> Iterator[Problem]:
    """A device is mapped, and the VM does not get its interrupt."""
    owners = _owners(draft, device.interrupt)
    what = f"'{device.name}' has interrupt {device.interrupt}"
    if strange:
        named = listing(strange)
        node = entry.node.at("interrupts", entry.lines.index(strange[0]))
        yield node.problem(f"{what}, and {named} belongs to nothing here", f"write 'interrupts: [{device.interrupt}]'")
    elif not owners:
        hint = f"add 'interrupts: [{device.interrupt}]': a guest that waits for it, as Linux does, hangs without a word"
        yield entry.node.at("pa").problem(f"{what}, and no VM has it", hint)
    elif placement.image is not None and placement.image.linux:
        kind, owner = BINDINGS[device.kind].name, owners[0].name
        hint = f"Linux does not use a {kind} without its interrupt: take it from '{owner}', or add a UART"
        yield entry.node.at("pa").problem(f"{what}, and VM '{owners[0].name}' has it", hint)


def _raises(draft: Draft, interrupt: int) -> str:
    assert draft.platform is not None
    known = listing(f"{device.interrupt} ('{device.name}')" for device in draft.platform.devices if device.interrupt)
    meant = draft.architecture.meant(interrupt)
    return f"its devices have {known}" + (f"; {meant}" if meant else "")


def _linux(draft: Draft, placement: VmContents) -> Iterator[Problem]:
    """Linux without a device tree, or without being told where it is."""
    image, model = placement.image, placement.model
    if image is None or not image.linux or model.image is None:
        return
    guests, argument = draft.architecture.guests, draft.architecture.words.argument
    node = model.image.node.at("path")
    if model.device_tree is None:
        message = f"{guests.image}, and no device tree: {argument} is 0 at its entry"
        yield node.problem(message, "add 'device_tree: auto': without one Linux stops before it prints anything")
    elif draft.root.at("faithful").value == Faithful.STRICT.value:
        message = f"{guests.image}, and 'faithful: strict' leaves {argument} at 0: it does not find its device tree"
        yield node.problem(message, "give it a tree of its own (CONFIG_BUILTIN_DTB, a boot shim), or use 'practical'")


def _console(draft: Draft, placement: VmContents) -> Iterator[Problem]:
    """Linux that is told to speak on a UART of another kind than the VM has, or on one where the VM has none."""
    vm = placement.model
    bindings = [BINDINGS[kind] for kind in _uarts(draft, vm)]
    asked = [word.removeprefix("console=") for word in vm.command_line.split() if word.startswith("console=")]
    if placement.image is None or not placement.image.linux or not asked or draft.platform is None:
        return
    known = [each.console for each in BINDINGS.values()]
    fitting = [each.console for each in bindings]
    others = [each for each in asked if each.startswith(tuple(known))]
    if len(others) != len(asked) or not draft.intact(vm.node, "devices"):
        return
    if not bindings:
        name = next((each.name for each in draft.platform.devices if each.kind in BINDINGS), None)
        message = f"the VM has no UART, and Linux is to print on {asked[-1].partition(',')[0]}: nothing comes"
        hint = (
            "the platform has none either: add one to its 'devices'"
            if name is None
            else f"map one: 'devices: [{name}]'"
        )
        yield vm.node.at("command_line").problem(message, hint)
    elif not any(each.startswith(tuple(fitting)) for each in asked):
        message = f"the VM has a {bindings[0].name}, and Linux calls no such UART {asked[-1].partition(',')[0]}"
        hint = f"write 'console={fitting[0]}0': on the other it prints nothing"
        yield vm.node.at("command_line").problem(message, hint)


def _image(placement: VmContents) -> Iterator[Problem]:
    """What the file itself says, and an entry where it has put nothing."""
    image, model = placement.image, placement.model.image
    if image is None or model is None:
        return
    for message, hint in image.doubts:
        yield model.node.at("path").problem(message, hint)
    if any(each.base <= image.entry < each.base + each.size for each in image.segments):
        return
    spans = listing(f"{each.base:#x}..{each.base + each.size - 1:#x}" for each in image.segments)
    bss = any(start <= image.entry < end for start, end in image.spans)
    what = "in its .bss, which is zeroes" if bss else "not in what the image loads"
    yield placement.entry.problem(f"the entry {image.entry:#x} is {what}", f"it loads {spans}")


def _unheard(draft: Draft) -> Iterator[Problem]:
    """Input for a VM that has no UART."""
    without = {vm.name for vm in draft.vms if draft.intact(vm.node, "devices") and not _uarts(draft, vm)}
    for model in draft.input:
        if draft.platform is not None and model.vm in without:
            yield model.node.at("vm").problem(f"VM '{model.vm}' has no UART that it could read this from", "map one")


def _faults(draft: Draft) -> Iterator[Problem]:
    """Faults that can hit nothing."""
    unused = [] if draft.platform is None else cpus.idle(draft, draft.platform.cpus)
    for model in draft.faults:
        if isinstance(model, StallModel | CrashModel):
            if model.pcpu in unused:
                message = f"no VM runs on CPU {model.pcpu}: nothing comes of it"
                yield model.node.at("pcpu").problem(message, "'baonet check' tells which CPU runs what")
        elif isinstance(model, MessageFaultModel) and model.message == MessageKind.IPC.value:
            ways = ((source, target) for source in draft.vms for target in draft.vms if source is not target)
            if not any(_notifies(model, source, target) for source, target in ways):
                hint = (
                    "a notification is between VMs that share an object, and comes as one of the 'interrupts' of an ipc"
                )
                yield model.node.problem("no VM that it is about notifies another: nothing comes of it", hint)


def _notifies(model: MessageFaultModel, source: VmModel, target: VmModel) -> bool:
    if model.from_ not in (None, source.name) or model.to not in (None, target.name):
        return False
    shared = {ipc.shared_memory for ipc in source.ipcs}
    return any(ipc.shared_memory in shared and ipc.interrupts for ipc in target.ipcs)


def _uarts(draft: Draft, vm: VmModel) -> list[str]:
    """Kinds of the UARTs that the VM maps."""
    sizes = ((device.pa, draft.device_size(device)) for device in vm.devices)
    return [
        device.kind
        for pa, size in sizes
        if pa is not None and size is not None
        for device in draft.devices_in(pa, pa + size)
        if device.kind in BINDINGS
    ]


def _alone(draft: Draft) -> Iterator[Problem]:
    """Shared memory that is shared with nobody."""
    for shared in draft.shared_memory:
        users = [vm for vm in draft.vms if any(ipc.shared_memory == shared.name for ipc in vm.ipcs)]
        if len(users) < 2:
            who = f"only VM '{users[0].name}' has" if users else "no VM has"
            hint = f"add it to 'ipcs' of {'another' if users else 'the VMs that share it'}"
            node: YamlNode = shared.node.at("name")
            yield node.problem(f"{who} shared memory '{shared.name}'", hint)
