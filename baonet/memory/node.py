"""All memory of one node: RAM of its VMs, shared memory objects, device state, and what its pcpus coordinate by."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Set
from pathlib import Path
from typing import Final, final

from baonet.machine import PAGE_SIZE, Machine, Vm, devices
from baonet.machine.clusters import clusters
from baonet.machine.dataclass import dataclass
from baonet.machine.saved import Saved
from baonet.machine.stamp import unchanged
from baonet.memory.ownership import Ownership, Table, holder
from baonet.memory.saving import MEMORY, cluster_name, device_name, region_name, saved_rows
from baonet.memory.segments import Segment
from baonet.memory.sizes import Sizes

KICK: Final = PAGE_SIZE
TRANSLATIONS: Final = 64 << 20


@final
@dataclass(frozen=True, slots=True)
class VmSegments:
    """``regions`` are in the order of the VM's configuration; ``code`` has 8 bytes for 16 pages of all its RAM;
    ``translations`` is for what its vCPUs translate in common, None: it has one.
    """

    regions: tuple[Segment, ...]
    code: Segment
    translations: Segment | None

    @property
    def coordination(self) -> tuple[Segment, ...]:
        return (self.code,) if self.translations is None else (self.code, self.translations)


@final
@dataclass(frozen=True, slots=True)
class Use:
    """What a process needs: all that the VMs ``vms`` have, and the shared memory ``objects``.

    ``slots``: the pcpus whose whole slot it needs, those of its VMs; ``kicks``: others of which it needs the kick word.
    ``clusters``: by their numbers, where memory takes time.
    """

    vms: frozenset[int]
    slots: frozenset[int]
    kicks: frozenset[int] = frozenset()
    objects: frozenset[int] = frozenset()
    clusters: frozenset[int] = frozenset()


def find(vm: Vm, ipa: int, size: int) -> tuple[int, int]:
    """In which of the VM's regions, or behind these its shared memory objects, the bytes are, and where in it.

    Raises ValueError when they are not inside one of them.
    """
    places = [(region.base, region.size) for region in vm.regions] + [(ipc.base, ipc.size) for ipc in vm.ipcs]
    for place, (base, length) in enumerate(places):
        if base <= ipa and size >= 0 and ipa + size <= base + length:
            return place, ipa - base
    where = f"inside one region of VM '{vm.name}', nor in one of its shared memory objects"
    raise ValueError(f"{size} bytes at {ipa:#x} are not {where}")


@final
class NodeMemory:
    """Allocates what the VMs ``vms`` need, None: all of the machine. Nothing is loaded yet. ``nodes``: those that each
    VM is on, where the machine is on several.

    ``devices`` are the states, by physical address. ``own_all``: in virtual time all pages have owners, also those that
    one pcpu alone can reach.

    The kick word of a slot is in whole pages from ``KICK`` on.
    """

    def __init__(
        self,
        machine: Machine,
        sizes: Sizes,
        *,
        own_all: bool = False,
        vms: Collection[int] | None = None,
        nodes: Mapping[int, Set[int]] | None = None,
    ) -> None:
        self.machine = machine
        self._slot_size = sizes.slot
        here = range(len(machine.vms)) if vms is None else vms
        objects, states = self._needs(here)
        self.slots = Segment("slots", machine.platform.cpus * sizes.slot)
        self.shared = {
            number: Segment(shared.name, shared.size)
            for number, shared in enumerate(machine.shared_memory)
            if vms is None or number in objects
        }
        self.devices = {
            device.pa: Segment(device.name, sizes.devices[device.kind])
            for device in machine.platform.devices
            if device.kind in sizes.devices and (vms is None or device.pa in states)
        }
        self.vms = {vm.index: self._vm(vm) for vm in machine.vms if vm.index in here}
        self.clusters = {
            cluster.number: Segment(cluster_name(cluster.number), sizes.cluster(machine, cluster))
            for cluster in clusters(machine)
            if any(vm in self.vms for vm in cluster.vms)
        }
        ledger_size = sizes.ledger + machine.platform.cpus * sizes.lane
        reached = self._reached(sizes)
        self.ownership = Ownership(machine, reached, ledger_size, vms=here, nodes=nodes or {}, everything=own_all)

    def _needs(self, vms: Iterable[int]) -> tuple[set[int], set[int]]:
        """The shared memory objects of some VMs, and the addresses of their devices."""
        machine = self.machine
        objects = {ipc.shmem for vm in vms for ipc in machine.vms[vm].ipcs}
        return objects, {device.pa for vm in vms for _, device in devices(machine.platform, machine.vms[vm])}

    def _vm(self, vm: Vm) -> VmSegments:
        regions = tuple(Segment(f"{vm.name}:{region.base:#x}", region.size) for region in vm.regions)
        shared = sum(-(-ipc.size // PAGE_SIZE) * PAGE_SIZE for ipc in vm.ipcs)
        pages = (sum(region.size for region in regions) + shared) // PAGE_SIZE
        translations = Segment(f"{vm.name}:translations", TRANSLATIONS) if vm.cpus > 1 else None
        return VmSegments(regions, Segment(f"{vm.name}:code", -(-pages // 16) * 8), translations)

    def _reached(self, sizes: Sizes) -> Iterator[tuple[Segment | None, list[int]]]:
        """Each segment that guests or devices of the machine have, with the VMs that can reach it; None: it is not
        here.
        """
        machine = self.machine
        shared, mapped = defaultdict[int, list[int]](list), defaultdict[int, list[int]](list)
        for vm in machine.vms:
            for number in {ipc.shmem for ipc in vm.ipcs}:
                shared[number].append(vm.index)
            for pa in {device.pa for _, device in devices(machine.platform, vm)}:
                mapped[pa].append(vm.index)
        for number in range(len(machine.shared_memory)):
            yield self.shared.get(number), shared[number]
        for device in machine.platform.devices:
            if device.kind in sizes.devices:
                yield self.devices.get(device.pa), mapped[device.pa]
        for vm in machine.vms:
            here = self.vms.get(vm.index)
            for place in range(len(vm.regions)):
                yield None if here is None else here.regions[place], [vm.index]

    def owned(self, vms: Collection[int]) -> Iterator[tuple[Segment, Table, bool]]:
        """Each segment of some VMs whose pages have owners, with these; True: it is a device's state."""
        objects, mapped = self._needs(vms)
        segments = [(self.shared[number], False) for number in sorted(objects)]
        segments += [(segment, True) for pa, segment in self.devices.items() if pa in mapped]
        segments += [(segment, False) for vm in sorted(vms) for segment in self.vms[vm].regions]
        for segment, device in segments:
            if (table := self.ownership.table(segment)) is not None:
                yield segment, table, device

    @property
    def size(self) -> int:
        """Bytes of RAM and shared memory; the host gives each page when it is touched."""
        return sum(
            segment.size
            for segment in (*self.shared.values(), *(each for vm in self.vms.values() for each in vm.regions))
        )

    def load(self, vm: Vm) -> None:
        """Place the VM's image and what goes with it.

        Raises OSError when a file cannot be read any more, or is not the one that was checked.
        """
        for segment in vm.segments:
            data = segment.data
            if segment.path is not None:
                with Path(segment.path).open("rb") as file:
                    file.seek(segment.offset)
                    data = file.read(segment.size)
                    if segment.stamp is not None:
                        unchanged(file.fileno(), segment.stamp, segment.path)
            self.write(vm, segment.base, data)

    def clear(self, vm: Vm) -> None:
        for region in self.vms[vm.index].regions:
            region.clear()

    def save(self) -> Saved:
        """All that guests and devices have; what its pcpus coordinate by is made anew. Nobody may run meanwhile."""
        rows = ((name, segment, self.ownership.table(segment)) for name, segment in self._kept())
        return MEMORY.save(
            segments=[
                [name, segment.size, segment.save(), None if table is None else table.entries.save()]
                for name, segment, table in rows
            ]
        )

    def load_saved(self, data: object) -> None:
        """Have what was saved of the same machine. Raises ValueError for what is not that, or of another version."""
        saved = saved_rows(data)
        with MEMORY.reading():
            mine = [(name, segment.size, self.ownership.table(segment) is not None) for name, segment in self._kept()]
            if [(name, size, owners is not None) for name, size, _, owners in saved] != mine:
                raise MEMORY.damaged("it has other regions: load it into the machine that it was saved from")
            for (_, segment), (_, _, pages, owners) in zip(self._kept(), saved, strict=True):
                segment.load(pages)
                if (table := self.ownership.table(segment)) is not None:
                    table.entries.load(owners)

    def segment(self, name: str) -> tuple[Segment, Table | None]:
        """By its name in what is saved, with the owners of its pages. Raises KeyError when it is not here."""
        segment = dict(self._kept())[name]
        return segment, self.ownership.table(segment)

    def is_device(self, segment: Segment) -> bool:
        """It is the state of one, which goes as a whole with its first page."""
        return segment in self.devices.values()

    def _kept(self) -> Iterator[tuple[str, Segment]]:
        for number, segment in self.shared.items():
            yield self.machine.shared_memory[number].name, segment
        for pa, segment in self.devices.items():
            yield device_name(pa), segment
        for number, segments in self.vms.items():
            vm = self.machine.vms[number]
            for region, segment in zip(vm.regions, segments.regions, strict=True):
                yield region_name(vm.name, region.base), segment
        for number, segment in self.clusters.items():
            yield cluster_name(number), segment

    def keep(self, use: Use) -> None:
        """In a process of its own, which closes all descriptors next: map this, and nothing else for good."""
        objects, mapped = self._needs(use.vms)
        kept = {self.shared[number] for number in objects | use.objects}
        kept |= {segment for pa, segment in self.devices.items() if pa in mapped}
        kept |= {region for vm in use.vms for region in self.vms[vm].regions}
        self.ownership.keep(kept, use.vms)
        kept |= {each for vm in use.vms for each in self.vms[vm].coordination}
        kept |= {self.clusters[number] for number in use.clusters}
        for segment in self._all():
            segment.settle(kept=segment in kept)
        self._hide_all_but(use)

    def _hide_all_but(self, use: Use) -> None:
        """Of the slots, in as few pieces as can be: each is a mapping of its own."""
        self.slots.settle(kept=True)
        hidden = 0  # up to there it is settled
        for pcpu in sorted(use.slots | use.kicks):
            start = pcpu * self._slot_size
            wanted = start if pcpu in use.slots else start + KICK
            if wanted > hidden:
                self.slots.hide(hidden, wanted - hidden)
            hidden = start + self._slot_size
        if hidden < self.slots.size:
            self.slots.hide(hidden, self.slots.size - hidden)

    def _all(self) -> Iterator[Segment]:
        yield from self.shared.values()
        yield from self.devices.values()
        for vm in self.vms.values():
            yield from vm.regions
            yield from vm.coordination
        yield from self.clusters.values()

    def close(self) -> None:
        """Give up all segments; a core that has one mapped keeps it."""
        self.ownership.close()
        for segment in (self.slots, *self._all()):
            segment.close()

    def write(self, vm: Vm, ipa: int, data: bytes | bytearray | memoryview) -> None:
        """Raises ValueError when the bytes are not inside one region, or one shared memory object, of the VM."""
        octets = memoryview(data).cast("B")
        segment, offset = self._find(vm, ipa, len(octets))
        segment.write(offset, octets)

    def read(self, vm: Vm, ipa: int, size: int) -> bytes:
        """Raises ValueError as ``write``."""
        segment, offset = self._find(vm, ipa, size)
        return segment.read(offset, size)

    def elsewhere(self, vm: Vm, ipa: int, size: int) -> dict[int, int]:
        """Which node has the pages that are not here, by their addresses. Raises ValueError as ``write``."""
        place, offset = find(vm, ipa, size)
        table = self.ownership.table(self._segments(vm)[place])
        if table is None:
            return {}
        pages = range(offset // PAGE_SIZE, -(-(offset + size) // PAGE_SIZE))
        holders = ((page, holder(table.entries, page)) for page in pages)
        return {ipa - offset + page * PAGE_SIZE: node for page, node in holders if node is not None}

    def _segments(self, vm: Vm) -> tuple[Segment, ...]:
        """In the order of ``find``."""
        return (*self.vms[vm.index].regions, *(self.shared[ipc.shmem] for ipc in vm.ipcs))

    def _find(self, vm: Vm, ipa: int, size: int) -> tuple[Segment, int]:
        place, offset = find(vm, ipa, size)
        return self._segments(vm)[place], offset
