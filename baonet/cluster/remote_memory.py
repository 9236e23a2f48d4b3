"""The memory of a machine that nodes have, for whoever reads and writes it while the machine stands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, final

from baonet.cluster.asking import AskNode
from baonet.cluster.parts import PartedIsland
from baonet.cluster.saving import pages
from baonet.core.cpu import SIZES
from baonet.core.shapes import party_pages
from baonet.hyp.vmm import Plan
from baonet.machine import PAGE_SIZE, ClockMode, Vm
from baonet.machine.clusters import CpuCluster, clusters
from baonet.machine.saved import Saved
from baonet.memory.node import find
from baonet.memory.saving import MEMORY, SavedPlace, cluster_name, places, runs, without_holders
from baonet.wire import cluster

PIECE: Final = 1 << 16
NOWHERE: Final = -1
"""The node of a pcpu that no VM has."""


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
            answer = self._ask(self._home(vm, place), cluster.Read(vm.index, at, length), cluster.Bytes)
            piece = bytearray(answer.data)
            for page, node in zip(answer.pages, answer.nodes, strict=False):
                begin, end = max(page, at), min(page + PAGE_SIZE, at + length)
                piece[begin - at : end - at] = self._ask(
                    node, cluster.Read(vm.index, begin, end - begin), cluster.Bytes
                ).data
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
                self._ask(node, cluster.Write(vm.index, address + start, octets[start : start + PIECE]), cluster.Bytes)

    def save(self) -> Saved:
        """As ``NodeMemory.save``: what one host would have, wherever it is. Raises as ``read``."""
        return MEMORY.save(segments=[self._saved(place) for place in places(self._plan.machine, SIZES)])

    def _saved(self, place: SavedPlace) -> list[object]:
        if not place.vms:
            return [place.name, place.size, [], None]
        home = self._knows(place.vms)
        found, owned = pages(self._ask, home, place.name)
        for its in clusters(self._plan.machine):
            if place.name == cluster_name(its.number):
                found = self._cluster(its, home, found)
        owners = None
        if owned:
            entries, _ = pages(self._ask, home, place.name, owners=True)
            owners = runs({number: without_holders(data) for number, data in entries.items()})
        return [place.name, place.size, runs(found), owners]

    def _cluster(self, its: CpuCluster, home: int, found: dict[int, bytes]) -> dict[int, bytes]:
        """What is of a cluster's pcpus is as their nodes have it; all else, which all have alike, as the home has."""
        machine, told = self._plan.machine, {}
        for node in {self._nodes[pcpu] for pcpu in its.pcpus} - {home, NOWHERE}:
            told[node], _ = pages(self._ask, node, cluster_name(its.number))
        for pcpu in its.pcpus:
            if self._nodes[pcpu] in told:
                theirs = party_pages(machine, its, pcpu)
                found = {page: data for page, data in found.items() if page not in theirs}
                found |= {page: data for page, data in told[self._nodes[pcpu]].items() if page in theirs}
        return found

    def _home(self, vm: Vm, place: int) -> int:
        """The node that knows who has a page of the VM's."""
        if place < len(vm.regions):
            return self._knows((vm.index,))
        shared = vm.ipcs[place - len(vm.regions)].shmem
        return self._knows(
            tuple(each.index for each in self._plan.machine.vms if shared in {ipc.shmem for ipc in each.ipcs})
        )

    def _knows(self, vms: Sequence[int]) -> int:
        """Of what these VMs have: the home of their island, unless no other node can have it, or no other vcpu."""
        pcpus = [pcpu for vm in vms for pcpu in self._plan.vms[vm].pcpus]
        virtual = self._plan.machine.clock.mode is ClockMode.VIRTUAL
        alone = len(pcpus) == 1 if virtual else len({self._nodes[pcpu] for pcpu in pcpus}) == 1
        island = self._islands.get(vms[0])
        return self._nodes[pcpus[0]] if island is None or alone else island.home
