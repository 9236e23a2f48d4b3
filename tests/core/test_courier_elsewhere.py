"""A CPU whose memory takes time goes on at one node; another, where its state was loaded too, is told its log alone."""

from __future__ import annotations

import mmap
import socket
import struct
import time

from baonet.core import _memsys, _node
from baonet.core.armv8.engine import native
from tests.core.bench import RAM
from tests.core.frames import FRAMES
from tests.core.joined_nodes import ISLAND, JoinedNode
from tests.core.modelled import DATA, core
from tests.core.virtual import HVC
from tests.patience import ANSWER

LINES = (0xF844_0420, 0xF900_0020, 0xF100_0442, 0x54FF_FFA1)
"""ldr x0, [x1], #64; str x0, [x1]; subs x2, x2, #1; b.ne"""
NODES = [1, 2, 0]
"""Of each pcpu, and 0 is home."""
WINDOW = 20_000
HEAD = struct.Struct("<IHH")
EDGE = struct.Struct("<QQII")
"""The window, when, cluster, 0."""
SHARED = struct.Struct("@QQ")
"""Whether it has begun, the window that is open."""


class Away:
    """A node that is not home, which this is, with the memory of the cluster."""

    def __init__(self, number: int, kept: bytes | None = None) -> None:
        self.node = JoinedNode(number, NODES, carries=False, pages=1, free=False)
        self.memory = mmap.mmap(-1, _node.cluster_size(shape()))
        if kept is not None:
            self.memory[:] = kept
        self.node.courier.cluster(ISLAND, self.memory, shape(), 0, (0, 1, 2))
        self.process, there = socket.socketpair()
        there.setblocking(False)
        self.node.courier.relay(ISLAND, number - 1, 0, there.detach())
        (self._home,) = self.node.raw(0)

    def say(self, kind: str, body: bytes) -> None:
        self._home.sendall(HEAD.pack(len(body), FRAMES[kind], ISLAND) + body)

    def told(self, kind: str) -> bytes:
        """What it tells home of that kind next."""
        while True:
            length, number, _ = HEAD.unpack(self._home.recv(HEAD.size, socket.MSG_WAITALL))
            body = self._home.recv(length, socket.MSG_WAITALL)
            if number == FRAMES[kind]:
                return body

    def end_window(self, number: int) -> None:
        self.say("EDGE", EDGE.pack(number, number * WINDOW, 0, 0))
        end = time.monotonic() + ANSWER
        while SHARED.unpack_from(self.memory)[1] == number:
            assert time.monotonic() < end
            time.sleep(0.001)

    def cluster(self) -> bytes:
        return self.memory[: _node.cluster_party(shape(), 0)[0]]

    def close(self) -> None:
        self.node.close()
        self.process.close()
        self._home.close()


def shape() -> bytes:
    parameters = _memsys.CORTEX_A53 | {"l2_size": 65536}
    numbers = [parameters[name] for name in _node.MEMORY_PARAMETERS]
    return struct.pack(f"@{len(numbers)}I16QIIQ", *numbers, RAM, 0x40_0000, *[0] * 14, 1, len(NODES), WINDOW)


def going_on(memory: mmap.mmap) -> native.Core:
    """pcpu 0."""
    made = core(*LINES, HVC, model=False)
    made.join(memory, shape(), 0)
    made.model_memory(1, 1)
    made.x[1], made.x[2] = DATA, 1_000_000
    return made


def test_a_window_comes_to_the_same_where_the_log_alone_is_known() -> None:
    """Though what was loaded of its hierarchy is in step with the cluster, as if it could be taken over."""
    here = Away(1)
    made = going_on(here.memory)
    for window in (1, 2):  # the second is taken over
        made.run_until(window * WINDOW - WINDOW // 2)
        here.end_window(window)
    there = Away(2, here.memory[:])
    before = there.cluster()
    made.run_until(3 * WINDOW - WINDOW // 2)
    here.process.send(b"stands")
    there.say("LOGGED", here.told("LOGGED"))
    for each in (here, there):
        each.end_window(3)
    assert there.cluster() == here.cluster() != before
    for each in (here, there):
        each.close()
