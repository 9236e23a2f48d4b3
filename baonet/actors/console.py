"""What guests print, put in order.

Each core that shares a UART sends its own pieces, with their position in the device's output; ``Reassembly`` joins
them.
"""

from __future__ import annotations

from typing import Final, final


@final
class Reassembly:
    """The output of one UART: pieces come in any order, bytes leave in the order they were sent.

    VMs may share a UART, so each piece says which VM sent it.
    """

    PATIENCE: Final = 5
    LIMIT: Final = 1 << 24
    """Bytes that wait for a piece, more than cores send while it is on its way. Then the older half leaves."""

    __slots__ = ("_bytes", "_early", "_mark", "_position", "_waited")

    def __init__(self) -> None:
        self._position = self._bytes = 0
        self._early: dict[int, tuple[int, bytes]] = {}
        self._waited = self._mark = 0

    def add(self, vm: int, position: int, data: bytes) -> list[tuple[int, bytes]]:
        """What can leave now that this piece has come, as (VM, bytes)."""
        if position < self._position:
            return [(vm, data)]  # it was given up
        self._early[position] = (vm, data)
        self._bytes += len(data)
        ready = self._ready()
        return ready if self._bytes <= self.LIMIT else ready + self._give_up(sorted(self._early)[len(self._early) // 2])

    def tick(self) -> list[tuple[int, bytes]]:
        """Call it once a core has died: what is missing for ``PATIENCE`` ticks was that core's, and is given up.

        All of it at once, as a core that shared its UART with another left many small gaps.
        """
        if not self._early:
            return []
        if self._waited == 0:
            self._mark = max(self._early)
        self._waited += 1
        if self._waited < self.PATIENCE:
            return []
        self._waited = 0
        return self._give_up(self._mark)

    def _give_up(self, mark: int) -> list[tuple[int, bytes]]:
        """All that is here up to ``mark``, and what follows it."""
        old = sorted(position for position in self._early if position <= mark)
        pieces = [self._early.pop(position) for position in old]
        self._bytes -= sum(len(data) for _, data in pieces)
        self._position = old[-1] + len(pieces[-1][1])
        return pieces + self._ready()

    def rest(self) -> list[tuple[int, bytes]]:
        """What is left at the end, behind pieces that never came."""
        rest = [piece for _, piece in sorted(self._early.items())]
        self._early.clear()
        return rest

    def _ready(self) -> list[tuple[int, bytes]]:
        ready = []
        while (piece := self._early.pop(self._position, None)) is not None:
            ready.append(piece)
            self._position += len(piece[1])
            self._bytes -= len(piece[1])
        if ready:
            self._waited = 0
        return ready
