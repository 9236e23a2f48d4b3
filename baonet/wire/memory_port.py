"""Ports of actors that share a process: queues in memory."""

from __future__ import annotations

import math
from collections.abc import Set
from typing import Final

import trio

from baonet.wire.alarm import Alarm
from baonet.wire.messages import ConsoleInput, ConsoleOutput, Message, TraceChunk
from baonet.wire.port import CONGESTED

_SMALL: Final = 64
_DATA: Final = {ConsoleOutput: "data", ConsoleInput: "data", TraceChunk: "records"}
"""Where a message has most of what it carries, if that may be much."""


class Switch:
    """Joins the ports of one process. One task may wait for all of them together (``wait``)."""

    def __init__(self) -> None:
        self.ports: dict[int, MemoryPort] = {}
        self.heavy: set[tuple[MemoryPort, int]] = set()
        """Ports, and whose messages there are too many."""
        self._alarm = Alarm()
        self._sleeper: trio.CancelScope | None = None

    def wake(self) -> None:
        if self._sleeper is not None:
            self._sleeper.cancel()

    async def wait(self, time_: float) -> None:
        """Until a message is put into any port, at the latest at ``time_`` (of ``trio.current_time``)."""
        if time_ < math.inf:
            self._alarm.set(time_ - trio.current_time())
        self._sleeper = trio.CancelScope()
        try:
            with self._sleeper:
                await trio.lowlevel.wait_readable(self._alarm.descriptor)
        finally:
            self._sleeper = None
            if time_ < math.inf:
                self._alarm.clear()

    def close(self) -> None:
        self._alarm.close()


class MemoryPort:
    """A port of an actor that shares its process with its peers: a queue in memory."""

    def __init__(self, address: int, switch: Switch) -> None:
        self._address = address
        self._switch = switch
        self._queue: list[tuple[int, Message]] = []
        self._kept: list[tuple[int, Message]] = []
        self._held: Set[int] = frozenset()
        self._weights: dict[int, int] = {}
        self._arrival: trio.Event | None = None  # while somebody waits
        switch.ports[address] = self

    @property
    def ready(self) -> bool:
        """Whether something can be taken."""
        return bool(self._queue)

    @property
    def congested(self) -> bool:
        return bool(self._switch.heavy) and any(source == self._address for _, source in self._switch.heavy)

    def send(self, peer: int, message: Message) -> None:
        port = self._switch.ports.get(peer)
        if port is not None:
            port._put(self._address, message)

    def _put(self, source: int, message: Message) -> None:
        self._weights[source] = weight = self._weights.get(source, 0) + _weight(message)
        if weight > CONGESTED:
            self._switch.heavy.add((self, source))
        if source in self._held:
            self._kept.append((source, message))
            return
        self._queue.append((source, message))
        if self._arrival is not None:
            self._arrival.set()
        self._switch.wake()

    def hold(self, peers: Set[int]) -> None:
        if peers == self._held:
            return
        self._held = peers
        waiting = [*self._kept, *self._queue]  # of one peer all is in one of them, so its order stays
        self._kept = [each for each in waiting if each[0] in peers]
        self._queue = [each for each in waiting if each[0] not in peers]
        if self._queue and self._arrival is not None:
            self._arrival.set()

    def take(self) -> list[tuple[int, Message]]:
        taken, self._queue = self._queue, []
        if taken:
            if self._switch.heavy:
                self._switch.heavy -= {(self, source) for source in self._weights if source not in self._held}
            self._weights = {source: weight for source, weight in self._weights.items() if source in self._held}
        return taken

    def last_words(self, peer: int) -> list[tuple[int, Message]]:
        """What others have sent comes along: they are all in one queue."""
        self.hold(self._held - {peer})
        return self.take()

    def closed(self) -> list[tuple[int, str]]:
        return []

    async def wait(self, seconds: float | None) -> None:
        """Until something can be taken, at most ``seconds`` (counted in milliseconds, as Trio does)."""
        if self._queue or (seconds is not None and seconds <= 0):
            await trio.lowlevel.checkpoint()
            return
        self._arrival = trio.Event()
        try:
            with trio.move_on_after(math.inf if seconds is None else seconds):
                await self._arrival.wait()
        finally:
            self._arrival = None

    async def flush(self, peer: int | None = None, seconds: float = math.inf) -> None:
        await trio.lowlevel.checkpoint()

    def close(self) -> None:
        """What peers send from now on is lost, as with one whose process has ended; they do not wait for it."""
        if self._switch.ports.get(self._address) is self:
            del self._switch.ports[self._address]
        self._switch.heavy = {each for each in self._switch.heavy if each[0] is not self}


def _weight(message: Message) -> int:
    """About how many bytes a message takes."""
    data = _DATA.get(type(message))
    return _SMALL if data is None else _SMALL + len(getattr(message, data))
