"""The history of every figure: python -m benchmarks.history writes docs/benchmarks.md anew from what was recorded.

``python -m benchmarks --record`` adds what it has measured: a line of JSON in history.jsonl, with the commit, when and
on what host it was measured, and how busy that was. Figures of two hosts, or of a quiet and a busy one, say nothing
about each other; ratios to QEMU in the same recording do.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from benchmarks.checkouts import ROOT
from benchmarks.jobs import all_jobs
from benchmarks.report import Row
from benchmarks.units import scaled

SHOWN = 6
"""Recordings that the page has a column for, the last ones."""
PAGE_HEAD = """# Benchmarks over time

<!-- Written by python -m benchmarks.history -->

What `python -m benchmarks --record` has measured: medians of so many runs. In parentheses: ours / QEMU's in the same
recording. Only such ratios can be set beside each other where host or load differ.
[benchmarks](../benchmarks/README.md) says what each figure is.
"""


@dataclass(frozen=True, slots=True)
class Recording:
    """``figures``: by name (unit, ours, QEMU's or None). ``load``: the average of a minute before and after."""

    commit: str
    date: str
    host: str
    cpus: int
    load: tuple[float, float]
    compiled: bool
    runs: int
    figures: Mapping[str, tuple[str, float, float | None]]


def top() -> Path:
    """The checkout that this is in, or of which it is a copy."""
    return Path(_git("rev-parse", "--show-toplevel"))


def store(directory: Path) -> Path:
    return directory / "benchmarks" / "history.jsonl"


def page_file(directory: Path) -> Path:
    return directory / "docs" / "benchmarks.md"


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def commit() -> str:
    """With a + where files of it are changed."""
    name = _git("rev-parse", "--short=10", "HEAD")
    return f"{name}+" if _git("status", "--porcelain", "--untracked-files=no") else name


def processor(text: str) -> str:
    """The first CPU's model, of what /proc/cpuinfo says."""
    models = [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name")]
    return models[0] if models else "unknown"


def recorded(
    rows: Sequence[Row], ours: str, qemu: str, *, load: tuple[float, float], compiled: bool, runs: int
) -> Recording:
    """Of what was measured just now."""
    figures: dict[str, tuple[str, float, float | None]] = {}
    for row in rows:
        found, peer = row.samples.get(ours), row.samples.get(qemu)
        if found:
            figures[row.figure.name] = (row.figure.unit, _short(median(found)), _short(median(peer)) if peer else None)
    host = processor(Path("/proc/cpuinfo").read_text())
    date = time.strftime("%Y-%m-%d %H:%M", time.gmtime())
    return Recording(commit(), date, host, os.cpu_count() or 1, load, compiled, runs, figures)


def _short(value: float) -> float:
    """Four digits: no figure is that exact."""
    return float(f"{value:.4g}")


def dump(recording: Recording) -> str:
    return json.dumps(asdict(recording), separators=(",", ":")) + "\n"


def read(text: str) -> list[Recording]:
    """Raises ValueError with the line that is none."""
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            value = json.loads(line)
            figures = {name: (unit, ours, qemu) for name, (unit, ours, qemu) in value["figures"].items()}
            found.append(Recording(**{**value, "load": tuple(value["load"]), "figures": figures}))
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError(f"line {number} is no recording: {error}") from None
    return found


def goals() -> dict[str, str]:
    """Of each figure that is measured now."""
    figures = [figure for job in all_jobs(Path()) for figure in job.figures]
    return {figure.name: ", ".join(goal.text for goal in figure.goals) for figure in figures}


def page(recordings: Sequence[Recording]) -> str:
    """Of each figure what the last recordings have, and before them what was measured when."""
    goal = goals()
    last = recordings[-SHOWN:]
    names = list(dict.fromkeys(name for each in reversed(last) for name in each.figures))
    lines = [PAGE_HEAD, "| recording | commit | date (UTC) | host | load | baonet | runs |", "|" + "---|" * 7]
    for number, each in enumerate(recordings, start=1):
        load = " to ".join(f"{figure:.1f}" for figure in each.load)
        compiled = "compiled" if each.compiled else "not compiled"
        cells = (str(number), f"`{each.commit}`", each.date, f"{each.host}, {each.cpus} CPUs", load, compiled)
        lines.append(f"| {' | '.join(cells)} | {each.runs} |")
    numbers = range(len(recordings) - len(last) + 1, len(recordings) + 1)
    heads = ["figure", *map(str, numbers), "goal"]
    lines += ["", f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    lines += [f"| {' | '.join([name, *(_cell(each, name) for each in last), goal.get(name, '')])} |" for name in names]
    return "\n".join(lines) + "\n"


def _cell(recording: Recording, name: str) -> str:
    if name not in recording.figures:
        return ""
    unit, ours, qemu = recording.figures[name]
    return scaled(ours, unit) + (f" ({ours / qemu:.2f})" if qemu else "")


def write(directory: Path) -> None:
    """The page, from what is recorded in a checkout."""
    page_file(directory).write_text(page(read(store(directory).read_text())))


def add(recording: Recording) -> Path:
    """To the checkout's history, and its page; where that is."""
    directory = top()
    with store(directory).open("a") as file:
        file.write(dump(recording))
    write(directory)
    return page_file(directory)


if __name__ == "__main__":
    write(top())
