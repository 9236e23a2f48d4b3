"""A port of a pcpu among others of its host: rings of shared memory to these, sockets to the agent and whoever is far.

A ring is a stream of bytes as a socket is, with the same frames and the same checks. What is different is the sleep: in
native code, on the bell of the pcpu. Whoever writes into one of its sockets calls it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Set
from typing import Final, Protocol

from baonet.wire.codec import FrameReader, ProtocolError, frame
from baonet.wire.messages import Message
from baonet.wire.port import CONGESTED, GONE, REST, RETRY, SocketPort

NAP: Final = 1.0
"""Seconds after which it looks at all rings though nobody has rung: a peer may have destroyed what would tell."""
_KNOWN: Final = 1024
_SHORT: Final = 64


class Rings(Protocol):
    """The native part: ``baonet.core._node.Rings``."""

    def put(self, peer: int, data: bytes | bytearray, /) -> int: ...
    def news(self) -> list[int]: ...
    def get(self, peer: int, /) -> bytes | None: ...
    def end(self, peer: int, /) -> None: ...
    def lost(self) -> list[int]: ...
    def called(self) -> bool: ...
    def sleep(self, seconds: float, /) -> bool: ...
    def ringside(self) -> object: ...


class RingPort:
    """``peers`` have the other ends of ``rings`` and may say what ``accepts`` has; all others are behind ``far``.

    It is for the one task of a process: others would get no turn. It owns ``far``.
    """

    def __init__(self, rings: Rings, peers: Iterable[int], accepts: frozenset[type], far: SocketPort) -> None:
        self._rings = rings
        self._far = far
        self._accepts = accepts
        self._peers = set(peers)
        self._readers: dict[int, FrameReader] = {}
        """Of those that have ever said something: no other ring is looked into, for then it would have a page."""
        self._between: set[int] = set()
        """Of these all that came was whole messages."""
        self._known: dict[bytes, Message] = {}
        self._framed: dict[int, tuple[Message, bytes]] = {}
        """By ``id``, and with the message, so that no other has that id."""
        self._backlog: dict[int, bytearray] = {}
        self._heavy = False
        self._held: Set[int] = frozenset()
        self._unread: set[int] = set()
        self._closed: list[tuple[int, str]] = []
        self._looked = self._searched = 0

    @property
    def congested(self) -> bool:
        return self._heavy or self._far.congested

    def send(self, peer: int, message: Message) -> None:
        """What the ring does not take at once waits in the backlog, in order. Wakes the peer, or kicks its core."""
        if peer not in self._peers:
            self._far.send(peer, message)
            return
        data = self.framed(message)
        backlog = self._backlog.get(peer)
        if backlog is not None:
            backlog += data
            self._heavy |= len(backlog) > CONGESTED
            return
        done = self._rings.put(peer, data)
        if 0 <= done < len(data):
            self._backlog[peer] = bytearray(data[done:])

    # Whoever has its pcpu's core use the rings while it does nothing here

    def ringside(self) -> object:
        """What a core needs for that."""
        return self._rings.ringside()

    @property
    def idle(self) -> bool:
        """Whether nothing waits to go, or to be taken, but what there is news of."""
        return not (self._backlog or self._unread or self._far.full or self._far.stirred)

    def hears(self, peer: int, data: bytes) -> Message | None:
        """The message of which these are the bytes, if that has been checked, and is not amid another."""
        return self._known.get(data) if peer in self._between and peer not in self._held else None

    def framed(self, message: Message) -> bytes:
        """The bytes of a message, which are put in as they are."""
        framed = self._framed.get(id(message))
        return self._frame(message) if framed is None else framed[1]

    def hold(self, peers: Set[int]) -> None:
        self._far.hold(peers)
        self._held = peers

    def take(self) -> list[tuple[int, Message]]:
        taken: list[tuple[int, Message]] = []
        lost: list[int] = []
        now = time.perf_counter_ns()
        if self._rings.called() or now - self._looked > REST or self._far.stirred:
            self._looked = now
            taken = self._far.take()
            self._closed += self._far.closed()
            if now - self._searched > NAP * 1e9:
                self._searched = now
                self._unread.update(self._readers)
            lost = self._rings.lost()  # before the news: what they said last is in those
        if self._backlog:
            self._move()
        news: Iterable[int] = self._rings.news()
        if self._unread:
            news, self._unread = self._unread.union(news), set()
        for peer in news:
            if peer in self._held:
                self._unread.add(peer)
            elif peer in self._peers:
                self._receive(peer, taken)
        for peer in lost:
            if peer not in self._held:
                if peer in self._readers:
                    taken += self.last_words(peer)
                self._drop(peer, GONE)
        return taken

    def last_words(self, peer: int) -> list[tuple[int, Message]]:
        taken: list[tuple[int, Message]] = []
        if peer not in self._peers:
            return self._far.last_words(peer)
        while peer in self._peers and self._receive(peer, taken):
            pass
        return taken

    def closed(self) -> list[tuple[int, str]]:
        """The peers whose channel has ended since the last call, and why."""
        closed, self._closed = self._closed, []
        return closed

    async def wait(self, seconds: float | None) -> None:
        """Until something can be taken, at most ``seconds``; after ``NAP`` it is for the caller to try."""
        limit = NAP if seconds is None else min(max(seconds, 0.0), NAP)
        if self._far.full:
            limit = min(limit, RETRY)
        if not (self._far.stirred or self._unread - self._held):
            self._rings.sleep(limit)

    async def flush(self, peer: int | None = None, seconds: float = math.inf) -> None:
        """What comes meanwhile is dropped."""
        end = time.monotonic() + seconds
        if peer not in self._peers:
            await self._far.flush(peer, seconds)
        while (self._backlog if peer is None else peer in self._backlog) and time.monotonic() < end:
            await self.wait(RETRY)
            self.take()

    def close(self) -> None:
        for peer in self._peers:
            self._rings.end(peer)
        self._peers.clear()
        self._far.close()

    def _move(self) -> None:
        for peer, backlog in list(self._backlog.items()):
            done = self._rings.put(peer, backlog)
            del backlog[: max(done, 0)]
            if done < 0 or not backlog:
                del self._backlog[peer]
        self._weigh()

    def _weigh(self) -> None:
        self._heavy = any(len(backlog) > CONGESTED for backlog in self._backlog.values())

    def _drop(self, peer: int, why: str) -> None:
        if peer in self._peers:
            self._peers.discard(peer)
            self._readers.pop(peer, None)
            self._between.discard(peer)
            self._rings.end(peer)
            self._backlog.pop(peer, None)
            self._weigh()
            self._closed.append((peer, why))

    def _receive(self, peer: int, taken: list[tuple[int, Message]]) -> bool:
        """Take what a peer has sent; whether there may be more."""
        try:
            data = self._rings.get(peer)
            if not data:
                if data is None:
                    self._drop(peer, GONE)
                return False
            if peer in self._between and (known := self._known.get(data)) is not None:
                taken.append((peer, known))
            else:
                self._read(peer, data, taken)
        except (ValueError, ProtocolError) as error:
            self._drop(peer, f"does not keep to the protocol: {error}")
            return False
        return True

    def _read(self, peer: int, data: bytes, taken: list[tuple[int, Message]]) -> None:
        reader = self._readers.get(peer)
        if reader is None:
            reader = self._readers[peer] = FrameReader()
        whole, before = reader.between, len(taken)
        taken.extend((peer, message) for message in reader.feed(data, self._accepts))
        if not reader.between:
            self._between.discard(peer)
            return
        self._between.add(peer)
        if whole and len(taken) == before + 1 and len(data) <= _SHORT:
            self._remember(data, taken[-1][1])

    def _frame(self, message: Message) -> bytes:
        """Many a message is sent again and again, the same object: it is encoded once."""
        data = frame(message)
        if len(self._framed) >= _KNOWN:
            self._framed.clear()
        self._framed[id(message)] = message, data
        return data

    def _remember(self, data: bytes, message: Message) -> None:
        """What has been checked once need not be when the same bytes come again, as they do; messages do not change."""
        if len(self._known) >= _KNOWN:
            self._known.clear()
        self._known[data] = message
