"""What the cores of one VM share, and to whom its pages belong, whatever their architecture is."""

from __future__ import annotations

import mmap
from typing import Protocol

from baonet.core import _node

SIZE = 0x40_0000
MASK = (1 << 64) - 1
ENTRY = 16
TRANSLATIONS = 0x80_0000


class VmMemory:
    """``base``: the guest-physical address of its RAM."""

    def __init__(self, base: int, cores: int = 1) -> None:
        self.base = base
        self.ram = mmap.mmap(-1, SIZE)
        self.slots = mmap.mmap(-1, cores * _node.SLOT_SIZE)
        self.code_map = mmap.mmap(-1, SIZE // 0x1000 // 2)
        self.translations = mmap.mmap(-1, TRANSLATIONS)
        self.uart = mmap.mmap(-1, _node.UART_STATE_SIZE)
        self.cores = cores

    def write(self, address: int, *values: int) -> None:
        """Double words."""
        data = b"".join((value & MASK).to_bytes(8, "little") for value in values)
        self.load(address, data)

    def load(self, address: int, data: bytes) -> None:
        self.ram[address - self.base : address - self.base + len(data)] = data

    def read(self, address: int) -> int:
        return int.from_bytes(self.ram[address - self.base : address - self.base + 8], "little")


class Owning(Protocol):
    def own(self, owners: object, segment: int) -> None: ...


class PageOwners:
    """Of the pages of a core's memory; the core is the first of two."""

    def __init__(self, base: int) -> None:
        self.base = base
        self.ledger = mmap.mmap(-1, _node.LEDGER_SIZE + 2 * _node.LANE_SIZE)
        self._entries = mmap.mmap(-1, SIZE // 0x1000 * ENTRY)

    def of(self, core: Owning) -> None:
        """Its RAM, which was mapped last."""
        core.own(self._entries, 0)

    def give(self, address: int, owner: int, let_go: int = 0) -> None:
        """A page; ``let_go``: what the guest of its last owner knew, in cycles."""
        _node.hand_over(self.ledger, self._entries, 0, (address - self.base) // 0x1000, owner, let_go)

    def owner(self, address: int) -> int:
        return self._entries[(address - self.base) // 0x1000 * ENTRY + 8]
