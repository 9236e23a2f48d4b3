"""The table, and the same as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from benchmarks.job import AnyFigure, AnyJob
from benchmarks.units import scaled


@dataclass(slots=True)
class Row:
    """The samples of one figure by emulator, and why there are none where a run failed."""

    figure: AnyFigure
    samples: dict[str, list[float]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    def value(self, emulator: str) -> float | None:
        samples = self.samples.get(emulator)
        return median(samples) if samples else None


def _cell(row: Row, emulator: str) -> str:
    samples = row.samples.get(emulator)
    if not samples:
        return "failed" if emulator in row.failures else "-"
    text = scaled(median(samples), row.figure.unit)
    if len(samples) == 1:
        return text
    spread = [scaled(bound, row.figure.unit).split()[0] for bound in (min(samples), max(samples))]
    units = {scaled(bound, row.figure.unit).split()[1] for bound in samples}
    return f"{text} [{spread[0]}..{spread[1]}]" if len(units) == 1 else text


def _peer(row: Row, rows: Mapping[str, Row], qemu: str) -> float | None:
    own = row.value(qemu)
    if own is None and row.figure.compare_with in rows:
        return rows[row.figure.compare_with].value(qemu)
    return own


def table(rows: Sequence[Row], ours: str, qemu: str, before: str | None = None) -> str:
    """Text with aligned columns; a ratio in parentheses compares with another figure of QEMU's.

    ``before``: another baonet, whose figures come first, and by which ours are divided.
    """
    by_name = {row.figure.name: row for row in rows}
    own = (ours,) if before is None else (before, ours, f"/ {before}")
    lines = [("work", *own, qemu, "ratio", "goal", "")]
    for row in rows:
        value, peer = row.value(ours), _peer(row, by_name, qemu)
        ratio = _ratio(value, peer)
        if row.figure.compare_with and ratio != "-":
            ratio = f"({ratio})"
        goals = row.figure.goals
        first = goals[0].text if goals else ""
        cells = [_cell(row, ours)]
        if before is not None:
            cells = [_cell(row, before), *cells, _ratio(value, row.value(before))]
        lines.append((row.figure.name, *cells, _cell(row, qemu), ratio, first, _verdict(row, 0, ours, peer)))
        lines += [
            (*[""] * (len(lines[0]) - 2), goal.text, _verdict(row, number, ours, peer))
            for number, goal in enumerate(goals[1:], start=1)
        ]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join(
        "  ".join(
            text.rjust(width) if 1 <= column <= len(lines[0]) - 3 else text.ljust(width)
            for column, (text, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def _ratio(value: float | None, peer: float | None) -> str:
    return f"{value / peer:.2f}" if value is not None and peer else "-"


def _verdict(row: Row, number: int, ours: str, peer: float | None) -> str:
    value = row.value(ours)
    if value is None or number >= len(row.figure.goals):
        return ""
    met = row.figure.goals[number].met(value, peer)
    return "" if met is None else "met" if met else "MISSED"


def data(rows: Sequence[Row]) -> list[dict[str, object]]:
    """For ``--json``: every sample, in the base unit."""
    return [
        {
            "work": row.figure.name,
            "unit": row.figure.unit,
            "samples": row.samples,
            "failures": row.failures,
            "goals": [goal.text for goal in row.figure.goals],
        }
        for row in rows
    ]


def empty_rows(jobs: Sequence[AnyJob]) -> list[Row]:
    return [Row(figure) for job in jobs for figure in job.figures]
