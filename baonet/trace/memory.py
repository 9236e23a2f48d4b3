"""What memory has taken in a run, as its counters tell it: of a pcpu, and of a cache that VMs share.

Nothing here where memory takes no time. Counts have the names that the engine gives them (``memsys/counters.h``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, final

from baonet.machine.clusters import COUNTS
from baonet.machine.dataclass import dataclass
from baonet.wire.control import SharedCache

_HYPERVISOR: Final = "hypervisor_"
_STALL: Final = "stall_"
HYPERVISOR: Final = "hypervisor"
"""The owner of a cache's lines that is no VM."""
NOBODY: Final = "nobody"
"""Has driven out what had not been in the cache before."""

CACHE, MEMORY, CONTENTION = "cache", "memory", "contention"
COHERENCE, TRANSLATION, OTHER = "coherence", "translation", "other"
GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    CACHE: ("fetch", "data", "store"),
    MEMORY: ("dram",),
    CONTENTION: ("wait", "correction"),
    COHERENCE: ("coherence",),
    TRANSLATION: ("translation",),
    OTHER: ("device", "maintenance"),
}
"""Causes of stalls as people speak of them. Contention: the channel was busy with lines before, others' or one's own,
or, as it turned out at a window's end, others had driven a line out of the shared cache. Coherence: another CPU had the
line.
"""


@final
@dataclass(frozen=True, slots=True)
class MemoryUse:
    """Of a pcpu's guest, or of the hypervisor below it. ``stalls``: cycles by their cause, of which there are none
    other than those of ``GROUPS``.
    """

    counts: Mapping[str, int]
    stalls: Mapping[str, int]

    @property
    def stalled(self) -> int:
        """Cycles."""
        return sum(self.stalls.values())

    def group(self, name: str) -> int:
        """Cycles of one of ``GROUPS``."""
        return sum(self.stalls.get(cause, 0) for cause in GROUPS[name])


@final
@dataclass(frozen=True, slots=True)
class PcpuMemory:
    """``cycles``: those in which the guest ran, with what it was stalled for: neither waiting nor the hypervisor's."""

    instructions: int
    cycles: int
    guest: MemoryUse
    hypervisor: MemoryUse

    def share(self, group: str) -> float:
        """Of the time in which the guest ran, the part that it was stalled for one of ``GROUPS``."""
        return self.guest.group(group) / self.cycles if self.cycles else 0.0

    @property
    def stalled(self) -> float:
        """As ``share``, for whatever cause."""
        return self.guest.stalled / self.cycles if self.cycles else 0.0

    @property
    def cycles_each(self) -> float:
        """Cycles an instruction."""
        return self.cycles / self.instructions if self.instructions else 0.0

    def per_thousand(self, *names: str) -> float:
        """Counts of the guest, in 1000 of its instructions."""
        found = sum(self.guest.counts.get(name, 0) for name in names)
        return 1000 * found / self.instructions if self.instructions else 0.0


def pcpu_memory(statistics: Mapping[str, int]) -> PcpuMemory | None:
    """Of the statistics of a pcpu; None where memory takes no time."""
    found = {name.removeprefix(COUNTS): count for name, count in statistics.items() if name.startswith(COUNTS)}
    if not found:
        return None
    cycles = found.pop("cycles", 0)
    hypervisor = {
        name.removeprefix(_HYPERVISOR): found.pop(name) for name in list(found) if name.startswith(_HYPERVISOR)
    }
    return PcpuMemory(statistics.get("instructions", 0), cycles, _use(found), _use(hypervisor))


def _use(found: Mapping[str, int]) -> MemoryUse:
    return MemoryUse(
        {name: count for name, count in found.items() if not name.startswith(_STALL)},
        {name.removeprefix(_STALL): count for name, count in found.items() if name.startswith(_STALL)},
    )


def together(parts: Iterator[PcpuMemory]) -> PcpuMemory:
    """Of several pcpus, such as those of a VM."""
    instructions = cycles = 0
    sums: list[dict[str, int]] = [{}, {}, {}, {}]
    for part in parts:
        instructions += part.instructions
        cycles += part.cycles
        uses = (part.guest.counts, part.guest.stalls, part.hypervisor.counts, part.hypervisor.stalls)
        for whole, each in zip(sums, uses, strict=True):
            for name, count in each.items():
                whole[name] = whole.get(name, 0) + count
    return PcpuMemory(instructions, cycles, MemoryUse(sums[0], sums[1]), MemoryUse(sums[2], sums[3]))


@final
@dataclass(frozen=True, slots=True)
class CacheCounts:
    """Of a second-level cache and the way to memory behind it, which the VMs ``vms`` share.

    ``counts``: of each owner, the VMs and last the hypervisor. ``missed``: how often each has missed a line, by who had
    driven it out: the owners, and last nobody; it adds up to the misses of each. ``pages``: physical addresses of those
    of which lines were missed most, and how often.
    """

    vms: tuple[str, ...]
    counts: tuple[Mapping[str, int], ...]
    missed: tuple[tuple[int, ...], ...]
    channel: Mapping[str, int]
    pages: tuple[tuple[int, int], ...]

    @property
    def owners(self) -> tuple[str, ...]:
        return (*self.vms, HYPERVISOR)

    @property
    def evictors(self) -> tuple[str, ...]:
        return (*self.owners, NOBODY)

    def misses(self) -> Iterator[tuple[str, str, int]]:
        """Who has missed, who had driven the line out, how often."""
        for owner, row in zip(self.owners, self.missed, strict=True):
            for evictor, count in zip(self.evictors, row, strict=True):
                yield owner, evictor, count


def cache_counts(cache: SharedCache, vms: tuple[str, ...]) -> CacheCounts:
    """``vms``: the names of its VMs, in the order of their numbers."""
    return CacheCounts(
        vms,
        tuple(owner.counts for owner in cache.owners),
        tuple(owner.missed for owner in cache.owners),
        cache.channel,
        tuple((page.address, page.misses) for page in cache.pages),
    )
