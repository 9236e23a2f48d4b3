"""Tables of results as HTML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import final

from baonet.machine.dataclass import dataclass
from baonet.study.catalog import PARTS
from baonet.study.metrics.base import Key
from baonet.study.percentiles import Estimate, estimate
from baonet.study.results import Distribution, MetricResult, Results
from baonet.study.units import number, show

_COLUMNS = 8
PERCENTS = (50, 90, 99, 99.9)


@final
@dataclass(frozen=True, slots=True)
class Html:
    """Text that is HTML already. Anything else is escaped on its way into a page."""

    text: str


Cell = str | Html


def html(cell: Cell) -> str:
    return cell.text if isinstance(cell, Html) else escape(cell)


def table(head: Sequence[str], rows: Iterable[Sequence[Cell]], texts: int) -> str:
    """The first ``texts`` columns are text, the others numbers."""

    def line(tag: str, cells: Iterable[Cell]) -> str:
        text = f'<{tag} class="text">'
        return "".join(f"{text if n < texts else f'<{tag}>'}{html(cell)}</{tag}>" for n, cell in enumerate(cells))

    body = "\n".join(f"<tr>{line('td', row)}</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{line("th", head)}</tr></thead><tbody>\n{body}\n</tbody></table></div>'


def metric_tables(results: Results, metric: MetricResult) -> str:
    """All that a metric found."""
    parts = []
    if metric.samples:
        parts.append(_samples(results, metric))
    if metric.values:
        parts.append(_shares(results, metric) if metric.kind in PARTS else _values(results, metric))
    if "heatmap" in metric.entry.plots:
        parts.insert(0, _matrix(results, metric))
    return "\n".join(parts)


def _samples(results: Results, metric: MetricResult) -> str:
    head = [*metric.keys, "point", "samples", "mean", "least", *(f"p{percent:g}" for percent in PERCENTS), "greatest"]
    rows: list[list[Cell]] = []
    for key in sorted(metric.samples, key=metric.order):
        for point, found in sorted(metric.samples[key].items()):
            ordered = sorted(found.kept)
            rows.append(
                [
                    *_key_cells(metric, key),
                    results.shown[point],
                    _count(found),
                    show(found.mean, metric.unit),
                    show(found.least, metric.unit),
                    *(_estimate(estimate(ordered, percent), metric.unit) for percent in PERCENTS),
                    show(found.greatest, metric.unit),
                ]
            )
    return table(head, rows, len(metric.keys) + 1)


def _count(found: Distribution) -> str:
    if found.count == len(found.kept):
        return number(found.count)
    return f"{number(found.count)}, {number(len(found.kept))} kept"


def _estimate(found: Estimate, unit: str) -> Html:
    interval = ""
    if found.low != found.high:
        interval = f' <span class="interval">[{escape(show(found.low, unit))}, {escape(show(found.high, unit))}]</span>'
    return Html(escape(show(found.value, unit)) + interval)


def _key_cells(metric: MetricResult, key: Key) -> list[Cell]:
    cells: list[Cell] = [
        metric.ids.get(word, word) if name == "id" else word for name, word in zip(metric.keys, key, strict=False)
    ]
    return cells + [""] * (len(metric.keys) - len(cells))


def _values(results: Results, metric: MetricResult) -> str:
    """A row for each key, a column for each point; of many points, a row for each."""
    if len(results.shown) > _COLUMNS:
        long: list[list[Cell]] = [
            [*_key_cells(metric, key), results.shown[point], _mean(values, metric.unit)]
            for key in sorted(metric.values, key=metric.order)
            for point, values in sorted(metric.values[key].items())
        ]
        return table([*metric.keys, "point", "value"], long, len(metric.keys) + 1)
    rows: list[list[Cell]] = [
        [*_key_cells(metric, key), *(_mean(metric.values[key].get(point), metric.unit) for point in results.shown)]
        for key in sorted(metric.values, key=metric.order)
    ]
    return table([*metric.keys, *results.shown.values()], rows, len(metric.keys))


def _mean(values: Sequence[float] | None, unit: str) -> Cell:
    """The mean of the seeds, and their extremes."""
    if not values:
        return ""
    text = escape(show(sum(values) / len(values), unit))
    if min(values) != max(values):
        spread = f"{escape(show(min(values), unit))} to {escape(show(max(values), unit))}"
        text += f' <span class="interval">{spread}</span>'
    return Html(text)


def _shares(results: Results, metric: MetricResult) -> str:
    rows: list[list[Cell]] = []
    whose, parts = metric.keys[:-1], PARTS[metric.kind]
    for key in sorted({key[:-1] for key in metric.values}, key=metric.order):
        for point, label in results.shown.items():
            found = [metric.values.get((*key, part), {}).get(point) for part in parts]
            if any(found):
                rows.append([*key, label, *(_percent(values) for values in found)])
    return table([*whose, "point", *parts], rows, len(whose) + 1)


def _percent(values: Sequence[float] | None) -> str:
    return "" if not values else percent(sum(values) / len(values))


def percent(part: float) -> str:
    """To a tenth, and what is less than that to a digit of its own: a hypervisor has 0.03 % of a CPU, and not none."""
    return (
        f"{100 * part:.1f} %" if part >= 0.001 or part < 1e-6 else f"{float(f'{100 * part:.1g}'):f}".rstrip("0") + " %"
    )


def _matrix(results: Results, metric: MetricResult) -> str:
    """Of every kind from each VM to each."""
    names, others = metric.matrix
    parts = []
    for point, label in results.shown.items():
        rows: list[list[Cell]] = []
        for sender in names:
            cells: list[Cell] = [sender]
            for receiver in others:
                found = [
                    by_point[point]
                    for key, by_point in metric.values.items()
                    if key[:2] == (sender, receiver) and point in by_point
                ]
                cells.append(number(sum(sum(values) / len(values) for values in found)))
            rows.append(cells)
        heading = f"<h3>{escape(label)}</h3>" if len(results.shown) > 1 else ""
        parts.append(heading + table([" \\ ".join(metric.keys[:2]), *others], rows, 1))
    return "\n".join(parts)
