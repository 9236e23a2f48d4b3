"""Armv8-A behind the protocol of ``baonet.config.architecture``."""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping
from typing import TYPE_CHECKING, Final, final

from baonet.config.architecture import Guests, Trees
from baonet.config.armv8 import interrupts as numbers
from baonet.config.armv8 import platform as physical
from baonet.config.armv8 import platforms as built_in
from baonet.config.armv8 import vm as virtual
from baonet.config.armv8.guests import GUESTS
from baonet.config.armv8.models import Armv8PlatformModel, Armv8VmModel
from baonet.config.armv8.words import WORDS
from baonet.document.models import Model
from baonet.machine import Platform
from baonet.machine.armv8 import Armv8Platform

if TYPE_CHECKING:
    from baonet.config.hypervisor_preset import HypervisorPreset
    from baonet.config.memory_preset import MemoryPreset


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
    raised: Collection[int] = (numbers.MONITORS, *numbers.TIMERS)
    platform_part: type[Model] = Armv8PlatformModel
    vm_part: type[Model] = Armv8VmModel
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
        from baonet.config.armv8.memory_presets import PRESETS  # noqa: PLC0415 - few machines name one

        return PRESETS

    @staticmethod
    def hypervisors() -> Mapping[str, HypervisorPreset]:
        from baonet.config.armv8.hypervisors import PRESETS  # noqa: PLC0415 - as above

        return PRESETS

    # Of a VM

    vm = staticmethod(virtual.resolved)
    vm_problems = staticmethod(virtual.problems)
    vm_windows = staticmethod(virtual.windows)
    delivery = staticmethod(virtual.delivery)
    hardware = staticmethod(virtual.hardware)
    uses = staticmethod(virtual.uses)
    interrupt_problems = staticmethod(virtual.interrupt_problems)
    meant = staticmethod(numbers.meant)
    unlike_bao = staticmethod(virtual.unlike_bao)
    summary = staticmethod(virtual.summary)

    # Of a device tree

    @staticmethod
    def trees() -> Trees:
        from baonet.config.armv8.trees import TREES  # noqa: PLC0415 - as above

        return TREES


ARMV8: Final = Armv8()
