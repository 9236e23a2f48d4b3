"""Nodes of a test in one process: each has a courier, and rings between its pcpus and those of the others."""

from __future__ import annotations

import array
import mmap
import os
import select
import socket
import struct
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from baonet.core import _node
from baonet.memory.rings import RingMemory
from tests.patience import ANSWER

ISLAND = 7
NOWHERE = 0xFFFF
PAGE = 4096
PLACES = struct.Struct("=HHIQQ")


class JoinedNode:
    """Node ``number``, where ``nodes`` has that of each pcpu. They are one VM, and all of them talk. Node 0 is home.

    ``pages`` of RAM, segment 0; then there is a UART as well, segment 1. ``free``: under the host's clock.
    """

    def __init__(
        self, number: int, nodes: Sequence[int], *, carries: bool = True, pages: int = 0, free: bool = True
    ) -> None:
        self.number, self.nodes = number, nodes
        lanes = len(nodes)
        self.here = [pcpu for pcpu in range(lanes) if nodes[pcpu] == number]
        self.slots = mmap.mmap(-1, lanes * _node.SLOT_SIZE)
        self.ledger = mmap.mmap(-1, _node.LEDGER_SIZE + lanes * _node.LANE_SIZE)
        self.bell, self.caller = socket.socketpair(type=socket.SOCK_SEQPACKET)
        self.told, self._writing = os.pipe2(os.O_NONBLOCK)
        far = set(range(lanes)).difference(self.here)
        here, everybody = frozenset(self.here), frozenset(range(lanes))
        peers = {pcpu: everybody - {pcpu} if pcpu in here else here for pcpu in everybody}
        self.memory = RingMemory([tuple(range(lanes))], peers, _node.RING_SIZE, far)
        self.whole = self.memory.whole()
        places = (PLACES.pack(each.here, each.far, 0, each.come, each.go) for each in self.memory.pairs())
        self._far = far
        self.courier = _node.Courier(number, self.bell.fileno(), self._writing, 3600.0)
        others = sorted(set(nodes) - {number}) if number == 0 else [0]
        for other in others:
            self.courier.peer(other)
        processes = array.array("H", [pcpu if pcpu in self.here else NOWHERE for pcpu in range(lanes)])
        numbers = array.array("H", nodes)
        epoch = time.monotonic_ns() if free else None
        self.courier.island(
            ISLAND, lanes, 0, self.ledger, self.slots, numbers, processes, 2, self.caller.fileno(), epoch
        )
        self.entries, self.data = bytearray(pages * 16), bytearray(pages * PAGE)
        self.uart = bytearray(_node.UART_STATE_SIZE + 2 * PAGE)
        if pages:
            self.courier.table(ISLAND, 0, pages, self.entries, self.data, False)
            self.courier.table(ISLAND, 1, 1, bytearray(16), self.uart, True)
        if carries:
            self.courier.rings(ISLAND, self.whole, b"".join(places))

    def rings(self, pcpu: int) -> _node.Rings:
        """As the process of a pcpu here has them."""
        ends = self.memory.ends(pcpu)
        made = _node.Rings(self.slots, pcpu, ends.lost, self.ledger)
        for peer, places in ends.rings.items():
            made.join(peer, *places, peer in self._far)
        return made

    def lose(self, pcpu: int) -> None:
        """Its process has ended."""
        self.whole[pcpu] = 1
        self.call(pcpu)

    def call(self, pcpu: int) -> None:
        self.caller.send(pcpu.to_bytes(2, sys.byteorder))

    def held(self) -> int:
        return self.courier.statistics()["held"]

    def raw(self, *others: int) -> list[socket.socket]:
        """What has the other ends of its streams, and lets it begin."""
        streams = []
        for other in others:
            ours, theirs = socket.socketpair()
            theirs.settimeout(ANSWER)
            self.courier.connect(other, _node.Link(ours.detach()))
            streams.append(theirs)
        self.courier.begin()
        return streams

    def lost_nodes(self) -> set[int]:
        """Those that its courier tells of next."""
        if not select.select([self.told], [], [], 20)[0]:
            return set()
        return {number for number, _ in struct.iter_unpack("=HH", os.read(self.told, 512))}

    def close(self) -> None:
        self.courier.close(self.caller.fileno())
        self.memory.close()
        self.bell.close()
        self.caller.close()
        os.close(self.told)
        os.close(self._writing)


@contextmanager
def joined(nodes: Sequence[int]) -> Iterator[Mapping[int, JoinedNode]]:
    """All nodes, whose couriers have begun."""
    made = {number: JoinedNode(number, nodes) for number in sorted(set(nodes))}
    try:
        for number in list(made)[1:]:
            ours, theirs = socket.socketpair()
            made[0].courier.connect(number, _node.Link(ours.detach()))
            made[number].courier.connect(0, _node.Link(theirs.detach()))
        for each in made.values():
            each.courier.begin()
        yield made
    finally:
        for each in made.values():
            each.close()
