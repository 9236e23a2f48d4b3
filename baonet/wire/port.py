"""A port: one actor's end of all its channels. The same actors run on sockets and in one process.

``send`` and ``take`` never block, so an actor can call them between two stays in its guest at no more cost than the
message itself; ``wait`` is the only place where it sleeps, and where other tasks get their turn if there are any: Trio
gives it to them, and who is alone in its process does not need that. Each channel is FIFO.
What a peer does not take at once waits here, and moves on in ``take``: an actor that sends goes on to take.
"""

from __future__ import annotations

import _socket  # socket makes enumerations of it, which takes as long as ten modules
import errno
import math
import os
import select
import time
from collections.abc import Callable, Mapping, Set
from contextlib import suppress
from typing import Protocol, final

from baonet.machine.dataclass import dataclass
from baonet.wire.alarm import Alarm
from baonet.wire.codec import FrameReader, ProtocolError, frame
from baonet.wire.messages import Message

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

GONE = "has gone"
"""Why a channel ended, when its peer closed it or is no more."""
_ENDED = (errno.EPIPE, errno.ECONNRESET)  # the latter when the peer left something unread


class Port(Protocol):
    """``congested``: a peer does not take what it is sent; whoever can send less should, until ``take`` has moved it.

    It goes on to take all the same: two that wait for each other would wait for ever. ``hold`` names the peers of whom
    nothing is taken from now on; they become congested, and do not end a ``wait``. ``last_words`` is all that a peer,
    which has ended, has sent and that was not taken, to the last byte, held or not. ``flush`` returns when a peer has
    been given all, or has gone; without one, when that is so of all; or when so many seconds have passed.
    """

    @property
    def congested(self) -> bool: ...
    def hold(self, peers: Set[int]) -> None: ...
    def send(self, peer: int, message: Message) -> None: ...
    def take(self) -> list[tuple[int, Message]]: ...
    def last_words(self, peer: int) -> list[tuple[int, Message]]: ...
    def closed(self) -> list[tuple[int, str]]: ...
    async def wait(self, seconds: float | None) -> None: ...
    async def flush(self, peer: int | None = None, seconds: float = math.inf) -> None: ...
    def close(self) -> None: ...


@final
@dataclass(frozen=True, slots=True)
class Channel:
    """A connected stream socket. ``accepts`` is what the peer may say (``wire.messages.accepted``), or it ends."""

    socket: _socket.socket
    accepts: frozenset[type]


class SocketPort:
    """A port over connected stream sockets, one a peer, of a task among others. It owns the sockets.

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
            if descriptor not in self._peers:
                self._rung(descriptor)
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
                await self._rest()
        elif limit <= 0:
            await self._rest()
        else:
            self._rested = start
            if seconds is not None:
                self._alarm.set(seconds)
            try:
                await self._sleep()
            finally:
                if seconds is not None:
                    self._alarm.clear()
        self._last_wait = time.perf_counter_ns() - start

    def _look(self, until: int) -> bool:
        while not (ready := bool(self._epoll.poll(0, 1))) and time.perf_counter_ns() < until:
            os.sched_yield()
        return ready

    def block(self, seconds: float) -> None:
        """Until something can be taken, at most ``seconds``, without Trio: nobody else has a turn meanwhile."""
        self._epoll.poll(seconds, 1)

    async def _rest(self) -> None:
        """Others have their turn."""
        import trio  # noqa: PLC0415 - as below

        await trio.lowlevel.checkpoint()

    async def _sleep(self) -> None:
        """Until there is something to be taken, or the alarm rings."""
        import trio  # noqa: PLC0415 - a run's first words come before there is a loop, and who is alone has none

        await trio.lowlevel.wait_readable(self._epoll.fileno())

    def _rung(self, descriptor: int) -> None:
        """One that is no peer's has been found readable."""
        self._alarm.clear()

    async def flush(self, peer: int | None = None, seconds: float = math.inf) -> None:
        """What comes meanwhile is dropped."""
        end = time.monotonic() + seconds
        while (self._backlog if peer is None else peer in self._backlog) and (left := end - time.monotonic()) > 0:
            await self.wait(None if left == math.inf else left)
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


@final
class SolePort(SocketPort):
    """Of the only task of a process: it sleeps without Trio, which has nobody else to give a turn to."""

    def __init__(self, channels: Mapping[int, Channel]) -> None:
        super().__init__(channels)
        self._called, self._caller = _socket.socketpair()
        for end in (self._called, self._caller):
            end.setblocking(False)
        self._epoll.register(self._called.fileno(), select.EPOLLIN)

    def call(self) -> None:
        """In any thread: end a ``wait``, though nothing has come."""
        with suppress(BlockingIOError):  # it is called already
            self._caller.send(b"\0")

    async def _rest(self) -> None:
        """There are no others."""

    async def _sleep(self) -> None:
        self._epoll.poll(maxevents=1)

    def _rung(self, descriptor: int) -> None:
        if descriptor == self._called.fileno():
            self._called.recv(_SMALL)
        else:
            super()._rung(descriptor)

    def close(self) -> None:
        super().close()
        self._called.close()
        self._caller.close()
