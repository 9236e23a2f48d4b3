"""The results of a study, put together for a reader: one distribution for each point and each thing measured.

In virtual time repeats of a run are the same run again. They say that it can be repeated, and add no samples: of runs
with one digest the first counts. Seeds make different runs, and their samples are pooled.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import final

from baonet.machine.dataclass import dataclass, field
from baonet.study.catalog import METRICS, Entry
from baonet.study.determinism import Disagreement, compare
from baonet.study.metrics.base import Key, Measured
from baonet.study.metrics.interrupts import STAGES, TOTAL
from baonet.study.plan import PlotSpec, place_label, places
from baonet.study.plausible import check_measured, check_meta, check_runs
from baonet.study.store import Store, StoredPoint, StoredRun, StoreError
from baonet.trace.memory import HYPERVISOR, NOBODY


@final
@dataclass(slots=True)
class Distribution:
    """Samples of all runs of a point; ``count``, ``least``, ``greatest`` and ``total`` also of those not kept."""

    kept: array[float] = field(default_factory=lambda: array("d"))
    count: int = 0
    least: float = float("inf")
    greatest: float = float("-inf")
    total: float = 0.0

    @property
    def mean(self) -> float:
        return self.total / self.count


def _ordered(names: set[str]) -> list[str]:
    """VMs first, of a cache's owners."""
    return sorted(names, key=lambda name: (name in (HYPERVISOR, NOBODY), name))


@final
@dataclass(slots=True)
class MetricResult:
    """What a metric found: by key, then by point. ``values`` has one number for each different run."""

    name: str
    kind: str
    unit: str
    ids: Mapping[str, str]
    samples: dict[Key, dict[int, Distribution]] = field(default_factory=dict)
    values: dict[Key, dict[int, list[float]]] = field(default_factory=dict)
    notes: dict[str, int] = field(default_factory=dict)

    @property
    def entry(self) -> Entry:
        return METRICS[self.kind]

    def add(self, point: int, measured: Measured) -> None:
        self.unit = measured.unit or self.unit
        for key, reservoir in measured.samples.items():
            pooled = self.samples.setdefault(key, {}).setdefault(point, Distribution())
            pooled.kept.extend(reservoir.kept)
            pooled.count += reservoir.count
            pooled.total += reservoir.total
            pooled.least = min(pooled.least, reservoir.least)
            pooled.greatest = max(pooled.greatest, reservoir.greatest)
        for key, value in measured.values.items():
            self.values.setdefault(key, {}).setdefault(point, []).append(value)
        for text, count in measured.notes.items():
            self.notes[text] = self.notes.get(text, 0) + count

    def order(self, key: Key) -> Key:
        """What keys are sorted by: names, numbers by their size, stages in the order of time."""
        words = [f"{int(word):020}" if word.isdecimal() else word for word in key]
        if self.kind == "interrupt-latency":
            words[-1] = str((*STAGES, TOTAL).index(key[-1]))
        return tuple(words)

    @property
    def matrix(self) -> tuple[list[str], list[str]]:
        """Of what is from one to another: rows and columns. Who sends messages is one who may be sent some."""
        of, by = ({key[place] for key in self.values} for place in (0, 1))
        return _ordered(of | by if self.kind == "messages" else of), _ordered(of | by)

    def label(self, key: Key) -> str:
        """A key for a reader: "ping to pong", "linux 27 timer", "ping: round trip"."""
        words = [self.ids.get(word, word) if name == "id" else word for name, word in zip(self.keys, key, strict=False)]
        if self.keys[:2] == ("from", "to"):
            return " ".join([f"{words[0]} to {words[1]}", *words[2:]])
        if self.keys[1:] in (("id",), ("group",)):
            return ": ".join(words)
        return " ".join(words)

    @property
    def keys(self) -> tuple[str, ...]:
        return self.entry.keys


@final
@dataclass(frozen=True, slots=True)
class Results:
    """A study and all that was found. ``shown`` are the points that have numbers of their own, with short labels."""

    meta: Mapping[str, str]
    points: Mapping[int, StoredPoint]
    shown: Mapping[int, str]
    rows: tuple[StoredRun, ...]
    metrics: tuple[MetricResult, ...]
    disagreements: tuple[Disagreement, ...]

    @property
    def axes(self) -> list[str]:
        names: list[str] = json.loads(self.meta.get("axes", "[]"))
        return names

    @property
    def plots(self) -> list[PlotSpec] | None:
        given = json.loads(self.meta.get("plots", "null"))
        return None if given is None else [PlotSpec(*each) for each in given]

    @property
    def expected_runs(self) -> int:
        return len(self.points) * len(json.loads(self.meta.get("seeds", "[{}]"))) * int(self.meta.get("repeats", "1"))

    def metric(self, name: str) -> MetricResult:
        """Raises KeyError when there is none."""
        return {each.name: each for each in self.metrics}[name]


def results(store: Store) -> Results:
    """Everything in a results file. Raises StoreError when it is damaged, or when there is nothing."""
    try:
        return _results(store)
    except (ValueError, OverflowError) as error:
        raise store.damaged(error) from None


def _results(store: Store) -> Results:
    meta = store.meta()
    if not meta:
        raise StoreError(f"{store.path}: there is nothing in it yet: 'baonet study' has not begun")
    check_meta(meta)
    points = {point.number: point for point in store.points()}
    metrics = {
        name: MetricResult(name, kind, unit, ids) for name, kind, unit, ids in json.loads(meta.get("metrics", "[]"))
    }
    runs = list(store.runs())
    check_runs(meta, points, [row for _, row in runs])
    shown = labels(different(points, [row for _, row in runs]))
    for number, row in distinct(runs):
        if row.point not in shown:
            continue
        for name, measured in store.measured(number).items():
            if name in metrics:
                check_measured(metrics[name].kind, measured)
                metrics[name].add(row.point, measured)
    rows = tuple(row for _, row in runs)
    return Results(meta, points, shown, rows, tuple(metrics.values()), tuple(compare(points, rows)))


def different(points: Mapping[int, StoredPoint], rows: Iterable[StoredRun]) -> list[StoredPoint]:
    """Points without those that differ from an earlier one in placement alone: no difference in virtual time."""
    if any(row.done and row.facts.get("mode") != "virtual" for row in rows):
        return list(points.values())
    found: dict[str, StoredPoint] = {}
    for point in points.values():
        settings = {path: value for path, value in point.settings.items() if not places(path)}
        found.setdefault(json.dumps(settings, sort_keys=True), point)
    return list(found.values())


def labels(points: Sequence[StoredPoint]) -> dict[int, str]:
    """By number, without the axes on which all are at one place."""
    places = [{axis: at[0] for axis, at in point.place.items()} for point in points]
    axes = {axis for place in places for axis in place}
    telling = {axis for axis in axes if len({place.get(axis) for place in places}) > 1}
    return {
        point.number: place_label({axis: label for axis, label in place.items() if axis in telling})
        for point, place in zip(points, places, strict=True)
    }


def distinct(runs: Iterable[tuple[int, StoredRun]]) -> list[tuple[int, StoredRun]]:
    """The runs that count: of those of one point with one digest, the first; under the host's clock, all."""
    seen: set[tuple[int, str]] = set()
    counted = []
    for number, row in runs:
        if not row.done:
            continue
        if row.facts.get("mode") == "virtual" and row.digest:
            if (row.point, row.digest) in seen:
                continue
            seen.add((row.point, row.digest))
        counted.append((number, row))
    return counted
