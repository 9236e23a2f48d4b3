"""The life of each interrupt, as slices from stage to stage: raised, pending, delivered, active.

A private interrupt belongs to its pcpu, a shared one to its VM, wherever in it the guest takes it. It may become
pending anew while it is still active, and be raised anew while it is still pending, so these are three tracks with one
name. The same rules as of the metric ``interrupt latency``: the life of one that a vcpu sends begins there, and one
that is raised again before it is pending has been raised since the first time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

from baonet.hyp.architecture import Architecture
from baonet.trace.export_packets import INTERRUPT, Packets
from baonet.trace.records import Kind

_RAISED, _COMING, _ACTIVE = range(3)


@final
class _Whereabouts:
    """Where an interrupt is: since when it has been raised, pending or delivered, and active; -1 when it is not."""

    __slots__ = ("active", "coming", "delivered", "ends", "raised", "tracks")

    def __init__(self, tracks: tuple[int, int, int]) -> None:
        self.tracks = tracks
        self.ends = [0, 0, 0]
        self.raised = self.coming = self.active = -1
        self.delivered = False


@final
class InterruptTracks:
    """``parents`` are the tracks of pcpus, ``homes`` the one of the VM of each pcpu. Times are nanoseconds."""

    def __init__(
        self, packets: Packets, parents: Mapping[int, int], homes: Mapping[int, int], architecture: Architecture
    ) -> None:
        self._packets = packets
        self._private = architecture.private
        self._sent = architecture.sent
        self._ended = architecture.ended
        self._name = architecture.names.interrupt
        self._parents = parents
        self._homes = homes
        self._lives: dict[tuple[int, int], _Whereabouts] = {}
        self._cause: dict[int, int] = {}

    def arrived(self, pcpu: int, source: int) -> None:
        """What happens on ``pcpu`` from now on is the doing of ``source``, until it sends an interrupt itself."""
        self._cause[pcpu] = source

    def take(self, time: int, kind: int, pcpu: int, interrupt: int) -> None:
        """A record from RAISED to ENDED; ``time`` of a timer is when it was due."""
        life = self._life(pcpu, interrupt)
        if kind == Kind.RAISED:
            if interrupt in self._sent:
                self._cause[pcpu] = pcpu
                life.raised = time
            elif life.raised < 0:
                life.raised = time
        elif kind == Kind.PENDING:
            if life.coming < 0:
                self._end_raised(life, self._raised(life, pcpu, interrupt), time)
                life.coming, life.delivered = time, False
        elif kind == Kind.DELIVERED:
            if life.coming < 0:
                life.coming, life.delivered = time, True
            elif not life.delivered:
                self._slice(life, _COMING, life.coming, time, "pending")
                life.coming, life.delivered = time, True
        elif kind == Kind.ACKNOWLEDGED:
            self._end_coming(life, time)
            self._end_active(life, time)
            life.active = time if interrupt in self._ended else -1
        else:
            self._end_active(life, time)

    def finish(self, time: int) -> None:
        """What is still on its way, or active, is so until the end. Who sends one does not know what became of it."""
        for (_, interrupt), life in self._lives.items():
            if interrupt not in self._sent:
                self._end_raised(life, life.raised, time)
            if life.coming >= 0:
                self._end_coming(life, time)
            self._end_active(life, time)

    def _life(self, pcpu: int, interrupt: int) -> _Whereabouts:
        parent = self._parents[pcpu] if interrupt in self._private else self._homes[pcpu]
        life = self._lives.get((parent, interrupt))
        if life is None:
            name = f"interrupt {self._name(interrupt)}" if interrupt not in self._sent else self._name(interrupt)
            first, second, third = (self._packets.track(parent, name) for _ in range(3))
            life = self._lives[parent, interrupt] = _Whereabouts((first, second, third))
        return life

    def _raised(self, life: _Whereabouts, pcpu: int, interrupt: int) -> int:
        if interrupt not in self._sent:
            return life.raised
        sender = self._cause.get(pcpu, pcpu)
        sent = self._lives.get((self._parents.get(sender, 0), interrupt))
        return -1 if sent is None else sent.raised

    def _end_raised(self, life: _Whereabouts, since: int, time: int) -> None:
        if since >= 0:
            self._slice(life, _RAISED, since, time, "raised")
        life.raised = -1

    def _end_coming(self, life: _Whereabouts, time: int) -> None:
        if life.coming >= 0:
            self._slice(life, _COMING, life.coming, time, "delivered" if life.delivered else "pending")
            life.coming = -1
        else:
            self._end_raised(life, life.raised, time)

    def _end_active(self, life: _Whereabouts, time: int) -> None:
        if life.active >= 0:
            self._slice(life, _ACTIVE, life.active, time, "active")
            life.active = -1

    def _slice(self, life: _Whereabouts, lane: int, begin: int, end: int, name: str) -> None:
        """Slices of a track may not overlap: of two that were sent one after the other, the second waits."""
        begin, end = max(begin, life.ends[lane]), max(end, life.ends[lane])
        self._packets.slice(begin, end, life.tracks[lane], name, INTERRUPT)
        life.ends[lane] = end
