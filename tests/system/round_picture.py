"""The picture of rounds in docs/virtual-time.md, drawn from a run: ``python -m tests.system.round_picture``.

The run goes on as the model of the rule says (``tests.actors.rounds_model``), which the engine is held to.
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from tests.actors.rounds_model import CoreGuest, Order, Outcome
from tests.system.machine import vm, write
from tests.system.modelled import modelled
from tests.system.travelling import Carried, travelled

PAGE = Path(__file__).parents[2] / "docs" / "virtual-time.md"
FIRST, LAST, STEP = 10_000, 27_000, 250
"""Cycles, as nanoseconds: what is drawn, and how much of it in a column."""
_BLOCK = re.compile(r"(?<=^```text\n)us +10.*?(?=^```$)", re.MULTILINE | re.DOTALL)


class Stay(NamedTuple):
    pcpu: int
    begin: int
    end: int
    sign: str


def _stays() -> list[Stay]:
    found: list[Stay] = []

    class Logged(CoreGuest):
        def stay(self, order: Order) -> Outcome:
            begin: int = self.core.time
            outcome = super().stay(order)
            sign = "=" if order.frozen else "#" if order.patient else "-"
            found.append(Stay(cores.index(self.core), begin, outcome.clock, sign))
            return outcome

    cores: list[Any] = []

    def log(carried: Carried) -> None:
        for conductor in carried.conductors.values():
            cores.extend(seat.core for seat, _ in conductor._seats.values())
        modelled(carried, Logged)

    with tempfile.TemporaryDirectory() as directory:
        machine = {"clock": {"mode": "virtual"}, "vms": [vm("smp", cpus=3)]}
        travelled(write(Path(directory), machine), LAST, LAST, disturb=log)
    return found


def picture() -> str:
    """A line for each pcpu, and above them the time."""
    columns = (LAST - FIRST) // STEP
    rows = [[" "] * columns for _ in range(3)]
    for stay in _stays():
        first, last = max(stay.begin - FIRST, 0) // STEP, (stay.end - FIRST - 1) // STEP
        for column in range(first, min(last + 1, columns)):
            rows[stay.pcpu][column] = stay.sign
    each = 1000 // STEP
    head = "".join(f"{(FIRST + number * 1000) // 1000:<{each}}" for number in range(columns // each))
    lines = [f"us      {head}", *(f"pcpu {pcpu}  {''.join(row)}" for pcpu, row in enumerate(rows))]
    return "".join(f"{line.rstrip()}\n" for line in lines)


def page() -> str:
    """The page with the picture as it is now."""
    text, count = _BLOCK.subn(lambda _: picture(), PAGE.read_text(encoding="utf-8"))
    if count != 1:
        sys.exit(f"{PAGE} has {count} pictures, not one")
    return text


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
