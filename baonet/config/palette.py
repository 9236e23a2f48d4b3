"""Page colours, as Bao computes them from the caches.

The colour of an address is its page divided by ``size``, modulo ``number``. A set of colours is a bitmap.
"""

from __future__ import annotations

from typing import final

from baonet.config.ranges import align_up
from baonet.machine import PAGE_SIZE, Cache
from baonet.machine.dataclass import dataclass


@final
@dataclass(frozen=True, slots=True)
class Palette:
    """``number`` colours of ``size`` consecutive pages each. One colour means that there is no colouring."""

    size: int
    number: int

    @classmethod
    def of(cls, cache: Cache | None) -> Palette:
        """Pages of one way of the last-level cache over pages of one way of the L1."""
        if cache is None:
            return cls(1, 1)
        size = max(1, cache.l1_size // cache.l1_ways // PAGE_SIZE)
        return cls(size, max(1, cache.llc_size // cache.llc_ways // PAGE_SIZE // size))

    def mask(self, colors: int) -> int:
        """The colours that restrict anything; 0 for none, as all of them and none mean the same."""
        everything = (1 << self.number) - 1
        return 0 if colors & everything == everything else colors & everything

    def share(self, colors: int, size: int) -> int:
        """How much of ``size`` bytes has one of these colours."""
        mask = self.mask(colors)
        return size * mask.bit_count() // self.number if mask else size

    def end(self, start: int, size: int, colors: int) -> int:
        """Where ``size`` bytes end that take only pages of these colours from ``start`` up."""
        mask = self.mask(colors)
        if not mask:
            return start + size
        pages = align_up(size, PAGE_SIZE) // PAGE_SIZE
        each = self.size * mask.bit_count()  # pages in one period of the colours
        periods = (pages - 1) // each
        page = start // PAGE_SIZE + periods * self.size * self.number
        left = pages - periods * each
        while left:
            left -= mask >> (page // self.size % self.number) & 1
            page += 1
        return page * PAGE_SIZE
