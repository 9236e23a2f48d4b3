"""A worker of a study as a child process: ``baonet.study.worker``, asked and heard from Trio.

It leads a session of its own, so the Ctrl-C of the terminal is the study's alone, and whatever it has started ends with
it. It is told to end when the study is killed.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, final

import trio

from baonet.study.worker import LENGTH, frame

SHOWN: Final = 2000
"""Characters of what was said that are kept."""
_GRACE = 5.0  # seconds between asking a child to end and ending it
_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


class ChildEnded(Exception):  # noqa: N818 - it reads as what it is
    """It has ended, and has not answered."""


@final
class Child:
    """Starts it. ``said`` is the file for its standard error."""

    def __init__(self, command: Sequence[str], said: Path) -> None:
        here, there = socket.socketpair()
        self._said = said
        with there, said.open("wb") as errors:
            # Not by a thread of Trio's: the system counts a child as orphaned when the thread that made it ends.
            self._process = subprocess.Popen(
                list(command),
                stdin=there.fileno(),
                stdout=errors,
                stderr=errors,
                start_new_session=True,
                preexec_fn=_end_with_parent,  # noqa: PLW1509 - there is one thread
            )
        here.setblocking(False)
        self._stream = trio.SocketStream(trio.socket.from_stdlib_socket(here))
        self._heard = bytearray()
        self._begun = 0

    async def ask(self, content: bytes) -> None:
        """Raises ChildEnded."""
        self._begun = self._said.stat().st_size
        try:
            await self._stream.send_all(frame(content))
        except trio.BrokenResourceError:
            raise ChildEnded from None

    async def answer(self) -> bytes:
        """The next. Raises ChildEnded."""
        (length,) = LENGTH.unpack(await self._take(LENGTH.size))
        return await self._take(length)

    async def _take(self, length: int) -> bytes:
        while len(self._heard) < length:
            try:
                heard = await self._stream.receive_some()
            except trio.BrokenResourceError:
                heard = b""
            if not heard:
                raise ChildEnded
            self._heard += heard
        taken = bytes(self._heard[:length])
        del self._heard[:length]
        return taken

    def said(self) -> str:
        """The end of what it has said since it was last asked."""
        with self._said.open("rb") as file:
            file.seek(self._begun)
            return file.read().decode("utf-8", "replace").strip()[-SHOWN:]

    @property
    def pid(self) -> int:
        return self._process.pid

    def lives(self) -> bool:
        return os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None

    async def end(self) -> int:
        """Leave nothing of it: first it is asked, then its whole session is killed. The exit status of subprocess."""
        if self._process.returncode is None:
            with trio.CancelScope(shield=True):
                await self._stream.aclose()
                os.kill(
                    self._process.pid, signal.SIGTERM
                )  # Popen's looks first whether it has ended, and frees its number
                await self._wait()
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
        return int(self._process.returncode)

    async def ended(self) -> int:
        """It has closed its socket: it has ended, or soon has. Its exit status."""
        await self._wait()
        return await self.end()

    async def _wait(self) -> None:
        """Until it has ended, or a while. Its number stays taken until Popen waits."""
        descriptor = os.pidfd_open(self._process.pid)
        try:
            with trio.move_on_after(_GRACE):
                await trio.lowlevel.wait_readable(descriptor)
        finally:
            os.close(descriptor)


def _end_with_parent() -> None:
    """In the child: SIGTERM when its parent has ended."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
