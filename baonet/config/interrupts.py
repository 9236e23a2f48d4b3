"""Interrupts: numbers that exist, and each for one purpose.

INTIDs 0..15 are SGIs, 16..31 PPIs, which every vCPU has of its own, 32 and above SPIs. Two VMs may not share an SPI
of a device (Bao halts); notifications of shared memory are virtual, so their numbers count within a VM only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

from baonet.config.armv8.gic import of_vm
from baonet.config.draft import Draft
from baonet.config.models import VmModel
from baonet.document.document import YamlNode
from baonet.document.errors import Problem
from baonet.document.quantities import listing
from baonet.machine.armv8 import Armv8Platform, Gic

FIRST_PPI, FIRST_SPI, FIRST_SPECIAL = 16, 32, 1020
TIMERS = {27: "virtual timer", 30: "EL1 physical timer"}


@final
@dataclass(frozen=True, slots=True)
class _Use:
    """One mention of an interrupt. ``what`` is "device", "ipc" or "timer"."""

    intid: int
    what: str
    node: YamlNode


def problems(draft: Draft) -> Iterator[Problem]:
    owner: dict[int, tuple[VmModel, YamlNode]] = {}
    for vm in draft.vms:
        uses = list(_uses(vm))
        if draft.platform is not None and draft.intact(vm.node, "gic"):
            physical = Armv8Platform.of(draft.platform).gic
            yield from _numbers(uses, of_vm(vm.gic, physical), physical)
        yield from _twice(uses)
        for use in uses:
            if use.what != "device" or use.intid < FIRST_SPI:
                continue
            other, node = owner.setdefault(use.intid, (vm, use.node))
            if other is not vm:
                message = f"interrupt {use.intid} is given twice: VM {other.name!r} has it {node.place}"
                hint = "an interrupt belongs to one VM; another may map the device without it"
                yield use.node.problem(message, hint)


def _uses(vm: VmModel) -> Iterator[_Use]:
    for device in vm.devices:
        for i, intid in enumerate(device.interrupts):
            yield _Use(intid, "device", device.node.at("interrupts", i))
    for ipc in vm.ipcs:
        for i, intid in enumerate(ipc.interrupts):
            yield _Use(intid, "ipc", ipc.node.at("interrupts", i))
    given = vm.node.child("timer")
    if given is not None:
        for i, intid in enumerate(vm.timer):
            yield _Use(intid, "timer", given.at(i))


def _twice(uses: list[_Use]) -> Iterator[Problem]:
    first: dict[int, _Use] = {}
    for use in uses:
        other = first.setdefault(use.intid, use)
        if other is not use:
            message = f"interrupt {use.intid} is given twice"
            yield use.node.problem(message, f"this VM has it {other.node.place} already, in {other.node.name}")


def _numbers(uses: list[_Use], gic: Gic, physical: Gic) -> Iterator[Problem]:
    for use in uses:
        intid = use.intid
        spi = f"SPI {intid} of a device tree is INTID {intid + FIRST_SPI}"
        last = min(gic.interrupts, physical.interrupts if use.what == "device" else FIRST_SPECIAL, FIRST_SPECIAL) - 1
        if use.what == "timer":
            if intid not in TIMERS:
                known = listing((f"{number} ({name})" for number, name in TIMERS.items()), "or")
                yield use.node.problem(f"{intid} is no interrupt of the guest's timer", f"it can be {known}")
        elif intid < FIRST_PPI:
            yield use.node.problem(f"{intid} is a software-generated interrupt (0..15): it belongs to no device", spi)
        elif intid < FIRST_SPI and use.what == "ipc":
            yield use.node.problem(f"{intid} is a private interrupt (16..31): a notification is an SPI", spi)
        elif intid == physical.maintenance:
            yield use.node.problem(f"{intid} is the GIC's maintenance interrupt: the hypervisor's own", spi)
        elif intid > last:
            yield use.node.problem(f"there is no interrupt {intid}", f"the last INTID is {last}")
