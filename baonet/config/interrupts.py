"""Interrupts: numbers that exist, and each for one purpose.

Which numbers there are for what, an architecture knows. Two VMs may not share the line of a device (Bao halts);
notifications of shared memory are virtual, so their numbers count within a VM only.
"""

from __future__ import annotations

from collections.abc import Iterator

from baonet.config.architecture import Mention
from baonet.config.draft import Draft
from baonet.config.models import VmModel
from baonet.document.document import YamlNode
from baonet.document.errors import Problem


def problems(draft: Draft) -> Iterator[Problem]:
    architecture = draft.architecture
    owner: dict[int, tuple[VmModel, YamlNode]] = {}
    for vm in draft.vms:
        part = vm.part(architecture.vm_part)
        uses = [*_uses(vm), *architecture.uses(part)]
        if draft.platform is not None and draft.intact(vm.node, architecture.key):
            mine = architecture.vm(part, draft.platform)
            for use in uses:
                yield from architecture.interrupt_problems(use, mine, draft.platform)
        yield from _twice(uses)
        for use in uses:
            if use.what != "device" or use.interrupt in architecture.private:
                continue
            other, node = owner.setdefault(use.interrupt, (vm, use.node))
            if other is not vm:
                message = f"interrupt {use.interrupt} is given twice: VM {other.name!r} has it {node.place}"
                hint = "an interrupt belongs to one VM; another may map the device without it"
                yield use.node.problem(message, hint)


def _uses(vm: VmModel) -> Iterator[Mention]:
    for device in vm.devices:
        for i, interrupt in enumerate(device.lines):
            yield Mention(interrupt, "device", device.node.at("interrupts", i))
    for ipc in vm.ipcs:
        for i, interrupt in enumerate(ipc.interrupts):
            yield Mention(interrupt, "ipc", ipc.node.at("interrupts", i))


def _twice(uses: list[Mention]) -> Iterator[Problem]:
    first: dict[int, Mention] = {}
    for use in uses:
        other = first.setdefault(use.interrupt, use)
        if other is not use:
            message = f"interrupt {use.interrupt} is given twice"
            yield use.node.problem(message, f"this VM has it {other.node.place} already, in {other.node.name}")
