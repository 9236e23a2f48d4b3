"""Stage 2 of a VM as Bao maps it: in which blocks, and where the tables are that say so.

Mirrors ``mem_map`` of ``mmu/mem.c``. Coloured memory is mapped in pages. What is contiguous at a place of its own is in
the largest blocks that both addresses allow, and what was allocated for the VM is in those that it was found in.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final, final

from baonet.hyp.pages import Extent
from baonet.machine import PAGE_SIZE, Region, Vm

GIB_BLOCK: Final = 0x40000000
MIB_BLOCK: Final = 0x200000
BLOCKS: Final = (GIB_BLOCK, MIB_BLOCK, PAGE_SIZE)
DESCRIPTOR: Final = 8
"""Bytes of one, in every table."""
_ENTRIES: Final = PAGE_SIZE // DESCRIPTOR


def blocks_of(vm: Vm) -> tuple[int, ...]:
    """The sizes that the blocks of a VM may have."""
    return BLOCKS if vm.huge_pages else (PAGE_SIZE,)


def mapped(
    regions: Sequence[Region],
    placed: Sequence[Sequence[Extent]],
    devices: Sequence[Extent | None],
    shared: Sequence[Sequence[Extent]],
    blocks: Sequence[int] = BLOCKS,
) -> list[Extent]:
    """All that a VM maps, from the lowest address up, in extents of blocks of one size, which is one of ``blocks``."""
    found: list[Extent] = []
    for region, extents in zip(regions, placed, strict=True):
        for extent in extents:
            found += [extent] if region.phys is None else _in_blocks(extent, blocks)
    for extent in (*(each for extents in shared for each in extents), *filter(None, devices)):
        found += _in_blocks(extent, blocks)
    return sorted(found, key=_start)


def _start(extent: Extent) -> int:
    return extent.ipa


def _in_blocks(extent: Extent, blocks: Sequence[int]) -> Iterator[Extent]:
    """In the largest blocks at each step."""
    if extent.colors:
        yield extent
        return
    ipa, pa, left = extent.ipa, extent.pa, extent.size
    while left:
        block = next(each for each in blocks if left >= each and not ipa % each and not pa % each)
        size = left // block * block
        for larger in blocks:  # one becomes possible where both are aligned for it
            if larger > block and not (ipa - pa) % larger and ipa % larger:
                size = min(size, -ipa % larger)
        yield Extent(ipa, pa, size, block)
        ipa, pa, left = ipa + size, pa + size, left - size


def at(extents: Sequence[Extent], ipa: int) -> Extent | None:
    """That of these, sorted as they are, which has an address."""
    place = bisect_right(extents, ipa, key=_start) - 1
    found = extents[place] if place >= 0 else None
    return found if found is not None and ipa < found.ipa + found.size else None


def tables_of(extents: Sequence[Extent]) -> tuple[list[int], list[int]]:
    """Which GiB are mapped by a table of 2 MiB blocks, and which 2 MiB by a table of pages."""
    middles: list[int] = []
    leaves: list[int] = []
    for extent in extents:
        first, last = extent.ipa, extent.ipa + extent.size - 1
        if extent.block < GIB_BLOCK:
            middles += range(first // GIB_BLOCK, last // GIB_BLOCK + 1)
        if extent.block < MIB_BLOCK:
            leaves += range(first // MIB_BLOCK, last // MIB_BLOCK + 1)
    return [each for each, _ in groupby(middles)], [each for each, _ in groupby(leaves)]


@final
class Tables:
    """Where the tables of one VM lie: the root, one of 2 MiB blocks for each GiB, one of pages for each 2 MiB."""

    __slots__ = ("leaves", "middles", "root")

    def __init__(self, root: int, extents: Sequence[Extent], pages: Sequence[int]) -> None:
        """``pages``: where those of ``tables_of`` are."""
        middles, leaves = tables_of(extents)
        self.root = root
        self.middles = dict(zip(middles, pages, strict=False))
        self.leaves = dict(zip(leaves, pages[len(middles) :], strict=True))

    def descriptors(self, ipa: int) -> tuple[int, ...]:
        """The addresses of those that are read for ``ipa``, the root's first."""
        found = [self.root + ipa // GIB_BLOCK * DESCRIPTOR]
        middle = self.middles.get(ipa // GIB_BLOCK)
        if middle is not None:
            found.append(middle + ipa // MIB_BLOCK % _ENTRIES * DESCRIPTOR)
            leaf = self.leaves.get(ipa // MIB_BLOCK)
            if leaf is not None:
                found.append(leaf + ipa // PAGE_SIZE % _ENTRIES * DESCRIPTOR)
        return tuple(found)
