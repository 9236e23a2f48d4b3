"""What a user writes of a machine that only RISC-V has: the fields of a platform and of a VM that are its own."""

from __future__ import annotations

from baonet.config.riscv import foreign
from baonet.document.kinds import Boolean
from baonet.document.models import MappingOf, Model, optional
from baonet.document.values import ADDRESS, whole
from baonet.machine.dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class IrqcModel(Model):
    """Where the VM sees its interrupt controller, which is of the platform's kind."""

    foreign = foreign.IRQC

    plic: int | None = optional(
        ADDRESS, "Guest address of the PLIC, a multiple of 16 KiB. Default: as on the platform.", None
    )
    aplic: int | None = optional(
        ADDRESS, "Guest address of the APLIC, a multiple of 16 KiB. Default: as on the platform.", None
    )
    imsic: int | None = optional(
        ADDRESS,
        "Guest address of the interrupt file of hart 0, a multiple of 4 KiB; that of each further hart is in the page "
        "behind. Default: as on the platform.",
        None,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class PlatformIrqcModel(Model):
    """The physical interrupt controller: a PLIC, an APLIC with IMSICs (AIA), or an APLIC alone (its direct mode)."""

    foreign = foreign.PLATFORM_IRQC

    plic: int | None = optional(ADDRESS, "Physical address of the PLIC.", None)
    aplic: int | None = optional(ADDRESS, "Physical address of the APLIC of the supervisor's level.", None)
    imsic: int | None = optional(
        ADDRESS, "Physical address of the supervisor's interrupt file of hart 0; it goes with an `aplic`.", None
    )
    sources: int | None = optional(
        whole("number", 1, 1023), "Sources that devices can have, from 1 to this number. Default 95, as on QEMU.", None
    )
    priority_bits: int | None = optional(
        whole("number", 1, 32), "Bits that the PLIC keeps of a priority. Default 3, as on QEMU.", None
    )
    identities: int | None = optional(
        whole("number", 63, 2047),
        "Identities of messages that an interrupt file has, one less than a multiple of 64. Default 255, as on QEMU.",
        None,
    )
    guest_files: int | None = optional(
        whole("number", 1, 63),
        "Interrupt files for guests that each hart has. From their number follows how far the files of two harts are "
        "apart. Default 1, as Bao has it on QEMU.",
        None,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class RiscvPlatformModel(Model):
    """Of a platform."""

    irqc: PlatformIrqcModel | None = optional(
        MappingOf(PlatformIrqcModel), "The interrupt controller.", None, after="ram"
    )
    sstc: bool | None = optional(
        Boolean(),
        "Whether a guest has a timer of its own (Sstc: stimecmp). Without it each timer is a call to the hypervisor "
        "and an interrupt that it takes. Default true.",
        None,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class RiscvVmModel(Model):
    """Of a VM."""

    irqc: IrqcModel | None = optional(MappingOf(IrqcModel), "The VM's interrupt controller.", None, after="ipcs")
