"""The memory system of a platform: what a core's accesses to memory take, and what the hypervisor itself touches.

One flat record, whose names are those of the model's parameters (``memsys/parameters.h``): making a class is a good
part of what a start takes, for machines whose memory takes no time as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, final

from baonet.machine.dataclass import dataclass, fields
from baonet.machine.rate import Rate

LINE: Final = 64
"""Bytes of a cache line, of every cache that is modelled."""
LONGEST_WINDOW: Final = 100_000
"""Nanoseconds. In a window each CPU has the shared cache as it was at its beginning, and over longer ones that errs."""


@dataclass(frozen=True, slots=True)
class ExitFootprint:
    """What an exit of one kind does in the hypervisor, there and back.

    ``instructions`` take what a guest's take, and the exit ``cycles`` beside them. It touches so many cache lines:
    ``text`` of its code; ``private``, which only this CPU touches (its stack, its vCPU), and which it reads and writes;
    ``shared`` by all (the VM, tables), which it reads.
    """

    instructions: int = 0
    cycles: int = 0
    text: int = 0
    private: int = 0
    shared: int = 0


@dataclass(frozen=True, slots=True)
class HypervisorFootprint:
    """Of each kind of exit, by the names that ``Costs`` has for them."""

    hypercall: ExitFootprint = ExitFootprint()
    access: ExitFootprint = ExitFootprint()
    interrupt: ExitFootprint = ExitFootprint()
    direct: ExitFootprint = ExitFootprint()
    relayed: ExitFootprint = ExitFootprint()


@dataclass(frozen=True, slots=True)
class MemorySystem:
    """Sizes in bytes; entries, ways and lines are counts; times in cycles of the core's clock.

    But those of ``IN_NANOSECONDS``: they are of what has a clock of its own. ``cycles`` for ``instructions`` is what
    instructions take that find everything in the first-level caches. Without a ``hypervisor`` an exit takes what the
    platform's ``costs`` say.
    """

    cycles: int
    instructions: int
    l1i_size: int
    l1i_ways: int
    l1d_size: int
    l1d_ways: int
    l2_size: int
    l2_ways: int
    l2_latency: int
    l2_store: int
    l2_path: int
    l2_on_eviction: int
    utlb_instruction: int
    utlb_data: int
    utlb_miss: int
    tlb_entries: int
    tlb_ways: int
    tlb_miss: int
    walk_cache_entries: int
    walk_cache_ways: int
    ipa_cache_entries: int
    ipa_cache_ways: int
    dram_latency: int
    dram_store: int
    dram_line: int
    dram_queue: int
    device_load: int
    device_store: int
    snoop_dirty: int
    snoop_shared: int
    streaming_l1: int
    streaming_l2: int
    prefetch_streams: int
    prefetch_strides: int
    prefetch_lines: int
    prefetch_reach: int
    hypervisor: HypervisorFootprint | None = None

    def parameters(self, clock: Rate) -> dict[str, int]:
        """The model's parameters by their names, all times in cycles of ``clock``, rounded up."""
        own = ("cycles", "instructions", "hypervisor")
        named: dict[str, int] = {each.name: getattr(self, each.name) for each in fields(self) if each.name not in own}
        return {name: clock.ticks(value) if name in IN_NANOSECONDS else value for name, value in named.items()}


@final
@dataclass(frozen=True, slots=True)
class ToldMemory:
    """One in few words: the name of a preset, and what is other than that, by the keys of a machine file."""

    preset: str
    changes: Mapping[str, str]

    def __str__(self) -> str:
        return ", ".join([self.preset, *(f"{key} {value}" for key, value in self.changes.items())])


MOST_CYCLES: Final = 10_000
"""That any one of the model's times can be."""
MOST_PACE: Final = 1_000
"""That ``cycles`` and ``instructions`` can each be, in lowest terms."""
MOST_CYCLES_OF_A_WINDOW: Final = (1 << 23) - 1
"""As what is written down of a request has room for its time."""
IN_NANOSECONDS: Final = frozenset({"dram_latency", "dram_store", "dram_line", "device_load", "device_store"})
