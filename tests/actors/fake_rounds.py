"""What decides who runs, without cores: whoever is to be asked next is what a test says."""

from __future__ import annotations

from collections import deque
from typing import Any

from baonet.actors.island import DONE
from baonet.wire.turns import NEVER


class FakeRounds:
    """Of ``count`` members. ``asked``: what ``go`` finds next, (member, why its guest was left), or DONE or RECESS.

    ``clocks`` and ``due``: of each member; ``heard``: what it was told, in order; ``errands``: members that run some.
    """

    def __init__(self, count: int) -> None:
        self.asked: deque[tuple[int, int] | int] = deque()
        self.clocks = [0] * count
        self.due = [NEVER] * count
        self.running = [False] * count
        self.heard: list[tuple[Any, ...]] = []
        self.errands: set[int] = set()
        self.until: list[int] = []
        self._reason = -1

    def go(self, until: int) -> int:
        self.until.append(until)
        found = self.asked.popleft() if self.asked else DONE
        if isinstance(found, int):
            return found
        member, self._reason = found
        return member

    def take(self, member: int) -> tuple[int, int]:
        reason, self._reason = self._reason, -1
        return reason, self.due[member]

    def ready(self, member: int, clock: int, attention: int) -> None:
        self.running[member], self.clocks[member], self.due[member] = True, clock, attention

    def asleep(self, member: int, clock: int, until: int) -> None:
        self.running[member], self.clocks[member], self.due[member] = False, clock, until

    def gone(self, member: int) -> None:
        self.heard.append(("gone", member))
        self.due[member] = NEVER

    def call(self, member: int) -> None:
        self.heard.append(("called", member))

    def tell(self, member: int, due: int) -> None:
        self.due[member] = min(self.due[member], due)

    def bring(  # noqa: PLR0917 - as the native one is
        self, member: int, due: int, source: int, sequence: int, shmem: int, event: int
    ) -> bool:
        if member in self.errands:
            self.heard.append((member, due, source, sequence, shmem, event))
        return member in self.errands

    def clock(self, member: int) -> int:
        return self.clocks[member]

    def take_printed(self) -> list[int]:
        return []

    def take_delivered(self) -> tuple[int, int, int]:
        return 0, 0, 0

    @property
    def next(self) -> int:
        return min(self.due)

    @property
    def latest(self) -> int:
        return max(self.clocks)

    @property
    def standing(self) -> bool:
        return not any(self.running)

    def memory_counts(self) -> list[Any]:
        return []

    def save(self) -> list[Any]:
        return [self.clocks, self.due]

    def load(self, saved: list[Any]) -> None:
        self.clocks, self.due = saved
