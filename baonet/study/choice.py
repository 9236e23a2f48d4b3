"""What a picture shows: which points along x, which series, and how they are named."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias, TypeVar, final

from baonet.machine.dataclass import dataclass, field
from baonet.study.metrics.base import Key
from baonet.study.plan import PlotSpec, place_label
from baonet.study.results import MetricResult, Results
from baonet.study.units import amount

T = TypeVar("T")

ID = "id"
"""As an axis: the id of a guest's markers, which may be a message size."""
MOST_SERIES = 8


@final
@dataclass(slots=True)
class Series:
    """``at`` holds, for each x, the key and the point that are there."""

    label: str
    at: list[tuple[float, Key, int]] = field(default_factory=list)


@final
@dataclass(frozen=True, slots=True)
class Layout:
    """``axis`` is the name of what is along x, None when it has no magnitude: then x counts ``ticks``."""

    axis: str | None
    unit: str
    ticks: tuple[str, ...]
    series: tuple[Series, ...]


Place: TypeAlias = tuple[Key, int]
"""A key and a point."""


def places(results: Results, metric: MetricResult, spec: PlotSpec) -> list[Place]:
    """What the picture is about: every key at every point, or those with the text that is asked for."""
    found = [
        (key, point)
        for key in sorted({*metric.samples, *metric.values}, key=metric.order)
        for point in results.shown
        if point in metric.samples.get(key, {}) or point in metric.values.get(key, {})
    ]
    return [(key, at) for key, at in found if spec.only in f"{metric.label(key)}, {results.shown[at]}"]


def layout(results: Results, metric: MetricResult, spec: PlotSpec) -> Layout:
    """Along x the axis that is asked for, else the first with amounts, else ids that are numbers, else the points."""
    chosen = places(results, metric, spec)
    if spec.axis is None and len(results.shown) == 1 and not _numeric_ids(metric, chosen):
        return _by_point(results, metric, chosen)
    name = spec.axis or _numeric_axis(results) or (ID if _numeric_ids(metric, chosen) else None)
    if name == ID:
        return _by_id(results, metric, chosen)
    if name is None:
        return _by_point(results, metric, chosen)
    placed = _by_axis(results, metric, chosen, name)
    one = len({x for series in placed.series for x, _, _ in series.at}) < 2
    return _by_point(results, metric, chosen) if one and spec.axis is None else placed


def _numeric_axis(results: Results) -> str | None:
    """The first axis of which at least two alternatives have amounts."""
    points = [results.points[number] for number in results.shown]
    for name in dict.fromkeys(axis for point in points for axis in point.place):
        found = {point.place[name][1] for point in points if name in point.place}
        if None not in found and len(found) > 1:
            return name
    return None


def _telling(results: Results) -> set[str]:
    """The axes on which the points that are shown are at different places."""
    places = [results.points[number].place for number in results.shown]
    return {axis for place in places for axis in place if len({each[axis][0] for each in places if axis in each}) > 1}


def _numeric_ids(metric: MetricResult, chosen: Sequence[Place]) -> bool:
    return "id" in metric.keys and len({key[1] for key, _ in chosen}) > 2


def _by_axis(results: Results, metric: MetricResult, chosen: Sequence[Place], name: str) -> Layout:
    unit = ""
    series: dict[str, Series] = {}
    ticks: dict[str, int] = {}
    telling = _telling(results)
    for key, number in chosen:
        place = results.points[number].place
        if name not in place:
            continue
        label, value, unit = place[name]
        ticks.setdefault(label, len(ticks))
        others = place_label({axis: at[0] for axis, at in place.items() if axis != name and axis in telling})
        text = ", ".join([*_keys_label(metric, key, chosen), *([others] if others != "-" else [])])
        x = value if value is not None else ticks[label]
        series.setdefault(text, Series(text)).at.append((x, key, number))
    magnitude = all(results.points[number].place[name][1] is not None for number in results.shown)
    if not magnitude:
        return Layout(None, "", tuple(ticks), _ordered(series))
    return Layout(name, unit, (), _ordered(series))


def _by_id(results: Results, metric: MetricResult, chosen: Sequence[Place]) -> Layout:
    series: dict[str, Series] = {}
    for key, number in chosen:
        text = ", ".join([key[0], *([results.shown[number]] if len(results.shown) > 1 else [])])
        series.setdefault(text, Series(text)).at.append((_number(key[1]), key, number))
    return Layout(ID, "", (), _ordered(series))


def _by_point(results: Results, metric: MetricResult, chosen: Sequence[Place]) -> Layout:
    ticks = {number: tick for tick, number in enumerate(dict.fromkeys(number for _, number in chosen))}
    series: dict[str, Series] = {}
    for key, number in chosen:
        text = ", ".join(_keys_label(metric, key, chosen)) or metric.label(key)
        series.setdefault(text, Series(text)).at.append((ticks[number], key, number))
    return Layout(None, "", tuple(results.shown[number] for number in ticks), _ordered(series))


def _keys_label(metric: MetricResult, key: Key, chosen: Sequence[Place]) -> list[str]:
    """The key, unless every series has the same."""
    return [metric.label(key)] if len({key for key, _ in chosen}) > 1 else []


def _number(text: str) -> float:
    found = amount(text)
    return 0.0 if found is None else found.value


def _ordered(series: dict[str, Series]) -> tuple[Series, ...]:
    for each in series.values():
        each.at.sort()
    return tuple(series.values())


def capped(items: Sequence[T], most: int = MOST_SERIES) -> tuple[Sequence[T], str]:
    """No more than a picture can show, and a remark about the rest."""
    return items[:most], f" (the first {most} of {len(items)})" if len(items) > most else ""
