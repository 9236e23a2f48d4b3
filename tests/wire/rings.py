"""Rings between pcpus of a test, and ports over them: in its own process, or in others that it forks."""

from __future__ import annotations

import mmap
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from baonet.core import _node
from baonet.memory.rings import RingMemory
from baonet.wire.messages import AGENT, every
from baonet.wire.port import Channel, SocketPort
from baonet.wire.ring_port import RingPort

ANYTHING = frozenset(fact.kind for fact in every())
CAPACITY = _node.RING_SIZE - 128
"""Bytes that a ring holds."""
NEWS = 0x1000 + 192
"""Where the slot of pcpu 0 has the first 64 bits of its news (slot.h)."""


class Joined:
    """Pcpus, each of a VM of its own, who may all talk with each other."""

    def __init__(self, pcpus: int = 2) -> None:
        everybody = frozenset(range(pcpus))
        self.slots = mmap.mmap(-1, pcpus * _node.SLOT_SIZE)
        self.lost = mmap.mmap(-1, pcpus)
        self._peers = {pcpu: everybody - {pcpu} for pcpu in everybody}
        self._memory = RingMemory([(pcpu,) for pcpu in everybody], self._peers, _node.RING_SIZE)

    def rings(self, pcpu: int) -> _node.Rings:
        made = _node.Rings(self.slots, pcpu, self.lost)
        for peer, places in self._memory.ends(pcpu).rings.items():
            made.join(peer, *places)
        return made

    def port(self, pcpu: int, accepts: frozenset[type] = ANYTHING, far: SocketPort | None = None) -> RingPort:
        return RingPort(self.rings(pcpu), self._peers[pcpu], accepts, far or SocketPort({}))

    def port_and_agent(self, pcpu: int) -> tuple[RingPort, SocketPort]:
        """And its agent's port, with a socket to it."""
        here, there = socket.socketpair()
        agent = SocketPort({pcpu: Channel(there, ANYTHING)}, lambda peer: _node.call(self.slots, peer))
        return self.port(pcpu, far=SocketPort({AGENT: Channel(here, ANYTHING)})), agent


def soon(action: Callable[[], None]) -> Callable[[], None]:
    """``action``, when the other has probably gone to sleep; that it had to be woken is not what is asserted."""

    def act() -> None:
        time.sleep(0.02)
        action()

    return act


@contextmanager
def forked(body: Callable[[], None]) -> Iterator[int]:
    """A process that does ``body``, by its id; it is killed when the block is left."""
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        try:
            _node.die_with_parent(parent)
            body()
        finally:
            os._exit(0)
    try:
        yield pid
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
