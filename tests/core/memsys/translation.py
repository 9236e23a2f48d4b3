"""Reference model of micro-TLBs, main TLB, walk cache and IPA cache."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum

OFF = 0x10000
DATA_UNCACHED, CODE_UNCACHED = 0x40000, 0x80000
"""Of a context."""
LARGEST = 29
CACHED, UNCACHED, DEVICE = range(3)

Walk = Callable[[int, bool], tuple[Sequence[int], int, int, bool, bool, int, int] | None]
Stage2 = Callable[[int], tuple[Sequence[int], int, int, int] | None]


class Tlbi(IntEnum):
    ALL = 0
    STAGE1 = 1
    ASID = 2
    VA = 3
    VA_ALL = 4


@dataclass(frozen=True)
class Entry:
    """Of a block of ``1 << shift`` bytes. ``asid`` None: of all."""

    base: int
    shift: int
    asid: int | None
    off: bool
    pa: int = 0
    memory: int = CACHED
    code: int = CACHED

    def has(self, address: int, context: int) -> bool:
        mine = self.asid is None or self.asid == context & 0xFFFF
        return address >> self.shift << self.shift == self.base and mine and self.off == bool(context & OFF)

    def at(self, address: int) -> int:
        return self.pa + address - self.base


class Sets:
    def __init__(self, entries: int, ways: int) -> None:
        self.slots: list[list[Entry | None]] = [[None] * ways for _ in range(entries // ways)]
        self.next = [0] * len(self.slots)

    def find(self, address: int, context: int) -> Entry | None:
        for shift in range(12, 64):
            for entry in self.slots[(address >> shift) % len(self.slots)]:
                if entry and entry.shift == shift and entry.has(address, context):
                    return entry
        return None

    def put(self, entry: Entry) -> None:
        n = (entry.base >> entry.shift) % len(self.slots)
        self.slots[n][self.next[n]] = entry
        self.next[n] = (self.next[n] + 1) % len(self.slots[n])

    def invalidate(self, kind: Tlbi, asid: int, va: int) -> None:
        for slots in self.slots:
            for way, entry in enumerate(slots):
                if entry and concerns(entry, kind, asid, va):
                    slots[way] = None


def concerns(entry: Entry, kind: Tlbi, asid: int, va: int) -> bool:
    here = va >> entry.shift << entry.shift == entry.base
    match kind:
        case Tlbi.ASID:
            return entry.asid == asid
        case Tlbi.VA:
            return here and entry.asid in {None, asid}
        case Tlbi.VA_ALL:
            return here
        case _:
            return True
