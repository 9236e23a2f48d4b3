"""A node that waits: a process that takes calls, and forks one for each. It holds no machine itself.

A lead that kills its run, or a peer that says what is no message, costs that process and nothing else.
"""

from __future__ import annotations

import errno
import ipaddress
import os
import select
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from typing import Final, NoReturn, final

from baonet.cluster.enlist import Machines, serve
from baonet.cluster.identity import introduction
from baonet.cluster.stream import Stream
from baonet.core.child import belong_to, held
from baonet.launch.process import give_up_all_but
from baonet.wire.messages import accepted
from baonet.wire.roles import Role

MOST: Final = 64
"""Calls at the same time; who comes then waits."""
_GRACE: Final = 5.0
_LOOK: Final = 0.5


def is_loopback(address: str) -> bool:
    """Whether only this host can call there."""
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


@final
class Daemon:
    """Listens at ``host``, ``port`` (0: any that is free). Raises OSError when that cannot be had."""

    def __init__(self, host: str, port: int, machines: Callable[[], Machines], *, name: str | None = None) -> None:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(address)
        self._socket.listen(MOST)
        self._socket.setblocking(False)
        self._machines = machines
        self._name = name
        self._serving: set[int] = set()
        self._ended = False

    @property
    def port(self) -> int:
        port: int = self._socket.getsockname()[1]
        return port

    def run(self) -> None:
        """Until SIGINT, SIGTERM or SIGHUP; then what it serves ends."""
        reading, writing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        before = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._end)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        try:
            while not self._ended:
                takes = [self._socket.fileno()] if len(self._serving) < MOST else []
                select.select([*takes, reading], [], [], None)
                self._drain(reading)
                self._reap()
                self._accept()
        finally:
            signal.set_wakeup_fd(before)
            self._socket.close()
            self._finish()
            os.close(reading)
            os.close(writing)

    def _end(self, number: int, frame: object) -> None:
        self._ended = True

    @staticmethod
    def _drain(reading: int) -> None:
        try:
            os.read(reading, 4096)
        except BlockingIOError:
            return

    def _accept(self) -> None:
        while len(self._serving) < MOST and not self._ended:
            try:
                come, _ = self._socket.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOMEM):
                    time.sleep(_LOOK)  # the host has none left now
                return
            with come:
                self._serve(come)

    def _serve(self, come: socket.socket) -> None:
        parent = os.getpid()
        try:
            with held():
                pid = os.fork()
                if pid == 0:
                    _live(come, parent, self._machines, self._name)
        except OSError as error:
            print(f"baonet node: no process for a call: {error.strerror}", file=sys.stderr)
            return
        self._serving.add(pid)

    def _reap(self) -> None:
        for pid in list(self._serving):
            if os.waitpid(pid, os.WNOHANG)[0]:
                self._serving.discard(pid)

    def _finish(self) -> None:
        """Those that serve end by the loss of what they belong to; nobody is left."""
        for pid in self._serving:
            os.kill(pid, signal.SIGKILL)
        end = time.monotonic() + _GRACE
        while self._serving and time.monotonic() < end:
            self._reap()
            time.sleep(0.01)


def _live(come: socket.socket, parent: int, machines: Callable[[], Machines], name: str | None) -> NoReturn:
    """In the child, for one call."""
    status = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        belong_to(parent)
        give_up_all_but([come.fileno()])
        answer(come, machines(), name=name)
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def answer(sock: socket.socket, machines: Machines, *, name: str | None = None, ticket: bytes = b"") -> None:
    """Introduce this host to a lead, and be a node of what it runs."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    host = sock.getsockname()[0]
    lead = Stream(sock, accepted(Role.LEAD, Role.NODE), "the lead")
    lead.send(introduction(name, ticket))
    serve(lead, host, machines)
    lead.close()
