"""What registers of a field for each interrupt are read as: a copy of what the interrupts have, by words of 32 bits.

It is kept by who has the interrupts and changes with them, so that a read looks at none of them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Final, Protocol, final

WORD_BITS: Final = 32
_PRIORITY_BITS: Final = 8
_CONFIG_BITS: Final = 2


class Configured(Protocol):
    """An interrupt, as far as its owner alone changes it."""

    intid: int
    enabled: bool
    priority: int
    config: int


@final
class RegisterWords:
    """Of ``interrupts``: ``enabled`` has a bit for each, ``priorities`` 8, ``configs`` 2.

    ``stirred`` has a bit for each that may be pending or active, or was lately: no other is, whatever list registers
    have, nor has a state that a guest could clear. Each is a list of words by INTID from 0 on, and stays the same list.
    """

    __slots__ = ("_reset", "configs", "enabled", "priorities", "stirred")

    def __init__(self, interrupts: range, priority: int) -> None:
        end = interrupts.stop
        first = bytes(interrupts.start) + bytes((priority,)) * len(interrupts)  # an octet for each
        words = blank(end, _PRIORITY_BITS)
        self._reset = list(struct.unpack(f"<{len(words)}I", first.ljust(len(words) * WORD_BITS // 8, b"\0")))
        self.enabled, self.stirred = blank(end, 1), blank(end, 1)
        self.priorities = list(self._reset)
        self.configs = blank(end, _CONFIG_BITS)

    def reset(self) -> None:
        """None is enabled, pending or active, and all have their first priority, and configuration 0."""
        self.priorities[:] = self._reset
        for words in (self.enabled, self.stirred, self.configs):
            words[:] = [0] * len(words)

    def show(self, interrupts: Iterable[Configured]) -> None:
        """All that these have now."""
        for each in interrupts:
            self.enable(each.intid, each.enabled)
            self.prioritize(each.intid, each.priority)
            self.configure(each.intid, each.config)
            self.stir(each.intid)

    def enable(self, intid: int, enabled: bool) -> None:
        put(self.enabled, 1, intid, int(enabled))

    def prioritize(self, intid: int, priority: int) -> None:
        put(self.priorities, _PRIORITY_BITS, intid, priority)

    def configure(self, intid: int, config: int) -> None:
        put(self.configs, _CONFIG_BITS, intid, config)

    def stir(self, intid: int) -> None:
        """It becomes pending or active, or may have."""
        self.stirred[intid // WORD_BITS] |= 1 << intid % WORD_BITS

    def stirring(self, word: int) -> list[int]:
        """INTIDs that are in ``stirred``."""
        first = WORD_BITS * word
        return [first + bit for bit in range(WORD_BITS) if self.stirred[word] >> bit & 1]

    def settle(self, intid: int) -> None:
        """It is neither pending nor active."""
        self.stirred[intid // WORD_BITS] &= ~(1 << intid % WORD_BITS)


def blank(end: int, bits: int) -> list[int]:
    """Words that have ``bits`` for each INTID below ``end``."""
    return [0] * -(-end * bits // WORD_BITS)


def put(words: list[int], bits: int, intid: int, value: int) -> None:
    """Of an INTID, its bits."""
    word, place = divmod(intid * bits, WORD_BITS)
    words[word] = words[word] & ~((1 << bits) - 1 << place) | value << place
