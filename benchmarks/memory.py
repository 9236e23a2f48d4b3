"""What a memory system costs the host: python -m benchmarks.memory [--against WHERE] [--only TEXT] [--repeat N]

The same work without `platform.memory_system` and with it: CPU seconds of the host, which say more than its clock where
others load it. ``--against`` is a directory or a commit from before there was one: without a memory system nothing may
be slower than there.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any, Final, final

import yaml

from benchmarks import machines
from benchmarks.arguments import add_repeat
from benchmarks.checkouts import Checkout, NoCheckoutError, another, here
from benchmarks.job import SHELL_READY
from benchmarks.process import RunFailedError, cpu_between, run_until
from benchmarks.rows import chosen
from benchmarks.targets import ARMV8
from tests.guests import debian

SYSTEM: Final = "cortex-a53"
SECONDS: Final = 900
OFF_OF_BEFORE: Final = 0.97
"""1.00, but for what two runs of the same differ by."""

Measure = Callable[[Callable[..., list[str]], bool], float]
"""CPU seconds of a work, by what makes the command that runs its machine with some changes, and whether memory takes
time in it."""


@final
@dataclass(frozen=True, slots=True)
class Work:
    """One row. ``goal``: how much of the speed without a memory system it is to have with one."""

    name: str
    machine: Callable[[], dict[str, Any]]
    measure: Measure
    goal: float | None = None
    linux: bool = False

    def machine_file(self, *, modelled: bool) -> dict[str, Any]:
        made = self.machine() | {"clock": {"mode": "virtual", "mhz": 1200}}
        if modelled:
            made["platform"] = {"extends": made["platform"], "memory_system": SYSTEM}
        return made

    def take(self, checkout: Checkout, *, modelled: bool) -> float:
        """CPU seconds. Raises RunFailedError."""
        made = self.machine_file(modelled=modelled)
        with tempfile.TemporaryDirectory(prefix="baonet-benchmark-") as directory:

            def command(**changed: Any) -> list[str]:
                file = Path(directory) / "machine.yaml"
                file.write_text(yaml.safe_dump({**made, "vms": [made["vms"][0] | changed]}))
                options = ["--placement", "one-process", *checkout.options]
                return ["env", "-C", str(checkout.directory), *checkout.command, "run", str(file), *options]

            return self.measure(command, modelled)


def guest(image: str) -> dict[str, Any]:
    """One that is told by its command line what to do."""
    vm = {
        "name": image,
        "image": {"path": str(ARMV8.guests / f"{image}.elf")},
        "device_tree": "auto",
        "cpus": 1,
        "memory": [{"size": "64MiB"}],
        "devices": ["uart0"],
    }
    return {"version": 1, "platform": ARMV8.platform, "vms": [vm]}


def between(begin: str, end: str) -> Measure:
    """From the one text to the other."""
    return lambda command, modelled: cpu_between(command(), begin, end, SECONDS)


def passes(work: int, size: str, count: int, more: int = 1) -> Measure:
    """``count`` passes of the guest `membench`: what a run with them takes more than one without.

    Where memory takes no time ``more`` times as many are run, and it is their part, as so few would be no time at all.
    """

    def measure(command: Callable[..., list[str]], modelled: bool) -> float:
        times = 1 if modelled else more
        short, long = (
            run_until(
                command(command_line=f"work={work} size={size} warmup={number} passes=1"),
                "membench: ",
                SECONDS,
                signal.SIGINT,
            ).cpu_seconds
            for number in (1, 1 + count * times)
        )
        return (long - short) / times

    return measure


def start(command: Callable[..., list[str]], modelled: bool) -> float:
    """A whole run to the shell's prompt."""
    return run_until(command(), SHELL_READY, SECONDS, signal.SIGINT).cpu_seconds


def works() -> list[Work]:
    def membench() -> dict[str, Any]:
        return guest("membench")

    return [
        Work("integer loop, 2 G instructions", lambda: guest("bench"), between("bench: start", "bench int-loop"), 0.75),
        Work("quicksort of 256 KiB, 100 times", membench, passes(3, "256KiB", 100), 0.6),
        Work("copy of 4 MiB, 129 times", lambda: guest("bench"), between("bench int-loop", "bench copy")),
        Work("random reads of 512 KiB, 16 M", membench, passes(0, "512KiB", 2000, more=20)),
        Work("a word of each line of 1 MiB, 16 M", membench, passes(1, "1MiB", 1000, more=20)),
        Work(
            "Linux to its shell, whole command",
            lambda: machines.linux(1, debian.cache_directory()),
            start,
            1 / 1.8,
            True,
        ),
    ]


def ratio(samples: Mapping[str, Sequence[float]], name: str, base: str, goal: float | None) -> str:
    """How fast ``name`` is, ``base`` being 1, and whether that is what it should be."""
    if not samples.get(name) or not samples.get(base):
        return "-"
    found = median(samples[base]) / median(samples[name])
    met = "" if goal is None else f", {'met' if found >= goal else 'MISSED'} ({goal:.2f})"
    return f"{found:.2f}{met}"


def cell(taken: Sequence[float]) -> str:
    return f"{median(taken):.2f} [{min(taken):.2f}..{max(taken):.2f}]" if taken else "failed"


def row(work: Work, columns: Sequence[tuple[Checkout, bool]], repeat: int) -> str:
    """All columns in turn, and the other way round, so that what changes on the host meets all."""
    samples: dict[str, list[float]] = {checkout.name: [] for checkout, _ in columns}
    for number in range(repeat):
        for checkout, modelled in columns if number % 2 == 0 else columns[::-1]:
            try:
                samples[checkout.name].append(work.take(checkout, modelled=modelled))
            except RunFailedError as error:
                print(f"{checkout.name}, {work.name}: {error}", file=sys.stderr)
    names = list(samples)
    ratios = [ratio(samples, "on", "off", work.goal)]
    if len(names) > 2:  # the first is from before
        ratios.insert(0, ratio(samples, "off", names[0], OFF_OF_BEFORE))
    return f"| {work.name} | {' | '.join([*map(cell, samples.values()), *ratios])} |"


def load() -> str:
    return ", ".join(f"{figure:.1f}" for figure in os.getloadavg())


def head(columns: Sequence[tuple[Checkout, bool]]) -> str:
    names = [checkout.name for checkout, _ in columns]
    ratios = ["speed: on / off"]
    if len(names) > 2:
        ratios.insert(0, f"off / {names[0]}")
    heads = ["CPU seconds", *names, *ratios]
    return f"| {' | '.join(heads)} |\n{'|---' * len(heads)}|"


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.memory", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--against", metavar="WHERE", help="a directory or a commit to compare with; comes first")
    parser.add_argument("--only", action="append", default=[], metavar="TEXT", help="rows with TEXT in their names")
    add_repeat(parser, 3)
    options = parser.parse_args()
    columns = [(replace(here(), name="off"), False), (replace(here(), name="on"), True)]
    try:
        rows = chosen(works(), options.only)
        if options.against:
            columns.insert(0, (another(options.against), False))
    except (ValueError, NoCheckoutError) as error:
        print(error, file=sys.stderr)
        return 2
    began = load()
    print(f"{os.cpu_count()} CPUs; medians of {options.repeat} [least..most], in turn\n\n{head(columns)}", flush=True)
    for work in rows:
        print(row(work, columns, options.repeat), flush=True)
    print(f"\nLoad of the host when this began: {began}; and ended: {load()}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.SubprocessError as error:
        sys.exit(str(error))
