"""What a user writes about the physical machine: the value of ``platform``, or the whole of a platform file.

What only an architecture has is in its wing: ``PlatformModel.parts``.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from baonet.config import foreign
from baonet.config.architecture import MOST_CPUS, MOST_IN_A_CLUSTER
from baonet.config.hypervisor_preset import NAMES
from baonet.config.wings import ARCHITECTURES, numbers, said
from baonet.document.kinds import Choice, ListOf
from baonet.document.models import Foreign, MappingOf, Model, optional, required
from baonet.document.values import ADDRESS, NAME, PATH, SIZE, duration, whole
from baonet.machine import UARTS, UNMODELLED
from baonet.machine.dataclass import dataclass

if TYPE_CHECKING:
    from baonet.config.memory_models import MemorySystemModel

_NO_ANSWER = said(lambda words: words.no_answer, ", or ")
_INTERRUPT = said(lambda words: words.platform_interrupt, " ")
_CALLS = said(lambda words: words.calls, ", ")
_ACCESSES = said(lambda words: words.accesses, " or ")
_KEYS = ", ".join(f"`{each.key}`" for each in ARCHITECTURES.values())


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
class PlatformDeviceModel(Model):
    """A device that the platform has."""

    name: str = required(NAME, "Name of the device, shown in errors and by `baonet platforms`.")
    kind: str = required(
        Choice((*UARTS, UNMODELLED)),
        "The model: `pl011` is Arm's PrimeCell UART, `16550` that of PCs and many boards; each is the VM's "
        "console. `none`: nothing models it. A VM can be given it, as the configuration for a board does; an access to "
        f"it ends in {_NO_ANSWER}, and it never raises its interrupt.",
    )
    pa: int = required(ADDRESS, "Physical address of its registers, a multiple of 4 KiB.")
    size: int = optional(SIZE, "Size of its registers in bytes.", 0x1000)
    interrupt: int | None = optional(
        numbers(lambda each: each.lines),
        f"{_INTERRUPT} Needed for all kinds but `none`.",
        None,
    )


def _memory_system() -> type[MemorySystemModel]:
    from baonet.config.memory_models import MemorySystemModel  # noqa: PLC0415 - few machines have one

    return MemorySystemModel


_COST = duration(0, 1_000_000_000)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class CostsModel(Model):
    """What the hypervisor's work takes in virtual time.

    The guest makes no progress meanwhile, and the CPU's clock goes on. Where the defaults of the built-in platforms
    come from is told [with them](#built-in-platforms). A platform that extends none has no costs until it is given
    some. With a `memory_system` that has what the `hypervisor` touches, exits take what comes of that, and none of
    these.
    """

    foreign = MappingProxyType(
        {
            "stage2_miss": Foreign(
                hint="remove it: misses of the emulator's TLB are not those of a CPU, and not the same in each run; "
                "with a 'memory_system' those of a CPU take their time",
                ours=True,
            )
        }
    )

    preset: str | None = optional(
        Choice(NAMES),
        "The hypervisor whose costs are taken where they are absent here, as far as they are "
        "[published](#hypervisors-that-have-a-name). Default: what the platform has that is extended.",
        None,
    )
    hypercall: int | None = optional(
        _COST,
        f"An exit to the hypervisor that the guest asks for, there and back: {_CALLS}, an access that "
        "the hypervisor does not emulate.",
        None,
    )
    access: int | None = optional(_COST, f"An emulated load or store, such as {_ACCESSES}, there and back.", None)
    interrupt: int | None = optional(
        _COST,
        "An exit for an interrupt: one that the hypervisor takes and injects into the guest, the maintenance "
        "interrupt, a deactivation that it helps with.",
        None,
    )
    direct: int | None = optional(
        _COST, "The same for a VM with `interrupts: direct`, whose interrupts reach it without the hypervisor.", None
    )
    relayed: int | None = optional(
        _COST,
        "In such a VM, an interrupt that is the hypervisor's own, as a notification of another VM is: it has to come "
        "another way.",
        None,
    )


_MOST_TICKS = (1 << 32) - 1
"""A second: a guest is told of them in a register or a cell of 32 bits, on every architecture."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class PlatformModel(Model):
    """A physical machine: the value of `platform` in a machine file, or the whole of a platform file."""

    foreign = foreign.PLATFORM

    extends: str | None = optional(
        PATH,
        "A built-in platform, or the path of a platform file, from which every field that is absent here is taken. "
        f"A path is relative to the file it stands in. A list here replaces the whole list there; {_KEYS}, `costs` and "
        "`memory_system` are taken field by field.",
        None,
    )
    name: str | None = optional(NAME, "Name of the platform. Default: the name of what it extends.", None)
    cpus: int | None = optional(
        whole("number", 1, MOST_CPUS), f"Number of physical CPUs; {said(lambda words: words.cpus)}.", None
    )
    ram: tuple[RamModel, ...] | None = optional(
        ListOf(MappingOf(RamModel), 1), "Banks of RAM. Pages are allocated from the first that has room.", None
    )
    devices: tuple[PlatformDeviceModel, ...] | None = optional(
        ListOf(MappingOf(PlatformDeviceModel)), "The devices that VMs can be given.", None
    )
    timer_frequency: int | None = optional(
        whole("number", 1_000, _MOST_TICKS), said(lambda words: words.timer, " "), None
    )
    cache: CacheModel | None = optional(
        MappingOf(CacheModel), "Caches, for page colours. Without them the platform has one colour.", None
    )
    costs: CostsModel | None = optional(
        MappingOf(CostsModel, shorthand="preset"),
        "What the hypervisor's work takes in virtual time: the name of a hypervisor, or a mapping.",
        None,
    )
    clusters: tuple[int, ...] | None = optional(
        ListOf(whole("number", 1, MOST_IN_A_CLUSTER), 1),
        "How many CPUs share each second-level cache, in the order of their ids: `[2, 4]`. Default: four each.",
        None,
    )
    memory_system: MemorySystemModel | None = optional(
        MappingOf(_memory_system, shorthand="preset"),
        "What accesses to memory take, in virtual time: the name of a preset, or a mapping. Default: memory takes no "
        "time. With one `cache` is taken from it.",
        None,
    )

    @classmethod
    def parts(cls) -> Sequence[type[Model]]:
        return [each.platform_part for each in ARCHITECTURES.values()]
