"""What an island costs in virtual time, and what its windows do to its guests: python -m benchmarks.islands

CPUs of one island compute, or are Linux's; each figure is of one piece of work within a run, from a text that a guest
prints to another. ``--against`` runs the same on another directory or commit in turn: on a shared machine only the
ratio of figures from one call says anything.
"""

from __future__ import annotations

import argparse
import csv
import io
import os
import resource
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import yaml

from baonet.cli.common import positive
from benchmarks import machines
from benchmarks.arguments import add_repeat
from benchmarks.checkouts import Checkout, NoCheckoutError, another, here
from benchmarks.rows import chosen
from tests.guests import debian

BEGIN, END = "work begins", "work ends"
SECONDS = 300


class WorkFailedError(Exception):
    """A run in which the texts did not come."""


@dataclass(frozen=True, slots=True)
class Work:
    """One row: what a run of ``machine`` took. ``measure`` gets the checkout and the file."""

    name: str
    unit: str
    machine: Callable[[], dict[str, Any]]
    measure: Callable[[Checkout, Path, Sequence[str]], float]
    options: tuple[str, ...] = ()
    linux: bool = False

    def take(self, checkout: Checkout) -> float:
        with tempfile.TemporaryDirectory(prefix="baonet-benchmark-") as directory:
            file = Path(directory) / "machine.yaml"
            file.write_text(yaml.safe_dump(self.machine()))
            return self.measure(checkout, file, self.options)


def computing(image: str, vms: int) -> dict[str, Any]:
    """``vms`` of one CPU each."""
    return machines.joined(image, [1] * vms)


def linux(command: str, cpus: int = 4) -> dict[str, Any]:
    """Debian's kernel with a shell that is given one command."""
    halves = [f"{text[:4]}''{text[4:]}" for text in (BEGIN, END)]  # so that the echo of what is typed has neither
    typed = f"echo {halves[0]}; {command}; echo {halves[1]}; poweroff\n"
    made = machines.linux(cpus, debian.cache_directory())
    return made | {"input": [{"vm": "linux", "at": "1500ms", "text": typed}]}


def on_each(command: str, cpus: int = 4) -> str:
    """The command once for each CPU, and until the last has ended."""
    return f"for n in {' '.join(map(str, range(cpus)))}; do taskset -c $n sh -c '{command}' & done; wait"


def _said(checkout: Checkout, file: Path, options: Sequence[str]) -> Iterator[tuple[float, str]]:
    """What a run says, line by line, and the host's time at which each came."""
    command = [*checkout.command, "run", str(file), "--placement", "one-process", *checkout.options, *options]
    process = subprocess.Popen(
        command, cwd=checkout.directory, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert process.stdout
    kept, deadline = b"", time.monotonic() + SECONDS
    try:
        while select.select([process.stdout], [], [], max(0, deadline - time.monotonic()))[0]:
            data = os.read(process.stdout.fileno(), 1 << 16)
            if not data:
                return
            moment = time.monotonic()
            *lines, kept = (kept + data).split(b"\n")
            for line in lines:
                yield moment, line.decode(errors="replace")
        raise WorkFailedError(f"it took more than {SECONDS} s")
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def wall(begin: str, end: str) -> Callable[[Checkout, Path, Sequence[str]], float]:
    """Seconds of the host from the first line with ``begin`` to the last with ``end``."""

    def measure(checkout: Checkout, file: Path, options: Sequence[str]) -> float:
        began = ended = None
        lines = []
        for moment, line in _said(checkout, file, options):
            lines.append(line)
            if began is None and begin in line:
                began = moment
            if end in line:
                ended = moment
        if began is None or ended is None:
            raise WorkFailedError("\n".join(lines[-8:]))
        return ended - began

    return measure


def virtual(checkout: Checkout, file: Path, options: Sequence[str]) -> float:
    """Seconds of virtual time from the one text to the other, by the bytes in the trace."""
    trace = file.with_suffix(".bnt")
    lines = [line for _, line in _said(checkout, file, [*options, "--trace", str(trace)])]
    export = [*checkout.command, "trace", "export", "--csv", "-", str(trace)]
    records = subprocess.run(export, cwd=checkout.directory, capture_output=True, text=True, check=True).stdout
    console = [record for record in csv.DictReader(io.StringIO(records)) if record["kind"] == "console"]
    console.sort(key=lambda record: int(record["b"]))  # the UART's order
    text = "".join(chr(int(record["c"])) for record in console)
    places = [text.find(f"\n{each}") for each in (BEGIN, END)]
    if min(places) < 0:
        raise WorkFailedError("\n".join(lines[-8:]))
    began, ended = (int(console[place + 1]["time"]) for place in places)
    return (ended - began) / 1e9


def cpu_of_one(vms: int) -> Callable[[Checkout, Path, Sequence[str]], float]:
    """CPU seconds of the host for a virtual second of one of ``vms``: a long run's without a short one's."""
    short, long = 100, 1100  # ms of all together

    def of(checkout: Checkout, file: Path, options: Sequence[str], milliseconds: int) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        for _ in _said(checkout, file, [*options, "--for", f"{milliseconds * 1000 // vms}us"]):
            pass
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime

    def measure(checkout: Checkout, file: Path, options: Sequence[str]) -> float:
        return (of(checkout, file, options, long) - of(checkout, file, options, short)) * 1000 / (long - short)

    return measure


def _window(length: str) -> tuple[str, ...]:
    return ("--set", f"clock.window={length}")


def works() -> list[Work]:
    found = []
    last = "of virtual time"
    for vms in (2, 4):
        for window in ("10us", "100us"):
            found += [
                Work(
                    f"{vms} VMs count, {window}",
                    "s",
                    lambda vms=vms: computing("spin", vms),  # type: ignore[misc]
                    wall("spin:", last),
                    (*_window(window), "--for", "400ms"),
                ),
                Work(
                    f"{vms} VMs, small benchmarks, {window}",
                    "s",
                    lambda vms=vms: computing("bench-quick", vms),  # type: ignore[misc]
                    wall("bench int-loop", "bench: done"),
                    _window(window),
                ),
            ]
    loops = {
        "shell loops": on_each("i=0; while [ $i -lt 4000 ]; do i=$((i+1)); done"),
        "md5sum": on_each("head -c 2000000 /dev/zero | md5sum"),
        "fork loops": on_each("i=0; while [ $i -lt 40 ]; do /bin/true; i=$((i+1)); done"),
    }
    for name, command in loops.items():
        for window in ("10us", "100us"):
            found.append(
                Work(
                    f"Linux, 4 vCPUs, {name}, {window}",
                    "s",
                    lambda command=command: linux(command),  # type: ignore[misc]
                    wall(BEGIN, END),
                    _window(window),
                    linux=True,
                )
            )
    found.append(
        Work("4 busy pcpus, 1us, of one", "CPU s/s", lambda: computing("spin", 4), cpu_of_one(4), _window("1us"))
    )
    for window in ("1us", "10us", "100us"):
        found.append(
            Work(
                f"Linux, 4 vCPUs, dd into one file, {window}",
                "virtual s",
                lambda: linux(on_each("dd if=/dev/zero of=/tmp/x bs=4k count=1000 2>/dev/null")),
                virtual,
                _window(window),
                linux=True,
            )
        )
    return found


def _row(work: Work, checkouts: Sequence[Checkout], repeat: int) -> str:
    samples: dict[str, list[float]] = {checkout.name: [] for checkout in checkouts}
    for number in range(repeat):
        for checkout in checkouts if number % 2 == 0 else reversed(checkouts):
            try:
                samples[checkout.name].append(work.take(checkout))
            except WorkFailedError as error:
                print(f"{checkout.name}, {work.name}: {error}", file=sys.stderr)
    cells = []
    for checkout in checkouts:
        taken = samples[checkout.name]
        cells.append(f"{median(taken):.3f} [{min(taken):.3f}..{max(taken):.3f}]" if taken else "failed")
        if checkout is not checkouts[0]:
            first = samples[checkouts[0].name]
            cells.append(f"{median(first) / median(taken):.2f}" if taken and first else "-")
    return f"| {work.name} | {work.unit} | {' | '.join(cells)} |"


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.islands", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--against", metavar="WHERE", help="a directory or a commit to compare with; comes first")
    parser.add_argument(
        "--threads", action="append", type=positive, default=[], metavar="N", help="a column with so many; repeatable"
    )
    parser.add_argument("--only", action="append", default=[], metavar="TEXT", help="rows with TEXT in their names")
    add_repeat(parser, 3)
    options = parser.parse_args()
    try:
        rows = chosen(works(), options.only)
        checkouts = [another(options.against)] if options.against else []
    except (ValueError, NoCheckoutError) as error:
        print(error, file=sys.stderr)
        return 2
    threads = [here(("--threads", str(number)), f"here, {number} threads") for number in options.threads]
    checkouts += threads or [here()]
    load = ", ".join(f"{figure:.1f}" for figure in os.getloadavg())
    print(f"{os.cpu_count()} CPUs, load {load}; medians of {options.repeat} [least..most], in turn\n", flush=True)
    heads = [checkouts[0].name]
    heads += [text for other in checkouts[1:] for text in (other.name, f"{checkouts[0].name} / {other.name}")]
    print(f"| work | unit | {' | '.join(heads)} |\n|---|---|{'---|' * len(heads)}", flush=True)
    for work in rows:
        print(_row(work, checkouts, options.repeat), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
