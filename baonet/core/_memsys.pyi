"""The memory system of ``native/memsys`` alone, without an engine: what tests ask. Times and stalls are cycles."""

from array import array
from collections.abc import Callable, Sequence
from typing import TypedDict, final

CORTEX_A53: dict[str, int]
"""Its parameters, by the names of ``struct memsys_parameters``."""
VMS: int
"""Owners 0 to this are VMs; this one is the hypervisor."""
COLD: int
"""The column of ``missed`` for lines that nobody has driven out."""

def check(parameters: dict[str, int], /) -> tuple[str, str] | None:
    """The first parameter that is wrong, and why. Those that are not given are a Cortex-A53's.

    Raises KeyError for a field that is none.
    """

@final
class Pcpu:
    """What one pcpu has for itself, with a replica of the second level and a log.

    ``walk`` is asked on a miss of the main TLB with a virtual address and whether it is for a fetch, ``stage2`` on a
    miss of the IPA cache with an IPA; they tell ``struct memsys_walk`` and ``struct memsys_stage2`` as tuples, None
    where there is no translation. Without them each address is where it says. Raises ValueError for parameters that
    are wrong.
    """

    def __new__(
        cls,
        parameters: dict[str, int],
        window: int = 12000,
        walk: Callable[[int, bool], tuple[Sequence[int], int, int, bool, bool, int, int] | None] | None = None,
        stage2: Callable[[int], tuple[Sequence[int], int, int, int] | None] | None = None,
    ) -> Pcpu: ...
    def filtered(self, va: int, size: int, store: bool, /) -> bool: ...
    def access(self, now: int, va: int, size: int, store: bool, /) -> int:
        """A load or store, of which the filters do not know."""

    def data(self, now: int, va: int, size: int, kind: int, /) -> int: ...
    def fetch(self, now: int, va: int, size: int, /) -> int: ...
    def touch(self, now: int, pa: int, kind: int, /) -> int: ...
    def context(self, context: int, /) -> None: ...
    def tlbi(self, kind: int, asid: int, va: int, /) -> None: ...
    def maintain(self, now: int, va: int, what: int, /) -> int: ...
    def maintain_way(self, now: int, level: int, set: int, way: int, what: int, /) -> int: ...
    def forget(self, now: int, pa: int, size: int, what: int, /) -> None: ...
    def reset(self, now: int, /) -> None: ...
    def begin(self, now: int, /) -> None:
        """A window; what came of the one before is taken then."""

    def join(self, cluster: Cluster, party: int, /) -> None:
        """Its first level is kept coherent with the other parties'. What no ``stage2`` tells of is shared then."""

    def lose(self, pa: int, /) -> None:
        """Another has got a right to this page."""

    def settle(self) -> None:
        """At the end of a window, when all stand."""

    def adopt(self, cluster: Cluster, /) -> None: ...
    def share(self, cluster: Cluster, /) -> None:
        """From here on it uses the cluster's own second level, and a channel that it shares with whoever else does."""

    def counters(self, hypervisor: bool = False, /) -> dict[str, int]: ...
    def state(self) -> bytes: ...
    def load_state(self, state: bytes, /) -> None: ...
    def l2(self) -> bytes:
        """What the replica has."""

    def records(self) -> list[tuple[int, int, int, int, int, int]]:
        """Of the log: line, time, request, hit, write-back, hypervisor."""

class ClusterCounters(TypedDict):
    owners: list[dict[str, int]]
    missed: list[list[int]]
    windows: int
    records: int
    busy: int

@final
class Cluster:
    """The second level and the channel of some pcpus. ``extents`` of physical memory: base and size."""

    def __new__(cls, parameters: dict[str, int], extents: Sequence[tuple[int, int]]) -> Cluster: ...
    def merge(
        self, pcpus: list[Pcpu | None], owners: list[int], length: int, /
    ) -> list[tuple[int, int, int, int, int]]:
        """``memsys_merge``: of each the cycles to charge, the wait in the next window, the L2 misses that its guest and
        the hypervisor have more than they have counted, and of the cycles those that are for the hypervisor's accesses.
        Of a party of another cluster no more is read than its log.
        """

    def repeat(self, pcpu: Pcpu, first: int, /) -> int:
        """What a party of another cluster has done there with lines that several can reach, from this move on, and how
        many it has made by now. Raises IndexError for moves that are gone or to come, ValueError if some between are
        missing.
        """

    def hear(self, pcpus: list[Pcpu], /) -> None:
        """``memsys_coherence_hear``, before it is settled, of all parties; of those that have not joined this cluster
        the moves are repeated here.
        """

    def settle(self) -> None:
        """``Pcpu.settle``, of those whose moves are repeated here."""

    def words(self, line: int, count: int, /) -> list[int]:
        """What is known of who has these lines (``coherence.h``)."""

    def counters(self) -> ClusterCounters: ...
    def state(self) -> bytes:
        """Its channel, and what it keeps of its parties, beside the counters: what is saved of it but for its lines."""

    def l2(self) -> bytes: ...
    def pages(self, extent: int, first: int, count: int, /) -> list[int]: ...

def play(players: list[tuple[Pcpu, array[int], int, int]], until: int, /) -> list[tuple[int, int]]:
    """Makes accesses of 8 bytes until the first one's clock is at ``until``; of several, who asks first goes first.

    A player is a pcpu, a trace, a clock and a position in the trace, which is gone through round and round; its words
    of 64 bits are cycles of work before an access from bit 56, bit 55 for a store, and the address. Gives clocks and
    positions.
    """
