"""What virtual time costs: python -m benchmarks.virtual [--repeat N] [--only windows|boot]

Two tables. ``windows``: CPU seconds of the host for a second of virtual time of one busy CPU, by the number of busy
CPUs (in one island, so they take turns) and the window; what the longest window costs is the emulation itself.
``boot``: Debian's kernel to its shell, in one process, in virtual time and with the host's clock, run alternately.
"""

from __future__ import annotations

import argparse
import re
import resource
import subprocess
import sys
import tempfile
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any

import yaml

from benchmarks.arguments import add_repeat
from benchmarks.job import SHELL_READY
from benchmarks.machines import joined, linux
from benchmarks.targets import ARMV8, RISCV
from tests.guests import debian

CPUS = (1, 2, 4, 8, 16)
WINDOWS = ("1us", "10us", "100us", "1ms")
PER_VM = 8
SHORT_US, LONG_US = 100_000, 1_100_000
"""Of all CPUs together, in virtual time. The difference is without what starting costs."""


def _busy(cpus: int) -> dict[str, Any]:
    """One island of ``cpus`` CPUs that only count; VMs of at most 8 are joined by memory that they share."""
    return joined("spin", [min(PER_VM, cpus - first) for first in range(0, cpus, PER_VM)])


def _run(machine: dict[str, Any], *options: str) -> tuple[float, str]:
    """CPU seconds that a run took of the host, and what it said."""
    with tempfile.TemporaryDirectory(prefix="baonet-benchmark-") as directory:
        file = Path(directory) / "machine.yaml"
        file.write_text(yaml.safe_dump(machine))
        command = [sys.executable, "-m", "baonet.cli.main", "run", str(file), "--placement", "one-process", *options]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, done.stderr


def windows(repeat: int) -> None:
    print("host CPU seconds for 1 s of one busy CPU's virtual time (1000 MHz), by window")
    print("| busy CPUs | " + " | ".join(WINDOWS) + " |\n|---|" + "---|" * len(WINDOWS))
    for cpus in CPUS:
        cells = []
        for window in WINDOWS:
            options = ["--set", f"clock.window={window}"]
            short, long = [], []
            for _ in range(repeat):
                short.append(_run(_busy(cpus), *options, "--for", f"{SHORT_US // cpus}us")[0])
                long.append(_run(_busy(cpus), *options, "--for", f"{LONG_US // cpus}us")[0])
            cells.append(f"{(median(long) - median(short)) * 1e6 / (LONG_US - SHORT_US):.2f}")
        print(f"| {cpus} | " + " | ".join(cells) + " |", flush=True)


def boot(repeat: int) -> None:
    try:
        debian.fetch(debian.cache_directory())
    except debian.FetchError as error:
        print(f"no Linux: {error}", file=sys.stderr)
        return
    print("Linux to its shell in one process: CPU seconds of the host (medians)")
    print("|  | vCPUs | virtual time | host's clock | ratio | virtual seconds | digests |\n" + "|---" * 7 + "|")
    for target, cpus in product((ARMV8, RISCV), (1, 2, 4)):
        machine = linux(cpus, debian.cache_directory(), target)
        virtual, host, said = [], [], []
        for _ in range(repeat):
            seconds, text = _run(machine, "--until", SHELL_READY)
            virtual.append(seconds)
            said.append(text)
            host.append(_run(machine, "--until", SHELL_READY, "--clock", "host")[0])
        times = {found[1] for text in said if (found := re.search(r"(\d+\.\d+) s of virtual time", text))}
        digests = {found[1] for text in said if (found := re.search(r"digest (\w+)", text))}
        ours, theirs = median(virtual), median(host)
        cells = (f"{ours:.2f}", f"{theirs:.2f}", f"{ours / theirs:.2f}", ", ".join(sorted(times)), str(len(digests)))
        print(f"| {target.name} | {cpus} | {' | '.join(cells)} |", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.virtual", description="What virtual time costs.")
    add_repeat(parser, 3)
    parser.add_argument("--only", choices=["windows", "boot"], help="one of the tables")
    options = parser.parse_args()
    if options.only != "boot":
        windows(options.repeat)
    if options.only != "windows":
        boot(options.repeat)
    return 0


if __name__ == "__main__":
    sys.exit(main())
