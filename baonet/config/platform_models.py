"""What a user writes about the physical machine: the value of ``platform``, or the whole of a platform file."""

# ruff: noqa: RUF009  # ``required`` and ``optional`` are dataclasses.field with a description, not default values

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from baonet.config import foreign
from baonet.document.kinds import Boolean, Choice, Foreign, ListOf, MappingOf, Model, optional, required
from baonet.document.values import ADDRESS, NAME, PATH, SIZE, duration, whole


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class CacheModel(Model):
    """Caches, from which Bao computes page colours."""

    llc_size: int = required(SIZE, "Size of the last-level cache, in bytes.")
    llc_ways: int = required(whole("number", 1, 1024), "Ways of the last-level cache.")
    l1_size: int = required(SIZE, "Size of the L1 data cache, in bytes.")
    l1_ways: int = required(whole("number", 1, 1024), "Ways of the L1 data cache.")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class RamModel(Model):
    """A bank of physical RAM."""

    base: int = required(ADDRESS, "Physical address of the bank's first byte, a multiple of 4 KiB.")
    size: int = required(SIZE, "Size in bytes, a multiple of 4 KiB.")


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
class PlatformDeviceModel(Model):
    """A device that the platform has."""

    name: str = required(NAME, "Name of the device, shown in errors and by `baonet platforms`.")
    kind: str = required(
        Choice(("pl011", "none")),
        "The model: `pl011` is Arm's PrimeCell UART, the VM's console. `none`: nothing models it. A VM can be given "
        "it, as the configuration for a board does; an access to it ends in an external abort at EL1, and it never "
        "raises its interrupt.",
    )
    pa: int = required(ADDRESS, "Physical address of its registers, a multiple of 4 KiB.")
    size: int = optional(SIZE, "Size of its registers in bytes.", 0x1000)
    interrupt: int | None = optional(
        whole("INTID", 32, 1019),
        "INTID of its interrupt, an SPI. A device tree's SPI n is INTID n + 32. Needed for all kinds but `none`.",
        None,
    )


_COST = duration(0, 1_000_000_000)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class CostsModel(Model):
    """What the hypervisor's work takes in virtual time.

    The guest makes no progress meanwhile, and the CPU's clock goes on. Where the defaults of the built-in platforms
    come from is told [with them](#built-in-platforms). A platform that extends none has no costs until it is given
    some.
    """

    foreign = MappingProxyType(
        {
            "stage2_miss": Foreign(
                hint="remove it: misses of the emulator's TLB are not those of a CPU, and not the same in each run; "
                "memory takes no time"
            )
        }
    )

    hypercall: int | None = optional(
        _COST,
        "An exit to the hypervisor that the guest asks for, there and back: HVC, SMC, a trapped system register, an "
        "access that the hypervisor does not emulate.",
        None,
    )
    access: int | None = optional(
        _COST, "An emulated load or store, such as one of a register of the GIC's distributor, there and back.", None
    )
    interrupt: int | None = optional(
        _COST,
        "An exit for an interrupt: one that the hypervisor takes and injects into the guest, the maintenance "
        "interrupt, a deactivation that it helps with.",
        None,
    )
    direct: int | None = optional(
        _COST, "The same for a VM with `interrupts: direct`, whose interrupts reach it without the hypervisor.", None
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class PlatformModel(Model):
    """A physical machine: the value of `platform` in a machine file, or the whole of a platform file."""

    foreign = foreign.PLATFORM

    extends: str | None = optional(
        PATH,
        "A built-in platform, or the path of a platform file, from which every field that is absent here is taken. "
        "A path is relative to the file it stands in. A list here replaces the whole list there; `gic` and "
        "`costs` are taken field by field.",
        None,
    )
    name: str | None = optional(NAME, "Name of the platform. Default: the name of what it extends.", None)
    cpus: int | None = optional(
        whole("number", 1, 64), "Number of physical CPUs; at most 8 with a GIC of version 2.", None
    )
    ram: tuple[RamModel, ...] | None = optional(
        ListOf(MappingOf(RamModel), 1), "Banks of RAM. Pages are allocated from the first that has room.", None
    )
    gic: PlatformGicModel | None = optional(MappingOf(PlatformGicModel), "The interrupt controller.", None)
    devices: tuple[PlatformDeviceModel, ...] | None = optional(
        ListOf(MappingOf(PlatformDeviceModel)), "The devices that VMs can be given.", None
    )
    timer_frequency: int | None = optional(
        whole("number", 1_000, 10_000_000_000),
        "CNTFRQ_EL0: ticks of the generic timer per second. Default 62500000, as on QEMU.",
        None,
    )
    cpu_model: str | None = optional(
        Choice(("cortex-a53", "cortex-a57", "cortex-a72", "max")),
        "What the CPUs are. `max` has every instruction that the emulator knows, among them the LSE atomics, which "
        "the Cortex-A53, A57 and A72 do not have. Default `cortex-a53`.",
        None,
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
    cache: CacheModel | None = optional(
        MappingOf(CacheModel), "Caches, for page colours. Without them the platform has one colour.", None
    )
    costs: CostsModel | None = optional(
        MappingOf(CostsModel), "What the hypervisor's work takes in virtual time.", None
    )
