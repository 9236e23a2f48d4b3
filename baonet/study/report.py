"""The report of a study: one HTML page that needs nothing else, no network, no script."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from importlib import resources
from types import MappingProxyType
from typing import final

from baonet.study import pictures
from baonet.study.drawings import default_plots, draw
from baonet.study.percentiles import LEVEL, REDRAWS
from baonet.study.pictures import Picture
from baonet.study.reservoir import KEPT
from baonet.study.results import MetricResult, Results, labels
from baonet.study.store import StoredRun
from baonet.study.tables import Cell, Html, metric_tables, table
from baonet.study.units import show

_OPEN = 16
"""Rows of digests that are shown at once."""


@final
@dataclass(frozen=True, slots=True)
class Drawn:
    """The pictures of one metric."""

    metric: MetricResult
    pictures: tuple[Picture, ...]


def undrawn(results: Results) -> list[Drawn]:
    """The metrics without pictures, for where there is no matplotlib."""
    return [Drawn(metric, ()) for metric in results.metrics]


def drawn(results: Results) -> list[Drawn]:
    """Every picture of the study, by metric. To be called inside ``pictures.style``."""
    asked = results.plots
    found = []
    for metric in results.metrics:
        specs = default_plots(metric) if asked is None else [spec for spec in asked if spec.metric == metric.name]
        made = (draw(results, metric, spec) for spec in specs)
        found.append(Drawn(metric, tuple(_named([each for each in made if each is not None]))))
    return found


def _named(found: list[Picture]) -> Iterator[Picture]:
    """Two pictures of one kind get different names."""
    seen: dict[str, int] = {}
    for each in found:
        seen[each.name] = seen.get(each.name, 0) + 1
        yield each if seen[each.name] == 1 else Picture(f"{each.name}-{seen[each.name]}", each.text, each.figure)


def page(results: Results, metrics: list[Drawn], made: Mapping[str, str] = MappingProxyType({})) -> str:
    """The page. To be called inside ``pictures.style``, unless nothing was drawn. ``made``: the page's own origin."""
    title = results.meta.get("title") or "Study"
    style = (resources.files("baonet.study") / "page.css").read_text()
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(title)}</title>\n<style>\n{style}</style></head><body>",
        f"<h1>{escape(title)}</h1>",
        *_head(results),
        *_determinism(results),
    ]
    count = 0
    for each in metrics:
        parts.append(f"<h2>{escape(each.metric.name)}</h2>\n<p>{escape(each.metric.entry.text)}</p>")
        for picture in each.pictures:
            svg = pictures.inline(picture, f"p{count}-")
            count += 1
            parts.append(f"<figure>{svg}<figcaption>{escape(picture.text)}</figcaption></figure>")
        parts += _numbers(results, each.metric)
    parts += [*_failures(results), _method(), *_colophon(made), "</body></html>\n"]
    return "\n".join(parts)


def _head(results: Results) -> Iterator[str]:
    meta = results.meta
    for paragraph in filter(None, meta.get("description", "").split("\n\n")):
        yield f"<p>{escape(paragraph)}</p>"
    if meta.get("expected"):
        yield f'<div class="box"><b>Expected:</b> {escape(meta["expected"])}</div>'
    done = [row for row in results.rows if row.done]
    facts = done[0].facts if done else {}
    named = {"platform": "platform", "mode": "clock", "mhz": "MHz", "memory_system": "memory system"}
    rows: list[list[Cell]] = [["machine", meta.get("machine", "")]]
    for name, text in named.items():
        values = dict.fromkeys(str(row.facts[name]) for row in done if row.facts.get(name))
        rows += [[text, ", ".join(values)]] if values else []
    rows += [[name, meta[name]] for name in ("for", "until") if meta.get(name)]
    missing = results.expected_runs - len(results.rows)
    failed = sum(not row.done for row in results.rows)
    runs = f"{len(done)} of {results.expected_runs} done" + (f", {failed} failed" if failed else "")
    rows.append(["runs", runs])
    for name in ("window", "slice"):
        length = facts.get(name)
        if isinstance(length, int | float) and length:
            rows.append([f"{name} of the first run", show(length, "ns")])
    for name in ("latency", "costs"):
        times = facts.get(name)
        if isinstance(times, dict) and (name != "costs" or any(times.values()) or not facts.get("memory_system")):
            words = [f"{key.replace('_', ' ')} {show(value, 'ns')}" for key, value in times.items()]
            rows.append([f"{name} of the first run", ", ".join(words)])
    origin = [meta.get(key, "") for key in ("baonet", "host", "date")]
    if any(origin):
        rows.append(["results made by", ", ".join(filter(None, [f"baonet {origin[0]}", *origin[1:]]))])
    if meta.get("command"):
        rows.append(["with", Html(f"<code>{escape(meta['command'])}</code>")])
    yield table(["", ""], rows, 2)
    if missing or failed:
        yield from _missing(results, missing + failed)


def _missing(results: Results, count: int) -> Iterator[str]:
    """Which runs the numbers below do without."""
    yield f'<div class="box wrong">{count} runs are missing: <code>baonet study</code> makes them.'
    done = {(row.point, row.seed, row.repeat) for row in results.rows if row.done}
    seeds = range(len(json.loads(results.meta.get("seeds", "[{}]"))))
    repeats = range(int(results.meta.get("repeats", "1")))
    names = labels(list(results.points.values()))
    words = []
    for point in results.points:
        lost = [(seed, repeat) for seed in seeds for repeat in repeats if (point, seed, repeat) not in done]
        if len(lost) == len(seeds) * len(repeats):
            words.append(f"<li>{escape(names[point])}: every run, so this point is in no table and no picture</li>")
        elif lost:
            which = ", ".join(f"seed {seed} repeat {repeat}" for seed, repeat in lost[:_OPEN])
            more = f" and {len(lost) - _OPEN} more" if len(lost) > _OPEN else ""
            words.append(f"<li>{escape(names[point])}: {which}{more}</li>")
    text = f"<ul>{''.join(words)}</ul>"
    yield text if len(words) <= _OPEN else f"<details><summary>{len(words)} points</summary>{text}</details>"
    yield "</div>"


def _determinism(results: Results) -> Iterator[str]:
    yield "<h2>Points and digests</h2>"
    for disagreement in results.disagreements:
        yield f'<div class="box wrong"><b>This must not be.</b> {escape(str(disagreement))}</div>'
    by_point: dict[int, list[StoredRun]] = {number: [] for number in results.points}
    for row in results.rows:
        by_point[row.point].append(row)
    virtual, hosted = (any(row.facts.get("mode") == mode for row in results.rows) for mode in ("virtual", "host"))
    if virtual and not results.disagreements:
        repeated = "Repeats have it again, and equal numbers: they are counted here and measured once."
        if int(results.meta.get("repeats", "1")) == 1:
            repeated = "Here each ran once; with <code>repeats: 2</code> the study would show it."
        yield (
            "<p>In virtual time a run is a function of its configuration and its seed, and has one digest over "
            f"everything that happened. {repeated}</p>"
        )
    elif hosted and not virtual:
        yield "<p>These runs followed the host's clock: no two are alike, and each counts.</p>"
    rows: list[list[Cell]] = []
    seeds = json.loads(results.meta.get("seeds", "[{}]"))
    named_points = labels(list(results.points.values()))
    for number, runs in by_point.items():
        for seed, seeded in enumerate(seeds):
            of_seed = [row for row in runs if row.seed == seed]
            done = [row for row in of_seed if row.done]
            digests = list(dict.fromkeys(row.digest for row in done))
            named = " ".join(f'<code title="{escape(each)}">{escape(each[:12])}</code>' for each in digests)
            rows.append(
                [
                    named_points[number],
                    ", ".join(f"{path} {value}" for path, value in seeded.items()),
                    Html(named),
                    f"{len(done)}",
                    f"{len(of_seed) - len(done)}",
                    _deliveries(done),
                ]
            )
    text = table(["point", "seed", "digest", "runs", "failed", "deliveries on time"], rows, 3)
    yield text if len(rows) <= _OPEN else f"<details><summary>{len(rows)} digests</summary>{text}</details>"


def _deliveries(rows: list[StoredRun]) -> str:
    """How many messages arrived when they were due."""
    found = rows[0].facts.get("deliveries") if rows else None
    if not isinstance(found, dict) or not found.get("exact", 0) + found.get("late", 0):
        return ""
    exact, late = found["exact"], found["late"]
    return f"{exact} of {exact + late}"


def _numbers(results: Results, metric: MetricResult) -> Iterator[str]:
    if not metric.samples and not metric.values:
        yield '<p class="wrong">Nothing was measured.</p>'
    else:
        yield metric_tables(results, metric)
    if metric.notes:
        words = "; ".join(f"{count} {text}" for text, count in metric.notes.items())
        yield f'<p class="faint">In all runs: {escape(words)}.</p>'


def _colophon(made: Mapping[str, str]) -> Iterator[str]:
    if made:
        facts = f"baonet {made['baonet']} on {made['host']}, {made['date']}"
        yield f'<p class="faint">This page: {escape(facts)}, with <code>{escape(made["command"])}</code>.</p>'


def _failures(results: Results) -> Iterator[str]:
    failed = [row for row in results.rows if not row.done]
    if failed:
        yield "<h2>Runs that failed</h2>"
    for row in failed:
        yield f"<h3>{escape(results.points[row.point].label)}, seed {row.seed}, repeat {row.repeat}</h3>"
        yield f"<pre>{escape(row.error)}</pre>"


def _method() -> str:
    return f"""<h2>How to read the numbers</h2>
<ul>
<li>A percentile is the nearest rank: a sample that was measured, never something between two.</li>
<li>In brackets: its {LEVEL:.0%} confidence interval, by the bootstrap ({REDRAWS} redraws, fixed seed). It takes samples
to be independent; those of one guest seldom are quite.</li>
<li>Up to {KEPT} samples of a quantity are kept of a run, above that a random choice of as many (fixed seed): the table
says so. Count, mean, least and greatest are of all.</li>
<li>A number without samples is the mean of the seeds, with their extremes behind it.</li>
</ul>"""
