"""Translations for the tests: a few regions of virtual addresses, with everything that the model tells apart."""

from __future__ import annotations

from collections.abc import Sequence

from .translation import CACHED, DEVICE, UNCACHED

PAGES, BLOCKS, GLOBAL, PLAIN, DEVICES, NOWHERE = (n << 32 for n in range(1, 7))
"""4 KiB pages of an ASID; 2 MiB blocks of one; global pages; non-cacheable pages; a device; nothing."""
TABLES, DATA = 0x4000_0000, 0x8000_0000
STAGE2_TABLES = 0x20_0000


def walk(va: int, _fetch: bool) -> tuple[Sequence[int], int, int, bool, bool, int, int] | None:
    """Stage 1, as if of a guest's tables: contents do not matter, where they are does."""
    region, offset = va >> 32 << 32, va & 0xFFFF_FFFF
    if region == NOWHERE:
        return None
    upper = [TABLES + (va >> 39) * 8, TABLES + 0x1000 + (va >> 30) * 8, TABLES + 0x2000 + (va >> 21) % 4096 * 8]
    if region == BLOCKS:
        return upper, 21, DATA + 0x1000_0000 + offset, False, False, CACHED, CACHED
    ipa = DATA + (region >> 32) * 0x100_0000 + (offset ^ 0x5000)
    memory = {PLAIN: UNCACHED, DEVICES: DEVICE}.get(region, CACHED)
    leaf = TABLES + 0x10_0000 + (va >> 12) % 0x8_0000 * 8
    return [*upper, leaf], 12, ipa, True, region == GLOBAL, memory, CACHED


def stage2(ipa: int) -> tuple[Sequence[int], int, int, int] | None:
    """The tables' part in blocks, the rest in pages of which each second is elsewhere."""
    middle = STAGE2_TABLES + (ipa >> 21) % 512 * 8
    if ipa < DATA:
        return [STAGE2_TABLES - 4096, middle], 21, ipa, CACHED
    pa = ipa + 0x40_0000 if ipa >> 12 & 1 else ipa
    return [STAGE2_TABLES - 4096, middle, STAGE2_TABLES + 4096 + (ipa >> 12) % 0x4_0000 * 8], 12, pa, CACHED
