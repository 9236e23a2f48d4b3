"""Loops that wait for the counter: a guest that runs through one in a piece against one that looks up at every few
instructions, too often for any iteration to be left out.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

STEP: Final = 20
"""Cycles in which fewer iterations fit than are worth leaving out."""
CYCLES: Final = 4_000


class Guest(Protocol):
    """Of either architecture, in virtual time, at the beginning of its code."""

    @property
    def core(self) -> Any: ...

    def seen(self) -> tuple[Any, ...]:
        """All that its code can have changed: registers, flags, memory, time."""
        ...


def foreseen(guest: Guest) -> int:
    count: int = guest.core.statistics()["instructions_foreseen"]
    return count


def compare(whole: Guest, stepped: Guest, stops: list[int], budget: int) -> None:
    """``stops``: cycles after which both are looked at; ``budget``: the number of the exit that a limit is."""
    began = whole.core.time
    now = began
    for stop in sorted({*stops, CYCLES}):
        limit = began + stop
        reason = whole.core.run_until(limit)
        while now < limit:
            now = min(limit, now + STEP)
            other = stepped.core.run_until(now)
            if other != budget:
                break
        assert other == reason
        assert stepped.seen() == whole.seen()
        if reason != budget:
            break
    assert foreseen(stepped) == 0
