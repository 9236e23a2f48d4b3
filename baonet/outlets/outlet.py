"""What is written for others to read: standard output and error, a trace, and whatever else may be a pipe.

A write to a pipe whose reader has stopped, to a terminal that was stopped with Ctrl-S or to a file system that hangs
does not come back, and whoever made it can neither take messages nor be told to end. So a thread of each ``Outlet``
writes, from a buffer with a bound. Nobody waits for it but on purpose: who has more to say looks at ``full`` first.
"""

from __future__ import annotations

import errno
import io
import os
import select
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final, TypeVar, final

from baonet.document.escapes import escaped
from baonet.outlets.backlog import Backlog
from baonet.outlets.hangup import HangUp, reason
from baonet.outlets.news import News

if TYPE_CHECKING:
    import trio

PATIENCE: Final = 1.0
"""Seconds that an end from outside waits for a reader that takes nothing."""
_PIECE = 1 << 16


@final
class Outlet(Backlog):
    """``descriptor`` is written to, and not closed. ``name`` is what a user calls it.

    After an error what comes is dropped. Nothing is written before ``start``: who forks must have one thread.
    """

    LIMIT: Final = 1 << 18

    def __init__(self, descriptor: int, name: str) -> None:
        super().__init__(self.LIMIT)
        self.descriptor = descriptor
        self.name = name
        self._change = threading.Condition()
        self._started = self._closed = False

    def start(self) -> None:
        if not self._started:
            try:
                threading.Thread(target=self._work, name=f"baonet: {self.name}", daemon=True).start()
            except RuntimeError:  # all that Python says of EAGAIN
                raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN)) from None
            self._started = True

    def write(self, data: bytes) -> int:
        """Never blocks, and never raises."""
        with self._change:
            if self.error is None:  # else nobody would take it
                self._bytes += data
                self._change.notify_all()
        return len(data)

    def close(self) -> None:
        """Nothing will be written any more; what waits still is."""
        with self._change:
            self._closed = True
            self._change.notify_all()

    def drain(self, deadline: float | None) -> None:
        try:
            self.start()
        except OSError:
            self._put_here(deadline)
            return
        with self._change:
            while self._bytes and not self.stalled:
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    self.stalled = True
                else:
                    self._change.wait(left)

    def _work(self) -> None:
        while self.error is None:
            with self._change:
                while not self._bytes:
                    if self._closed:
                        return
                    self._change.wait()
                piece = bytes(self._bytes[:_PIECE])
            self._put(piece)

    def _put(self, piece: bytes) -> None:
        """Write the first bytes of what waits."""
        failed: OSError | None = None
        written = 0
        try:
            written = os.write(self.descriptor, piece)
        except BlockingIOError:  # another program has left the terminal so
            poll = select.poll()
            poll.register(self.descriptor, select.POLLOUT)
            poll.poll()
            return
        except OSError as error:
            failed = reason(error, self.descriptor)
        with self._change:
            self.error = failed
            tell = self._taken(written if failed is None else len(self._bytes))
            self._change.notify_all()
        if tell:
            self.relieved()

    def _put_here(self, deadline: float | None) -> None:
        """``drain`` where the host gives no thread: a write of so little does not block after the poll (pipe(7))."""
        poll = select.poll()
        poll.register(self.descriptor, select.POLLOUT)
        while self._bytes:
            left = None if deadline is None else max(0.0, deadline - time.monotonic()) * 1000
            if not poll.poll(left):
                self.stalled = True
                return
            self._put(bytes(self._bytes[: select.PIPE_BUF]))


Q = TypeVar("Q", bound=Backlog)


@final
class Outlets:
    """Everything of a process for which somebody reads; a task of Trio waits for it together.

    What is one VM's alone (``add``) does not count as ``full``: it is in ``holding``.
    """

    def __init__(self) -> None:
        self._all: list[Backlog] = []
        self._own: dict[int, Backlog] = {}
        self._token: trio.lowlevel.TrioToken | None = None
        self._news = News()

    def add(self, outlet: Q, vm: int | None = None) -> Q:
        """``vm``: nobody else writes there."""
        self._all.append(outlet)
        if vm is not None:
            self._own[vm] = outlet
        outlet.relieved = self._relieved
        return outlet

    @property
    def full(self) -> bool:
        """Whether one that all write to is: then nothing should be taken that may end in it."""
        return any(outlet.full for outlet in self._all if outlet not in self._own.values())

    @property
    def waiting(self) -> bool:
        """Whether one that has not stalled has something to write."""
        return any(outlet.waiting and not outlet.stalled for outlet in self._all)

    @property
    def holding(self) -> frozenset[int]:
        """The VMs whose own is full: nothing should be taken from them."""
        return frozenset(vm for vm, outlet in self._own.items() if outlet.full)

    @property
    def failed(self) -> bool:
        """Whether one has an ``error``."""
        return any(outlet.error is not None for outlet in self._all)

    @property
    def hung_up(self) -> bool:
        """Whether one was a terminal that is gone."""
        return any(isinstance(outlet.error, HangUp) for outlet in self._all)

    def begin(self) -> None:
        """Have all written that there is. Raises OSError when the host does not give the threads for it."""
        for outlet in self._all:
            outlet.start()

    def start(self) -> None:
        """``begin``, in the task that will wait."""
        import trio  # noqa: PLC0415 - for who waits

        self._token = trio.lowlevel.current_trio_token()
        self.begin()

    async def room(self) -> None:
        """Until none is full."""
        while self.full:
            await self.changed()

    async def written(self) -> None:
        """Until nothing waits in any that has not stalled."""
        while self.waiting:
            await self.changed()

    def give_up(self) -> None:
        """Nobody waits any more for those whose readers do not take what there is."""
        for outlet in self._all:
            outlet.stalled |= outlet.waiting > 0

    def drain(self, seconds: float | None) -> None:
        """Without Trio: block until all is written, at most ``seconds`` altogether."""
        deadline = None if seconds is None else time.monotonic() + seconds
        for outlet in self._all:
            outlet.drain(deadline)

    async def changed(self) -> None:
        """Until there is room somewhere where there was none, or nothing waits any more."""
        await self._news.wait()

    def _relieved(self) -> None:
        if self._token is None:
            return
        import trio  # noqa: PLC0415 - as above

        with suppress(trio.RunFinishedError):  # in the thread of those who wait: nothing between look and waiting
            self._token.run_sync_soon(self._news.tell)


@final
class Voice(io.TextIOBase):
    """A text stream over an outlet, in place of ``sys.stderr``: whoever prints there does not wait for its reader."""

    def __init__(self, outlet: Outlet, terminal: bool) -> None:
        self._outlet = outlet
        self._terminal = terminal

    def write(self, text: str) -> int:
        self._outlet.write(escaped(text, "\t\n\r").encode())
        return len(text)

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self._terminal

    def fileno(self) -> int:
        return self._outlet.descriptor


def standard(outlets: Outlets, output: int, errors: int) -> tuple[Outlet, Outlet]:
    """Outlets for standard output and error: one for both where they are one file, so that order is kept."""
    out = outlets.add(Outlet(output, "output"))
    first, second = os.fstat(output), os.fstat(errors)
    if (first.st_dev, first.st_ino) == (second.st_dev, second.st_ino):
        return out, out
    return out, outlets.add(Outlet(errors, "errors"))
