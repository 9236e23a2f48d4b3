"""What is written for others to read: standard output and error, a trace, and whatever else may be a pipe.

A write to a pipe whose reader has stopped, to a terminal that was stopped with Ctrl-S or to a file system that hangs
does not come back, and whoever made it can neither take messages nor be told to end. So a thread of each ``Outlet``
writes, from a buffer with a bound. Nobody waits for it but on purpose: who has more to say looks at ``full`` first.
"""

from __future__ import annotations

import io
import os
import select
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol, TypeVar, final

import trio

PATIENCE: Final = 1.0
"""Seconds that an end from outside waits for a reader that takes nothing."""
_PIECE = 1 << 16


@final
class Outlet:
    """``descriptor`` is written to, and not closed. ``name`` is what a user calls it.

    ``error`` is what went wrong; what comes then is dropped. Nothing is written before ``start``: a process that forks
    must have one thread.
    """

    LIMIT: Final = 1 << 18
    """Bytes that wait from which it is ``full``. It takes more: who fills it finishes what it is at."""

    def __init__(self, descriptor: int, name: str) -> None:
        self.descriptor = descriptor
        self.name = name
        self.error: OSError | None = None
        self.stalled = False
        self.relieved: Callable[[], None] = lambda: None
        self._buffer = bytearray()
        self._change = threading.Condition()
        self._started = False

    @property
    def full(self) -> bool:
        return len(self._buffer) > self.LIMIT

    @property
    def waiting(self) -> int:
        """Bytes that have not been written."""
        return len(self._buffer)

    def start(self) -> None:
        if not self._started:
            self._started = True
            threading.Thread(target=self._work, name=f"baonet: {self.name}", daemon=True).start()

    def write(self, data: bytes) -> int:
        """Never blocks, and never raises."""
        if self.error is None:
            with self._change:
                self._buffer += data
                self._change.notify_all()
        return len(data)

    def drain(self, deadline: float | None) -> None:
        """Block until all is written, at most until ``deadline`` (of ``time.monotonic``)."""
        self.start()
        with self._change:
            while self._buffer and not self.stalled:
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    self.stalled = True
                else:
                    self._change.wait(left)

    def _work(self) -> None:
        while self.error is None:
            with self._change:
                while not self._buffer:
                    self._change.wait()
                piece = bytes(self._buffer[:_PIECE])
            try:
                written = os.write(self.descriptor, piece)
            except BlockingIOError:  # another program has left the terminal so
                poll = select.poll()
                poll.register(self.descriptor, select.POLLOUT)
                poll.poll()
                continue
            except OSError as error:
                self.error = error
                written = 0
            with self._change:
                was_full = self.full
                del self._buffer[: written if self.error is None else len(self._buffer)]
                self._change.notify_all()
                tell = not self._buffer or (was_full and not self.full)
            if tell:
                self.relieved()


class Queue(Protocol):
    """What ``Outlets`` knows of each; ``relieved`` may be called in any thread."""

    error: OSError | None
    stalled: bool
    relieved: Callable[[], None]

    @property
    def full(self) -> bool: ...
    @property
    def waiting(self) -> int: ...
    def start(self) -> None: ...
    def drain(self, deadline: float | None) -> None: ...


Q = TypeVar("Q", bound=Queue)


@final
class Outlets:
    """All outlets of a process; a task of Trio waits for them together."""

    def __init__(self) -> None:
        self._all: list[Queue] = []
        self._token: trio.lowlevel.TrioToken | None = None
        self._news = trio.Event()

    def add(self, outlet: Q) -> Q:
        self._all.append(outlet)
        outlet.relieved = self._relieved
        return outlet

    @property
    def full(self) -> bool:
        """Whether one is: then nothing should be taken that may end in it."""
        return any(outlet.full for outlet in self._all)

    @property
    def failed(self) -> bool:
        """Whether one has an ``error``."""
        return any(outlet.error is not None for outlet in self._all)

    def start(self) -> None:
        """In the task that will wait."""
        self._token = trio.lowlevel.current_trio_token()
        for outlet in self._all:
            outlet.start()

    async def room(self) -> None:
        """Until none is full."""
        while self.full:
            await self._changed()

    async def written(self) -> None:
        """Until nothing waits in any that has not stalled."""
        while any(outlet.waiting and not outlet.stalled for outlet in self._all):
            await self._changed()

    def give_up(self) -> None:
        """Nobody waits any more for those whose readers do not take what there is."""
        for outlet in self._all:
            outlet.stalled |= outlet.waiting > 0

    def drain(self, seconds: float | None) -> None:
        """Without Trio: block until all is written, at most ``seconds`` altogether."""
        deadline = None if seconds is None else time.monotonic() + seconds
        for outlet in self._all:
            outlet.drain(deadline)

    async def _changed(self) -> None:
        self._news = trio.Event()  # set in this thread, so not between the look of our caller and here
        await self._news.wait()

    def _relieved(self) -> None:
        if self._token is not None:
            with suppress(trio.RunFinishedError):
                self._token.run_sync_soon(self._news.set)


@final
class Voice(io.TextIOBase):
    """A text stream over an outlet, in place of ``sys.stderr``: whoever prints there does not wait for its reader."""

    def __init__(self, outlet: Outlet, terminal: bool) -> None:
        self._outlet = outlet
        self._terminal = terminal

    def write(self, text: str) -> int:
        self._outlet.write(text.encode("utf-8", "backslashreplace"))
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
