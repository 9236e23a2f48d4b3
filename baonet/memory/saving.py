"""What is saved of a machine's memory, in what order, and how it is put together from pages that several nodes have.

A run of pages that are not zero is (offset, bytes), as ``Segment.save`` has them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, final

from baonet.machine import PAGE_SIZE, Machine, devices
from baonet.machine.clusters import clusters
from baonet.machine.dataclass import dataclass
from baonet.machine.saved import Saved, StateForm, row
from baonet.memory.ownership import HOLDER, OWNERSHIP_SIZE
from baonet.memory.segments import whole_pages
from baonet.memory.sizes import Sizes

MEMORY: Final = StateForm("a machine's memory", 6, segments=list)
"""``segments``: [name, bytes, runs of its pages, of its pages' owners or None]."""
PageRuns = list[list[int | bytes]]


@final
@dataclass(frozen=True, slots=True)
class SavedPlace:
    """A segment that guests or devices have, by its name in what is saved. ``vms``: those that can reach it."""

    name: str
    size: int
    vms: tuple[int, ...]


def places(machine: Machine, sizes: Sizes) -> Iterator[SavedPlace]:
    """Those of a machine, in the order in which they are saved."""
    for number, shared in enumerate(machine.shared_memory):
        vms = tuple(vm.index for vm in machine.vms if any(ipc.shmem == number for ipc in vm.ipcs))
        yield SavedPlace(shared.name, whole_pages(shared.size), vms)
    for device in machine.platform.devices:
        if device.kind in sizes.devices:
            vms = tuple(
                vm.index for vm in machine.vms if device.pa in {each.pa for _, each in devices(machine.platform, vm)}
            )
            yield SavedPlace(device_name(device.pa), whole_pages(sizes.devices[device.kind]), vms)
    for vm in machine.vms:
        for region in vm.regions:
            yield SavedPlace(region_name(vm.name, region.base), whole_pages(region.size), (vm.index,))
    for cluster in clusters(machine):
        yield SavedPlace(cluster_name(cluster.number), whole_pages(sizes.cluster(machine, cluster)), cluster.vms)


def device_name(pa: int) -> str:
    return f"device {pa:#x}"


def region_name(vm: str, base: int) -> str:
    return f"{vm} {base:#x}"


def cluster_name(number: int) -> str:
    return f"memory system of cluster {number}"


def runs(pages: Mapping[int, bytes]) -> PageRuns:
    """Of pages by their numbers, without those that are zero."""
    found: list[tuple[int, list[bytes]]] = []
    for page, data in sorted(pages.items()):
        if data == bytes(len(data)):
            continue
        if found and found[-1][0] + len(found[-1][1]) == page:
            found[-1][1].append(data)
        else:
            found.append((page, [data]))
    return [[page * PAGE_SIZE, b"".join(data)] for page, data in found]


def without_holders(entries: bytes) -> bytes:
    """A page of owners as one host has it: all bytes are here."""
    kept = bytearray(entries)
    for place in range(HOLDER, HOLDER + 2):
        kept[place::OWNERSHIP_SIZE] = bytes(len(kept[place::OWNERSHIP_SIZE]))
    return bytes(kept)


def part(memory: Saved, names: Iterable[str]) -> Saved:
    """What was saved of some segments. Raises StateError for what is no machine's memory."""
    wanted = {*names}
    rows = saved_rows(memory)
    return MEMORY.save(segments=[each for each in rows if each[0] in wanted])


def saved_rows(memory: object) -> list[list[Any]]:
    """Of each segment its name, size, runs of pages, and runs of owners or None. Raises StateError."""
    with MEMORY.reading():
        return [row(each, str, int, list, list | None) for each in MEMORY.load(memory)["segments"]]
