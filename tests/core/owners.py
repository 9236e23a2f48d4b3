"""Of a core in virtual time: to whom the pages of its memory belong."""

from __future__ import annotations

import mmap

from baonet.core import _node
from baonet.core.armv8.engine import native
from tests.core.bench import RAM, SIZE

ENTRY = 16


class Owners:
    """Of the pages of a core's memory; the core is the first of two."""

    def __init__(self) -> None:
        self.ledger = mmap.mmap(-1, _node.LEDGER_SIZE + 2 * _node.LANE_SIZE)
        self._entries = mmap.mmap(-1, SIZE // 0x1000 * ENTRY)

    def of(self, core: native.Core) -> None:
        """Its RAM, which was mapped last."""
        core.own(self._entries, 0)

    def give(self, address: int, owner: int, let_go: int = 0) -> None:
        """A page; ``let_go``: what the guest of its last owner knew, in cycles."""
        _node.hand_over(self.ledger, self._entries, 0, (address - RAM) // 0x1000, owner, let_go)

    def owner(self, address: int) -> int:
        return self._entries[(address - RAM) // 0x1000 * ENTRY + 8]
