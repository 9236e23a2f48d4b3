"""Whether windows make the figures: the medians of the ready studies at several windows, python -m benchmarks.studies

Each study of examples/studies is run in virtual time with `clock.window` as one axis more, and the medians of what
takes time in it are put side by side, with how far they are apart.
No window changes VMs that are in islands of their own.
"""

from __future__ import annotations

import argparse
import array
import json
import sqlite3
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import yaml

from baonet.cli.common import positive
from benchmarks.checkouts import Checkout, NoCheckoutError, another, here

STUDIES = Path(__file__).resolve().parents[1] / "examples" / "studies"
READY = ("ping-pong", "noisy-neighbour", "interrupt-latency", "boot-time")
WINDOWS = ("1us", "10us", "100us")


class StudyFailedError(Exception):
    """`baonet study` did not do all runs."""


Medians = dict[tuple[str, str, str], dict[str, float]]
"""By (point without the window, metric, what of it): by window, in the metric's unit."""


def swept(name: str, windows: Sequence[str]) -> dict[str, Any]:
    """The study with the window as an axis more, in virtual time, each point once for each seed."""
    study: dict[str, Any] = yaml.safe_load((STUDIES / f"{name}.yaml").read_text())
    study["machine"] = str(STUDIES / study["machine"])
    study["sweep"] = {name: axis for name, axis in study["sweep"].items() if name != "run.clock"}
    study["sweep"]["clock.window"] = list(windows)
    return study | {"repeats": 1}


def run(checkout: Checkout, name: str, windows: Sequence[str], jobs: int) -> Medians:
    """Raises StudyFailedError."""
    with tempfile.TemporaryDirectory(prefix="baonet-studies-") as directory:
        file, results = Path(directory) / f"{name}.yaml", Path(directory) / f"{name}.sqlite"
        file.write_text(yaml.safe_dump(swept(name, windows), sort_keys=False))
        command = [*checkout.command, "study", str(file), "-o", str(results), "-j", str(jobs)]
        done = subprocess.run(command, cwd=checkout.directory, capture_output=True, text=True, check=False)
        if done.returncode:
            raise StudyFailedError(f"{name}: {done.stderr[-1000:]}")
        return medians(results)


def medians(results: Path) -> Medians:
    """Of everything that was sampled in nanoseconds, all seeds together, and of single times."""
    found: dict[tuple[str, str, str], dict[str, list[float]]] = {}
    with sqlite3.connect(results) as database:
        taken = list(database.execute("SELECT run, metric, key, kept FROM samples WHERE unit = 'ns'"))
        taken += list(database.execute("SELECT run, metric, key, value FROM numbers WHERE unit = 'ns'"))
        places = dict(database.execute("SELECT runs.id, place FROM runs JOIN points ON number = point"))
    database.close()
    for number, metric, key, values in taken:
        place = {axis: label for axis, (label, *_) in json.loads(places[number]).items()}
        window = place.pop("clock.window")
        point = ", ".join(f"{axis} {label}" for axis, label in place.items())
        windows = found.setdefault((point, metric, " ".join(json.loads(key))), {})
        samples = array.array("d", zlib.decompress(values)) if isinstance(values, bytes) else [values]
        windows.setdefault(window, []).extend(samples)
    return {row: {window: median(all_) for window, all_ in windows.items()} for row, windows in found.items()}


def spread(windows: dict[str, float]) -> float:
    """How far the medians are apart, relative to the least."""
    least = min(windows.values())
    return (max(windows.values()) - least) / least if least else float("inf") if max(windows.values()) else 0.0


def tell(name: str, found: Medians, windows: Sequence[str], *, every: bool) -> None:
    """The rows that differ, or all; and how many there are."""
    differing = {row: values for row, values in found.items() if spread(values) > 0 or len(values) < len(windows)}
    print(f"\n{name}: {len(found)} medians, {len(differing)} of which a window changes", flush=True)
    shown = found if every else differing
    if not shown:
        return
    print(f"\n| point | median of | {' | '.join(windows)} | apart |\n|---|---|{'---|' * (len(windows) + 1)}")
    for (point, metric, key), values in shown.items():
        cells = [f"{values[window] / 1000:.3f} us" if window in values else "-" for window in windows]
        print(f"| {point} | {metric}, {key} | {' | '.join(cells)} | {spread(values):.1%} |", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.studies", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", action="append", choices=READY, help="one study; repeatable")
    parser.add_argument("--window", action="append", metavar="LENGTH", help=f"instead of {', '.join(WINDOWS)}")
    parser.add_argument(
        "--with", dest="other", metavar="WHERE", help="do it with a directory's or a commit's baonet instead"
    )
    parser.add_argument("--jobs", type=positive, default=1, metavar="N", help="runs at a time (default 1)")
    parser.add_argument("--all", action="store_true", help="show the medians that no window changes too")
    options = parser.parse_args()
    windows = tuple(options.window or WINDOWS)
    try:
        checkout = another(options.other) if options.other else here()
        for name in options.only or READY:
            tell(name, run(checkout, name, windows, options.jobs), windows, every=options.all)
    except (NoCheckoutError, StudyFailedError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
