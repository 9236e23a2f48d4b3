"""A machine in virtual time of which hardly a page is there: each access to another is refused, and answered here.

What is refused has not happened, so nothing of it shows in what the machine does.
"""

from __future__ import annotations

import struct
from typing import Any, Final, final

from baonet.core import _node
from tests.system.travelling import Carried

NOBODY: Final = 0xFFFF
"""No pcpu's number: who owns what is not there."""
ENTRY: Final = struct.Struct("<QHxxxxxx")
"""A page's entry (struct ownership): when it was let go, and its owner."""


@final
class Missing:
    """All pages of a machine that has tables of all. At most ``capacity`` are there: the latest that were asked for.

    ``misses`` counts what was refused.
    """

    def __init__(self, carried: Carried, capacity: int) -> None:
        self.misses = 0
        self._capacity = capacity
        self._ownership = ownership = carried.memory.ownership
        self._entries = dict(ownership.tables)
        tables = (ownership.table(device) for device in carried.memory.devices.values())
        self._devices = {table.number for table in tables if table is not None}
        self._there: dict[tuple[int, int], None] = {}
        self._gone: dict[tuple[int, int], tuple[int, int]] = {}
        for number, entries in self._entries.items():
            if number not in self._devices:
                entries.view[:] = ENTRY.pack(0, NOBODY) * (entries.size // ENTRY.size)
        for conductor in carried.conductors.values():
            for pcpu, (seat, _) in conductor._seats.items():
                ledger = ownership.ledger(seat.body.vm.index)
                assert ledger is not None
                seat.body.core = Core(seat.core, self, pcpu, ledger.view)  # type: ignore[assignment]

    def answer(self, pcpu: int, ledger: Any, segment: int, page: int, write: bool) -> None:
        """As the core would have taken it, had it been let."""
        key, entries = (segment, page), self._entries[segment].view
        there = key in self._there or segment in self._devices
        let_go, owner = ENTRY.unpack_from(entries, page * ENTRY.size) if there else self._gone.get(key, (0, 0))
        if owner != pcpu + 1 and (write or owner):
            let_go = _node.visible(ledger, owner - 1) if owner else let_go
            owner = pcpu + 1 if write else 0
        _node.hand_over(ledger, entries, segment, page, owner, let_go)
        self.misses += 1
        if segment not in self._devices:
            self._there.pop(key, None)
            self._there[key] = None
        if len(self._there) > self._capacity:
            self._take_away(ledger, *next(iter(self._there)))

    def _take_away(self, ledger: Any, segment: int, page: int) -> None:
        entries = self._entries[segment].view
        del self._there[segment, page]
        self._gone[segment, page] = ENTRY.unpack_from(entries, page * ENTRY.size)
        _node.hand_over(ledger, entries, segment, page, NOBODY, 0)


@final
class Core:
    """One whose pages are missing; all else is as it was."""

    def __init__(self, core: Any, missing: Missing, pcpu: int, ledger: Any) -> None:
        self._core, self._missing, self._pcpu, self._ledger = core, missing, pcpu, ledger

    def __getattr__(self, name: str) -> Any:
        return getattr(self._core, name)

    def run_until(self, cycle: int, polite: bool = False) -> int:
        core = self._core
        while True:
            reason: int = core.run_until(cycle, polite, True)
            if (need := core.blocked) is None:
                return reason
            self._missing.answer(self._pcpu, self._ledger, *need)
