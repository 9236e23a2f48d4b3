"""The drawings of the report, by kind. ``draw`` makes one of a metric; all of them have units on their axes."""

from __future__ import annotations

import math
import re
import textwrap
from array import array
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from baonet.study import pictures, scales
from baonet.study.catalog import PARTS
from baonet.study.choice import capped, layout, places
from baonet.study.metrics.interrupts import STAGES, TOTAL
from baonet.study.percentiles import LEVEL, estimate, rank
from baonet.study.pictures import INK, Picture, color
from baonet.study.plan import PlotSpec
from baonet.study.results import Distribution, MetricResult, Results
from baonet.study.units import number, scale

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    _Drawn = tuple[Figure | None, str]
    """A drawing with what it shows in words; no drawing when there is nothing to show."""

_BINS = 60
_CURVE = 500
"""Points of a CDF that are drawn."""
_ONCE = frozenset({"throughput", "time-share", "messages", "memory-stalls", "cache-evictions"})
"""Metrics of which one picture is enough, and those of more numbers than a picture tells."""
_TABLES = frozenset({"memory-counts"})


def default_plots(metric: MetricResult) -> list[PlotSpec]:
    """What suits a metric, if it found anything."""
    if metric.kind == "interrupt-latency":
        return [PlotSpec(metric.name, "stages"), PlotSpec(metric.name, "cdf", only=TOTAL)]
    if metric.kind in _TABLES:
        return []
    kinds = metric.entry.plots[:1] if metric.kind in _ONCE else metric.entry.plots
    return [PlotSpec(metric.name, kind) for kind in kinds]


def draw(results: Results, metric: MetricResult, spec: PlotSpec) -> Picture | None:
    """The picture, or None when there is nothing to draw. To be called inside ``pictures.style``."""
    if not places(results, metric, spec):
        return None
    figure, text = _KINDS[spec.kind](results, metric, spec)
    if figure is None:
        return None
    name = re.sub(r"[^a-z0-9]+", "-", f"{metric.name} {spec.kind} {spec.only}".lower()).strip("-")
    if spec.title:
        figure.suptitle(spec.title, fontsize=11)
    return Picture(name, spec.title or text[0].upper() + text[1:], figure)


def _chosen(results: Results, metric: MetricResult, spec: PlotSpec) -> list[tuple[str, Distribution]]:
    """Distributions with their labels: of every key and point, points first as they differ in what is studied."""
    chosen = [(key, at) for key, at in places(results, metric, spec) if at in metric.samples.get(key, {})]
    several = len({key for key, _ in chosen}) > 1 or len(results.shown) == 1
    labels = {key: metric.label(key) if several else "" for key, _ in chosen}
    return _merged([(", ".join(_words(results, labels[key], at)), metric.samples[key][at]) for key, at in chosen])


def _merged(found: list[tuple[str, Distribution]]) -> list[tuple[str, Distribution]]:
    """Equal distributions as one, with all their labels: one curve would hide the other."""
    together: dict[bytes, tuple[list[str], Distribution]] = {}
    for label, each in found:
        together.setdefault(array("d", sorted(each.kept)).tobytes(), ([], each))[0].append(label)
    return [(" = ".join(labels), each) for labels, each in together.values()]


def _line(n: int, count: int) -> dict[str, Any]:
    """How the n-th of several lines is drawn: those below are wider, so that they show where others cover them."""
    step = min(1.1, 4 / max(1, count - 1))
    return {"color": color(n), "linewidth": 1.4 + step * (count - 1 - n), "alpha": 1 if n == count - 1 else 0.75}


def _words(results: Results, label: str, point: int) -> list[str]:
    """What names a series: the key, if it tells something, and the point, if there are several."""
    return [*filter(None, [label]), *([results.shown[point]] if len(results.shown) > 1 else [])]


def _unit(samples: Iterable[float], unit: str) -> tuple[float, str]:
    return scale(max((abs(each) for each in samples), default=1), unit)


def _quantity(metric: MetricResult, unit: str) -> str:
    what = {"ns": "time", "B/s": "throughput"}.get(metric.unit, metric.name)
    return f"{what}, {unit}" if unit else what


def _is_steep(samples: Iterable[float], spec: PlotSpec) -> bool:
    values = list(samples)
    if spec.log is not None:
        return spec.log and min(values, default=0) > 0 and max(values) > min(values)
    return scales.steep(values)


def _histogram(results: Results, metric: MetricResult, spec: PlotSpec) -> _Drawn:
    shown, rest = capped(_chosen(results, metric, spec))
    if not shown:
        return None, ""
    factor, unit = _unit([each.greatest for _, each in shown], metric.unit)
    least, most = min(each.least for _, each in shown) / factor, max(each.greatest for _, each in shown) / factor
    steep = _is_steep([least, most], spec)
    edges = _edges(least, most, steep)
    figure = pictures.figure()
    axes = figure.subplots()
    for n, (label, each) in enumerate(shown):
        axes.hist(
            [sample / factor for sample in each.kept],
            bins=edges, label=label, color=color(n), alpha=0.55, histtype="stepfilled",
            weights=[100 / len(each.kept)] * len(each.kept),
        )  # fmt: skip
    if steep:
        axes.set_xscale("log")
        scales.logarithmic(axes.xaxis, [least, most])
    _finish(axes, _quantity(metric, unit), "part of the samples, %", legend=shown[0][0] != "")
    return figure, f"histogram of {metric.name}{rest}"


def _edges(least: float, most: float, steep: bool) -> list[float]:
    """Ends of the bins. Equal samples get bins around them."""
    if steep:
        low, high = math.log10(least), math.log10(most)
        return [10 ** (low + (high - low) * n / _BINS) for n in range(_BINS + 1)]
    if most - least < abs(most) * 1e-9 or most == least:
        around = abs(most) * 0.05 or 1
        least, most = least - around, most + around
    return [least + (most - least) * n / _BINS for n in range(_BINS + 1)]


def _cdf(results: Results, metric: MetricResult, spec: PlotSpec) -> _Drawn:
    shown, rest = capped(_chosen(results, metric, spec))
    if not shown:
        return None, ""
    factor, unit = _unit([each.greatest for _, each in shown], metric.unit)
    figure = pictures.figure()
    axes = figure.subplots()
    for n, (label, each) in enumerate(shown):
        ordered = sorted(each.kept)
        step = max(1, len(ordered) // _CURVE)
        places = sorted({0, *range(step - 1, len(ordered), step), len(ordered) - 1})
        xs = [ordered[0] / factor, *(ordered[place] / factor for place in places)]
        ys = [0.0, *(100 * (place + 1) / len(ordered) for place in places)]
        axes.step(xs, ys, where="post", label=label, **_line(n, len(shown)))
    ends = [value / factor for _, each in shown for value in (each.least, each.greatest)]
    if _is_steep(ends, spec):
        axes.set_xscale("log")
        scales.logarithmic(axes.xaxis, ends)
    axes.set_ylim(0, 101)
    _finish(axes, _quantity(metric, unit), "samples up to here, %", legend=shown[0][0] != "")
    return figure, f"cumulative distribution of {metric.name}{rest}"


def _percentiles(results: Results, metric: MetricResult, spec: PlotSpec) -> _Drawn:
    placed = layout(results, metric, spec)
    found_lines = [(each.label, [at for at in each.at if at[1] in metric.samples]) for each in placed.series]
    lines, rest = capped([line for line in found_lines if line[1]])
    if not lines:
        return None, ""
    found = {(key, point): sorted(metric.samples[key][point].kept) for _, at in lines for _, key, point in at}
    factor, unit = _unit([ordered[-1] for ordered in found.values()], metric.unit)
    figure = pictures.figure()
    axes = figure.subplots()
    x_factor, x_unit = scale(max((x for _, at in lines for x, _, _ in at), default=1), placed.unit)
    for n, (label, at) in enumerate(lines):
        for percent, line, marker in ((50, "-", "o"), (99, ":", "^")):
            estimates = [estimate(found[key, point], percent) for _, key, point in at]
            xs = [x / x_factor for x, _, _ in at]
            if placed.axis is None:
                xs = [scales.beside(x, n, len(lines), 0.4) for x in xs]
            ys = [each.value / factor for each in estimates]
            low = [(each.value - each.low) / factor for each in estimates]
            high = [(each.high - each.value) / factor for each in estimates]
            axes.errorbar(
                xs, ys, yerr=[low, high], label=label if percent == 50 else None, linestyle=line if placed.axis else "",
                marker=marker, capsize=3, elinewidth=1.2,
                markersize=4 + min(1.5, 5 / len(lines)) * (len(lines) - 1 - n),
                **_line(n, len(lines)),
            )  # fmt: skip
    ends = [sample / factor for ordered in found.values() for sample in (ordered[0], ordered[-1])]
    if _is_steep(ends, spec):
        axes.set_yscale("log")
        scales.logarithmic(axes.yaxis, ends)
    else:
        scales.from_zero(axes, [ordered[rank(len(ordered), 99) - 1] / factor for ordered in found.values()])
    scales.along(axes, placed, [x / x_factor for _, at in lines for x, _, _ in at], x_factor, x_unit)
    _finish(axes, None, _quantity(metric, unit), legend=True)
    text = f"median (circles) and 99th percentile (triangles) of {metric.name}, with {LEVEL:.0%} confidence intervals"
    return figure, text + rest


def _stages(results: Results, metric: MetricResult, spec: PlotSpec) -> _Drawn:
    """Medians of the stages, one behind another. An interrupt that bypasses the hypervisor is one stage."""
    bars: dict[str, dict[str, float]] = {}
    for key, at in places(results, metric, spec):
        median = estimate(sorted(metric.samples[key][at].kept), 50, redraws=1).value
        bars.setdefault(", ".join(_words(results, metric.label(key[:3]), at)), {})[key[3]] = median
    for stages in bars.values():
        if len([stage for stage in STAGES[:3] if stage in stages]) == 3:
            stages.pop(TOTAL, None)
        elif TOTAL in stages:
            for stage in STAGES[:3]:
                stages.pop(stage, None)
    shown, rest = capped(list(bars.items()), 24)
    order = [*STAGES[:3], TOTAL, STAGES[3]]
    return _stacked(dict(shown), order, metric, "median", ""), f"median time of each stage of an interrupt{rest}"


def _shares(results: Results, metric: MetricResult, spec: PlotSpec) -> _Drawn:
    bars: dict[str, dict[str, float]] = {}
    for key, at in places(results, metric, spec):
        values = metric.values[key][at]
        words = _words(results, " pcpu ".join(key[:-1]), at)
        bars.setdefault(", ".join(words), {})[key[-1]] = 100 * sum(values) / len(values)
    shown, rest = capped(list(bars.items()), 24)
    figure = _stacked(dict(shown), list(PARTS[metric.kind]), metric, "part of the time", "%")
    what = "what each pcpu spends its time on" if metric.kind == "time-share" else "what each guest is stalled for"
    return figure, f"{what}{rest}"


def _stacked(
    bars: dict[str, dict[str, float]], order: list[str], metric: MetricResult, what: str, unit: str
) -> Figure | None:
    """Horizontal bars of coloured parts."""
    if not bars:
        return None
    factor = 1.0
    if not unit:
        factor, unit = _unit([sum(parts.values()) for parts in bars.values()], metric.unit)
    figure = pictures.figure(height=1.3 + 0.32 * len(bars))
    axes = figure.subplots()
    left = dict.fromkeys(bars, 0.0)
    for n, part in enumerate(order):
        if any(part in parts for parts in bars.values()):
            widths = [parts.get(part, 0) / factor for parts in bars.values()]
            axes.barh(list(bars), widths, left=list(left.values()), label=part, color=color(n), height=0.7)
            left = {name: left[name] + width for name, width in zip(bars, widths, strict=True)}
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(f"{what}, {unit}")
    scales.legend(figure)
    return figure


def _heatmap(results: Results, metric: MetricResult, spec: PlotSpec) -> _Drawn:
    """Messages from each VM to each, or what else is from one to another, of every kind; one square for each point."""
    totals: dict[int, dict[tuple[str, str], float]] = {}
    for key, at in places(results, metric, spec):
        values = metric.values[key][at]
        cells = totals.setdefault(at, {})
        cells[key[0], key[1]] = cells.get((key[0], key[1]), 0) + sum(values) / len(values)
    shown, rest = capped(sorted(totals.items()), 4)
    if not shown:
        return None, ""
    rows, columns = metric.matrix
    most = max(count for _, cells in shown for count in cells.values()) or 1
    side = 0.6 * len(columns) + 1.6
    figure = pictures.figure(width=max(3.6, side * len(shown)), height=max(2.4, side))
    for axes, (at, cells) in zip(figure.subplots(1, len(shown), squeeze=False)[0], shown, strict=True):
        for y, sender in enumerate(rows):
            for x, receiver in enumerate(columns):
                count = cells.get((sender, receiver), 0)
                axes.fill_between([x - 0.5, x + 0.5], y - 0.5, y + 0.5, color=color(0), alpha=0.75 * count / most, lw=0)
                axes.text(x, y, number(count), ha="center", va="center", color=INK)
        axes.set_xticks(range(len(columns)), columns, rotation=30 if len(columns) > 3 else 0)
        axes.set_yticks(range(len(rows)), rows)
        of, by = metric.keys[:2]
        axes.set(xlim=(-0.5, len(columns) - 0.5), ylim=(len(rows) - 0.5, -0.5), xlabel=by, ylabel=of, aspect="equal")
        axes.grid(visible=False)
        if len(results.shown) > 1:
            axes.set_title(textwrap.fill(results.shown[at], 22), fontsize=9)
    what = "messages between VMs" if metric.kind == "messages" else metric.name
    return figure, f"{what}{rest}"


def _bars(results: Results, metric: MetricResult, spec: PlotSpec) -> _Drawn:
    """Single numbers: a line along an axis with amounts, else bars. The whiskers are the extremes of the seeds."""
    placed = layout(results, metric, spec)
    lines, rest = capped([each for each in placed.series if any(key in metric.values for _, key, _ in each.at)])
    values = {(key, at): metric.values[key][at] for each in lines for _, key, at in each.at}
    if not values:
        return None, ""
    factor, unit = _unit([max(found) for found in values.values()], metric.unit)
    figure = pictures.figure()
    axes = figure.subplots()
    x_factor, x_unit = scale(max(x for each in lines for x, _, _ in each.at), placed.unit)
    for n, each in enumerate(lines):
        found = [values[key, at] for _, key, at in each.at]
        means = [sum(numbers) / len(numbers) / factor for numbers in found]
        low = [mean - min(numbers) / factor for mean, numbers in zip(means, found, strict=True)]
        high = [max(numbers) / factor - mean for mean, numbers in zip(means, found, strict=True)]
        whiskers = [[max(0.0, each) for each in low], [max(0.0, each) for each in high]]
        xs = [x / x_factor for x, _, _ in each.at]
        if placed.axis is None:
            places = [scales.beside(x, n, len(lines)) for x in xs]
            axes.bar(
                places, means, 0.8 / len(lines), yerr=whiskers, label=each.label, color=color(n), ecolor=INK, capsize=2
            )
        else:
            style = _line(n, len(lines))
            axes.errorbar(xs, means, whiskers, label=each.label, marker="o", markersize=3.5, capsize=3, **style)
    scales.from_zero(axes, [max(found) / factor for found in values.values()])
    scales.along(axes, placed, [x / x_factor for each in lines for x, _, _ in each.at], x_factor, x_unit)
    _finish(axes, None, _quantity(metric, unit), legend=len(lines) > 1)
    return figure, f"{metric.name}{rest}"


def _finish(axes: Axes, x: str | None, y: str, legend: bool) -> None:
    if x is not None:
        axes.set_xlabel(x)
    axes.set_ylabel(y)
    if legend:
        scales.legend(axes.figure)


_KINDS: dict[str, Callable[[Results, MetricResult, PlotSpec], _Drawn]] = {
    "histogram": _histogram,
    "cdf": _cdf,
    "percentiles": _percentiles,
    "stages": _stages,
    "shares": _shares,
    "heatmap": _heatmap,
    "bars": _bars,
}
