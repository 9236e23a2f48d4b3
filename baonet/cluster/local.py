"""Nodes that are processes of this host, as if each were a host of its own: nothing is shared between two of them.

They are forked, so they have the machine already and begin at once; what they say to each other goes over loopback.
"""

from __future__ import annotations

import gc
import os
import socket
import sys
import time
import traceback
from typing import Final, NoReturn, final

from baonet.cluster.enlist import serve
from baonet.cluster.joined import Joined
from baonet.cluster.stream import Stream
from baonet.core.child import belong_to, held
from baonet.launch.cores import cores
from baonet.launch.forking import Forks
from baonet.launch.process import give_up_all_but
from baonet.machine import Machine
from baonet.wire.messages import accepted
from baonet.wire.roles import Role

_LOOPBACK: Final = "127.0.0.1"
_GRACE: Final = 5.0
"""Seconds in which a node ends by itself when nobody leads it any more."""


@final
class LocalNodes:
    """``count`` of them, for one run of ``machine``. Raises OSError when the host has no process or descriptor left."""

    def __init__(self, count: int, machine: Machine) -> None:
        self._pids: list[int] = []
        self.joined: list[Joined] = []
        pairs = [socket.socketpair() for _ in range(count)]
        lead = os.getpid()
        gc.collect()  # what is garbage here would be found in a node, and close what has its number there
        gc.freeze()
        sys.stdout.flush()
        sys.stderr.flush()

        def fork() -> None:
            with held():
                for _, there in pairs:
                    pid = os.fork()
                    if pid == 0:
                        _live(there, lead, machine)
                    self._pids.append(pid)

        self._forks = Forks(fork)
        gc.unfreeze()
        for number, (here, there) in enumerate(pairs):
            there.close()
            name = f"local-{number}"
            self.joined.append(Joined(Stream(here, accepted(Role.NODE, Role.LEAD), name), name, _LOOPBACK, cores()))

    def close(self) -> None:
        """Leave no process. Their streams have been closed before."""
        end = time.monotonic() + _GRACE
        for pid in self._pids:
            while os.waitpid(pid, os.WNOHANG)[0] == 0:
                if time.monotonic() > end:
                    os.kill(pid, 9)
                    os.waitpid(pid, 0)
                    break
                time.sleep(0.002)
        self._pids.clear()
        self._forks.close()


def _live(sock: socket.socket, lead: int, machine: Machine) -> NoReturn:
    """In the child: nothing of the parent's runs on in it, whatever happens."""
    status = 1
    try:
        belong_to(lead)
        give_up_all_but([sock.fileno()])
        serve(Stream(sock, accepted(Role.LEAD, Role.NODE), "lead"), _LOOPBACK, lambda stream, asked: machine)
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)
