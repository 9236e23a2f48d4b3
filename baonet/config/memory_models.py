"""What a user writes about the time that memory takes: ``memory_system`` of a platform.

Loaded where a file has one. A group's field of some key is the parameter ``group_key`` of ``MemorySystem``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import Final

from baonet.config.hypervisor_preset import NAMES
from baonet.config.wings import ARCHITECTURES
from baonet.document.kinds import Boolean, Choice
from baonet.document.models import Foreign, MappingOf, Model, described, optional
from baonet.document.values import SIZE, Decimal, duration, whole
from baonet.machine.dataclass import dataclass
from baonet.machine.memory_system import MOST_CYCLES

OFF: Final = "off"
MOST_AHEAD: Final = 28
"""Lines of all streams of the prefetcher, as the model has room for them."""
PRESETS: Final = {name: each for each in ARCHITECTURES.values() for name in each.memory_presets()}
"""The architecture of each, by its name."""

_NAMED = Choice((*PRESETS, OFF), (*(f"{name} (of {each.name})" for name, each in PRESETS.items()), OFF))
MOST_ENTRIES: Final = {"tlb": 1024, "walk_cache": 256, "ipa_cache": 256}
"""Of each table, as the model has room for them."""
_WAYS = whole("number", 1, 16)
_CYCLES = whole("cycles", 0, MOST_CYCLES)
_TIME = duration(0, 10_000)
_LINES = whole("number", 0, 4_096)


def _none(key: str) -> Mapping[str, Foreign]:
    """For who writes ``off``, which these have no key for: there is none where a number of it is 0."""
    return MappingProxyType({"": Foreign(hint=f"for none write '{{{key}: 0}}'", ours=True)})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class FirstLevelCacheModel(Model):
    """A first-level cache, which each CPU has for itself. Victims are chosen at random, the same in each run."""

    size: int | None = optional(
        SIZE, "Size in bytes. Its sets, the size over ways of 64 bytes, are a power of two.", None
    )
    ways: int | None = optional(_WAYS, "Ways.", None)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class SecondLevelCacheModel(Model):
    """The second-level cache, which the CPUs of a cluster share. Page colours are colours of its sets."""

    size: int | None = optional(
        SIZE, "Size in bytes. Its sets, the size over ways of 64 bytes, are a power of two.", None
    )
    ways: int | None = optional(_WAYS, "Ways.", None)
    latency: int | None = optional(_CYCLES, "What a load or a fetch waits that the first level does not have.", None)
    store: int | None = optional(_CYCLES, "What a store waits for the same; a store buffer hides it.", None)
    path: int | None = optional(
        _CYCLES, "How long a line keeps the path between a CPU's L1D and this cache busy. `0`: it is never busy.", None
    )
    on_eviction: bool | None = optional(
        Boolean(), "Whether data come into it when they leave a first-level cache, or else when they are fetched.", None
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class MicroTlbModel(Model):
    """The small TLBs that each access asks first, fully associative."""

    instruction: int | None = optional(whole("entries", 1, 64), "Entries for instructions.", None)
    data: int | None = optional(whole("entries", 1, 64), "Entries for data.", None)
    miss: int | None = optional(_CYCLES, "What is waited for the main TLB.", None)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class TlbModel(Model):
    """The main TLB. An entry has both stages in one, of the smaller of their pages."""

    entries: int | None = optional(whole("number", 1, MOST_ENTRIES["tlb"]), "Entries; over ways, a power of two.", None)
    ways: int | None = optional(_WAYS, "Ways.", None)
    miss: int | None = optional(
        _CYCLES, "What a walk takes beside the loads of its descriptors, which go through the caches.", None
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class TableCacheModel(Model):
    """A cache that walks ask: of stage 1 down to its last level, or of finished translations of stage 2."""

    entries: int | None = optional(
        whole("number", 1, MOST_ENTRIES["ipa_cache"]), "Entries; over ways, a power of two.", None
    )
    ways: int | None = optional(_WAYS, "Ways.", None)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class DramModel(Model):
    """Memory, and the channel to it, which the CPUs of a cluster share."""

    latency: int | None = optional(
        _TIME, "What is waited for a line, beyond the second level, on an idle channel.", None
    )
    store: int | None = optional(_TIME, "What a store waits instead.", None)
    line: int | None = optional(
        _TIME, "How long a line keeps the channel busy: 64 bytes in 16ns are 4 GB/s. `0`: it is never busy.", None
    )
    queue: int | None = optional(
        whole("number", 0, 1024), "Lines that may be on their way before who writes one has to wait.", None
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class DeviceMemoryModel(Model):
    """Memory that is not cached: with the MMU off, non-cacheable, of devices that nothing emulates."""

    load: int | None = optional(_TIME, "What a load takes.", None)
    store: int | None = optional(_TIME, "What a store takes.", None)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class SnoopModel(Model):
    """Lines that another CPU has."""

    dirty: int | None = optional(_CYCLES, "What is waited for one that another has written.", None)
    shared: int | None = optional(_CYCLES, "What a store waits until others have given up what they only read.", None)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class StreamingModel(Model):
    """Write streaming: stores of whole lines, one after another, pass by the caches."""

    foreign = _none("l1")

    l1: int | None = optional(_LINES, "Lines in a row before the first level is passed by; 0: never.", None)
    l2: int | None = optional(_LINES, "Lines in a row before the second level is passed by; 0: never.", None)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class PrefetchModel(Model):
    """The prefetcher of data."""

    foreign = _none("streams")

    streams: int | None = optional(whole("number", 0, 8), "Streams that it follows; 0: there is none.", None)
    strides: int | None = optional(whole("number", 1, 16), "Equal strides before it begins.", None)
    lines: int | None = optional(
        whole("number", 1, 16), f"Lines that it is ahead; of all streams together at most {MOST_AHEAD}.", None
    )
    reach: int | None = optional(whole("number", 1, 63), "How many lines a stride may be, up or down.", None)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ExitFootprintModel(Model):
    """What an exit of one kind does in the hypervisor, there and back: lines are those of the caches."""

    instructions: int | None = optional(whole("number", 0, 100_000), "Instructions; each takes `cpi`.", None)
    cycles: int | None = optional(
        whole("cycles", 0, 100_000), "Cycles beside them: entry, return, accesses to devices.", None
    )
    text: int | None = optional(whole("number", 0, 800), "Lines of the hypervisor's code.", None)
    private: int | None = optional(
        whole("number", 0, 240), "Lines that only this CPU touches; it reads and writes them: stack, vCPU.", None
    )
    shared: int | None = optional(whole("number", 0, 400), "Lines that others read too: the VM, tables.", None)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class HypervisorFootprintModel(Model):
    """What exits touch in the caches, in place of what `costs` has for each. Kinds are told with [Costs](#costs)."""

    preset: str | None = optional(
        Choice(NAMES),
        "The hypervisor of which everything is taken that is absent here, as far as it is "
        "[published](#hypervisors-that-have-a-name). Default: what the memory system has that is extended.",
        None,
    )
    hypercall: ExitFootprintModel | None = optional(
        MappingOf(ExitFootprintModel), "An exit that the guest asks for.", None
    )
    access: ExitFootprintModel | None = optional(MappingOf(ExitFootprintModel), "An emulated load or store.", None)
    interrupt: ExitFootprintModel | None = optional(MappingOf(ExitFootprintModel), "An exit for an interrupt.", None)
    direct: ExitFootprintModel | None = optional(
        MappingOf(ExitFootprintModel), "The same for a VM with `interrupts: direct`.", None
    )
    relayed: ExitFootprintModel | None = optional(
        MappingOf(ExitFootprintModel), "In such a VM, an exit for an interrupt that is the hypervisor's own.", None
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class MemorySystemModel(Model):
    """Caches, TLBs and memory, of which each access takes its time, in virtual time.

    [Memory systems that have a name](#memory-systems-that-have-a-name) has the values of each preset and where they
    come from. Cycles are those of `clock.mhz`.
    """

    preset: str | None = optional(
        _NAMED,
        "From which everything is taken that is absent here. Default: what the platform has that is extended. `off`: "
        "memory takes no time.",
        None,
    )
    cpi: Fraction | None = optional(
        Decimal(Fraction(1, 2), Fraction(100)),
        "Cycles that an instruction takes when the first-level caches have all that it needs. No core that is modelled "
        "executes more than two in a cycle, and what a window writes down of them has room for as many.",
        None,
    )
    l1i: FirstLevelCacheModel | None = optional(MappingOf(FirstLevelCacheModel), "Of instructions.", None)
    l1d: FirstLevelCacheModel | None = optional(MappingOf(FirstLevelCacheModel), "Of data.", None)
    l2: SecondLevelCacheModel | None = optional(MappingOf(SecondLevelCacheModel), "Of a cluster.", None)
    utlb: MicroTlbModel | None = optional(MappingOf(MicroTlbModel), "The micro-TLBs.", None)
    tlb: TlbModel | None = optional(MappingOf(TlbModel), "The main TLB.", None)
    walk_cache: TableCacheModel | None = optional(MappingOf(TableCacheModel), "Of stage 1 but its last level.", None)
    ipa_cache: TableCacheModel | None = optional(MappingOf(TableCacheModel), "Of stage 2.", None)
    dram: DramModel | None = optional(MappingOf(DramModel), "Memory.", None)
    device: DeviceMemoryModel | None = optional(MappingOf(DeviceMemoryModel), "Memory that is not cached.", None)
    snoop: SnoopModel | None = optional(MappingOf(SnoopModel), "Coherence.", None)
    streaming: StreamingModel | None = optional(MappingOf(StreamingModel), "Write streaming.", None)
    prefetch: PrefetchModel | None = optional(MappingOf(PrefetchModel), "The prefetcher.", None)
    hypervisor: HypervisorFootprintModel | None = optional(
        MappingOf(HypervisorFootprintModel, shorthand="preset"),
        "What the hypervisor itself touches: the name of one, or a mapping.",
        None,
    )

    def values(self) -> Iterator[tuple[str, int]]:
        """The parameters that are given, by their names in ``MemorySystem``, but for ``hypervisor``."""
        if self.cpi is not None:
            yield "cycles", self.cpi.numerator
            yield "instructions", self.cpi.denominator
        for group in described(type(self)):
            part = getattr(self, group.name)
            if isinstance(part, Model) and group.name != "hypervisor":
                for each in described(type(part)):
                    value = getattr(part, each.name)
                    if value is not None:
                        yield f"{group.name}_{each.name}", int(value)


MEMORY_SYSTEM: Final = MappingOf(MemorySystemModel, shorthand="preset")
