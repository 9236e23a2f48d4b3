"""What a picture shows: which points along x, which series, and how they are named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar, final

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


def keys(metric: MetricResult, spec: PlotSpec) -> list[Key]:
    """The keys that the picture is about."""
    found = sorted([*metric.samples, *metric.values], key=metric.order)
    return [key for key in found if spec.only in metric.label(key)]


def layout(results: Results, metric: MetricResult, spec: PlotSpec) -> Layout:
    """Along x the axis that is asked for, else the first with amounts, else ids that are numbers, else the points."""
    chosen = keys(metric, spec)
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


def _numeric_ids(metric: MetricResult, chosen: Sequence[Key]) -> bool:
    return "id" in metric.keys and len({key[1] for key in chosen}) > 2


def _by_axis(results: Results, metric: MetricResult, chosen: Sequence[Key], name: str) -> Layout:
    unit = ""
    series: dict[str, Series] = {}
    ticks: dict[str, int] = {}
    telling = _telling(results)
    for key in chosen:
        for number in results.shown:
            point = results.points[number]
            if not _present(metric, key, number) or name not in point.place:
                continue
            label, value, unit = point.place[name]
            ticks.setdefault(label, len(ticks))
            others = place_label({a: at[0] for a, at in point.place.items() if a != name and a in telling})
            text = ", ".join([*_keys_label(metric, key, chosen), *([others] if others != "-" else [])])
            x = value if value is not None else ticks[label]
            series.setdefault(text, Series(text)).at.append((x, key, number))
    magnitude = all(results.points[number].place[name][1] is not None for number in results.shown)
    if not magnitude:
        return Layout(None, "", tuple(ticks), _ordered(series))
    return Layout(name, unit, (), _ordered(series))


def _by_id(results: Results, metric: MetricResult, chosen: Sequence[Key]) -> Layout:
    series: dict[str, Series] = {}
    for key in sorted(chosen, key=lambda key: (key[0], _number(key[1]))):
        for number, label in results.shown.items():
            if _present(metric, key, number):
                text = ", ".join([key[0], *([label] if len(results.shown) > 1 else [])])
                series.setdefault(text, Series(text)).at.append((_number(key[1]), key, number))
    return Layout(ID, "", (), _ordered(series))


def _by_point(results: Results, metric: MetricResult, chosen: Sequence[Key]) -> Layout:
    places = {number: at for at, number in enumerate(results.shown)}
    series: dict[str, Series] = {}
    for key in chosen:
        text = ", ".join(_keys_label(metric, key, chosen)) or metric.label(key)
        for number in results.shown:
            if _present(metric, key, number):
                series.setdefault(text, Series(text)).at.append((places[number], key, number))
    return Layout(None, "", tuple(results.shown.values()), _ordered(series))


def _keys_label(metric: MetricResult, key: Key, chosen: Sequence[Key]) -> list[str]:
    """The key, unless every series has the same."""
    return [metric.label(key)] if len(set(chosen)) > 1 else []


def _present(metric: MetricResult, key: Key, point: int) -> bool:
    return point in metric.samples.get(key, {}) or point in metric.values.get(key, {})


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
