"""What a user writes of a machine that only Armv8-A has: the fields of a platform and of a VM that are its own."""

from __future__ import annotations

from baonet.config.armv8 import foreign
from baonet.document.kinds import Boolean, Choice, ListOf
from baonet.document.models import MappingOf, Model, optional
from baonet.document.values import ADDRESS, whole
from baonet.machine.dataclass import dataclass, replace

INTID = replace(whole("INTID", 0, 1023), text="INTID")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class GicModel(Model):
    """Where the VM sees its interrupt controller."""

    foreign = foreign.GIC

    gicd: int | None = optional(ADDRESS, "Guest address of the distributor. Default: as on the platform.", None)
    gicc: int | None = optional(
        ADDRESS, "Guest address of the CPU interface (version 2). Default: as on the platform.", None
    )
    gicr: int | None = optional(
        ADDRESS,
        "Guest address of the redistributors (version 3), a multiple of 128 KiB; they take 128 KiB for each vCPU. "
        "Default: as on the platform.",
        None,
    )
    interrupts: int | None = optional(
        whole("number", 32, 1024),
        "Number of INTIDs of the VM, rounded up to a multiple of 32. Default: as on the platform.",
        None,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class PlatformGicModel(Model):
    """The physical interrupt controller."""

    foreign = foreign.PLATFORM_GIC

    version: int | None = optional(Choice((2, 3)), "GIC architecture version.", None)
    gicd: int | None = optional(ADDRESS, "Physical address of the distributor.", None)
    gicc: int | None = optional(ADDRESS, "Physical address of the CPU interface; version 2 only.", None)
    gicr: int | None = optional(ADDRESS, "Physical address of the first redistributor; version 3 only.", None)
    interrupts: int | None = optional(
        whole("number", 32, 1024), "Number of INTIDs that GICD_TYPER tells, a multiple of 32. Default 256.", None
    )
    list_registers: int | None = optional(
        whole("number", 1, 16),
        "List registers of each CPU's virtual interface. Default 4, as on Cortex-A53 and GIC-400.",
        None,
    )
    maintenance: int | None = optional(
        whole("INTID", 16, 31), "INTID of the maintenance interrupt, a PPI. Default 25.", None
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Armv8PlatformModel(Model):
    """Of a platform."""

    gic: PlatformGicModel | None = optional(MappingOf(PlatformGicModel), "The interrupt controller.", None, after="ram")
    cpu_model: str | None = optional(
        Choice(("cortex-a53", "cortex-a57", "cortex-a72", "max")),
        "What the CPUs are. `max` has every instruction that the emulator knows, among them the LSE atomics, which "
        "the Cortex-A53, A57 and A72 do not have. Default `cortex-a53`.",
        None,
        after="timer_frequency",
    )
    midr: int | None = optional(
        whole("number", 0, (1 << 32) - 1), "MIDR_EL1 as guests read it. Default: that of `cpu_model`.", None
    )
    standby: bool | None = optional(
        Boolean(), "Whether the firmware's CPU_SUSPEND has standby states. Default true.", None
    )
    powerdown: bool | None = optional(
        Boolean(), "Whether the firmware's CPU_SUSPEND has powerdown states. Default false.", None
    )
    state_type_bit: int | None = optional(
        whole("number", 0, 31),
        "Bit of CPU_SUSPEND's power_state that selects powerdown; 0 when every suspend is standby. Default 16.",
        None,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Armv8VmModel(Model):
    """Of a VM."""

    gic: GicModel | None = optional(MappingOf(GicModel), "The VM's interrupt controller.", None, after="ipcs")
    timer: tuple[int, ...] = optional(
        ListOf(INTID),
        "Interrupts of the generic timer that reach the VM: 27 (virtual timer) and 30 (EL1 physical timer). `[]` for "
        "none. Bao wants them listed among the devices; that works here too, and is how a VM gets 23, of the "
        "performance monitors.",
        (27,),
        after="interrupts",
    )
