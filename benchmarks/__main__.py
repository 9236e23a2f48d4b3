"""python -m benchmarks [--only NAME ...] [--repeat N] [--json FILE]"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from pathlib import Path

from benchmarks.emulators import Baonet, Emulator, Qemu, QemuMissingError
from benchmarks.jobs import Job, all_jobs, wanted
from benchmarks.process import RunFailedError
from benchmarks.report import Row, data, empty_rows, table
from tests.guests import debian


def _measure(job: Job, emulator: Emulator, rows: dict[str, Row]) -> None:
    try:
        run = emulator.run(job)
    except RunFailedError as error:
        print(f"\n{emulator.name}, {job.name}: {error}", file=sys.stderr)
        for figure in job.figures:
            rows[figure.name].failures[emulator.name] = str(error)
        return
    for figure in job.figures:
        value = figure.read(run)
        if value is not None:
            rows[figure.name].samples.setdefault(emulator.name, []).append(value)


def _without_linux(jobs: tuple[Job, ...]) -> tuple[Job, ...]:
    """Fetches Debian's kernel if a job needs it; without it, the jobs that do not."""
    if not any(job.linux for job in jobs):
        return jobs
    try:
        debian.fetch(debian.cache_directory())
    except debian.FetchError as error:
        print(f"no Linux: {error}", file=sys.stderr)
        return tuple(job for job in jobs if not job.linux)
    return jobs


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def _header(emulators: tuple[Emulator, ...], repeat: int) -> str:
    load = ", ".join(f"{figure:.1f}" for figure in os.getloadavg())
    host = f"{platform.machine()}, {os.cpu_count()} CPUs, load {load}"
    versions = "; ".join(emulator.version() for emulator in emulators)
    return f"{host}; {versions}\nmedians of {repeat} [least..most], interleaved"


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="jobs that start so; repeatable")
    parser.add_argument("--repeat", type=int, default=5, metavar="N", help="runs of each job on each (default 5)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every sample to FILE")
    parser.add_argument("--peer", action="store_true", help="QEMU only")
    options = parser.parse_args()
    try:
        jobs = _without_linux(wanted(all_jobs(debian.cache_directory()), options.only))
        qemu = Qemu({job.target for job in jobs})
    except (ValueError, QemuMissingError) as error:
        print(error, file=sys.stderr)
        return 2
    ours = Baonet()
    emulators: tuple[Emulator, ...] = (qemu,) if options.peer else (ours, qemu)
    all_rows = empty_rows(jobs)
    rows = {row.figure.name: row for row in all_rows}
    for number in range(options.repeat):
        for job in jobs:
            for emulator in emulators if number % 2 == 0 else reversed(emulators):
                if emulator.can_run(job):
                    _progress(f"run {number + 1} of {options.repeat}: {job.name}, {emulator.name}")
                    _measure(job, emulator, rows)
    _progress("")
    print(_header(emulators, options.repeat))
    print()
    print(table(all_rows, ours.name, qemu.name))
    if options.json:
        options.json.write_text(
            json.dumps({"host": _header(emulators, options.repeat), "rows": data(all_rows)}, indent=2) + "\n"
        )
    return 1 if any(row.failures for row in all_rows) else 0


if __name__ == "__main__":
    sys.exit(main())
