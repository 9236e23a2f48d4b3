"""Sets of a controller's sources, as masks: bit *n* is source *n*."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

SOURCES: Final = 1024
"""Of a PLIC and of an APLIC, with source 0, which is none."""


def mask(sources: Iterable[int]) -> int:
    """Raises ValueError for what is no source."""
    found = 0
    for source in sources:
        if not isinstance(source, int) or not 0 <= source < SOURCES:
            raise ValueError(f"source {source!r:.20}")
        found |= 1 << source
    return found


def members(mask: int) -> list[int]:
    """In their order."""
    found = []
    while mask:
        lowest = mask & -mask
        found.append(lowest.bit_length() - 1)
        mask ^= lowest
    return found
