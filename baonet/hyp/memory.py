"""Where each region of each VM lies, and with a memory system the hypervisor's own pages.

Mirrors Bao's ``mem.c``, ``mmu/mem.c`` (stage-2 mapping) and ``shmem.c``. The order is Bao's: fixed placements are
reserved, shared memory is allocated, then the regions of each VM in turn. Nothing here touches memory; the result is a
list of extents.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from baonet.hyp.pages import Extent, PagePool, Palette
from baonet.machine import PAGE_SIZE, Machine, MisfitError, Region, Vm

GIB_BLOCK = 0x40000000
MIB_BLOCK = 0x200000
_BLOCK_PAGES = tuple(size // PAGE_SIZE for size in (GIB_BLOCK, MIB_BLOCK, PAGE_SIZE))


class PlacementError(MisfitError):
    """The machine's memory cannot be placed; Bao would halt at boot."""


@final
@dataclass(frozen=True, slots=True)
class VmMemory:
    """Stage 2 of one VM, in the order of its configuration.

    ``regions`` and ``ipcs`` hold the extents of each; an ipc whose shared memory does not exist has none, a device
    without ``va`` has None.
    """

    regions: tuple[tuple[Extent, ...], ...]
    devices: tuple[Extent | None, ...]
    ipcs: tuple[tuple[Extent, ...], ...]


@final
@dataclass(frozen=True, slots=True)
class Memory:
    """Where everything lies. ``shared`` has one extent per shared memory object, its ``ipa`` being 0."""

    palette: Palette
    shared: tuple[Extent, ...]
    vms: tuple[VmMemory, ...]
    warnings: tuple[str, ...]


def _pages(size: int) -> int:
    return -(-size // PAGE_SIZE)


@final
class _Allocator:
    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.palette = Palette.of(machine.platform.cache)
        self.pools = [PagePool(bank, self.palette) for bank in machine.platform.ram]
        self.warnings: list[str] = []

    def place(self, what: str, field: str, phys: int, size: int, colors: int) -> Extent:
        """Reserve a fixed placement; ``Extent.ipa`` is 0."""
        for pool in self.pools:
            pa = pool.reserve(phys, _pages(size), colors)
            if pa is not None:
                return Extent(0, pa, _pages(size) * PAGE_SIZE, colors=colors)
        raise PlacementError(
            f"Failed to reserved static allocated memory: {what} at {phys:#x}, size {size:#x}, "
            "is not inside one bank of RAM or overlaps another fixed placement",
            f"{field}.phys",
        )

    def shared(self) -> tuple[Extent, ...]:
        objects = self.machine.shared_memory
        fixed = {
            i: self.place(f"shared memory '{shm.name}'", _shared(i), shm.phys, shm.size, self.palette.mask(shm.colors))
            for i, shm in enumerate(objects)
            if shm.phys is not None
        }
        extents = []
        for i, shm in enumerate(objects):
            placed = fixed.get(i)
            extents.append(placed or self.anywhere(f"shared memory '{shm.name}'", _shared(i), shm.size, shm.colors))
        return tuple(extents)

    def anywhere(self, what: str, field: str, size: int, colors: int) -> Extent:
        """Pages that are consecutive within their colours, from the first pool that has them."""
        mask = self.palette.mask(colors)
        for pool in self.pools:
            pa = pool.take(_pages(size), mask)
            if pa is not None:
                return Extent(0, pa, _pages(size) * PAGE_SIZE, colors=mask)
        of = " of its colours" if mask else ""
        raise PlacementError(
            f"failed to alloc physical pages: no bank of RAM has {size:#x} bytes{of} left for {what}",
            f"{field}.size",
            "use less memory" + (", or colours that others have not taken" if mask else ""),
        )

    def blocks(self, what: str, field: str, ipa: int, pages: int) -> tuple[Extent, ...]:
        """An uncoloured region: at each step the largest stage-2 block that both sides allow."""
        extents: list[Extent] = []
        exhausted: set[int] = set()
        page = ipa // PAGE_SIZE
        while pages:
            larger = 0
            for block in _BLOCK_PAGES:
                if block in exhausted or block > pages:
                    continue
                if page % block:
                    larger = block
                    continue
                most = pages // block
                if larger:  # a larger block becomes possible where the guest address is aligned for it
                    most = min(most, -page % larger // block)
                found = self._take_blocks(block, most)
                if found is not None:
                    break
                exhausted.add(block)
            else:
                raise PlacementError(
                    f"failed to alloc physical pages: {pages * PAGE_SIZE:#x} bytes short for {what}",
                    f"{field}.size",
                    "use less memory",
                )
            pa, count = found
            self._append(extents, Extent(page * PAGE_SIZE, pa, count * block * PAGE_SIZE, block * PAGE_SIZE))
            page += count * block
            pages -= count * block
        return tuple(extents)

    def _take_blocks(self, block: int, most: int) -> tuple[int, int] | None:
        for pool in self.pools:
            found = pool.take_blocks(block, most)
            if found is not None:
                return found
        return None

    @staticmethod
    def _append(extents: list[Extent], new: Extent) -> None:
        if extents:
            last = extents[-1]
            if last.block == new.block and last.pa + last.size == new.pa:
                extents[-1] = Extent(last.ipa, last.pa, last.size + new.size, last.block)
                return
        extents.append(new)

    def region(self, vm: Vm, number: int, region: Region, fixed: Extent | None) -> tuple[Extent, ...]:
        what = f"VM '{vm.name}' region {region.base:#x}"
        if fixed is not None:
            return (_at(fixed, region.base, fixed.size),)
        if self.palette.mask(vm.colors):
            return (
                _at(found := self.anywhere(what, _region(vm, number), region.size, vm.colors), region.base, found.size),
            )
        return self.blocks(what, _region(vm, number), region.base, _pages(region.size))

    def vm(self, vm: Vm, fixed: dict[int, Extent], shared: tuple[Extent, ...]) -> VmMemory:
        regions = tuple(self.region(vm, i, region, fixed.get(i)) for i, region in enumerate(vm.regions))
        devices = tuple(
            None if device.va is None or not device.size
            else Extent(device.va, device.pa, _pages(device.size) * PAGE_SIZE)
            for device in vm.devices
        )  # fmt: skip
        ipcs: list[tuple[Extent, ...]] = []
        for ipc in vm.ipcs:
            if ipc.shmem >= len(shared):
                self.warnings.append("Invalid shmem id in configuration. Ignored.")
                ipcs.append(())
                continue
            size = self.machine.shared_memory[ipc.shmem].size
            if ipc.size > size:
                self.warnings.append("Trying to map region to smaller shared memory. Truncated")
            ipcs.append((_at(shared[ipc.shmem], ipc.base, _pages(min(ipc.size, size)) * PAGE_SIZE),))
        return VmMemory(regions, devices, tuple(ipcs))


def _shared(number: int) -> str:
    """The field of a machine file, as of a region below."""
    return f"shared_memory[{number}]"


def _region(vm: Vm, number: int) -> str:
    return f"vms[{vm.index}].memory[{number}]"


def _at(extent: Extent, ipa: int, size: int) -> Extent:
    return Extent(ipa, extent.pa, size, extent.block, extent.colors)


def allocate(machine: Machine) -> Memory:
    """Place all memory of the machine. Raises ``PlacementError`` where Bao would halt."""
    allocator = _Allocator(machine)
    fixed: list[dict[int, Extent]] = []
    for vm in machine.vms:
        placed = {}
        for i, region in enumerate(vm.regions):
            if region.phys is not None:
                what = f"VM '{vm.name}' region {region.base:#x}"
                colors = allocator.palette.mask(region.colors)
                placed[i] = allocator.place(what, _region(vm, i), region.phys, region.size, colors)
        fixed.append(placed)
    shared = allocator.shared()
    vms = tuple(allocator.vm(vm, fixed[i], shared) for i, vm in enumerate(machine.vms))
    return Memory(allocator.palette, shared, vms, tuple(allocator.warnings))
