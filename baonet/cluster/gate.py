"""Who speaks TLS with the lead in the place of a node: a process that has the keys, so that the node has none.

A node forks the processes of its guests, and they have a copy of all that it has in memory. So the keys, and those that
were agreed upon in the handshake, are in a process beside it, which passes on what comes. Until it has been shown whom
it speaks with, the node does nothing for a caller.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import ssl
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, final

from baonet.cluster.keys import NO_TLS, HostRole, KeysError, client_context, handshake, server_context
from baonet.core.child import belong_to, held
from baonet.launch.process import give_up_all_but
from baonet.machine.dataclass import dataclass
from baonet.wire.cluster import Refused
from baonet.wire.codec import frame

PATIENCE: Final = 10.0
"""Seconds in which a handshake is over."""
_PIECE: Final = 1 << 16
_IN: Final = b"\x06"
_FAREWELL: Final = 1.0
_PLAIN: Final = "has keys, and this lead calls it without: give it --keys DIR ('baonet keys init' made them)"


@final
@dataclass(frozen=True, slots=True)
class Passage:
    """``socket``: what the lead says, and may be told, in the clear."""

    socket: socket.socket
    pid: int

    def close(self) -> None:
        """When the socket is closed: the last that was said has its time to go."""
        end = time.monotonic() + _FAREWELL
        while os.waitpid(self.pid, os.WNOHANG)[0] == 0:
            if time.monotonic() > end:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
                return
            time.sleep(0.001)


@final
class Gate:
    """Of the node with the keys in ``directory``. Raises KeysError when they are of no use.

    ``called``: others call this node; it calls the lead if not.
    """

    def __init__(self, directory: Path, *, called: bool = True) -> None:
        self.directory = directory
        self._called = called
        if (wrong := _elsewhere(self._look)) is not None:
            raise KeysError(wrong)

    def pass_through(self, come: socket.socket, who: str) -> Passage | None:
        """None: whoever that is was not let in, which has been told.

        ``come`` is connected, and closed here. Raises OSError when the host has no process or descriptor left.
        """
        here, there = socket.socketpair()
        parent = os.getpid()
        with come, there, held():
            if (pid := os.fork()) == 0:
                self._live(come, there, parent, who)
        here.settimeout(PATIENCE + _FAREWELL)
        said = b""
        with suppress(OSError):
            said = here.recv(1)
        passage = Passage(here, pid)
        if said == _IN:
            return passage
        here.close()
        passage.close()
        return None

    def _context(self) -> ssl.SSLContext:
        return (server_context if self._called else client_context)(self.directory, HostRole.NODE)

    def _look(self) -> str:
        try:
            self._context()
        except KeysError as error:
            return str(error)
        return ""

    def _live(self, come: socket.socket, there: socket.socket, parent: int, who: str) -> None:
        """In the child, which ends here."""
        try:
            belong_to(parent)
            give_up_all_but([come.fileno(), there.fileno()])
            come.settimeout(PATIENCE)
            tls = self._context().wrap_socket(come, server_side=self._called, do_handshake_on_connect=False)
            try:
                handshake(tls, HostRole.LEAD)
            except KeysError as error:
                print(f"baonet node: {who} is not let in: {error}", file=sys.stderr, flush=True)
                self._turn_away(tls, error)
            else:
                there.sendall(_IN)
                _pass_on(tls, there)
        except OSError:
            pass  # one of the two has gone
        except KeysError as error:
            print(f"baonet node: {error}", file=sys.stderr, flush=True)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(0)

    def _turn_away(self, tls: ssl.SSLSocket, error: KeysError) -> None:
        """It hears why where that is a mistake of its user's."""
        if _shaken(tls):
            tls.sendall(frame(Refused(str(error))))
        elif self._called and str(error) == NO_TLS:
            os.write(tls.fileno(), frame(Refused(_PLAIN)))
        # Who closes before all has been read takes back what was said last.
        end = time.monotonic() + _FAREWELL
        with socket.socket(fileno=tls.detach()) as below:
            below.shutdown(socket.SHUT_WR)
            while (left := end - time.monotonic()) > 0:
                below.settimeout(left)
                if not below.recv(_PIECE):
                    return


def _shaken(tls: ssl.SSLSocket) -> bool:
    try:
        return bool(tls.getpeercert())
    except ValueError:
        return False


def _elsewhere(look: Callable[[], str]) -> str | None:
    """What ``look`` finds wrong, in a process of its own: nothing that it reads stays in this one."""
    reading, writing = os.pipe()
    with held():
        pid = os.fork()
        if pid == 0:
            with suppress(BaseException):
                os.write(writing, look().encode()[:4096])
            os._exit(0)
    os.close(writing)
    with open(reading, "rb") as pipe:
        said = pipe.read().decode()
    os.waitpid(pid, 0)
    return said or None


def _pass_on(tls: ssl.SSLSocket, there: socket.socket) -> None:
    """Until one of the two ends. Neither is read while the other has something that it has not taken."""
    tls.setblocking(False)
    there.setblocking(False)
    inward, outward = b"", b""
    while True:
        reading = [end for end, left in ((tls, inward), (there, outward)) if not left]
        writing = [end for end, left in ((there, inward), (tls, outward)) if left]
        if tls not in reading or not tls.pending():
            select.select(reading, writing, [])
        if not inward:
            come = _read(tls)
            if come == b"":
                return
            inward = come or b""
        if not outward:
            come = _read(there)
            if come == b"":
                return
            outward = come or b""
        inward = inward[_write(there, inward) :]
        outward = outward[_write(tls, outward) :]


def _read(end: socket.socket) -> bytes | None:
    """Nothing: it has ended. None: nothing has come yet."""
    try:
        return end.recv(_PIECE)
    except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
        return None


def _write(end: socket.socket, data: bytes) -> int:
    try:
        return end.send(data) if data else 0
    except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
        return 0
