"""Armv8-A behind the protocol of ``baonet.config.architecture``."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterator, Mapping
from typing import Final, final

from baonet.config.architecture import AddressWindow, Guests, Mention
from baonet.config.armv8 import gic, given_tree, tree
from baonet.config.armv8 import interrupts as numbers
from baonet.config.armv8 import platform as physical
from baonet.config.armv8 import platforms as built_in
from baonet.config.armv8.guests import GUESTS
from baonet.config.armv8.models import Armv8PlatformModel, Armv8VmModel
from baonet.config.armv8.words import WORDS
from baonet.document.document import YamlNode
from baonet.document.errors import Problem
from baonet.document.kinds import Model
from baonet.machine import ArchVm, Platform, Vm
from baonet.machine.armv8 import Armv8Platform, Armv8Vm
from baonet.machine.armv8.affinity import CLUSTER


def _of_platform(part: Model) -> Armv8PlatformModel:
    assert isinstance(part, Armv8PlatformModel)
    return part


def _of_vm(part: Model) -> Armv8VmModel:
    assert isinstance(part, Armv8VmModel)
    return part


def _vm(vm: ArchVm) -> Armv8Vm:
    assert isinstance(vm, Armv8Vm)
    return vm


@final
class Armv8:
    name = Armv8Platform.architecture
    key = "gic"
    words = WORDS
    guests: Guests = GUESTS
    address_limit = 1 << 40  # PARange of the Cortex-A53, which is what Bao makes the IPA size
    interrupts = range(1024)
    lines = range(numbers.FIRST_SPI, numbers.FIRST_SPECIAL)
    private: Container[int] = range(numbers.FIRST_SPI)
    timers: Collection[int] = numbers.TIMERS
    controllers: Collection[str] = given_tree.GICS
    platform_part: type[Model] = Armv8PlatformModel
    vm_part: type[Model] = Armv8VmModel
    blank = built_in.BLANK
    platforms: Mapping[str, tuple[Platform, str]] = built_in.BUILTIN
    costs = built_in.COSTS

    # Of a platform

    most_cpus = staticmethod(physical.most_cpus)
    unconnected = staticmethod(physical.unconnected)
    brief = staticmethod(physical.brief)
    in_full = staticmethod(physical.in_full)
    suspends = staticmethod(physical.suspends)
    in_short = staticmethod(physical.in_short)

    def missing(self, part: Model, base: Platform | None, extend: str) -> Iterator[Problem]:
        return physical.missing(_of_platform(part), base, extend)

    def platform(self, part: Model, base: Platform) -> Platform:
        return physical.merged(_of_platform(part), base)

    def platform_problems(self, part: Model, platform: Platform) -> Iterator[Problem]:
        return physical.problems(_of_platform(part), platform)

    def platform_windows(self, platform: Platform) -> Iterator[AddressWindow]:
        return gic.windows(Armv8Platform.of(platform).gic, platform.cpus)

    # Of a VM

    def vm(self, part: Model, platform: Platform) -> Armv8Vm:
        return Armv8Vm(gic.of_vm(_of_vm(part).gic, Armv8Platform.of(platform).gic))

    def vm_problems(self, part: Model, vm: ArchVm) -> Iterator[Problem]:
        model = _of_vm(part).gic
        return iter(()) if model is None else gic.problems(model, _vm(vm).gic)

    def vm_windows(self, vm: ArchVm, cpus: int) -> Iterator[AddressWindow]:
        return gic.windows(_vm(vm).gic, cpus)

    def delivery(self, vm: ArchVm) -> tuple[str, str]:
        return "mediated", ""

    def hardware(self, part: Model) -> Collection[int]:
        return _of_vm(part).timer

    def uses(self, part: Model) -> Iterator[Mention]:
        return numbers.uses(_of_vm(part))

    def interrupt_problems(self, use: Mention, vm: ArchVm, platform: Platform) -> Iterator[Problem]:
        return numbers.problems(use, _vm(vm).gic, Armv8Platform.of(platform).gic)

    meant = staticmethod(numbers.meant)

    def unlike_bao(self, node: YamlNode, cpus: int) -> Iterator[Problem]:
        """Bao's numbers of vCPUs are flat, and no target list of an SGI reaches beyond the sixteenth."""
        if cpus > CLUSTER:
            message = f"{cpus} vCPUs under 'faithful: strict': Bao's vCPU 16 and those after it get no SGI"
            hint = "at most 16, or 'faithful: practical', which gives every 16 vCPUs an Aff1 of their own"
            yield node.problem(message, hint)

    def summary(self, vm: Vm) -> dict[str, int]:
        mine = Armv8Vm.of(vm).gic
        places = {"gicd": mine.gicd, "gicr": mine.gicr, "gicc": mine.gicc}
        return {"version": mine.version} | {name: base for name, base in places.items() if base is not None}

    # Of a device tree

    describe = staticmethod(tree.describe)
    cells = staticmethod(tree.cells)
    told_interrupts = staticmethod(tree.intids)
    disagreements = staticmethod(given_tree.disagreements)
    loose_ends = staticmethod(given_tree.starting)


ARMV8: Final = Armv8()
