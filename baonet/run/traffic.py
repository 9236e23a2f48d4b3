"""What has gone between the nodes of a run, and which pages most often: they are what two of them fight for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, field
from typing import Any, Final, final

from baonet.cluster.joined import Joined
from baonet.config.symbols import Symbols
from baonet.core.cpu import SIZES
from baonet.machine import PAGE_SIZE, Machine
from baonet.machine.dataclass import dataclass
from baonet.machine.islands import islands
from baonet.wire.cluster import Traffic

MOST: Final = 16
"""Pages that are told."""


@final
@dataclass(frozen=True, slots=True)
class FoughtPage:
    """``what``: a VM's memory, a shared memory object, a device. ``address``: the guest's for a VM, else an offset.

    ``nodes``: how often it came to each. ``symbols``: variables in it, as far as the image tells.
    """

    what: str
    address: int
    nodes: dict[str, int]
    symbols: tuple[str, ...] = ()

    @property
    def times(self) -> int:
        return sum(self.nodes.values())

    def __str__(self) -> str:
        names = f" ({', '.join(self.symbols[:3])})" if self.symbols else ""
        whom = ", ".join(f"{node} {times}" for node, times in self.nodes.items())
        return f"{self.what}, {self.address:#x}{names}: {self.times} times ({whom})"


@final
@dataclass(frozen=True, slots=True)
class NodeClock:
    """Under the host's clock, of the VMs of an island: how far the clock of its home is ahead of the node's.

    Nanoseconds, and parts in a million; the offset is wrong by ``error_ns`` at most.
    """

    node: str
    vms: tuple[str, ...]
    offset_ns: int
    drift_ppm: float
    error_ns: int


@final
@dataclass(slots=True)
class NodeTraffic:
    """By node, ``None`` for one that was lost before it told."""

    nodes: dict[str, dict[str, int] | None] = field(default_factory=dict)
    pages: list[FoughtPage] = field(default_factory=list)
    clocks: list[NodeClock] = field(default_factory=list)

    def total(self, count: str) -> int:
        """``pages``, ``orders`` or ``bytes`` of all nodes."""
        return sum(each[count] for each in self.nodes.values() if each is not None)

    def told(self) -> dict[str, Any]:
        """For ``--stats``."""
        return {
            "nodes": self.nodes,
            "hottest_pages": [
                {"what": each.what, "address": each.address, "nodes": each.nodes, "symbols": list(each.symbols)}
                for each in self.pages
            ],
            "clocks": [asdict(each) for each in self.clocks],
        }


def traffic(machine: Machine, joined: Sequence[Joined]) -> NodeTraffic:
    """Of a run that has ended."""
    found = NodeTraffic()
    came: dict[tuple[int, int], Counter[str]] = {}
    for node in joined:
        told = node.traffic
        if told is None:
            found.nodes[node.name] = None
            continue
        counts = {"pages": told.pages, "given": told.given, "orders": told.orders, "bytes": told.bytes}
        found.nodes[node.name] = counts
        for hot in told.hottest:
            came.setdefault((hot.segment, hot.page), Counter())[node.name] += hot.times
        found.clocks += _clocks(machine, node.name, told)
    segments = _segments(machine)
    symbols: dict[int, Symbols] = {}
    most = sorted(came.items(), key=lambda each: (-each[1].total(), each[0]))[:MOST]
    for (segment, page), nodes in most:
        if not 0 <= segment < len(segments):
            continue
        what, base, vm = segments[segment]
        names: tuple[str, ...] = ()
        address = base + page * PAGE_SIZE
        if vm is not None:
            if vm not in symbols:
                symbols[vm] = Symbols(machine.vms[vm])
            names = tuple(symbols[vm].within(address, address + PAGE_SIZE))
        found.pages.append(FoughtPage(what, address, dict(sorted(nodes.items())), names))
    return found


def _clocks(machine: Machine, node: str, told: Traffic) -> list[NodeClock]:
    named = [tuple(machine.vms[vm].name for vm in island) for island in islands(machine)]
    return [
        NodeClock(node, named[each.island], each.offset, each.drift / 1000, each.error)
        for each in told.clocks
        if 0 <= each.island < len(named)
    ]


def _segments(machine: Machine) -> list[tuple[str, int, int | None]]:
    """What it is, where it begins, and whose: in the order in which ``NodeMemory`` counts them."""
    found: list[tuple[str, int, int | None]] = [
        (f"shared memory '{each.name}'", 0, None) for each in machine.shared_memory
    ]
    found += [(f"device '{each.name}'", 0, None) for each in machine.platform.devices if each.kind in SIZES.devices]
    return found + [(f"VM '{vm.name}'", region.base, vm.index) for vm in machine.vms for region in vm.regions]
