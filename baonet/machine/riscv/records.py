"""RISC-V's parts of ``Platform`` and ``Vm``."""

from __future__ import annotations

from typing import ClassVar

from baonet.machine.dataclass import dataclass
from baonet.machine.platform import Platform
from baonet.machine.vm import Vm

NAME = "riscv"


@dataclass(frozen=True, slots=True)
class Plic:
    """A platform-level interrupt controller (physical address) or that of a VM (guest-physical).

    ``sources``: those that exist physically, 1 to this number. ``priority_bits``: that a physical priority keeps.
    """

    base: int
    sources: int = 95
    priority_bits: int = 3


@dataclass(frozen=True, slots=True)
class Aia:
    """An APLIC of the supervisor's level, and with ``imsic`` the files of the harts for messages (MSIs).

    Without ``imsic`` the APLIC delivers itself (direct mode). ``sources`` as of a PLIC. ``identities``: the highest
    of a file. ``guest_files`` of each physical hart, from which the distance between the files of two follows.
    """

    aplic: int
    imsic: int | None = None
    sources: int = 95
    identities: int = 255
    guest_files: int = 1


@dataclass(frozen=True, slots=True)
class RiscvPlatform:
    """``sstc``: a guest has a timer of its own (stimecmp); else it asks the hypervisor for one."""

    architecture: ClassVar[str] = NAME
    root_pages: ClassVar[int] = 4  # Sv39x4 (Privileged Architecture, Hypervisor Extension)

    irqc: Plic | Aia
    sstc: bool = True

    @classmethod
    def of(cls, platform: Platform) -> RiscvPlatform:
        """The part of a platform that is one of RISC-V's."""
        assert isinstance(platform.arch, cls)
        return platform.arch


@dataclass(frozen=True, slots=True)
class RiscvVm:
    """The interrupt controller as the VM sees it."""

    architecture: ClassVar[str] = NAME

    irqc: Plic | Aia

    @classmethod
    def of(cls, vm: Vm) -> RiscvVm:
        """The part of a VM of a RISC-V machine."""
        assert isinstance(vm.arch, cls)
        return vm.arch
