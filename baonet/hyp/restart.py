"""Starting a VM anew: no message of its previous life may reach its next one.

Bao has no VM reset; this is ours. The VM's pcpus are halted and its memory is loaded again; then each of them is told
to reset. Each sends a ``VmBarrier`` to all the others, which on FIFO channels comes after everything it said before.
What comes from a peer ahead of its barrier is of the old life and dropped. A peer that already has all its barriers
may run while this pcpu still waits for others: what comes after its barrier is kept for the new life.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, final

from baonet.hyp.messages import HypMessage, SpiLine, VmBarrier
from baonet.machine.saved import Saved, StateForm

_FORM: Final = StateForm("a VM's restart", 1, life=int, under_way=bool, seen=list, held=list)


@final
class Restart:
    """One pcpu's view of the resets of its VM. ``life`` counts them."""

    __slots__ = ("_held", "_peers", "_seen", "life", "under_way")

    def __init__(self, peers: tuple[int, ...]) -> None:
        self._peers = peers
        self._seen = dict.fromkeys(peers, 0)
        self._held: list[tuple[int, HypMessage]] = []
        self.life = 0
        self.under_way = False

    @property
    def peers(self) -> tuple[int, ...]:
        """The other pcpus of the VM."""
        return self._peers

    def begin(self) -> VmBarrier:
        """A reset starts here; send the barrier to every peer."""
        self.life += 1
        self.under_way = True
        self._held = [(source, message) for source, message in self._held if isinstance(message, SpiLine)]
        return VmBarrier(self.life)

    def barrier(self, source: int, message: VmBarrier) -> None:
        if source in self._seen:
            self._seen[source] = message.life

    def complete(self) -> bool:
        """Whether every peer has ended its previous life."""
        return all(life >= self.life for life in self._seen.values())

    def hold(self, source: int, message: HypMessage) -> bool:
        """Keep a message that comes during a reset, or tell by False that it is of the old life and lost.

        A device's line goes on whatever happens to the VM; another VM's notification is for a VM that listens.
        """
        if not isinstance(message, SpiLine) and self._seen.get(source, -1) < self.life:
            return False
        if isinstance(message, SpiLine):  # what the line is at last counts, or a device could fill this
            number = message.interrupt
            older = [held for _, held in self._held if isinstance(held, SpiLine) and held.interrupt == number]
            if any(held.sequence > message.sequence for held in older):
                return True
            self._held = [each for each in self._held if each[1] not in older]
        self._held.append((source, message))
        return True

    def finish(self) -> list[tuple[int, HypMessage]]:
        """The new life starts; the messages that came early, in order."""
        held, self._held = self._held, []
        self.under_way = False
        return held

    def save(self, dump: Callable[[HypMessage], Any]) -> Saved:
        """``dump`` makes a message plain data."""
        return _FORM.save(
            life=self.life,
            under_way=self.under_way,
            seen=[self._seen[peer] for peer in self._peers],
            held=[[source, dump(message)] for source, message in self._held],
        )

    def load(self, data: object, undump: Callable[[Any], HypMessage]) -> None:
        """Be as one was that has been saved.

        Raises StateError for what is not its state, and what ``undump`` raises.
        """
        fields = _FORM.load(data)
        if len(fields["seen"]) != len(self._peers):
            raise _FORM.damaged(f"{len(fields['seen'])} peers, where there are {len(self._peers)}")
        self.life, self.under_way = fields["life"], fields["under_way"]
        self._seen = dict(zip(self._peers, fields["seen"], strict=True))
        self._held = [(source, undump(message)) for source, message in fields["held"]]
