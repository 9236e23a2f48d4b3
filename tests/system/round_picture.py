"""The picture of docs/virtual-time.md, drawn from a run: ``python -m tests.system.round_picture``.

Records tell messages and waits. Phases are in no record; the model of the rule, which the engine keeps to (test_model),
tells when it has had whom go on, and how.
"""

from __future__ import annotations

import tempfile
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Final
from xml.sax.saxutils import escape

from baonet.trace.records import RECORD, SEQUENCE_SHIFT, Kind
from tests.actors.rounds_model import CoreGuest, Order
from tests.actors.rounds_model import Outcome as Stayed
from tests.system.machine import vm, write
from tests.system.modelled import modelled
from tests.system.travelling import Carried, Disturb, Outcome, travelled
from tests.system.virtual import SILENT

PICTURE: Final = Path(__file__).parents[2] / "docs" / "round.svg"
FROM, TO = 1_265_000, 1_300_000
"""Cycles, a nanosecond each: the end of a message, and a lock that two want."""
END: Final = 1_400_000
WINDOW: Final = 10_000
NAMES: Final = ("ping", "pong", "counts, vCPU 0", "counts, vCPU 1")


def machine() -> dict[str, Any]:
    """A pair that exchanges messages, and two CPUs that count together, between computing, by LL/SC."""
    ipcs = [{"base": 0x70000000, "size": "1MiB", "shared_memory": "mailbox", "interrupts": [84]}]
    pair: dict[str, Any] = {"ipcs": ipcs, "devices": SILENT, "device_tree": "auto"}
    line = "shape=3 pace=12000"  # atomics
    counting: dict[str, Any] = {"cpus": 2, "command_line": line, "device_tree": "auto", "devices": SILENT}
    return {
        "shared_memory": [{"name": "mailbox", "size": "1MiB"}],
        "vms": [
            vm("message-ping", "ping", command_line="size=64 pause=20us", **pair),
            vm("message-pong", "pong", **pair),
            vm("contend", ipcs=[ipcs[0] | {"interrupts": [85]}], **counting),
        ],
        "clock": {"mode": "virtual", "window": f"{WINDOW}ns"},
    }


@dataclass(frozen=True, slots=True)
class Part:
    """``step``: what has the same number went on at the same time, and a higher one after it."""

    pcpu: int
    begin: int
    end: int
    kind: str
    step: int
    stopped: bool


@dataclass
class Course:
    parts: list[Part] = field(default_factory=list)
    edges: list[int] = field(default_factory=list)
    step: int = 0
    parallel: bool = False

    @property
    def seen(self) -> list[Part]:
        """What is in the picture."""
        return [part for part in self.parts if part.begin < TO and part.end > FROM]

    def watch(self, carried: Carried) -> None:
        """Have its islands go on by the model, and keep what it does."""
        course = self
        seats = [seat for conductor in carried.conductors.values() for seat, _ in conductor._seats.values()]
        pcpus = {id(seat.core): seat.pcpu for seat in seats}

        class Watched(CoreGuest):
            def stay(self, order: Order) -> Stayed:
                begin = self.core.time
                outcome = super().stay(order)
                course.stayed(pcpus[id(self.core)], begin, outcome, order)
                return outcome

        modelled(carried, lambda seat: Watched(seat.core, seat.body.hypervisor.effects))
        for conductor in carried.conductors.values():
            model: Any = conductor._island._rounds
            self._watch_phases(model)

    def _watch_phases(self, model: Any) -> None:
        begin_round, begin_phase = model._begin_round, model._begin_phase

        def begun(until: int) -> bool:
            if going := begin_round(until):
                self.edges.append(model._edge)
            return bool(going)

        def phase() -> None:
            self.step += 1
            begin_phase()

        model._begin_round, model._begin_phase = begun, phase

    def stayed(self, pcpu: int, begin: int, outcome: Stayed, order: Order) -> None:
        kind = "slice" if order.patient else "parallel" if order.frozen else "alone"
        self.step += kind == "slice"
        self.parts.append(Part(pcpu, begin, outcome.clock, kind, self.step, outcome.blocked))


# What is drawn

LEFT, TOP, LANE, HEIGHT, PER_CYCLE = 106, 44, 46, 24, 0.0275
WIDTH: Final = LEFT + round((TO - FROM) * PER_CYCLE) + 28
COLOURS: Final = {"parallel": "#7ba7d7", "slice": "#eba53f", "alone": "#93c58f", "hypervisor": "#8a8a8a"}
LEGEND: Final = {
    "parallel": "beside others",
    "slice": "a slice",
    "alone": "alone",
    "hypervisor": "the hypervisor",
}


def _x(time: int) -> float:
    return round(LEFT + (min(max(time, FROM), TO) - FROM) * PER_CYCLE, 1)


def _y(pcpu: int) -> int:
    return TOP + pcpu * LANE + 12


def _text(x: float, y: float, text: str, more: str = "") -> str:
    return f'<text x="{x}" y="{y}"{more}>{escape(text)}</text>'


def _box(begin: int, end: int, pcpu: int, kind: str) -> str:
    width = max(round(_x(end) - _x(begin), 1), 0.6)
    return f'<rect x="{_x(begin)}" y="{_y(pcpu)}" width="{width}" height="{HEIGHT}" fill="{COLOURS[kind]}"/>'


def _rounds(course: Course) -> Iterator[str]:
    """Each with its length in microseconds."""
    bottom = TOP + len(NAMES) * LANE
    for begin, end in pairwise(course.edges):
        if end <= FROM or begin >= TO:
            continue
        yield f'<line x1="{_x(end)}" y1="{TOP - 6}" x2="{_x(end)}" y2="{bottom}" stroke="#c4c4c4"/>'
        if begin >= FROM and end <= TO:
            yield _text((_x(begin) + _x(end)) / 2, TOP - 10, f"{(end - begin) / 1000:g}", ' text-anchor="middle"')


def _parts(course: Course) -> Iterator[str]:
    for part in course.seen:
        yield _box(part.begin, part.end, part.pcpu, part.kind)


def _notes(course: Course) -> Iterator[str]:
    """In which order guests went on, and where they stopped."""
    steps = {step: number for number, step in enumerate(sorted({part.step for part in course.seen}), 1)}
    for part in course.seen:
        x, y = _x(part.end), _y(part.pcpu)
        if part.stopped and part.end <= TO:
            yield f'<line x1="{x}" y1="{y - 4}" x2="{x}" y2="{y + HEIGHT + 4}" stroke="#c8102e" stroke-width="2"/>'
        if x - _x(part.begin) > 14:
            yield _text(round((_x(part.begin) + x) / 2, 1), y + 16, str(steps[part.step]), ' text-anchor="middle"')


def _waits(records: list[Any], pcpu: int) -> Iterator[str]:
    since = 0
    for time, kind, *_ in records:
        if kind == Kind.WAIT:
            since = time
        elif kind == Kind.WAKE and since < TO and time > FROM:
            y = _y(pcpu) + HEIGHT // 2
            yield f'<line x1="{_x(since)}" y1="{y}" x2="{_x(time)}" y2="{y}" stroke="#555" stroke-dasharray="3 3"/>'


def _hypervisor(records: list[Any], pcpu: int, course: Course) -> Iterator[str]:
    """From an exit, or the coming of a message, until its guest goes on."""
    begins = sorted(part.begin for part in course.parts if part.pcpu == pcpu)
    entries = [time for time, kind, *_ in records if kind == Kind.ENTRY]
    for time, kind, *_ in records:
        if not FROM <= time <= TO or kind not in (Kind.EXIT, Kind.ARRIVED):
            continue
        until = entries if kind == Kind.EXIT else begins
        if (at := bisect_left(until, time)) < len(until) and until[at] > time:
            yield _box(time, until[at], pcpu, "hypervisor")


def _messages(records: dict[int, list[Any]]) -> Iterator[str]:
    left = {
        (pcpu, b & 0xFFFF, b >> SEQUENCE_SHIFT): time
        for pcpu, those in records.items()
        for time, kind, _, _, b, _ in those
        if kind == Kind.SENT
    }
    for pcpu, those in records.items():
        for time, kind, _, _, b, _ in those:
            source = b & 0xFFFF
            if kind != Kind.ARRIVED or (source, pcpu, b >> SEQUENCE_SHIFT) not in left:
                continue
            begin = left[source, pcpu, b >> SEQUENCE_SHIFT]
            if begin >= FROM and time <= TO:
                y1, y2 = (_y(source) + HEIGHT, _y(pcpu)) if source < pcpu else (_y(source), _y(pcpu) + HEIGHT)
                yield (
                    f'<line x1="{_x(begin)}" y1="{y1}" x2="{_x(time)}" y2="{y2}" '
                    'stroke="#222" stroke-width="1.5" marker-end="url(#head)"/>'
                )


def _legend() -> Iterator[str]:
    x, y = float(LEFT), TOP + len(NAMES) * LANE + 40
    for kind, text in LEGEND.items():
        yield f'<rect x="{x}" y="{y - 11}" width="14" height="14" fill="{COLOURS[kind]}"/>' + _text(x + 19, y, text)
        x += 40 + 6.2 * len(text)
    for line, text in (
        ('stroke="#c8102e" stroke-width="2"', "stops for what it may not have"),
        ('stroke="#555" stroke-dasharray="3 3"', "waits (WFI)"),
        ('stroke="#222" stroke-width="1.5" marker-end="url(#head)"', "a message"),
    ):
        yield f'<line x1="{x}" y1="{y - 4}" x2="{x + 18}" y2="{y - 4}" {line}/>' + _text(x + 25, y, text)
        x += 46 + 6.2 * len(text)


def run(disturb: Disturb | None = None) -> Outcome:
    with tempfile.TemporaryDirectory() as directory:
        return travelled(write(Path(directory), machine()), END, END, disturb=disturb)


def drawn(course: Course, outcome: Outcome) -> str:
    """The picture, in SVG."""
    records = {pcpu: list(RECORD.iter_unpack(data)) for pcpu, data in sorted(outcome.records.items())}
    bottom = TOP + len(NAMES) * LANE
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + 54}" font-family="sans-serif" '
        'font-size="11">',
        '<defs><marker id="head" markerWidth="7" markerHeight="7" refX="6" refY="3" orient="auto">'
        '<path d="M0,0 L6,3 L0,6 z" fill="#222"/></marker></defs>',
        '<rect width="100%" height="100%" fill="white"/>',
        _text(8, TOP - 24, "rounds, with their lengths in microseconds; numbers tell the order in which it was done"),
        *_rounds(course),
        *(_text(8, _y(pcpu) + 16, name) for pcpu, name in enumerate(NAMES)),
        *(line for pcpu, those in records.items() for line in _waits(those, pcpu)),
        *_parts(course),
        *(line for pcpu, those in records.items() for line in _hypervisor(those, pcpu, course)),
        *_notes(course),
        *_messages(records),
    ]
    middle = ' text-anchor="middle"'
    times = [_text(_x(time), bottom + 14, f"{time // 1000} us", middle) for time in range(FROM, TO + 1, 5000)]
    return "\n".join([*lines, *times, *_legend(), "</svg>", ""])


if __name__ == "__main__":
    COURSE = Course()
    PICTURE.write_text(drawn(COURSE, run(COURSE.watch)), encoding="utf-8")
