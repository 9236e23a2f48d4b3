"""To whom pages belong, and what else the pcpus of an island share.

In virtual time it is of all pages that several pcpus can reach, under the host's clock of those that pcpus on several
nodes can. How it is laid out is the engine's (core/native/ledger.h).
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterable, Iterator, Mapping, Set
from typing import Final, final

from baonet.machine import PAGE_SIZE, ClockMode, Machine
from baonet.machine.dataclass import dataclass
from baonet.machine.islands import islands
from baonet.memory.segments import Segment

OWNERSHIP_SIZE: Final = 16
"""Bytes of a page's entry (struct ownership)."""


HOLDER: Final = 10
"""Where in it is who has the bytes of the page."""
_HOLDER: Final = struct.Struct(f"<{HOLDER}xH4x")


def holder(entries: Segment, page: int) -> int | None:
    """The node that has the bytes of a page, None for this one."""
    (number,) = _HOLDER.unpack_from(entries.view, page * OWNERSHIP_SIZE)
    return number - 1 if number else None


@final
@dataclass(frozen=True, slots=True)
class Table:
    """``number`` is the segment's, by which transfers of its pages are known; ``entries`` has one for each page."""

    number: int
    entries: Segment


@final
class Ownership:
    """``segments`` are those of the machine, in an order that never changes, each with the VMs that can reach it.

    ``ledger_size`` is the engine's, for all pcpus of the machine. ``nodes``: those that each VM is on, none if there is
    but one. ``everything``: keep a table of all segments, whoever can reach them.
    """

    def __init__(
        self,
        machine: Machine,
        segments: Iterable[tuple[Segment | None, Collection[int]]],
        ledger_size: int,
        *,
        vms: Collection[int],
        nodes: Mapping[int, Set[int]],
        everything: bool,
    ) -> None:
        virtual = machine.clock.mode is ClockMode.VIRTUAL

        def several(reaching: Collection[int]) -> bool:
            if virtual:
                return everything or sum(machine.vms[vm].cpus for vm in reaching) > 1
            return len(set[int]().union(*(nodes.get(vm, ()) for vm in reaching))) > 1

        self._tables: dict[Segment, Table] = {}
        self._ledgers: dict[int, Segment] = {}
        for island in islands(machine):
            if several(island) and any(vm in vms for vm in island):
                self._ledgers |= dict.fromkeys(island, Segment(f"ledger {island[0]}", ledger_size))
        for number, (segment, reaching) in enumerate(segments):
            if segment is not None and several(reaching):
                entries = Segment(f"owners {number}", segment.size // PAGE_SIZE * OWNERSHIP_SIZE)
                self._tables[segment] = Table(number, entries)

    def ledger(self, vm: int) -> Segment | None:
        """Of the island of a VM; None: it has one pcpu, or its time is the host's and it is on one node."""
        return self._ledgers.get(vm)

    def table(self, segment: Segment) -> Table | None:
        """None: no other pcpu can reach it, or all may as they like."""
        return self._tables.get(segment)

    @property
    def tables(self) -> Iterator[tuple[int, Segment]]:
        """By the numbers of their segments, in order."""
        for table in self._tables.values():
            yield table.number, table.entries

    def keep(self, segments: Collection[Segment], vms: Iterable[int]) -> None:
        """In a process of its own: map what is of these segments and of the islands of these VMs, and nothing else for
        good.
        """
        ledgers = {self._ledgers[vm] for vm in vms if vm in self._ledgers}
        for ledger in {*self._ledgers.values()}:
            ledger.settle(kept=ledger in ledgers)
        for segment, table in self._tables.items():
            table.entries.settle(kept=segment in segments)
        self._ledgers = {vm: ledger for vm, ledger in self._ledgers.items() if ledger in ledgers}
        self._tables = {segment: table for segment, table in self._tables.items() if segment in segments}

    def close(self) -> None:
        for segment in (*{*self._ledgers.values()}, *(table.entries for table in self._tables.values())):
            segment.close()
