"""Where each region of each VM lies, and with a memory system the hypervisor's own pages.

Mirrors Bao's ``mem.c``, ``mmu/mem.c`` (stage-2 mapping) and ``shmem.c``. The order is Bao's: fixed placements are
reserved, shared memory is allocated, then the regions of each VM in turn. The hypervisor is in Bao where it was loaded;
here it is where nothing has a fixed place, before all else. Nothing here touches memory; the result is a list of
extents.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from baonet.hyp.pages import Extent, PagePool, Palette
from baonet.hyp.stage2 import blocks_of, mapped, tables_of
from baonet.machine import PAGE_SIZE, Machine, MisfitError, Region, Vm

if TYPE_CHECKING:
    from baonet.hyp.hypervisor_memory import HypervisorMemory, VmOverhead


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
    """Where everything lies. ``shared`` has one extent per shared memory object, its ``ipa`` being 0.

    ``hypervisor`` is None where memory takes no time, and nobody asks where it is.
    """

    palette: Palette
    shared: tuple[Extent, ...]
    vms: tuple[VmMemory, ...]
    warnings: tuple[str, ...]
    hypervisor: HypervisorMemory | None = None


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

    def fixed_shared(self) -> dict[int, Extent]:
        return {
            i: self.place(f"shared memory '{shm.name}'", _shared(i), shm.phys, shm.size, self.palette.mask(shm.colors))
            for i, shm in enumerate(self.machine.shared_memory)
            if shm.phys is not None
        }

    def shared(self, fixed: dict[int, Extent]) -> tuple[Extent, ...]:
        extents = []
        for i, shm in enumerate(self.machine.shared_memory):
            placed = fixed.get(i)
            extents.append(
                placed or self.anywhere(f"shared memory '{shm.name}'", f"{_shared(i)}.size", shm.size, shm.colors)
            )
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
            field,
            "use less memory" + (", or colours that others have not taken" if mask else ""),
        )

    def aligned(self, pages: int) -> Extent:
        """Pages of any colour that are aligned to their size."""
        found = self._take_blocks(pages, 1)
        if found is None:
            raise PlacementError("failed to alloc physical pages: none are left for the hypervisor", _MEMORY_SYSTEM)
        return Extent(0, found[0], pages * PAGE_SIZE)

    def scattered(self, vm: Vm, pages: int) -> tuple[Extent, ...]:
        """Pages of a VM's colours for its tables, together where there is room, else each by itself."""
        mask = self.palette.mask(vm.colors)
        for pool in self.pools if pages else ():
            pa = pool.take(pages, mask)
            if pa is not None:
                return (Extent(0, pa, pages * PAGE_SIZE, colors=mask),)
        what = f"the hypervisor, for the tables of VM '{vm.name}'"
        return tuple(self.anywhere(what, _MEMORY_SYSTEM, PAGE_SIZE, mask) for _ in range(pages))

    def blocks(self, what: str, field: str, ipa: int, pages: int, sizes: Sequence[int]) -> tuple[Extent, ...]:
        """An uncoloured region: at each step the largest stage-2 block of these ``sizes`` that both sides allow."""
        extents: list[Extent] = []
        exhausted: set[int] = set()
        page = ipa // PAGE_SIZE
        while pages:
            larger = 0
            for block in (size // PAGE_SIZE for size in sizes):
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
            found = self.anywhere(what, f"{_region(vm, number)}.size", region.size, vm.colors)
            return (_at(found, region.base, found.size),)
        return self.blocks(what, _region(vm, number), region.base, _pages(region.size), blocks_of(vm))

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


@final
class _Own:
    """The hypervisor's own pages."""

    def __init__(self, allocator: _Allocator) -> None:
        from baonet.hyp import hypervisor_memory as sizes  # noqa: PLC0415 - few machines have a memory system

        self._sizes = sizes
        self._allocator = allocator
        self._machine = allocator.machine
        platform = self._machine.platform
        parts = (sizes.IMAGE_PAGES, sizes.bitmap_pages(platform), *[sizes.CPU_PAGES] * platform.cpus)
        self._image, self._bitmap, *self._pcpus = self._take("itself", parts)
        self._vms: list[VmOverhead] = []

    def _take(self, what: str, parts: Sequence[int]) -> list[Extent]:
        """Parts of so many pages, one after another."""
        whole = self._allocator.anywhere(
            f"the hypervisor, for {what}", _MEMORY_SYSTEM, sum(parts) * PAGE_SIZE, self._machine.hypervisor_colors
        )
        found, start = [], 0
        for pages in parts:
            pa = whole.translate(start, self._allocator.palette)
            found.append(Extent(0, pa, pages * PAGE_SIZE, colors=whole.colors))
            start += pages * PAGE_SIZE
        return found

    def begin(self, vm: Vm) -> tuple[Extent, tuple[Extent, ...], Extent]:
        """What Bao makes of a VM before it maps anything: the VM, its vcpus, the root of its tables."""
        sizes = self._sizes
        own, *vcpus = self._take(f"VM '{vm.name}'", (sizes.VM_PAGES, *[sizes.VCPU_PAGES] * vm.cpus))
        return own, tuple(vcpus), self._allocator.aligned(self._machine.platform.arch.root_pages)

    def end(self, vm: Vm, begun: tuple[Extent, tuple[Extent, ...], Extent], memory: VmMemory) -> None:
        """The tables of what was mapped."""
        middles, leaves = tables_of(mapped(vm.regions, memory.regions, memory.devices, memory.ipcs, blocks_of(vm)))
        tables = self._allocator.scattered(vm, len(middles) + len(leaves))
        self._vms.append(self._sizes.VmOverhead(*begun, tables))

    def all(self) -> HypervisorMemory:
        return self._sizes.HypervisorMemory(self._image, self._bitmap, tuple(self._pcpus), tuple(self._vms))


_MEMORY_SYSTEM = "platform.memory_system"


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
    fixed_shared = allocator.fixed_shared()
    own = None if machine.platform.memory_system is None else _Own(allocator)
    shared = allocator.shared(fixed_shared)
    vms = []
    for vm, its in zip(machine.vms, fixed, strict=True):
        begun = None if own is None else own.begin(vm)
        vms.append(allocator.vm(vm, its, shared))
        if own is not None and begun is not None:
            own.end(vm, begun, vms[-1])
    hypervisor = None if own is None else own.all()
    return Memory(allocator.palette, shared, tuple(vms), tuple(allocator.warnings), hypervisor)
