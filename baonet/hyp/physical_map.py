"""The physical side of a machine, for who models its caches: where each page is, by what it is mapped, and where the
hypervisor's own lines are.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, final

from baonet.hyp import stage2
from baonet.hyp.hypervisor_memory import DATA_PAGES, TEXT_PAGES, HypervisorMemory, VmOverhead
from baonet.hyp.pages import Extent, Palette
from baonet.hyp.vmm import Plan, VmPlan, plan
from baonet.machine import PAGE_SIZE, ExitFootprint, Machine
from baonet.machine.memory_system import LINE

EXITS: Final = ("hypercall", "access", "interrupt", "direct", "relayed")
"""Kinds of exits, by the names that their costs have."""
_PAGE_LINES: Final = PAGE_SIZE // LINE
_RUN: Final = 4
"""Lines that follow one another: a function's of Bao's."""
_COMMON: Final = 2
"""Runs of its code that each exit has: the vector, what saves and restores registers."""
_STRIDE: Final = 97
"""Runs from one that an exit touches to the next: prime to how many there are, so all are others."""


@final
@dataclass(frozen=True, slots=True)
class Walk:
    """``descriptors``: the physical addresses that are read, the root's first; ``pa``: what is behind the address."""

    descriptors: tuple[int, ...]
    pa: int
    block: int


@final
@dataclass(frozen=True, slots=True)
class Touched:
    """Physical addresses of lines that an exit touches: it executes ``text``, reads ``shared``, and reads and writes
    ``private``.
    """

    text: tuple[int, ...]
    private: tuple[int, ...]
    shared: tuple[int, ...]


@final
class VmMap:
    """Stage 2 of one VM. ``extents`` are of blocks of one size each, from the lowest guest address up."""

    __slots__ = ("_palette", "extents", "tables")

    def __init__(self, planned: VmPlan, overhead: VmOverhead, palette: Palette) -> None:
        memory = planned.memory
        self._palette = palette
        vm = planned.config
        blocks = stage2.blocks_of(vm)
        self.extents = stage2.mapped(vm.regions, memory.regions, memory.devices, memory.ipcs, blocks)
        pages = [pa for extent in overhead.tables for pa in _pages(extent, palette)]
        self.tables = stage2.Tables(overhead.root.pa, self.extents, pages)

    def walk(self, ipa: int) -> Walk | None:
        """What stage 2 has for an address; None where it has nothing."""
        extent = stage2.at(self.extents, ipa)
        if extent is None:
            return None
        return Walk(self.tables.descriptors(ipa), extent.translate(ipa, self._palette), extent.block)

    def pages(self, ipa: int, size: int) -> array[int]:
        """Of each page from ``ipa`` on, in 64 bits: its physical address, and log2 of its block; 0: it is not mapped.

        Both are whole pages.
        """
        found = array("Q", bytes(size // PAGE_SIZE * 8))
        for extent in self.extents:
            start, end = max(ipa, extent.ipa), min(ipa + size, extent.ipa + extent.size)
            if start < end:
                there = _packed(extent, self._palette)
                first, last = (start - extent.ipa) // PAGE_SIZE, (end - extent.ipa) // PAGE_SIZE
                found[(start - ipa) // PAGE_SIZE : (end - ipa) // PAGE_SIZE] = there[first:last]
        return found


def _packed(extent: Extent, palette: Palette) -> array[int]:
    """Of each of its pages what ``VmMap.pages`` gives."""
    count, shift = extent.size // PAGE_SIZE, extent.block.bit_length() - 1
    first = extent.pa | shift
    if not extent.colors:
        return array("Q", range(first, first + extent.size, PAGE_SIZE))
    found = array("Q", bytes(count * 8))
    allowed = palette.pages(extent.pa // PAGE_SIZE, extent.colors)
    period = palette.size * palette.number * PAGE_SIZE
    for nth, offset in enumerate(allowed):
        start, times = first + offset * PAGE_SIZE, len(range(nth, count, len(allowed)))
        found[nth :: len(allowed)] = array("Q", range(start, start + times * period, period))
    return found


def _pages(extent: Extent, palette: Palette) -> Iterator[int]:
    """The physical addresses of its pages."""
    return (pa + at for _, pa, size in extent.pieces(palette) for at in range(0, size, PAGE_SIZE))


@final
class PhysicalMap:
    """Of a machine with a memory system. ``vms`` are in the order of their numbers."""

    __slots__ = ("_own", "_plan", "palette", "vms")

    def __init__(self, plan: Plan) -> None:
        own = plan.memory.hypervisor
        assert own is not None, "memory takes no time here"
        self.palette = plan.memory.palette
        self._plan = plan
        self._own: HypervisorMemory = own
        self.vms = tuple(VmMap(vm, overhead, self.palette) for vm, overhead in zip(plan.vms, own.vms, strict=True))

    def touched(self, kind: str, pcpu: int) -> Touched:
        """What an exit of a kind (``EXITS``) touches on a pcpu that runs a VM. Nothing where there is no footprint."""
        footprint = self._footprint(kind)
        assignment = self._plan.pcpus[pcpu]
        assert assignment is not None
        overhead = self._own.vms[assignment.vm]
        text = _spread(footprint.text, TEXT_PAGES, EXITS.index(kind))
        half = footprint.private // 2
        vcpu = self._lines(overhead.vcpus[assignment.vcpu], range(half))
        stack = self._lines(self._own.pcpus[pcpu], range(footprint.private - half))
        data = footprint.shared // 2
        tables = (TEXT_PAGES * _PAGE_LINES + line for line in _spread(data, DATA_PAGES, EXITS.index(kind)))
        vm = self._lines(overhead.vm, _spread(footprint.shared - data, _size(overhead.vm), EXITS.index(kind)))
        return Touched(self._lines(self._own.image, text), vcpu + stack, vm + self._lines(self._own.image, tables))

    def _footprint(self, kind: str) -> ExitFootprint:
        system = self._plan.machine.platform.memory_system
        assert system is not None
        found = ExitFootprint() if system.hypervisor is None else getattr(system.hypervisor, kind)
        assert isinstance(found, ExitFootprint)
        return found

    def _lines(self, extent: Extent, lines: Collection[int] | Iterator[int]) -> tuple[int, ...]:
        """The addresses of these lines of it, from 0."""
        return tuple(extent.translate(extent.ipa + line * LINE, self.palette) for line in lines)

    def pages_of(self, vm: int) -> set[int]:
        """The physical addresses of all pages of RAM that a VM has or shares, and of its tables."""
        own = self._own.vms[vm]
        placed = self._plan.vms[vm].memory
        extents = [each for extents in (*placed.regions, *placed.ipcs) for each in extents]
        return {pa for extent in (*extents, own.root, *own.tables) for pa in _pages(extent, self.palette)}

    def pages_of_hypervisor(self) -> set[int]:
        """Likewise those that are its own, of all VMs together."""
        return {pa for extent in self._of_hypervisor() for pa in _pages(extent, self.palette)}

    def _of_hypervisor(self) -> Iterator[Extent]:
        yield from (self._own.image, self._own.bitmap, *self._own.pcpus)
        for each in self._own.vms:
            yield from (each.vm, *each.vcpus)

    def spans(self, vms: Collection[int], most: int) -> list[tuple[int, int]]:
        """Up to ``most`` stretches of RAM, as (base, size), in which all is that some VMs and the hypervisor have."""
        extents = list(self._of_hypervisor())
        for vm in vms:
            own, placed = self._own.vms[vm], self._plan.vms[vm].memory
            extents += [
                *(each for extents in (*placed.regions, *placed.ipcs) for each in extents),
                own.root,
                *own.tables,
            ]
        stretches = sorted((extent.pa, _end(extent, self.palette)) for extent in extents)
        found: list[list[int]] = []
        for start, end in stretches:
            if found and start <= found[-1][1]:
                found[-1][1] = max(found[-1][1], end)
            else:
                found.append([start, end])
        while len(found) > most:
            gaps = [after[0] - before[1] for before, after in pairwise(found)]
            place = gaps.index(min(gaps))
            found[place : place + 2] = [[found[place][0], found[place + 1][1]]]
        return [(start, end - start) for start, end in found]


def _size(extent: Extent) -> int:
    return extent.size // PAGE_SIZE


def _end(extent: Extent, palette: Palette) -> int:
    """Behind its last page."""
    return extent.translate(extent.ipa + extent.size - PAGE_SIZE, palette) + PAGE_SIZE


def _spread(count: int, pages: int, kind: int) -> Iterator[int]:
    """So many lines of so many pages, in short runs all over them: some that all kinds have, the others by the kind."""
    runs = pages * _PAGE_LINES // _RUN
    order = [
        *range(_COMMON),
        *(_COMMON + (kind * 61 + nth * _STRIDE) % (runs - _COMMON) for nth in range(runs - _COMMON)),
    ]
    lines = (run * _RUN + line for run in order for line in range(_RUN))
    return (line for line, _ in zip(lines, range(count), strict=False))


def mapped(machine: Machine) -> PhysicalMap:
    """Of a machine with a memory system. Raises PlacementError."""
    return PhysicalMap(plan(machine))
