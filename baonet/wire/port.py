"""A port: one actor's end of all its channels. The same actors run on sockets and in one process.

``send`` and ``take`` never block, so an actor can call them between two stays in its guest at no more cost than the
message itself; ``wait`` is the only place where it sleeps, and where other tasks get their turn. Each channel is FIFO.
What a peer does not take at once waits here, and moves on in ``take``: an actor that sends goes on to take.
"""

from __future__ import annotations

import errno
import math
import os
import select
import socket
import time
from collections.abc import Callable, Mapping, Set
from typing import Final, NamedTuple, Protocol

import trio

from baonet.wire.alarm import Alarm
from baonet.wire.codec import FrameReader, ProtocolError, frame
from baonet.wire.messages import ConsoleInput, ConsoleOutput, Message, TraceChunk

LOOK = 50_000
"""Nanoseconds for which a port looks before it sleeps: about what waking a process costs."""
REST = 2_000_000
"""Nanoseconds after which other tasks get their turn though there is always something to take; a turn costs as much as
a message, so not each time."""
CONGESTED = 1 << 16
"""Bytes that wait for one peer, beside what its socket holds, from which a port calls itself congested."""
RETRY = 0.005
"""Seconds after which a congested port is looked at again: what waits in memory moves without a word."""
_SMALL = 64
_DATA: Final = {ConsoleOutput: "data", ConsoleInput: "data", TraceChunk: "records"}
"""Where a message has most of what it carries, if that may be much."""

GONE = "has gone"
"""Why a channel ended, when its peer closed it or is no more."""
_ENDED = (errno.EPIPE, errno.ECONNRESET)  # the latter when the peer left something unread


class Port(Protocol):
    """``congested``: a peer does not take what it is sent; whoever can send less should, until ``take`` has moved it.

    It goes on to take all the same: two that wait for each other would wait for ever. ``hold`` names the peers of whom
    nothing is taken from now on; they become congested, and do not end a ``wait``. ``last_words`` is all that a peer,
    which has ended, has sent and that was not taken, to the last byte, held or not. ``flush`` returns when a peer has
    been given all, or has gone; without one, when that is so of all.
    """

    @property
    def congested(self) -> bool: ...
    def hold(self, peers: Set[int]) -> None: ...
    def send(self, peer: int, message: Message) -> None: ...
    def take(self) -> list[tuple[int, Message]]: ...
    def last_words(self, peer: int) -> list[tuple[int, Message]]: ...
    def closed(self) -> list[tuple[int, str]]: ...
    async def wait(self, seconds: float | None) -> None: ...
    async def flush(self, peer: int | None = None) -> None: ...
    def close(self) -> None: ...


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

    async def flush(self, peer: int | None = None) -> None:
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


class Channel(NamedTuple):
    """A connected stream socket. ``accepts`` is what the peer may say (``wire.messages.accepted``), or it ends."""

    socket: socket.socket
    accepts: frozenset[type]


class SocketPort:
    """A port over connected stream sockets, one a peer. It owns the sockets.

    ``written`` is called when something has gone into a peer's socket: it may sleep where it does not see that.
    """

    def __init__(self, channels: Mapping[int, Channel], written: Callable[[int], None] = lambda peer: None) -> None:
        self._written = written
        self._sockets = sockets = {peer: channel.socket for peer, channel in channels.items()}
        self._accepts = {peer: channel.accepts for peer, channel in channels.items()}
        self._readers = {peer: FrameReader() for peer in sockets}
        self._backlog: dict[int, bytearray] = {}
        self._held: Set[int] = frozenset()
        self._watched: dict[int, int] = {}
        self.congested = False
        self.stirred = False
        """Whether ``take`` has found anything the last time; then there may be more."""
        self._peers = {sock.fileno(): peer for peer, sock in sockets.items()}
        self._closed: list[tuple[int, str]] = []
        self._last_wait = self._rested = 0
        self._epoll = select.epoll()
        self._alarm = Alarm()
        self._epoll.register(self._alarm.descriptor, select.EPOLLIN)
        for peer, sock in sockets.items():
            sock.setblocking(False)
            self._watch(peer)

    def send(self, peer: int, message: Message) -> None:
        """What the peer's socket does not take at once waits in the backlog, in order."""
        data = frame(message)
        sock = self._sockets.get(peer)
        if sock is None:
            return
        backlog = self._backlog.get(peer)
        if backlog is not None:
            backlog += data
            self.congested |= len(backlog) > CONGESTED
            return
        try:
            sent = sock.send(data)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self._cannot_write(peer, error)
            return
        if sent:
            self._written(peer)
        if sent < len(data):
            self._backlog[peer] = bytearray(data[sent:])
            self._watch(peer)

    @property
    def full(self) -> bool:
        """Whether something waits that a socket did not take; ``take`` moves it."""
        return bool(self._backlog)

    def hold(self, peers: Set[int]) -> None:
        if peers != self._held:
            changed, self._held = peers ^ self._held, peers
            for peer in changed & self._sockets.keys():
                self._watch(peer)

    def _watch(self, peer: int) -> None:
        """A socket of which nothing is wanted is not looked at: it would tell its end again and again."""
        descriptor = self._sockets[peer].fileno()
        before = self._watched.pop(peer, 0)
        wanted = (0 if peer in self._held else select.EPOLLIN) | (select.EPOLLOUT if peer in self._backlog else 0)
        if wanted:
            self._watched[peer] = wanted
            (self._epoll.modify if before else self._epoll.register)(descriptor, wanted)
        elif before:
            self._epoll.unregister(descriptor)

    def take(self) -> list[tuple[int, Message]]:
        taken: list[tuple[int, Message]] = []
        found = self._epoll.poll(0)
        self.stirred = bool(found)
        for descriptor, events in found:
            if descriptor == self._alarm.descriptor:
                self._alarm.clear()
                continue
            peer = self._peers[descriptor]
            if events & select.EPOLLOUT:
                self._flush(peer)
            if events & ~select.EPOLLOUT and peer in self._sockets and peer not in self._held:
                self._receive(peer, taken)
        return taken

    def last_words(self, peer: int) -> list[tuple[int, Message]]:
        taken: list[tuple[int, Message]] = []
        while peer in self._sockets and self._receive(peer, taken):
            pass
        return taken

    def closed(self) -> list[tuple[int, str]]:
        """The peers whose channel has ended since the last call, and why."""
        closed, self._closed = self._closed, []
        return closed

    async def wait(self, seconds: float | None) -> None:
        """Until something can be taken (or a backlog has moved), at most ``seconds``.

        After a short wait the next one is likely to be short as well (two actors that answer each other): then it looks
        for a while before it sleeps, because to be woken costs more than that.
        """
        start = time.perf_counter_ns()
        limit = math.inf if seconds is None else seconds
        if self._last_wait < 2 * LOOK and self._look(start + min(LOOK, int(min(limit, 1) * 1e9))):
            if start - self._rested > REST:
                self._rested = start
                await trio.lowlevel.checkpoint()
        elif limit <= 0:
            await trio.lowlevel.checkpoint()
        else:
            self._rested = start
            if seconds is not None:
                self._alarm.set(seconds)
            try:
                await trio.lowlevel.wait_readable(self._epoll.fileno())
            finally:
                if seconds is not None:
                    self._alarm.clear()
        self._last_wait = time.perf_counter_ns() - start

    def _look(self, until: int) -> bool:
        while not (ready := bool(self._epoll.poll(0, 1))) and time.perf_counter_ns() < until:
            os.sched_yield()
        return ready

    async def flush(self, peer: int | None = None) -> None:
        """What comes meanwhile is dropped."""
        while self._backlog if peer is None else peer in self._backlog:
            await trio.lowlevel.wait_readable(self._epoll.fileno())
            self.take()

    def close(self) -> None:
        self._epoll.close()
        self._alarm.close()
        for sock in self._sockets.values():
            sock.close()
        self._sockets.clear()

    def _drop(self, peer: int, why: str) -> None:
        if self._watched.pop(peer, 0):
            self._epoll.unregister(self._sockets[peer].fileno())
        self._sockets.pop(peer).close()
        self._backlog.pop(peer, None)
        self._weigh()
        self._closed.append((peer, why))

    def _cannot_write(self, peer: int, error: OSError) -> None:
        """A peer that has gone may have said something before, so its channel ends where it is read."""
        if error.errno not in _ENDED:
            self._drop(peer, f"cannot be written: {error.strerror}")
        elif self._backlog.pop(peer, None) is not None:
            self._watch(peer)
            self._weigh()

    def _weigh(self) -> None:
        self.congested = any(len(backlog) > CONGESTED for backlog in self._backlog.values())

    def _flush(self, peer: int) -> None:
        sock, backlog = self._sockets[peer], self._backlog[peer]
        try:
            del backlog[: sock.send(backlog)]
        except BlockingIOError:
            return
        except OSError as error:
            self._cannot_write(peer, error)
            return
        self._written(peer)
        self._weigh()
        if not backlog:
            del self._backlog[peer]
            self._watch(peer)

    def _receive(self, peer: int, taken: list[tuple[int, Message]]) -> bool:
        """Take some of what a peer has sent; whether there may be more."""
        try:
            data = self._sockets[peer].recv(1 << 16)
        except BlockingIOError:
            return False
        except OSError as error:
            self._drop(peer, GONE if error.errno in _ENDED else f"cannot be read: {error.strerror}")
            return False
        if not data:
            self._drop(peer, GONE)
            return False
        try:
            taken.extend((peer, message) for message in self._readers[peer].feed(data, self._accepts[peer]))
        except ProtocolError as error:
            self._drop(peer, f"does not keep to the protocol: {error}")
            return False
        return True
