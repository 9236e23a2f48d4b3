"""Consoles at whose other end is another program: a pseudo-terminal, or a Unix socket.

What a guest prints while nobody is there is dropped, as by a serial line with no cable. A peer that reads slowly holds
that guest back, from a buffer with a bound; one that goes is waited for again.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import stat
import tty
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, Protocol, final

import trio

from baonet.outlets.backlog import Backlog

_PIECE = 4096
_LOOK = 0.1
"""Seconds between two looks whether somebody has opened a pseudo-terminal, which nothing tells."""

OnTyped = Callable[[bytes], Awaitable[None]]


class Attached(Protocol):
    """One end of it: ``line`` is what is to be written there."""

    line: Line

    async def serve(self, typed: OnTyped) -> None:
        """Until cancelled; ``typed`` gets what the peer types."""

    def close(self) -> None: ...


@final
class Line(Backlog):
    """What waits for a peer, who may come and go; while nobody is there it is dropped."""

    LIMIT: Final = 1 << 16

    def __init__(self) -> None:
        super().__init__(self.LIMIT)
        self._more = trio.Event()
        self._connected = False

    def write(self, data: bytes) -> None:
        if self._connected and not self.stalled:
            self._bytes += data
            self._more.set()

    async def converse(self, descriptor: int, typed: OnTyped) -> None:
        """With one peer, over a descriptor that does not block, until it has gone."""
        self._connected = True
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._pump, descriptor, nursery.cancel_scope)
                while data := await self._read(descriptor):
                    await typed(data)
                nursery.cancel_scope.cancel()
        finally:
            self._connected = False
            self._bytes.clear()
            self.relieved()

    @staticmethod
    async def _read(descriptor: int) -> bytes:
        while True:
            await trio.lowlevel.wait_readable(descriptor)
            try:
                return os.read(descriptor, _PIECE)
            except BlockingIOError:
                continue
            except OSError:  # a pseudo-terminal says EIO, a socket ECONNRESET
                return b""

    async def _pump(self, descriptor: int, peer: trio.CancelScope) -> None:
        while True:
            while not self._bytes:
                self._more = trio.Event()
                await self._more.wait()
            await trio.lowlevel.wait_writable(descriptor)
            try:
                written = os.write(descriptor, self._bytes[:_PIECE])
            except BlockingIOError:
                await trio.lowlevel.checkpoint()
                continue
            except OSError:
                peer.cancel()
                return
            if self._taken(written):
                self.relieved()


@final
class PtyConsole:
    """``name`` is the device that others open."""

    def __init__(self) -> None:
        self.line = Line()
        self._ours, theirs = os.openpty()
        tty.setraw(theirs)
        self.name = os.ttyname(theirs)
        os.close(theirs)  # from now on the system tells when nobody has it open
        os.set_blocking(self._ours, False)

    async def serve(self, typed: OnTyped) -> None:
        poll = select.poll()
        poll.register(self._ours, 0)
        while True:
            if poll.poll(0):  # POLLHUP
                await trio.sleep(_LOOK)
            else:
                await self.line.converse(self._ours, typed)

    def close(self) -> None:
        os.close(self._ours)


@final
class SocketConsole:
    """A stream socket at ``path``, for one peer at a time; the next one waits.

    Raises OSError, also when there is anything at ``path``. The file is removed at the end.
    """

    def __init__(self, path: str) -> None:
        self.line = Line()
        self._path = path
        if os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, "exists already: remove it, or give another path", path)
        self._socket = socket.socket(socket.AF_UNIX)
        mask = os.umask(0o177)  # who can open it types there
        try:
            self._socket.bind(path)
        except OSError as error:
            self._socket.close()
            raise OSError(error.errno or errno.ENAMETOOLONG, error.strerror or str(error), path) from None
        finally:
            os.umask(mask)
        self._inode = os.stat(path).st_ino
        self._socket.listen(1)
        self._socket.setblocking(False)

    async def serve(self, typed: OnTyped) -> None:
        while True:
            await trio.lowlevel.wait_readable(self._socket)
            try:
                peer, _ = self._socket.accept()
            except OSError:  # it has gone again, or the host has no descriptor for it now
                await trio.sleep(_LOOK)
                continue
            with peer:
                peer.setblocking(False)
                await self.line.converse(peer.fileno(), typed)

    def close(self) -> None:
        self._socket.close()
        with suppress(OSError):
            found = os.lstat(self._path)
            if stat.S_ISSOCK(found.st_mode) and found.st_ino == self._inode:
                os.unlink(self._path)
