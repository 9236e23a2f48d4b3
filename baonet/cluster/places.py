"""Which node runs which pcpu: a function of the plan, of what somebody wishes, and of the nodes that there are.

What talks by memory is kept together, because between nodes every page that two of them touch moves by message: first
an island is on one node, then a VM. A node is full when each of its cores has a pcpu. Where there are more pcpus than
cores a node's share of them is in proportion to its cores, and what is larger than every share is split.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import cycle
from typing import final

from baonet.hyp.vmm import Plan
from baonet.machine import NodeName, NodePlacement, NodePolicy
from baonet.machine.dataclass import dataclass
from baonet.machine.islands import islands


@final
class NodePlacementError(ValueError):
    """What is wished cannot be done with these nodes: one line that says what to write."""


@final
@dataclass(frozen=True, slots=True)
class NodePlace:
    """A node that runs pcpus: ``cores`` at the same time, at least 1. ``name`` is empty where it is not known yet."""

    name: str
    cores: int


def places(plan: Plan, placement: NodePlacement, nodes: Sequence[NodePlace]) -> tuple[int, ...]:
    """The node of each pcpu of the platform, as an index into ``nodes``; -1 for a pcpu that no VM has.

    Raises ``NodePlacementError`` for a placement that names a VM or a node that is not there, or a wrong number of
    nodes, and ValueError without nodes.
    """
    if not nodes or any(node.cores < 1 for node in nodes):
        raise ValueError("a machine needs a node, and a node a core")
    found = _given(plan, placement, nodes)
    loads = [sum(vcpus.count(node) for vcpus in found.values()) for node in range(len(nodes))]
    left = [vm for vm in range(len(plan.vms)) if vm not in found]
    if placement.policy is NodePolicy.SPREAD:
        turn = cycle(range(len(nodes)))
        found.update((vm, [next(turn) for _ in plan.vms[vm].pcpus]) for vm in left)
    else:
        sizes = [len(vm.pcpus) for vm in plan.vms]
        room = _Room([node.cores for node in nodes], loads, sum(sizes[vm] for vm in left))
        _pack(islands(plan.machine), sizes, room, found)
    pcpus = [-1] * len(plan.pcpus)
    for vm, at in found.items():
        for pcpu, node in zip(plan.vms[vm].pcpus, at, strict=True):
            pcpus[pcpu] = node
    return tuple(pcpus)


def _given(plan: Plan, placement: NodePlacement, nodes: Sequence[NodePlace]) -> dict[int, list[int]]:
    """The node of each vcpu of the VMs that are named."""
    numbers = {vm.config.name: number for number, vm in enumerate(plan.vms)}
    found: dict[int, list[int]] = {}
    for each in placement.given:
        if each.vm not in numbers:
            raise NodePlacementError(f"there is no VM '{each.vm}' to be placed: this machine has {', '.join(numbers)}")
        number = numbers[each.vm]
        cpus = len(plan.vms[number].pcpus)
        if len(each.nodes) not in (1, cpus):
            given = f"VM '{each.vm}' has {cpus} vCPUs and is given {len(each.nodes)} nodes"
            raise NodePlacementError(f"{given}: give one for each vCPU, or one for the whole VM")
        at = [_index(each.vm, name, nodes) for name in each.nodes]
        found[number] = at if len(at) == cpus else at * cpus
    return found


def _index(vm: str, name: NodeName, nodes: Sequence[NodePlace]) -> int:
    if isinstance(name, int):
        if name < len(nodes):
            return name
        there = f"give a number from 0 to {len(nodes) - 1}" if len(nodes) > 1 else "the only one is node 0"
        raise NodePlacementError(f"VM '{vm}' is placed on node {name}, which is not there: {there}")
    names = [node.name for node in nodes]
    if name in names:
        return names.index(name)
    same = [number for number, each in enumerate(names) if host(each) == name]
    if len(same) == 1:
        return same[0]
    if same:
        there = ", ".join(names[number] for number in same)
        raise NodePlacementError(f"VM '{vm}' is placed on '{name}', which is several nodes: give one of {there}")
    known = f"the nodes are {', '.join(names)}" if all(names) else f"give a number from 0 to {len(nodes) - 1}"
    raise NodePlacementError(f"VM '{vm}' is placed on '{name}', and no node has that name: {known}")


def host(name: str) -> str:
    """The host in a node's name: without ``USER@`` and ``:PORT``."""
    name = name.rpartition("@")[2]
    head, colon, port = name.rpartition(":")
    return head if colon and port.isdecimal() else name


@final
class _Room:
    """How many pcpus each node has, and may get. ``left``: how many have no node yet, in all."""

    def __init__(self, cores: Sequence[int], loads: Sequence[int], left: int) -> None:
        self._cores = cores
        self._loads = list(loads)
        self._crowded = left > sum(self._free(node) for node in range(len(cores)))
        self._share = Fraction(sum(loads) + left, sum(cores))

    def node(self, size: int, beside: Iterable[int] = (), *, first: bool = False) -> int | None:
        """A node for so many that stay together, None if they are too many for each.

        One that has most of those that they are ``beside`` comes before others; then the ``first``, or that with the
        most free cores. Where it is crowded only its load counts.
        """
        fitting = [node for node in range(len(self._cores)) if self._fits(node, size)]
        if self._crowded:
            return min(fitting, key=lambda node: (self._load_with(node, size), node), default=None)
        near = list(beside)

        def order(node: int) -> tuple[int, int, int]:
            return -near.count(node), 0 if first else -self._free(node), node

        return min(fitting, key=order, default=None)

    def several(self, size: int, beside: Iterable[int]) -> list[int]:
        """Nodes for so many as cannot stay together, as few as there are where it is not crowded; in rising order."""
        near = list(beside)
        found: list[int] = []
        while len(found) < size:
            node = self.node(1, near)
            assert node is not None
            count = 1 if self._crowded else min(self._free(node), size - len(found))
            self.take(node, count)
            found += [node] * count
        return sorted(found)

    def take(self, node: int, count: int) -> None:
        self._loads[node] += count

    def _free(self, node: int) -> int:
        return max(0, self._cores[node] - self._loads[node])

    def _fits(self, node: int, size: int) -> bool:
        if self._crowded:
            return size <= -(-self._share * self._cores[node] // 1)
        return size <= self._free(node)

    def _load_with(self, node: int, size: int) -> Fraction:
        return Fraction(self._loads[node] + size, self._cores[node])


def _pack(together: Sequence[tuple[int, ...]], sizes: Sequence[int], room: _Room, found: dict[int, list[int]]) -> None:
    """Find a place for every VM that has none: islands whole, then VMs whole, then vcpus; the largest first."""
    left = [[vm for vm in island if vm not in found] for island in together]

    def beside(vms: Sequence[int]) -> list[int]:
        return [node for vm in vms for node in found.get(vm, ())]

    order = sorted(range(len(together)), key=lambda n: (-sum(sizes[vm] for vm in left[n]), n))
    for n in order:
        size = sum(sizes[vm] for vm in left[n])
        node = room.node(size, beside(together[n]), first=True)
        if size and node is not None:
            room.take(node, size)
            found.update((vm, [node] * sizes[vm]) for vm in left[n])
    split = [(n, vm) for n in order for vm in sorted(left[n], key=lambda vm: (-sizes[vm], vm)) if vm not in found]
    for n, vm in split:
        node = room.node(sizes[vm], beside(together[n]))
        if node is not None:
            room.take(node, sizes[vm])
            found[vm] = [node] * sizes[vm]
    for n, vm in split:
        if vm not in found:
            found[vm] = room.several(sizes[vm], beside(together[n]))
