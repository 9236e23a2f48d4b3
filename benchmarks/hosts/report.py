"""Rows as text, and as data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from statistics import median

from benchmarks.goals import Goal
from benchmarks.hosts.setting import Row, Sample
from benchmarks.units import scaled

WIDTHS = (24, 16, 30, 14)


@dataclass(slots=True)
class Taken:
    """What a row has given: samples by way, and why a way has none."""

    row: Row
    samples: dict[str, list[Sample]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    def figures(self, way: str, figure: str) -> list[float]:
        return [sample[figure] for sample in self.samples.get(way, []) if figure in sample]

    def middle(self, way: str, figure: str) -> float | None:
        found = self.figures(way, figure)
        return median(found) if found else None

    def medians(self) -> Mapping[str, Sample]:
        """Of every way that has samples, by its name."""
        return {
            way: {figure: value for figure in self.row.units if (value := self.middle(way, figure)) is not None}
            for way in self.samples
        }


def _verdict(goal: Goal | None, value: float, peer: float | None = None) -> tuple[str, str]:
    if goal is None:
        return "", ""
    return goal.text, "met" if goal.met(value, peer) else "MISSED"


def _spread(values: list[float], unit: str) -> str:
    text = scaled(median(values), unit)
    if len(values) == 1:
        return text
    return f"{text} [{scaled(min(values), unit)}..{scaled(max(values), unit)}]"


def _line(*cells: str) -> str:
    *first, last = cells
    return (
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(first, WIDTHS, strict=True)) + f"  {last}"
    ).rstrip()


def lines(taken: Taken) -> Iterator[str]:
    """A line each figure and ratio."""
    row = taken.row
    for way in [*taken.samples, *(way for way in taken.failures if way not in taken.samples)]:
        for figure, unit in row.units.items():
            if values := taken.figures(way, figure):
                goal, verdict = _verdict(row.goals.get((way, figure)), median(values))
                yield _line(way, figure, _spread(values, unit), goal, verdict)
        if way in taken.failures:
            yield _line(way, "failed", taken.failures[way].splitlines()[0], "", "MISSED")
    for ratio in row.ratios:
        value, peer = taken.middle(ratio.way, ratio.figure), taken.middle(ratio.to, ratio.figure)
        if value is not None and peer:
            goal, verdict = _verdict(ratio.goal, value, peer)
            yield _line(f"{ratio.way} / {ratio.to}", ratio.figure, f"{value / peer:.2f}", goal, verdict)


def data(taken: Taken) -> dict[str, object]:
    """Every sample, in the base unit."""
    return {"row": taken.row.name, "units": taken.row.units, "samples": taken.samples, "failures": taken.failures}
