"""What a study of memory has found beside what is published: python -m benchmarks.published [--svg DIR] RESULTS...

RESULTS are files of `baonet study` with memory-linux, memory-interrupt-latency or memory-hypervisors of
examples/studies. Prints Markdown: each figure, the published one (baonet/study/published), and how far they are apart.
What parameters may have been matched with and what not is told apart.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from statistics import median
from typing import Final, final

from baonet.study import pictures, published
from baonet.study.pictures import Picture
from benchmarks import beside

SOLO: Final = "solo"
INTERFERED: Final = ("interf", "interf+col")
LATENCY: Final = "latency"
"""The metric of a timer's interrupts."""


@final
@dataclass(frozen=True, slots=True)
class Found:
    """A distribution of the results: labels by axis, the metric, and its mean and greatest."""

    place: Mapping[str, str]
    metric: str
    mean: float
    most: float


@final
@dataclass(frozen=True, slots=True)
class Pair:
    """One figure: what it is of, as published, and as found."""

    name: str
    published: float
    here: float

    @property
    def relative(self) -> float:
        """How far what was found is from what is published, as a part of that."""
        return (self.here - self.published) / self.published


def read(results: Path) -> list[Found]:
    """All distributions of times. Raises sqlite3.Error."""
    query = (
        "SELECT place, metric, SUM(samples.sum) / SUM(count), MAX(greatest) FROM samples JOIN runs ON run = runs.id "
        "JOIN points ON number = point WHERE unit = 'ns' GROUP BY number, metric, key ORDER BY number"
    )
    with closing(sqlite3.connect(f"{results.resolve().as_uri()}?mode=ro", uri=True)) as database:
        rows = list(database.execute(query))
    return [
        Found({axis: label for axis, (label, *_) in json.loads(place).items()}, metric, mean, most)
        for place, metric, mean, most in rows
    ]


def alone(found: Iterable[Found]) -> list[Pair]:
    """What each workload takes alone under the hypervisor, in milliseconds."""
    there = published.workloads()
    return [
        Pair(each.metric, there["bao", SOLO, each.metric].nanoseconds / 1e6, each.mean / 1e6)
        for each in found
        if each.place.get("configuration") == SOLO and ("bao", SOLO, each.metric) in there
    ]


def slowdowns(found: Iterable[Found]) -> dict[str, list[Pair]]:
    """By configuration but the first: percent that each workload takes longer than alone, under the hypervisor too."""
    here = {(each.place["configuration"], each.metric): each.mean for each in found if "configuration" in each.place}
    there = published.workloads()
    columns: dict[str, list[Pair]] = {}
    for (configuration, workload), mean in here.items():
        row = there.get(("bao", configuration, workload))
        if row is None or configuration == SOLO or (SOLO, workload) not in here:
            continue
        alone = there["bao", SOLO, workload].nanoseconds
        pair = Pair(workload, percent(row.nanoseconds, alone), percent(mean, here[SOLO, workload]))
        columns.setdefault(configuration, []).append(pair)
    return columns


def percent(taken: float, alone: float) -> float:
    return 100 * (taken - alone) / alone


def latencies(found: Iterable[Found]) -> list[Pair]:
    """Means of a timer's interrupt, in nanoseconds."""
    there = published.interrupt_latencies()
    pairs = []
    for each in found:
        if each.metric != LATENCY:
            continue
        hypervisor = each.place.get("hypervisor", "bao").lower()
        direct = "direct+" if each.place.get("interrupts") == "direct" else ""
        configuration = f"{direct}{each.place['configuration']}"
        row = there.get((hypervisor, configuration))
        if row is not None:
            pairs.append(Pair(f"{hypervisor} {configuration}", row.mean_ns, each.mean))
    return pairs


def order_kept(pairs: Sequence[Pair]) -> float:
    """The part of all twos of which the one that is published as the larger is found to be the larger."""
    twos = [(a, b) for a, b in combinations(pairs, 2) if a.published != b.published]
    kept = sum((a.published > b.published) == (a.here > b.here) for a, b in twos)
    return kept / len(twos) if twos else 1.0


def apart(column: str, pairs: Sequence[Pair]) -> str:
    """In a phrase: the median of how far figures are apart, relative to large ones, in points for small ones."""
    if column in INTERFERED:
        return f"{100 * median(abs(pair.relative) for pair in pairs):.0f} %"
    return f"{median(abs(pair.here - pair.published) for pair in pairs):.1f} points"


def _half(pairs: Sequence[Pair], *, calibration: bool) -> list[Pair]:
    return [pair for pair in pairs if (pair.name in published.CALIBRATION) == calibration]


def _workloads(columns: Mapping[str, list[Pair]]) -> Iterator[str]:
    yield "Percent that a run takes longer than alone: published, and here.\n"
    names = list(columns)
    yield f"| workload | matched | {' | '.join(names)} |"
    yield "|---" * (len(names) + 2) + "|"
    for workload in [pair.name for pair in columns[names[0]]]:
        cells = []
        for pairs in columns.values():
            cells += [f"{pair.published:.1f}, {pair.here:.1f}" for pair in pairs if pair.name == workload] or ["-"]
        matched = "yes" if workload in published.CALIBRATION else "no"
        yield f"| {workload} | {matched} | {' | '.join(cells)} |"
    yield "\n| configuration | workloads | apart, median | order kept |"
    yield "|---|---|---|---|"
    for name, pairs in columns.items():
        for told, part in (
            ("matched with", _half(pairs, calibration=True)),
            ("others", _half(pairs, calibration=False)),
        ):
            if part:
                yield f"| {name} | {told} | {apart(name, part)} | {100 * order_kept(part):.0f} % |"


def _alone(pairs: Sequence[Pair]) -> Iterator[str]:
    yield "Alone, ms.\n"
    yield "| workload | matched | published | here | apart |\n|---|---|---|---|---|"
    for pair in pairs:
        matched = "yes" if pair.name in published.CALIBRATION else "no"
        yield f"| {pair.name} | {matched} | {pair.published:.2f} | {pair.here:.2f} | {100 * pair.relative:+.0f} % |"
    yield ""


def _latencies(pairs: Sequence[Pair]) -> Iterator[str]:
    yield "Means of a timer's interrupt, ns.\n"
    yield "| configuration | published | here | apart |\n|---|---|---|---|"
    for pair in pairs:
        yield f"| {pair.name} | {pair.published:.0f} | {pair.here:.0f} | {100 * pair.relative:+.0f} % |"
    middle = median(abs(pair.relative) for pair in pairs)
    yield f"\nApart, median: {100 * middle:.0f} %. Order kept: {100 * order_kept(pairs):.0f} %"


def page(found: Sequence[Found]) -> str:
    """In Markdown; empty when nothing of it is published."""
    columns, interrupts = slowdowns(found), latencies(found)
    lines = [
        *(_alone(alone(found)) if columns else ()),
        *(_workloads(columns) if columns else ()),
        *(_latencies(interrupts) if interrupts else ()),
    ]
    return "\n".join(lines)


def picture(found: Sequence[Found], name: str) -> Picture | None:
    """The same, drawn; None when nothing of it is published. To be called inside ``pictures.style``."""
    panels, unit = slowdowns(found), "% longer than alone"
    text = "How much longer programs take than alone, as published and here"
    if not panels:
        panels, unit = {"": latencies(found)}, "ns"
        text = "A timer's interrupt until its handler, as published and here"
    points = {title: [(pair.name, pair.published, pair.here) for pair in pairs] for title, pairs in panels.items()}
    return beside.draw(f"{name}-published", text, unit, points) if any(points.values()) else None


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.published", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("results", nargs="+", type=Path, metavar="RESULTS", help="files of `baonet study`")
    parser.add_argument(
        "--as-one", metavar="NAME", help="of parts of a study: one table, and one picture, of that name"
    )
    parser.add_argument("--svg", type=Path, metavar="DIR", help="draw the same, as DIR/RESULTS-published.svg")
    options = parser.parse_args(arguments)
    if options.svg and not pictures.available():
        print(pictures.MISSING, file=sys.stderr)
        return 2
    parts = {}
    for path in options.results:
        try:
            parts[path.stem] = read(path)
        except sqlite3.Error as error:
            print(f"{path}: {error}", file=sys.stderr)
            return 1
    if options.as_one:
        parts = {options.as_one: [each for part in parts.values() for each in part]}
    for name, found in parts.items():
        if options.svg:
            with pictures.style():
                drawn = picture(found, name)
                if drawn:
                    (options.svg / f"{drawn.name}.svg").write_text(pictures.svg(drawn))
        print(f"## {name}\n\n{page(found) or 'Nothing of this is published.'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
