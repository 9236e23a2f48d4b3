"""A core with no instructions: why its guest leaves, stay by stay, is what a test says."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from baonet.hyp.answers import FixedAnswer
from baonet.hyp.armv8.cpu import EXIT_INTID, EXIT_VALUE, Exit
from tests.hyp.fake_cpu import FakeCpu

Stay = Callable[[], int]


class FakeCore(FakeCpu):
    """``stays`` are what a guest does next, one each time that it is entered; one that has none left waits (WFI).

    ``notes``: what was recorded. ``pending``: a virtual interrupt is there. ``due``: when a timer's is, -1 for never.
    ``room``: characters that the UART takes. ``entered``: how often the guest was. ``floor``: of the time that it sees.
    """

    has_records = False

    def __init__(self) -> None:
        super().__init__()
        self.stays: deque[Stay] = deque()
        self.notes: list[tuple[int, int, int, int]] = []
        self.printed: list[tuple[int, int, bytes]] = []
        self.lines: deque[tuple[int, int]] = deque()
        self.pending = False
        self.due = -1
        self.time = self.floor = 0
        self.behind = self.stood = 0
        self.room = 0
        self.taken = b""
        self.entered = 0

    def then(self, *reasons: int | Stay) -> None:
        """What the guest does next."""
        self.stays += [reason if callable(reason) else _leaves(reason) for reason in reasons]

    def calls(self, function: int, *arguments: int) -> None:
        """Its guest makes a hypercall next."""

        def stay() -> int:
            self.x[: 1 + len(arguments)] = [function, *arguments]
            return Exit.HVC

        self.then(stay)

    def prints(self, data: bytes) -> None:
        """Its guest prints next, and is kicked."""

        def stay() -> int:
            position = sum(len(piece) for _, _, piece in self.printed)
            self.printed.append((0, position, data))
            return Exit.KICKED

        self.then(stay)

    def emulate(self, windows: Any, read: Any, write: Any, outbox: list[Any]) -> None:
        self.read, self.write, self.outbox = read, write, outbox

    def answer(self, answers: tuple[FixedAnswer, ...]) -> None:
        """It asks."""

    def run(self, budget: int) -> int:
        self.entered += 1
        if 0 <= self.due <= self.time:
            self.due = -1  # it is taken
        return self.stays.popleft()() if self.stays else Exit.WFI

    @property
    def visible(self) -> int:
        return max(self.time, self.floor)

    @property
    def has_output(self) -> bool:
        return bool(self.printed)

    def pay(self, kind: int) -> None:
        """Exits cost nothing here."""

    def skip_to(self, cycle: int) -> None:
        self.time = max(self.time, cycle)

    def tell_time(self) -> None:
        """It reads no clock."""

    def stand(self) -> None:
        self.stood += 1

    def fall_behind(self, nanoseconds: int) -> None:
        self.behind += nanoseconds

    def alarm(self) -> int:
        return self.due

    def deadline(self) -> int:
        return self.due

    def wakes(self) -> bool:
        return self.pending

    def note(self, kind: int, a: int, b: int, c: int) -> None:
        self.notes.append((kind, a, b, c))

    def answer_doorbell(self) -> None: ...

    def take_output(self) -> list[tuple[int, int, bytes]]:
        taken, self.printed = self.printed, []
        return taken

    def take_event(self) -> int:
        if not self.lines:
            return -1
        self.exit[EXIT_INTID], self.exit[EXIT_VALUE] = self.lines.popleft()
        return Exit.LINE

    def put_input(self, uart: int, data: bytes) -> int:
        taken = data[: self.room]
        self.room -= len(taken)
        self.taken += taken
        return len(taken)

    def put_break(self, uart: int) -> bool:
        return self.put_input(uart, b"!") == 1

    def code(self, va: int) -> bytes:
        return b""

    def storm(self) -> None:
        return None

    def memory_counts(self) -> dict[str, int]:
        return {}

    def statistics(self) -> dict[str, int | list[int]]:
        return {"instructions": self.entered}


def _leaves(reason: int) -> Stay:
    return lambda: reason
