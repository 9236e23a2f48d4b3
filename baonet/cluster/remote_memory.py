"""The memory of a machine that nodes have, for whoever reads and writes it while the machine stands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, final

from baonet.cluster.parts import PartedIsland
from baonet.hyp.vmm import Plan
from baonet.machine import PAGE_SIZE, ClockMode, Vm
from baonet.memory.node import find
from baonet.wire import cluster

PIECE: Final = 1 << 16
AskNode = Callable[[int, cluster.Read | cluster.Write], cluster.Bytes]
"""What a node answers. Raises ClusterError when it does not."""


@final
class RemoteMemory:
    """``nodes``: the node of each pcpu of ``plan``; ``islands``: those that are on several."""

    def __init__(self, plan: Plan, nodes: Sequence[int], islands: Iterable[PartedIsland], ask: AskNode) -> None:
        self._plan = plan
        self._nodes = nodes
        self._ask = ask
        self._islands = {vm: island for island in islands for vm in island.vms}

    def read(self, vm: Vm, address: int, size: int) -> bytes:
        """As ``NodeMemory.read``, while the machine stands. Raises ClusterError when a node does not answer."""
        place, _ = find(vm, address, size)
        found = bytearray()
        while len(found) < size:
            at = address + len(found)
            length = min(PIECE, size - len(found))
            answer = self._ask(self._home(vm, place), cluster.Read(vm.index, at, length))
            piece = bytearray(answer.data)
            for page, node in zip(answer.pages, answer.nodes, strict=False):
                begin, end = max(page, at), min(page + PAGE_SIZE, at + length)
                piece[begin - at : end - at] = self._ask(node, cluster.Read(vm.index, begin, end - begin)).data
            found += piece
        return bytes(found)

    def write(self, vm: Vm, address: int, data: bytes | bytearray | memoryview) -> None:
        """As ``NodeMemory.write``, while the machine stands: on each node, whoever has the page. Raises as ``read``."""
        octets = bytes(data)
        place, _ = find(vm, address, len(octets))
        island = self._islands.get(vm.index)
        nodes = (self._home(vm, place),) if island is None else island.nodes
        for start in range(0, len(octets), PIECE):
            for node in nodes:
                self._ask(node, cluster.Write(vm.index, address + start, octets[start : start + PIECE]))

    def _home(self, vm: Vm, place: int) -> int:
        """The node that knows who has a page of the VM's: the home of its island, unless others than its own cannot have it."""
        pcpus = self._plan.vms[vm.index].pcpus
        virtual = self._plan.machine.clock.mode is ClockMode.VIRTUAL
        alone = vm.cpus == 1 if virtual else len({self._nodes[pcpu] for pcpu in pcpus}) == 1
        island = self._islands.get(vm.index)
        return self._nodes[pcpus[0]] if island is None or (place < len(vm.regions) and alone) else island.home
