"""What of a machine is on this node, and its courier, which keeps what is split like the parts on other nodes.

The courier itself is native (``core/native/node/courier.c``): it has a thread of its own, in which no Python runs.
"""

from __future__ import annotations

import array
import os
import select
import socket
import struct
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final, final

from baonet.cluster.meeting import PATIENCE, MeetingError
from baonet.cluster.parts import PartedIsland, meetings, parted
from baonet.core import _node
from baonet.core.shapes import shape
from baonet.hyp.vmm import Plan
from baonet.launch.crews import Placement, groups_of
from baonet.machine import PAGE_SIZE, ClockMode
from baonet.machine.clusters import clusters
from baonet.memory.node import NodeMemory
from baonet.memory.rings import RingMemory
from baonet.wire.cluster import HomeClock, HotPage, Traffic

if TYPE_CHECKING:
    import _socket

_NOWHERE: Final = 0xFFFF
_LOOK: Final = 0.001
_PLACES: Final = struct.Struct("=HHIQQ")
_LOST: Final = struct.Struct("=HH")
_NO_FRAME: Final = 0xFFFF


@final
class NodeCourier:
    """``nodes``: the node of each pcpu; this one is ``index``. One that says nothing for ``heartbeat`` seconds is lost.

    It is the ``Share`` of a ``ProcessNode``. Made before the processes are forked; the streams to the nodes that it
    meets come after, and then it begins.
    """

    def __init__(
        self,
        plan: Plan,
        memory: NodeMemory,
        placement: Placement,
        *,
        nodes: Sequence[int],
        index: int,
        heartbeat: float,
    ) -> None:
        self.nodes = nodes
        self.epoch = time.monotonic_ns()
        self._index = index
        self._memory = memory
        self._islands = [each for each in parted(plan, nodes) if index in each.nodes]
        self._bell, self._caller = socket.socketpair(type=socket.SOCK_SEQPACKET)
        self.lost, self._told = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._courier = _node.Courier(index, self._bell.fileno(), self._told, heartbeat)
        for pair in meetings(self._islands):
            if index in pair:
                self._courier.peer(sum(pair) - index)
        for island in self._islands:
            self._join(plan, island, groups_of(plan, island.vms, placement, nodes))

    def _join(self, plan: Plan, island: PartedIsland, groups: list[tuple[int, ...]]) -> None:
        memory, lanes = self._memory, len(plan.pcpus)
        nodes, processes = (array.array("H", [_NOWHERE]) * lanes for _ in range(2))
        for group in groups:
            for pcpu in group:
                nodes[pcpu] = self.nodes[pcpu]
                if nodes[pcpu] == self._index:
                    processes[pcpu] = group[0]
        ledger = memory.ownership.ledger(island.vms[0])
        assert ledger is not None
        tables = list(memory.owned(island.vms))
        self._courier.island(
            island.number,
            lanes,
            island.home,
            ledger.view,
            memory.slots.view,
            nodes,
            processes,
            1 + max((table.number for _, table, _ in tables), default=0),
            self._caller.fileno(),
            self.epoch if plan.machine.clock.mode is ClockMode.HOST else None,
        )
        for segment, table, device in tables:
            pages = segment.size // PAGE_SIZE
            self._courier.table(island.number, table.number, pages, table.entries.view, segment.view, device)
        for cluster in clusters(plan.machine):
            if cluster.vms[0] in island.vms:
                view = memory.clusters[cluster.number].view
                its = shape(plan.machine, cluster)
                self._courier.cluster(island.number, view, its, cluster.pcpus.start, cluster.owners)

    def lost_nodes(self) -> list[tuple[int, str]]:
        """Those that are lost since it was asked, when ``lost`` can be read; and what they said that cannot be."""
        data = os.read(self.lost, 512)
        return [(node, _named(kind)) for node, kind in _LOST.iter_unpack(data)]

    @property
    def caller(self) -> int:
        return self._caller.fileno()

    def has(self, pcpu: int) -> bool:
        return self.nodes[pcpu] == self._index

    def relay(self, address: int, peer: int, end: _socket.socket) -> None:
        """One of the two conducts, the other is its crew."""
        island = next(each for each in self._islands if address in each.pcpus)
        crew = peer if address == island.pcpus[0] else address
        end.setblocking(False)
        self._courier.relay(island.number, crew, self.nodes[peer], end.detach())

    def carry(self, rings: RingMemory) -> None:
        whole, pairs = rings.whole(), list(rings.pairs())
        for island in self._islands:
            members = set(island.pcpus)
            places = (_PLACES.pack(each.here, each.far, 0, each.come, each.go) for each in pairs if each.far in members)
            self._courier.rings(island.number, whole, b"".join(places))

    def ended(self, pcpu: int) -> None:
        self._courier.ended(pcpu)
        with suppress(BlockingIOError):  # it looks by itself with its next beat
            self._caller.send(pcpu.to_bytes(2, sys.byteorder), socket.MSG_DONTWAIT)

    def forget(self) -> None:
        """In a process of actors: it has no courier, whose buffers would keep mapped what is not its own."""
        self._courier.forget()

    def connect(self, node: int, stream: _node.Link) -> None:
        """Every node that it meets, before it begins. The stream is its own from then on."""
        self._courier.connect(node, stream)

    def begin(self) -> None:
        self._courier.begin()

    def synchronise(self) -> None:
        """Returns when it is known what time it is where islands of this node are at home: before that no core may run.

        Raises MeetingError when nobody tells.
        """
        end = time.monotonic() + PATIENCE
        while not self._courier.synchronised():
            if select.select([self.lost], [], [], _LOOK)[0] or time.monotonic() > end:
                raise MeetingError("a node with which it shares a VM does not tell what time it is there")

    def reset(self, vm: int) -> None:
        """The VM has been given its memory as at the start, on all nodes."""
        for island in self._islands:
            if vm in island.vms:
                for segment in self._memory.vms[vm].regions:
                    if (table := self._memory.ownership.table(segment)) is not None:
                        self._courier.reset(island.number, table.number)

    def resume(self) -> None:
        """All nodes have been given all memory as it was saved: the bytes of a page are with its owner."""
        for island in self._islands:
            for _, table, _ in self._memory.owned(island.vms):
                self._courier.reset(island.number, table.number)

    def traffic(self) -> Traffic:
        """So far."""
        counts = self._courier.statistics()
        hottest = tuple(HotPage(segment, page, times) for _, segment, page, times in self._courier.hottest())
        clocks = tuple(HomeClock(*each) for each in self._courier.clocks())
        return Traffic(counts["brought"], counts["given"], counts["orders"], counts["bytes"], hottest, clocks)

    def close(self) -> None:
        self._courier.close(self.caller)
        for descriptor in (self.lost, self._told):
            os.close(descriptor)
        self._bell.close()
        self._caller.close()


def _named(kind: int) -> str:
    """A frame; nothing if there was none."""
    if kind == _NO_FRAME:
        return ""
    return _node.FRAMES[kind] if kind < len(_node.FRAMES) else f"frame {kind}"
