"""RISC-V behind the protocol of ``baonet.config.architecture``."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterator, Mapping
from typing import Final, final

from baonet.config.architecture import AddressWindow, Guests, Mention
from baonet.config.riscv import given_tree, irqc, tree
from baonet.config.riscv import interrupts as numbers
from baonet.config.riscv import platform as physical
from baonet.config.riscv import platforms as built_in
from baonet.config.riscv.guests import GUESTS
from baonet.config.riscv.models import RiscvPlatformModel, RiscvVmModel
from baonet.config.riscv.words import WORDS
from baonet.document.document import YamlNode
from baonet.document.errors import Problem
from baonet.document.kinds import Model
from baonet.machine import ArchVm, Platform, Vm
from baonet.machine.riscv import Plic, RiscvPlatform, RiscvVm


def _of_platform(part: Model) -> RiscvPlatformModel:
    assert isinstance(part, RiscvPlatformModel)
    return part


def _of_vm(part: Model) -> RiscvVmModel:
    assert isinstance(part, RiscvVmModel)
    return part


def _vm(vm: ArchVm) -> RiscvVm:
    assert isinstance(vm, RiscvVm)
    return vm


@final
class Riscv:
    name = RiscvPlatform.architecture
    key = "irqc"
    words = WORDS
    guests: Guests = GUESTS
    address_limit = 1 << 41  # Sv39x4, which Bao uses for stage 2
    interrupts = numbers.SOURCES
    lines = numbers.SOURCES
    private: Container[int] = numbers.OWN
    timers: Collection[int] = ()
    controllers: Collection[str] = (*tree.CONTROLLERS, tree.HART_CONTROLLER)
    platform_part: type[Model] = RiscvPlatformModel
    vm_part: type[Model] = RiscvVmModel
    blank = built_in.BLANK
    platforms: Mapping[str, tuple[Platform, str]] = built_in.BUILTIN
    costs = built_in.COSTS

    # Of a platform

    most_cpus = staticmethod(physical.most_cpus)
    unconnected = staticmethod(physical.unconnected)
    platform_windows = staticmethod(physical.windows)
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

    # Of a VM

    def vm(self, part: Model, platform: Platform) -> RiscvVm:
        return RiscvVm(irqc.of_vm(_of_vm(part).irqc, RiscvPlatform.of(platform).irqc))

    def vm_problems(self, part: Model, vm: ArchVm) -> Iterator[Problem]:
        model = _of_vm(part).irqc
        return iter(()) if model is None else irqc.problems(model, _vm(vm).irqc)

    def vm_windows(self, vm: ArchVm, cpus: int) -> Iterator[AddressWindow]:
        return irqc.windows(_vm(vm).irqc, cpus)

    def delivery(self, vm: ArchVm) -> tuple[str, str]:
        """With an IMSIC messages go to a guest's own file; any other controller interrupts the hypervisor."""
        own = _vm(vm).irqc
        if isinstance(own, Plic):
            return "mediated", "a PLIC interrupts the hypervisor alone"
        if own.imsic is None:
            return "mediated", "an APLIC in direct mode interrupts the hypervisor alone"
        return "direct", "with IMSICs they go to the guest's own interrupt file, and the hypervisor sees none of them"

    def hardware(self, part: Model) -> Collection[int]:
        return ()

    def uses(self, part: Model) -> Iterator[Mention]:
        return iter(())

    def interrupt_problems(self, use: Mention, vm: ArchVm, platform: Platform) -> Iterator[Problem]:
        return numbers.problems(use, RiscvPlatform.of(platform).irqc)

    def meant(self, interrupt: int) -> str:
        return ""

    def unlike_bao(self, node: YamlNode, cpus: int) -> Iterator[Problem]:
        return iter(())

    def summary(self, vm: Vm) -> dict[str, int]:
        own = RiscvVm.of(vm).irqc
        if isinstance(own, Plic):
            return {"plic": own.base}
        return {"aplic": own.aplic} | ({} if own.imsic is None else {"imsic": own.imsic})

    # Of a device tree

    describe = staticmethod(tree.describe)
    cells = staticmethod(tree.cells)
    told_interrupts = staticmethod(tree.told_sources)
    disagreements = staticmethod(given_tree.disagreements)
    loose_ends = staticmethod(given_tree.starting)


RISCV: Final = Riscv()
