"""Which islands have parts on several nodes, who conducts them, and which nodes have something to say to each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from baonet.hyp.vmm import Plan
from baonet.machine.dataclass import dataclass
from baonet.machine.islands import islands
from baonet.wire.cluster import Enlist
from baonet.wire.fields import ProtocolError


@final
@dataclass(frozen=True, slots=True)
class PartedIsland:
    """``number``: its place among all islands of the machine. ``home``: the node of its lowest pcpu, which conducts."""

    number: int
    vms: tuple[int, ...]
    pcpus: tuple[int, ...]
    home: int
    nodes: tuple[int, ...]


def parted(plan: Plan, nodes: Sequence[int]) -> list[PartedIsland]:
    """Those that are on several nodes; ``nodes`` is that of each pcpu."""
    found = []
    for number, vms in enumerate(islands(plan.machine)):
        pcpus = plan.pcpus_of(vms)
        where = {nodes[pcpu] for pcpu in pcpus}
        if len(where) > 1:
            found.append(PartedIsland(number, vms, pcpus, nodes[pcpus[0]], tuple(sorted(where))))
    return found


def meetings(split: Sequence[PartedIsland]) -> set[tuple[int, int]]:
    """The pairs of nodes that have a stream: of each split island, its home and every other."""
    return {
        (min(node, island.home), max(node, island.home))
        for island in split
        for node in island.nodes
        if node != island.home
    }


def nodes_of_vms(plan: Plan, nodes: Sequence[int]) -> dict[int, set[int]]:
    """Those that run a part of each VM."""
    return {vm: {nodes[pcpu] for pcpu in placed.pcpus} for vm, placed in enumerate(plan.vms)}


def vms_of(plan: Plan, nodes: Sequence[int], index: int) -> set[int]:
    """The VMs whose memory a node has: those that it runs a part of, and all of islands that it shares with others."""
    own = {assigned.vm for pcpu, assigned in enumerate(plan.pcpus) if assigned is not None and nodes[pcpu] == index}
    return own.union(*(island.vms for island in parted(plan, nodes) if index in island.nodes))


def here(plan: Plan, asked: Enlist) -> set[int]:
    """``vms_of`` of the node that was asked. Raises ProtocolError when the lead places another machine's pcpus."""
    if len(asked.nodes) != len(plan.pcpus):
        raise ProtocolError(f"the lead places {len(asked.nodes)} pcpus, and the machine has {len(plan.pcpus)}")
    return vms_of(plan, asked.nodes, asked.index)
