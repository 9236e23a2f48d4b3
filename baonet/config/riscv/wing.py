"""RISC-V behind the protocol of ``baonet.config.architecture``."""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping
from typing import TYPE_CHECKING, Final, final

from baonet.config.architecture import Guests, Trees
from baonet.config.riscv import interrupts as numbers
from baonet.config.riscv import platform as physical
from baonet.config.riscv import platforms as built_in
from baonet.config.riscv import vm as virtual
from baonet.config.riscv.guests import GUESTS
from baonet.config.riscv.models import RiscvPlatformModel, RiscvVmModel
from baonet.config.riscv.words import WORDS
from baonet.document.models import Model
from baonet.machine import Platform
from baonet.machine.riscv import RiscvPlatform

if TYPE_CHECKING:
    from baonet.config.hypervisor_preset import HypervisorPreset
    from baonet.config.memory_preset import MemoryPreset


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
    raised: Collection[int] = ()
    platform_part: type[Model] = RiscvPlatformModel
    vm_part: type[Model] = RiscvVmModel
    blank = built_in.BLANK
    platforms: Mapping[str, tuple[Platform, str]] = built_in.BUILTIN
    costs = built_in.COSTS

    # Of a platform

    missing = staticmethod(physical.missing)
    platform = staticmethod(physical.merged)
    platform_problems = staticmethod(physical.problems)
    unconnected = staticmethod(physical.unconnected)
    most_cpus = staticmethod(physical.most_cpus)
    platform_windows = staticmethod(physical.windows)
    brief = staticmethod(physical.brief)
    in_full = staticmethod(physical.in_full)
    suspends = staticmethod(physical.suspends)
    in_short = staticmethod(physical.in_short)

    @staticmethod
    def memory_presets() -> Mapping[str, MemoryPreset]:
        from baonet.config.riscv.memory_presets import PRESETS  # noqa: PLC0415 - few machines name one

        return PRESETS

    @staticmethod
    def hypervisors() -> Mapping[str, HypervisorPreset]:
        return {}  # of none that we know of is anything published

    # Of a VM

    vm = staticmethod(virtual.resolved)
    vm_problems = staticmethod(virtual.problems)
    vm_windows = staticmethod(virtual.windows)
    delivery = staticmethod(virtual.delivery)
    hardware = staticmethod(virtual.hardware)
    uses = staticmethod(virtual.uses)
    interrupt_problems = staticmethod(virtual.interrupt_problems)
    meant = staticmethod(virtual.meant)
    unlike_bao = staticmethod(virtual.unlike_bao)
    summary = staticmethod(virtual.summary)

    # Of a device tree

    @staticmethod
    def trees() -> Trees:
        from baonet.config.riscv.trees import TREES  # noqa: PLC0415 - as above

        return TREES


RISCV: Final = Riscv()
