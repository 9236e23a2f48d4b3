"""The control stream between the lead of a run and a node: messages over a connected socket, in order.

Before a run whoever has one end asks and waits (``await_message``), as nothing else goes on yet; while it runs Trio
waits for it. What the other end does not take at once waits here, and is bounded by who sends it: of what actors say so
much is on the way as the lead has not told that it took (``Took`` of ``baonet.wire.cluster``), images go when what is
before them has gone (``drain``), what is typed when guests have taken the rest (``Agent.reads``), and all else answers
something or is said once.
"""

from __future__ import annotations

import errno
import select
import socket
import ssl
import time
from collections import deque
from contextlib import suppress
from typing import Final, TypeVar, final

import trio

from baonet.cluster.keys import refusal
from baonet.wire.cluster import Refused
from baonet.wire.codec import FrameReader, frame
from baonet.wire.fields import ProtocolError
from baonet.wire.messages import Message

_PIECE: Final = 1 << 18
_NOT_NOW: Final = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
"""In TLS 1.3 nobody has to read before he may write: it is the same direction that is waited for."""
GONE: Final = "has gone"
_T = TypeVar("_T")


class StreamError(Exception):
    """The other end is of no use any more: it reads behind its name."""


@final
class SilenceError(StreamError):
    """It has not said anything for as long as it was waited for."""


@final
class NonsenseError(StreamError):
    """It has said what is no message, or is not for it to say."""


@final
class Stream:
    """``accepts``: what the other end may say. ``name`` is who that is, for people.

    ``sock`` is connected, and the handshake is over if it speaks TLS.
    """

    def __init__(self, sock: socket.socket, accepts: frozenset[type], name: str) -> None:
        self.name = name
        self.accepts = accepts
        self._socket = sock
        self._reader = FrameReader()
        self._come: deque[Message] = deque()
        self._out = bytearray()
        self._more = trio.Event()
        self._error: StreamError | None = None
        sock.setblocking(False)

    @property
    def descriptor(self) -> int:
        return self._socket.fileno()

    def send(self, message: Message) -> None:
        """Never blocks. What cannot be sent any more is dropped; ``take`` tells that the other end has gone."""
        if self._error is None:
            self._out += frame(message)
            self.flush()

    def flush(self) -> None:
        try:
            while self._out:
                del self._out[: self._socket.send(self._out[:_PIECE])]
        except _NOT_NOW:
            self._more.set()
        except OSError:
            self._out.clear()  # what it said before may be there to be read

    def take(self) -> list[Message]:
        """What has come. Raises StreamError when nothing more ever comes, once all that did has been taken."""
        if self._error is None:
            self._receive()
        if not self._come and self._error is not None:
            raise self._error
        taken = list(self._come)
        self._come.clear()
        return taken

    def _receive(self) -> None:
        """With TLS a record at a time, and nothing of one is left behind, which nobody could wait for."""
        try:
            data = self._socket.recv(_PIECE)
            while isinstance(self._socket, ssl.SSLSocket) and (more := self._socket.pending()):
                data += self._socket.recv(more)
            self._come.extend(self._reader.feed(data, self.accepts))
            if not data:
                self._error = StreamError(GONE)
        except _NOT_NOW:
            return
        except ProtocolError as error:
            self._error = NonsenseError(f"does not keep to the protocol: {error}")
        except ssl.SSLError as error:
            self._error = StreamError(f"does not go on: {refusal(error)}")
        except OSError as error:
            known = error.errno in (errno.EPIPE, errno.ECONNRESET)
            self._error = StreamError(GONE if known else f"cannot be read: {error.strerror}")

    def await_message(self, seconds: float) -> Message:
        """The next one, before Trio runs, or while it stands. Raises StreamError, also when it takes longer."""
        end = time.monotonic() + seconds
        while not self._come:
            if self._error is not None:
                raise self._error
            left = end - time.monotonic()
            if left <= 0:
                raise SilenceError(f"has said nothing for {seconds:g} s")
            self._poll(select.POLLIN | (select.POLLOUT if self._out else 0), left)
            self.flush()
            self._receive()
        return self._come.popleft()

    def expect(self, kind: type[_T], seconds: float) -> _T:
        """The next message, which is to be that. Raises ProtocolError for another one, and StreamError.

        The other end may say instead why it cannot.
        """
        message = self.await_message(seconds)
        if isinstance(message, Refused):
            raise StreamError(f"cannot take part: {message.why}")
        if not isinstance(message, kind):
            raise ProtocolError(f"says {type(message).__name__} where {kind.__name__} is due")
        return message

    def drain(self, seconds: float, most: int = 0) -> None:
        """Until no more than ``most`` bytes wait, before Trio runs. Raises StreamError when it takes longer."""
        end = time.monotonic() + seconds
        while len(self._out) > most:
            if self._error is not None or time.monotonic() > end:
                raise self._error or StreamError(f"has taken nothing for {seconds:g} s")
            self._poll(select.POLLOUT, 1.0)
            self.flush()

    def _poll(self, events: int, seconds: float) -> None:
        poll = select.poll()  # `select` bears no more than 1024 descriptors
        poll.register(self._socket, events)
        poll.poll(seconds * 1000)

    async def wait(self) -> None:
        """Until something can be taken."""
        if self._come or self._error is not None:
            await trio.lowlevel.checkpoint()
        else:
            await trio.lowlevel.wait_readable(self._socket)

    async def pump(self) -> None:
        """While the run goes on: write what waits."""
        while True:
            if not self._out:
                self._more = trio.Event()
                await self._more.wait()
            await trio.lowlevel.wait_writable(self._socket)
            self.flush()

    def abort(self) -> None:
        """Nothing is said or heard any more: whoever waits for that comes back."""
        self._error = self._error or StreamError(GONE)
        self._out.clear()
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._socket.close()
