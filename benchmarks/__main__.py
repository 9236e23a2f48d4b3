"""python -m benchmarks [--only NAME ...] [--repeat N] [--against WHERE] [--record] [--json FILE]"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks import history
from benchmarks.arguments import add_repeat, output_file
from benchmarks.checkouts import NoCheckoutError, another
from benchmarks.emulators import Baonet, Emulator, Qemu, QemuMissingError
from benchmarks.job import AnyJob, Job
from benchmarks.jobs import all_jobs, wanted
from benchmarks.process import RunFailedError
from benchmarks.report import Row, data, empty_rows, table
from tests.guests import debian


def _measure(job: AnyJob, emulator: Emulator, rows: dict[str, Row]) -> None:
    try:
        figures = emulator.run(job)
    except RunFailedError as error:
        print(f"\n{emulator.name}, {job.name}: {error}", file=sys.stderr)
        for figure in job.figures:
            rows[figure.name].failures[emulator.name] = str(error)
        return
    for name, value in figures.items():
        rows[name].samples.setdefault(emulator.name, []).append(value)


def _without_linux(jobs: tuple[AnyJob, ...]) -> tuple[AnyJob, ...]:
    """Fetches third-party guests if a job needs one; without them, the jobs that do not."""
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


def _header(emulators: Sequence[Emulator], repeat: int, load: tuple[float, float]) -> str:
    host = f"{history.processor(Path('/proc/cpuinfo').read_text())}, {platform.machine()}, {os.cpu_count()} CPUs"
    versions = "; ".join(filter(None, (emulator.version() for emulator in emulators)))
    return f"{host}, load {load[0]:.1f} to {load[1]:.1f}; {versions}\nmedians of {repeat} [least..most], interleaved"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--only", action="append", default=[], metavar="NAME", help="jobs, or figures, that start so; repeatable"
    )
    parser.add_argument("--list", action="store_true", help="say which jobs there are, with their figures and goals")
    add_repeat(parser, 5, "runs of each job on each")
    parser.add_argument("--against", metavar="WHERE", help="a directory or a commit to compare with, in turn")
    parser.add_argument("--record", action="store_true", help="add the figures to history.jsonl and docs/benchmarks.md")
    parser.add_argument("--json", type=output_file, metavar="FILE", help="write every sample to FILE")
    parser.add_argument("--peer", action="store_true", help="QEMU only")
    return parser.parse_args()


def _list(jobs: Sequence[AnyJob]) -> None:
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # to `head`
    for job in jobs:
        print(job.name)
        for figure in job.figures:
            print(f"    {figure.name}: {', '.join(goal.text for goal in figure.goals) or figure.unit}")


def main() -> int:
    options = _arguments()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # or each start compiles what it loads
    try:
        jobs = wanted(all_jobs(debian.cache_directory()), options.only)
        if options.list:
            _list(jobs)
            return 0
        jobs = _without_linux(jobs)
        qemu = Qemu({job.target for job in jobs if isinstance(job, Job)})
        before = None if options.against is None else Baonet(another(options.against))
    except (ValueError, QemuMissingError, NoCheckoutError) as error:
        print(error, file=sys.stderr)
        return 2
    ours = Baonet()
    emulators: list[Emulator] = [ours, qemu]
    if options.peer:
        emulators = [qemu]
        if not any(qemu.can_run(job) for job in jobs):
            print("QEMU does none of these", file=sys.stderr)
            return 2
    elif before is not None:
        emulators.insert(0, before)
    all_rows = empty_rows(jobs)
    rows = {row.figure.name: row for row in all_rows}
    began = os.getloadavg()[0]
    for number in range(options.repeat):
        for job in jobs:
            for emulator in emulators if number % 2 == 0 else reversed(emulators):
                if emulator.can_run(job):
                    _progress(f"run {number + 1} of {options.repeat}: {job.name}, {emulator.name}")
                    _measure(job, emulator, rows)
    _progress("")
    load = (began, os.getloadavg()[0])
    header = _header(emulators, options.repeat, load)
    print(f"{header}\n\n{table(all_rows, ours.name, qemu.name, before.name if before else None)}")
    if options.json:
        options.json.write_text(json.dumps({"host": header, "rows": data(all_rows)}, indent=2) + "\n")
    if options.record:
        recording = history.recorded(
            all_rows, ours.name, qemu.name, load=load, compiled=ours.compiled(), runs=options.repeat
        )
        print(f"recorded in {history.add(recording)}")
    return 1 if any(row.failures for row in all_rows) else 0


if __name__ == "__main__":
    sys.exit(main())
