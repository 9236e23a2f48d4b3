"""What memory takes, as counters of each pcpu: lines missed a microsecond, and the part of the time that it stalled.

A record tells what has come since the last. It comes when the pcpu goes on, so after a long wait it tells of the time
before that. A pcpu that never has any has no tracks.
"""

from __future__ import annotations

from typing import Final, final

from baonet.machine import Rate
from baonet.trace.export_packets import Packets
from baonet.trace.memory import CACHE, COHERENCE, CONTENTION, MEMORY, OTHER, TRANSLATION
from baonet.trace.records import misses_of, stalls_of

EVERY: Final = 100_000
"""Nanoseconds between two records of a pcpu that does not wait, about."""
_MISSES: Final = ("L1I misses", "L1D misses", "L2 misses", "table walks", "lines of other CPUs")
_CAUSES: Final = (CACHE, MEMORY, CONTENTION, TRANSLATION, f"{COHERENCE} and {OTHER}")
_STALLS: Final = ("stalled", *(f"stalled for {cause}" for cause in _CAUSES))


@final
class MemoryTracks:
    """Of one pcpu, whose thread is ``parent``. Times are nanoseconds."""

    def __init__(self, packets: Packets, parent: int, pcpu: int, rate: Rate) -> None:
        self._packets = packets
        self._parent = parent
        self._pcpu = pcpu
        self._rate = rate
        self._tracks: dict[str, int] = {}
        self._ends: dict[str, int] = {}
        self._begin = self._end = self._sampled = 0
        self._waits: int | None = None
        self._rest = (0, 0)

    def wait(self, time: int) -> None:
        self._waits = time

    def goes(self, time: int) -> None:
        """It does not wait any more."""
        if self._waits is not None and time - self._waits > self._rest[1] - self._rest[0]:
            self._rest = self._waits, time
        self._waits = None

    def misses(self, time: int, a: int, b: int, c: int) -> None:
        length = self._until(time)
        for name, count in zip(_MISSES, misses_of(a, b, c), strict=True):
            self._tell(name, "1/us", 1000 * count / length)

    def stalls(self, time: int, a: int, b: int, c: int) -> None:
        length = self._until(time)
        whole, *causes = stalls_of(a, b, c)
        for name, cycles in zip(_STALLS, (whole, *causes, max(0, whole - sum(causes))), strict=True):
            self._tell(name, "%", 100 * self._rate.exact_ns(cycles) / length)

    def _until(self, time: int) -> int:
        """How long it took for what a record tells."""
        if time > self._sampled:
            self.goes(time)
            long = self._rest[1] - self._rest[0] > EVERY and self._rest[0] > self._sampled
            self._begin, self._end, self._sampled = self._sampled, self._rest[0] if long else time, time
            self._rest = (0, 0)
        return max(1, self._end - self._begin)

    def _tell(self, name: str, unit: str, value: float) -> None:
        track = self._tracks.get(name)
        if track is None:
            track = self._packets.counter(self._parent, f"{name} of pcpu {self._pcpu}", unit)
            self._tracks[name] = track
        if self._ends.get(name, self._begin) < self._begin:
            self._packets.count(self._ends[name], track, 0)
        self._packets.count(self._begin, track, value)
        self._ends[name] = self._end

    def finish(self) -> None:
        for name, track in self._tracks.items():
            self._packets.count(self._ends[name], track, 0)
