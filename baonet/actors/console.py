"""What guests print, put in order.

Each core that shares a UART sends its own pieces, with their position in the device's output; ``Reassembly`` joins
those of one UART, ``JoinedOutput`` has them all.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, final


@final
class Reassembly:
    """The output of one UART: pieces come in any order, bytes leave in the order they were sent.

    VMs may share a UART, so each piece says which VM sent it. ``position``: of the next byte to leave, among all that
    the UART ever sent.
    """

    LIMIT: Final = 1 << 24
    """Bytes that wait for a piece, more than cores send while it is on its way. Then the older half leaves."""

    __slots__ = ("_bytes", "_early", "position")

    def __init__(self, position: int = 0) -> None:
        self.position = position
        self._bytes = 0
        self._early: dict[int, tuple[int, bytes]] = {}

    @property
    def newest(self) -> int | None:
        """The position of the last piece that is here and waits for another; None if none does."""
        return max(self._early, default=None)

    def holds(self, vm: int) -> bool:
        """Whether a piece of this VM waits for another."""
        return any(sender == vm for sender, _ in self._early.values())

    def add(self, vm: int, position: int, data: bytes) -> list[tuple[int, bytes]]:
        """What can leave now that this piece has come, as (VM, bytes)."""
        if position < self.position:
            return [(vm, data)]  # it was given up
        self._early[position] = (vm, data)
        self._bytes += len(data)
        ready = self._ready()
        return ready if self._bytes <= self.LIMIT else ready + self.give_up(sorted(self._early)[len(self._early) // 2])

    def give_up(self, mark: int) -> list[tuple[int, bytes]]:
        """All that is here up to ``mark``, and what follows it: what is missing before will not come."""
        old = sorted(position for position in self._early if position <= mark)
        if not old:
            return []
        pieces = [self._early.pop(position) for position in old]
        self._bytes -= sum(len(data) for _, data in pieces)
        self.position = old[-1] + len(pieces[-1][1])
        return pieces + self._ready()

    def rest(self) -> list[tuple[int, bytes]]:
        """What is left at the end, behind pieces that never came."""
        rest = [piece for _, piece in sorted(self._early.items())]
        self._early.clear()
        return rest

    def _ready(self) -> list[tuple[int, bytes]]:
        ready = []
        while (piece := self._early.pop(self.position, None)) is not None:
            ready.append(piece)
            self.position += len(piece[1])
            self._bytes -= len(piece[1])
        return ready


@final
class JoinedOutput:
    """The output of all UARTs, each joined.

    Once a core has died a piece may be missing for good, or be on its way from a core that lives. Those are asked for
    anything, and send all that they had printed before they answer: what is missing then was the dead one's.
    """

    def __init__(self) -> None:
        self._uarts: dict[int, Reassembly] = {}
        self._asked: set[int] = set()
        self._marks: dict[int, int] = {}

    def add(self, device: int, vm: int, position: int, data: bytes) -> list[tuple[int, bytes]]:
        """What can leave now that this piece has come, as (VM, bytes)."""
        return self._uarts.setdefault(device, Reassembly()).add(vm, position, data)

    def holds(self, vm: int) -> bool:
        """Whether a piece of this VM waits for another, which may be of a VM that shares its UART."""
        return any(uart.holds(vm) for uart in self._uarts.values())

    def ask(self, living: Iterable[int]) -> list[int]:
        """Some core has died: who of the actors that live is to be asked now. Nobody while answers are due."""
        if self._asked:
            return []
        self._marks = {device: mark for device, uart in self._uarts.items() if (mark := uart.newest) is not None}
        self._asked = set(living) if self._marks else set()
        return sorted(self._asked)

    def answered(self, address: int) -> list[tuple[int, bytes]]:
        """One has, or never will; what can leave therefore."""
        self._asked.discard(address)
        return [] if self._asked else self.settle()

    def settle(self) -> list[tuple[int, bytes]]:
        """What can leave when nobody has anything to send that was printed before ``ask``."""
        marks, self._marks = self._marks, {}
        return [piece for device, mark in marks.items() for piece in self._uarts[device].give_up(mark)]

    def save(self) -> list[list[int]]:
        """How much each UART has sent, when all of it has come."""
        return [[device, uart.position] for device, uart in sorted(self._uarts.items())]

    def load(self, saved: list[list[int]]) -> None:
        """So much has come already."""
        self._uarts = {device: Reassembly(position) for device, position in saved}

    def rest(self) -> list[tuple[int, bytes]]:
        """What is left at the end."""
        return [piece for uart in self._uarts.values() for piece in uart.rest()]
