"""A node that waits: a process that takes calls, and forks one for each. It holds no machine itself.

A lead that kills its run, or a peer that says what is no message, costs that process and nothing else. Nor does a
stranger keep others out: when there are too many calls, the oldest that has not shown who it is makes room.
"""

from __future__ import annotations

import errno
import ipaddress
import mmap
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
from baonet.cluster.gate import Gate
from baonet.cluster.identity import introduction
from baonet.cluster.route import bound, numeric, place
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
    """Listens at ``host``, ``port`` (0: any that is free). Raises OSError when that cannot be had.

    ``gate``: who calls has to pass it. Without one whoever calls is let in.
    """

    def __init__(
        self,
        host: str,
        port: int,
        machines: Callable[[], Machines],
        *,
        name: str | None = None,
        gate: Gate | None = None,
    ) -> None:
        self._socket = bound(host, port)
        self._socket.listen(MOST)
        self._socket.setblocking(False)
        self._machines = machines
        self._name = name
        self._gate = gate
        self._serving: dict[int, int] = {}  # the oldest first, and each one's seat in what follows
        self._let_in = mmap.mmap(-1, MOST)
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
                takes = [] if self._full else [self._socket.fileno()]
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

    @property
    def _full(self) -> bool:
        return len(self._serving) == MOST and all(self._let_in[:])

    def _make_room(self) -> None:
        if len(self._serving) == MOST:
            pid = next(pid for pid, seat in self._serving.items() if not self._let_in[seat])
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            del self._serving[pid]

    def _accept(self) -> None:
        while not self._full and not self._ended:
            try:
                come, who = self._socket.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOMEM):
                    time.sleep(_LOOK)  # the host has none left now
                return
            with come:
                self._serve(come, place(numeric(who), who[1]))

    def _serve(self, come: socket.socket, who: str) -> None:
        self._make_room()
        parent = os.getpid()
        seat = min(set(range(MOST)) - set(self._serving.values()))
        self._let_in[seat] = self._gate is None
        try:
            with held():
                pid = os.fork()
                if pid == 0:
                    self._live(come, who, parent, seat)
        except OSError as error:
            print(f"baonet node: no process for a call: {error.strerror}", file=sys.stderr)
            return
        self._serving[pid] = seat

    def _live(self, come: socket.socket, who: str, parent: int, seat: int) -> NoReturn:
        """In the child, for one call."""
        status = 1
        try:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            belong_to(parent)
            give_up_all_but([come.fileno()])
            answer(come, who, self._machines, name=self._name, gate=self._gate, let_in=lambda: self._note(seat))
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)

    def _note(self, seat: int) -> None:
        self._let_in[seat] = True

    def _reap(self) -> None:
        for pid in list(self._serving):
            if os.waitpid(pid, os.WNOHANG)[0]:
                del self._serving[pid]

    def _finish(self) -> None:
        """Those that serve end by the loss of what they belong to; nobody is left."""
        for pid in self._serving:
            os.kill(pid, signal.SIGKILL)
        end = time.monotonic() + _GRACE
        while self._serving and time.monotonic() < end:
            self._reap()
            time.sleep(0.01)


def answer(
    sock: socket.socket,
    who: str,
    machines: Callable[[], Machines],
    *,
    name: str | None = None,
    ticket: bytes = b"",
    gate: Gate | None = None,
    let_in: Callable[[], None] = lambda: None,
) -> bool:
    """Introduce this host to a lead, and be a node of what it runs. False: it did not pass the gate."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    host = numeric(sock.getsockname())
    passage = None
    if gate is not None:
        passage = gate.pass_through(sock, who)
        if passage is None:
            return False
        sock = passage.socket
    let_in()
    lead = Stream(sock, accepted(Role.LEAD, Role.NODE), "the lead")
    lead.send(introduction(name, ticket))
    serve(lead, host, machines(), keys=None if gate is None else gate.directory)
    lead.close()
    if passage is not None:
        passage.close()
    return True
