"""A machine in virtual time of which hardly a page is there: each access to another is refused, and answered here.

It goes on as the model of the rule says. What is refused has not happened, so nothing of it shows in what the machine
does: a page that the rule grants is given, and one that it does not grant blocks the guest, as if it were there.
"""

from __future__ import annotations

import struct
from typing import Any, Final, final

from baonet.actors.seat import Seat
from baonet.core import _node
from tests.actors.rounds_model import CoreGuest, Order
from tests.system.modelled import modelled
from tests.system.travelling import Carried

NOBODY: Final = 0xFFFF
"""No pcpu's number: who owns what is not there."""
ENTRY: Final = struct.Struct("<QHxxxxxx")
"""A page's entry (struct ownership): when it was let go, and its owner."""


@final
class Missing:
    """All pages of a machine that has tables of all. At most ``capacity`` are there: the latest that were asked for.

    ``misses`` counts what was refused and is there now, ``taken`` those of them that have changed hands, ``blocked``
    what the rule refuses.
    """

    def __init__(self, carried: Carried, capacity: int) -> None:
        self.misses = self.taken = self.blocked = 0
        self._capacity = capacity
        self._ownership = ownership = carried.memory.ownership
        self._entries = dict(ownership.tables)
        tables = (ownership.table(device) for device in carried.memory.devices.values())
        self._devices = {table.number for table in tables if table is not None}
        self._there: dict[tuple[int, int], Any] = {}  # with the ledger of those who are to hear of it
        self._gone: dict[tuple[int, int], tuple[int, int]] = {}
        for number, entries in self._entries.items():
            if number not in self._devices:
                entries.view[:] = ENTRY.pack(0, NOBODY) * (entries.size // ENTRY.size)
        modelled(carried, self._guest)

    def _guest(self, seat: Seat) -> CoreGuest:
        ledger = self._ownership.ledger(seat.body.vm.index)
        assert ledger is not None
        return _Guest(seat, self, ledger.view)

    def grants(self, pcpu: int, ledger: Any, segment: int, page: int, write: bool, *, frozen: bool) -> bool:
        """Give a page to a core that was refused it, as ownership.c would have; False: nor would that."""
        key, entries = (segment, page), self._entries[segment].view
        there = key in self._there or segment in self._devices
        let_go, owner = ENTRY.unpack_from(entries, page * ENTRY.size) if there else self._gone.get(key, (0, 0))
        if owner != pcpu + 1 and (write or owner):
            if frozen:
                self.blocked += 1
                return False
            let_go = _node.known(ledger, owner - 1) if owner else let_go
            owner = pcpu + 1 if write else 0
            self.taken += 1
        _node.hand_over(ledger, entries, segment, page, owner, let_go)
        self.misses += 1
        if segment not in self._devices:
            self._there.pop(key, None)
            self._there[key] = ledger
        if len(self._there) > self._capacity:
            self._take_away(*next(iter(self._there)))
        return True

    def _take_away(self, segment: int, page: int) -> None:
        entries, ledger = self._entries[segment].view, self._there.pop((segment, page))
        self._gone[segment, page] = ENTRY.unpack_from(entries, page * ENTRY.size)
        _node.hand_over(ledger, entries, segment, page, NOBODY, 0)


@final
class _Guest(CoreGuest):
    """One whose pages are missing: it asks for all, also where it has all rights."""

    def __init__(self, seat: Seat, missing: Missing, ledger: Any) -> None:
        super().__init__(seat.core, seat.body.hypervisor.effects)
        self._missing, self._pcpu, self._ledger = missing, seat.pcpu, ledger

    def enter(self, order: Order) -> int:
        core = self.core
        while True:
            reason: int = core.run_until(order.limit, order.polite, True, order.frozen)
            need = core.blocked
            if not need or not self._missing.grants(self._pcpu, self._ledger, *need, frozen=order.frozen):
                return reason
