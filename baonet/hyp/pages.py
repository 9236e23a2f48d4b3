"""Pages of RAM and their colours: pools, and where successive pages of some colours lie.

Mirrors the page pools of Bao's ``mem.c`` and its colours (``mmu/mem.c``). Nothing here touches memory.

A pool keeps one byte per page, so that every search and every marking is one C-speed operation on a bytearray,
whatever the number of pages. Coloured searches look at the subsequence of allowed pages, taken with strided slices.

Units: addresses and sizes are bytes, ``page`` counts 4 KiB pages, ``index`` is a page within its pool.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import final

from baonet.machine import PAGE_SIZE, Cache, RamBank
from baonet.machine.dataclass import dataclass

_MAX_COLORS = 64  # Bao's colour maps are one unsigned long


@final
@dataclass(frozen=True, slots=True)
class Palette:
    """The page colours of a platform: ``number`` colours of ``size`` consecutive pages each.

    The colour of an address is ``(pa >> 12) // size % number``. One colour means that there is no colouring.
    """

    size: int = 1
    number: int = 1

    @classmethod
    def of(cls, cache: Cache | None) -> Palette:
        """Bao's computation: pages of one way of the last-level cache over pages of one way of the L1."""
        if cache is None:
            return cls()
        size = max(1, cache.l1_size // cache.l1_ways // PAGE_SIZE)
        number = cache.llc_size // cache.llc_ways // PAGE_SIZE // size
        return cls(size, min(max(1, number), _MAX_COLORS))

    def mask(self, colors: int) -> int:
        """The bitmap cut to the colours there are; 0 when it restricts nothing (Bao: none and all mean uncoloured)."""
        everything = (1 << self.number) - 1
        colors &= everything
        return 0 if colors == everything else colors

    def color(self, pa: int) -> int:
        return pa // PAGE_SIZE // self.size % self.number

    def pages(self, first: int, colors: int) -> list[int]:
        """Offsets from page ``first``, within one period, of the pages that have one of ``colors``."""
        period = self.size * self.number
        return [i for i in range(period) if colors >> ((first + i) // self.size % self.number) & 1]


@final
@dataclass(frozen=True, slots=True)
class Extent:
    """``size`` bytes at ``ipa`` of a guest, backed from ``pa`` up, with stage-2 entries of ``block`` bytes.

    ``colors`` 0: physically contiguous. Otherwise the pages are the successive ones from ``pa`` up that have one of
    these colours, the others being skipped; ``pieces`` writes that out.
    """

    ipa: int
    pa: int
    size: int
    block: int = PAGE_SIZE
    colors: int = 0

    def pieces(self, palette: Palette) -> Iterator[tuple[int, int, int]]:
        """The physically contiguous parts, as (ipa, pa, size)."""
        if not self.colors:
            yield self.ipa, self.pa, self.size
            return
        period = palette.size * palette.number * PAGE_SIZE
        runs = _runs(palette.pages(self.pa // PAGE_SIZE, self.colors))
        ipa, left, base = self.ipa, self.size, self.pa
        while left > 0:
            for offset, pages in runs:
                size = min(pages * PAGE_SIZE, left)
                if size <= 0:
                    return
                yield ipa, base + offset * PAGE_SIZE, size
                ipa += size
                left -= size
            base += period

    def translate(self, ipa: int, palette: Palette) -> int:
        """The physical address behind ``ipa``, which must lie inside."""
        offset = ipa - self.ipa
        if not self.colors:
            return self.pa + offset
        allowed = palette.pages(self.pa // PAGE_SIZE, self.colors)
        periods, nth = divmod(offset // PAGE_SIZE, len(allowed))
        page = periods * palette.size * palette.number + allowed[nth]
        return self.pa + page * PAGE_SIZE + offset % PAGE_SIZE


def _runs(pages: list[int]) -> list[tuple[int, int]]:
    """Successive page numbers as (first, count)."""
    runs: list[tuple[int, int]] = []
    for page in pages:
        if runs and sum(runs[-1]) == page:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((page, 1))
    return runs


def _first_fit(used: bytearray, start: int, pages: int, align: int, base: int) -> int | None:
    """The first index from ``start`` with ``pages`` free ones, where (base + index) is a multiple of ``align``."""
    index = start + -(base + start) % align
    while index + pages <= len(used):
        taken = used.rfind(1, index, index + pages)
        if taken < 0:
            return index
        free = used.find(0, taken + 1)
        if free < 0:
            return None
        index = free + -(base + free) % align
    return None


@final
class PagePool:
    """The pages of one bank of RAM: first fit from where the last allocation ended, with one wrap to the start."""

    __slots__ = ("_last", "_palette", "_used", "first", "free")

    def __init__(self, bank: RamBank, palette: Palette) -> None:
        self.first = -(-bank.base // PAGE_SIZE)
        self.free = max(0, (bank.base + bank.size) // PAGE_SIZE - self.first)
        self._used = bytearray(self.free)
        self._last = 0
        self._palette = palette

    def take_blocks(self, block: int, most: int) -> tuple[int, int] | None:
        """Up to ``most`` blocks of ``block`` pages, aligned to their size, as (pa, blocks).

        The blocks are those that as many single requests would get: they follow one another as long as pages do.
        """
        index = self._find(block, block)
        if index is None:
            return None
        end = min(index + block * most, len(self._used))
        taken = self._used.find(1, index, end)
        count = ((end if taken < 0 else taken) - index) // block
        return self._take(index, block * count), count

    def take(self, pages: int, colors: int) -> int | None:
        """``pages`` consecutive pages, among those of ``colors`` unless it is 0; the address of the first."""
        if colors:
            return self._take_colored(pages, colors)
        index = self._find(pages, 1)
        return None if index is None else self._take(index, pages)

    def reserve(self, pa: int, pages: int, colors: int) -> int | None:
        """The given place, if it is in this pool and free; with colours, the allowed pages from there up."""
        index = pa // PAGE_SIZE - self.first
        if index < 0 or index >= len(self._used):
            return None
        if colors:
            return self._take_colored(pages, colors, index)
        if index + pages > len(self._used) or self._used.find(1, index, index + pages) >= 0:
            return None
        last = self._last
        self._take(index, pages)
        self._last = last
        return pa

    def _find(self, pages: int, align: int) -> int | None:
        if pages > self.free:
            return None
        index = _first_fit(self._used, self._last, pages, align, self.first)
        return _first_fit(self._used, 0, pages, align, self.first) if index is None else index

    def _take(self, index: int, pages: int) -> int:
        self._used[index : index + pages] = b"\1" * pages
        self.free -= pages
        self._last = index + pages
        return (self.first + index) * PAGE_SIZE

    def _take_colored(self, pages: int, colors: int, at: int | None = None) -> int | None:
        """As ``take``; with ``at``, only from the first allowed page at or after that index."""
        period = self._palette.size * self._palette.number
        allowed = self._palette.pages(self.first, colors)
        view = bytearray(sum(len(range(offset, len(self._used), period)) for offset in allowed))
        for nth, offset in enumerate(allowed):
            view[nth :: len(allowed)] = self._used[offset::period]

        def position(index: int) -> int:  # of the first allowed page at or after index, in the view
            periods, rest = divmod(index, period)
            return periods * len(allowed) + sum(1 for offset in allowed if offset < rest)

        def page(position: int) -> int:
            periods, nth = divmod(position, len(allowed))
            return periods * period + allowed[nth]

        if at is not None:
            found: int | None = position(at)
            if position(at) + pages > len(view) or view.find(1, position(at), position(at) + pages) >= 0:
                return None
        else:
            found = _first_fit(view, position(self._last), pages, 1, 0)
            found = _first_fit(view, 0, pages, 1, 0) if found is None else found
            if found is None:
                return None
        assert found is not None
        view[found : found + pages] = b"\1" * pages
        for nth, offset in enumerate(allowed):
            self._used[offset::period] = view[nth :: len(allowed)]
        self.free -= pages
        if at is None:
            self._last = page(found + pages - 1) + 1
        return (self.first + page(found)) * PAGE_SIZE
