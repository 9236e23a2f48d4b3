"""Armv8-A's parts of ``Platform`` and ``Vm``."""

from __future__ import annotations

from typing import ClassVar

from baonet.machine.dataclass import dataclass
from baonet.machine.platform import Platform
from baonet.machine.vm import Vm

NAME = "armv8"


@dataclass(frozen=True, slots=True)
class Gic:
    """The interrupt controller of a platform (physical addresses) or of a VM (IPAs).

    ``version`` 3 uses ``gicd`` and ``gicr``; version 2 uses ``gicd`` and ``gicc``. ``interrupts`` is the number of
    INTIDs that GICD_TYPER tells, a multiple of 32 (Bao: 0 copies the physical one, which resolution has done here).
    ``list_registers`` is the number of ICH_LR/GICH_LR registers of a physical CPU interface (4 on A53 and GIC-400).
    """

    version: int
    gicd: int
    gicc: int | None = None
    gicr: int | None = None
    interrupts: int = 256
    list_registers: int = 4
    maintenance: int = 25


@dataclass(frozen=True, slots=True)
class Armv8Platform:
    """``cpu_model``: what its CPUs are; ``midr``: MIDR_EL1 as guests read it.

    ``state_type_bit`` is the bit of CPU_SUSPEND's power_state that selects powerdown (0: there is none, every suspend
    is standby).
    """

    architecture: ClassVar[str] = NAME
    root_pages: ClassVar[int] = 2  # 40 bits of IPA from level 1, two tables side by side (Arm DDI 0487, D8.2)

    gic: Gic
    cpu_model: str
    midr: int
    state_type_bit: int = 16

    @classmethod
    def of(cls, platform: Platform) -> Armv8Platform:
        """The part of a platform that is one of Armv8's."""
        assert isinstance(platform.arch, cls)
        return platform.arch


@dataclass(frozen=True, slots=True)
class Armv8Vm:
    """The interrupt controller as the VM sees it."""

    architecture: ClassVar[str] = NAME

    gic: Gic

    @classmethod
    def of(cls, vm: Vm) -> Armv8Vm:
        """The part of a VM of an Armv8 machine."""
        assert isinstance(vm.arch, cls)
        return vm.arch
