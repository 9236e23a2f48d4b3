"""All memory of one node: RAM of its VMs, shared memory objects, device state, and what its pcpus coordinate by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from baonet.machine import PAGE_SIZE, Machine, Vm, devices
from baonet.machine.saved import Saved, StateForm
from baonet.machine.stamp import unchanged
from baonet.memory.ownership import Ownership, Table, holder
from baonet.memory.segments import Segment

KICK: Final = PAGE_SIZE

_FORM: Final = StateForm("a machine's memory", 2, segments=list, owners=list)


@final
@dataclass(frozen=True, slots=True)
class VmSegments:
    """``regions`` are in the order of the VM's configuration; ``code`` has 8 bytes for 16 pages of all its RAM."""

    regions: tuple[Segment, ...]
    code: Segment


@final
@dataclass(frozen=True, slots=True)
class Use:
    """What a process needs: all that the VMs ``vms`` have, and the shared memory ``objects``.

    ``slots``: the pcpus whose whole slot it needs, those of its VMs; ``kicks``: others of which it needs the kick word.
    """

    vms: frozenset[int]
    slots: frozenset[int]
    kicks: frozenset[int] = frozenset()
    objects: frozenset[int] = frozenset()


@final
@dataclass(frozen=True, slots=True)
class Sizes:
    """What the engine needs, in bytes: a pcpu's slot, an island's ledger, what that has for each pcpu of the machine,
    and the state of a device by its kind; a device of any other kind has none.
    """

    slot: int
    ledger: int
    lane: int
    devices: Mapping[str, int]


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
    """Allocates everything. Nothing is loaded yet.

    ``devices`` are the states, by physical address. ``own_all``: in virtual time all pages have owners, also those that
    one pcpu alone can reach.

    The kick word of a slot is in whole pages from ``KICK`` on.
    """

    def __init__(self, machine: Machine, sizes: Sizes, *, own_all: bool = False) -> None:
        self.machine = machine
        self._slot_size = sizes.slot
        self.slots = Segment("slots", machine.platform.cpus * sizes.slot)
        self.shared = tuple(Segment(shared.name, shared.size) for shared in machine.shared_memory)
        self.devices = {
            device.pa: Segment(device.name, sizes.devices[device.kind])
            for device in machine.platform.devices
            if device.kind in sizes.devices
        }
        self.vms = tuple(self._vm(vm) for vm in machine.vms)
        ledger_size = sizes.ledger + machine.platform.cpus * sizes.lane
        self.ownership = Ownership(machine, self._reached(), ledger_size, everything=own_all)

    def _vm(self, vm: Vm) -> VmSegments:
        regions = tuple(Segment(f"{vm.name}:{region.base:#x}", region.size) for region in vm.regions)
        shared = sum(-(-ipc.size // PAGE_SIZE) * PAGE_SIZE for ipc in vm.ipcs)
        pages = (sum(region.size for region in regions) + shared) // PAGE_SIZE
        return VmSegments(regions, Segment(f"{vm.name}:code", -(-pages // 16) * 8))

    def _reached(self) -> Iterator[tuple[Segment, int]]:
        """Each segment that guests or devices have, with how many pcpus can reach it."""
        machine = self.machine
        shared, mapped = Counter[int](), Counter[int]()
        for vm in machine.vms:
            for number in {ipc.shmem for ipc in vm.ipcs}:
                shared[number] += vm.cpus
            for pa in {device.pa for _, device in devices(machine.platform, vm)}:
                mapped[pa] += vm.cpus
        for number, segment in enumerate(self.shared):
            yield segment, shared[number]
        for pa, segment in self.devices.items():
            yield segment, mapped[pa]
        for vm, segments in zip(machine.vms, self.vms, strict=True):
            for segment in segments.regions:
                yield segment, vm.cpus

    def owned(self, vms: Collection[int]) -> Iterator[tuple[Segment, Table, bool]]:
        """Each segment of some VMs whose pages have owners, with these; True: it is a device's state."""
        machine = self.machine
        objects = {ipc.shmem for vm in vms for ipc in machine.vms[vm].ipcs}
        mapped = {device.pa for vm in vms for _, device in devices(machine.platform, machine.vms[vm])}
        segments = [(self.shared[number], False) for number in sorted(objects)]
        segments += [(segment, True) for pa, segment in self.devices.items() if pa in mapped]
        segments += [(segment, False) for vm in sorted(vms) for segment in self.vms[vm].regions]
        for segment, device in segments:
            if (table := self.ownership.table(segment)) is not None:
                yield segment, table, device

    @property
    def size(self) -> int:
        """Bytes of RAM and shared memory; the host gives each page when it is touched."""
        return sum(segment.size for segment in (*self.shared, *(each for vm in self.vms for each in vm.regions)))

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
        return _FORM.save(
            segments=[[name, segment.size, segment.save()] for name, segment in self._kept()],
            owners=[[number, entries.save()] for number, entries in self.ownership.tables],
        )

    def load_saved(self, data: object) -> None:
        """Have what was saved of the same machine. Raises ValueError for what is not that, or of another version."""
        fields = _FORM.load(data)
        saved, owners = fields["segments"], fields["owners"]
        mine = [[name, segment.size] for name, segment in self._kept()]
        with _FORM.reading():
            if [each[:2] for each in saved] != mine:
                raise _FORM.damaged("it has other regions: load it into the machine that it was saved from")
            for (_, segment), (_, _, pieces) in zip(self._kept(), saved, strict=True):
                segment.load(pieces)
            tables = dict(self.ownership.tables)
            if [each[0] for each in owners] != [*tables]:
                raise _FORM.damaged("other pages have owners: load it into the machine that it was saved from")
            for number, pieces in owners:
                tables[number].load(pieces)

    def _kept(self) -> Iterator[tuple[str, Segment]]:
        for shared, segment in zip(self.machine.shared_memory, self.shared, strict=True):
            yield shared.name, segment
        for pa, segment in self.devices.items():
            yield f"device {pa:#x}", segment
        for vm, segments in zip(self.machine.vms, self.vms, strict=True):
            for region, segment in zip(vm.regions, segments.regions, strict=True):
                yield f"{vm.name} {region.base:#x}", segment

    def keep(self, use: Use) -> None:
        """In a process of its own: unmap all else for good."""
        machine = self.machine
        objects = {ipc.shmem for vm in use.vms for ipc in machine.vms[vm].ipcs} | use.objects
        mapped = {device.pa for vm in use.vms for _, device in devices(machine.platform, machine.vms[vm])}
        unused = [segment for number, segment in enumerate(self.shared) if number not in objects]
        unused += [segment for pa, segment in self.devices.items() if pa not in mapped]
        for number, vm in enumerate(self.vms):
            if number not in use.vms:
                unused += (*vm.regions, vm.code)
        self.ownership.give_up(unused, use.vms)
        for segment in unused:
            segment.give_up()
        for pcpu in range(machine.platform.cpus):
            if pcpu not in use.slots:
                start, end = pcpu * self._slot_size, (pcpu + 1) * self._slot_size
                self.slots.hide(start, KICK if pcpu in use.kicks else end - start)

    def close(self) -> None:
        """Give up all segments; a core that has one mapped keeps it."""
        owned = [segment for vm in self.vms for segment in (*vm.regions, vm.code)]
        self.ownership.close()
        for segment in (self.slots, *self.shared, *self.devices.values(), *owned):
            segment.close()

    def write(self, vm: Vm, ipa: int, data: bytes | bytearray | memoryview) -> None:
        """Raises ValueError when the bytes are not inside one region, or one shared memory object, of the VM."""
        octets = memoryview(data).cast("B")
        view, offset = self._find(vm, ipa, len(octets))
        view[offset : offset + len(octets)] = octets

    def read(self, vm: Vm, ipa: int, size: int) -> bytes:
        """Raises ValueError as ``write``."""
        view, offset = self._find(vm, ipa, size)
        return bytes(view[offset : offset + size])

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

    def _find(self, vm: Vm, ipa: int, size: int) -> tuple[memoryview, int]:
        place, offset = find(vm, ipa, size)
        return memoryview(self._segments(vm)[place].view), offset
