"""baonet study FILE"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from baonet.actors.refusals import refused
from baonet.cli.common import Subparsers, UsageError, add_set, positive, rewrites
from baonet.cli.place import written_where
from baonet.config.loader import load
from baonet.document.errors import ConfigError
from baonet.document.escapes import escaped
from baonet.document.overrides import Overrides
from baonet.document.standard_input import STDIN, given
from baonet.machine import Machine, Stamp
from baonet.machine.dataclass import replace
from baonet.machine.stamp import stamp
from baonet.run.groups import first

if TYPE_CHECKING:
    from baonet.study.plan import Study

EPILOG = """\
A study that was ended, by Ctrl-C or by a crash, goes on where it was when the same command is given again; runs that
failed are tried again. Results that were made from another state of the study file, of a machine file or of a guest's
image are refused: --fresh starts anew.

exit status:
  0    every run is done
  1    a run failed, or runs that must be equal differ; what is wrong is on standard error and in the report
  2    the study file, a machine file or the command line has an error, or the results are of something else or
       cannot be written
  130  Ctrl-C; 143 SIGTERM, 129 SIGHUP: what had ended by then is saved

examples:
  baonet study examples/studies/ping-pong.yaml && baonet report ping-pong.sqlite -o ping-pong.html
  baonet study sweep.yaml --list                     (what would run, and what is done)
  baonet study examples/studies/ping-pong.yaml --set platform=qemu-riscv64-virt -o riscv.sqlite
  baonet study sweep.yaml -o /data/sweep.sqlite --jobs 4 --traces /data/traces
"""


def add(subparsers: Subparsers[argparse.ArgumentParser], brief: str) -> None:
    parser = subparsers.add_parser(
        "study",
        help=brief,
        description="Run the sweep of a study file, several runs at a time, and put what was measured into one file.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", metavar="FILE", help="study file (YAML), see docs/studies.md; - is standard input")
    add_set(parser)
    parser.add_argument("-o", "--output", metavar="RESULTS", help="default: the study's name with .sqlite, here")
    parser.add_argument("-j", "--jobs", metavar="N", type=positive, help="runs at a time (default: one for each CPU)")
    parser.add_argument(
        "--on",
        metavar="WHERE",
        type=written_where,
        help="which nodes run each machine, as for baonet run; a run.on says another",
    )
    parser.add_argument("--fresh", action="store_true", help="discard the results that are there")
    parser.add_argument("--traces", metavar="DIR", help="keep the trace of every run in DIR")
    parser.add_argument(
        "--list", action="store_true", help="list the runs, which are done and why others failed, and run nothing"
    )
    parser.set_defaults(command=study)


def study(options: argparse.Namespace) -> int:
    # Other commands should not pay for these.
    from baonet.study.fingerprint import fingerprint, inputs  # noqa: PLC0415
    from baonet.study.store import StoreError  # noqa: PLC0415
    from baonet.study.study_file import read, with_settings  # noqa: PLC0415

    try:
        path = given(options.file)
        plan = replace(with_settings(read(path), options.set), on=options.on)
        read_files = {plan.path}
        stamps: dict[Path, Stamp] = {}

        def loading(path: Path, overrides: Overrides) -> Machine:
            machine = load(path, overrides)
            files = [*map(Path, machine.files), *inputs(plan)]
            read_files.update(files)
            for each in files:
                if each not in stamps:
                    with suppress(OSError):  # what is not there is told when it is read
                        stamps[each] = stamp(each)
            return machine

        digests = fingerprint(plan, loading)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    if plan.path is STDIN and options.output is None:
        print("baonet study: a study from standard input has no name: name the results with -o", file=sys.stderr)
        return 2
    output = Path(f"{plan.path.stem}.sqlite" if options.output is None else options.output)
    try:
        if options.list:
            return _list(plan, digests, output, fresh=options.fresh)
        _refuse(read_files, options.output, output, options.traces)
        return _run(plan, digests, stamps, output, options)
    except (StoreError, UsageError) as error:
        print(f"baonet study: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        if error.filename is None:
            raise  # standard output
        print(f"baonet study: {refused(error, 'this study')}", file=sys.stderr)
        return 2


def _work(output: Path) -> Path:
    """The directory for what runs leave, until the study ends."""
    return output.with_name(output.name + ".work")


def _refuse(reads: set[Path], given: str | None, output: Path, traces: str | None) -> None:
    """Raises UsageError when a file that is read lies where something is to be written or removed."""
    if given == "-":
        raise UsageError("-o -: results are a database, which standard output cannot be: name a file")
    if not output.name:  # "" is what a shell makes of a variable that is not set
        raise UsageError(f"-o {given}: is a directory: name a file")
    if traces == "":
        raise UsageError("--traces: name a directory, or '.' for this one")
    for path in sorted(reads):
        place = path.resolve()
        if output.exists() and place.exists() and output.samefile(place):
            raise UsageError(f"{output} would be lost: {path} is read")
        if _work(output).resolve() in place.parents:
            raise UsageError(f"{path} is read, and {_work(output)} is removed at the end: name other results with -o")
        if traces is not None and place.suffix == ".bnt" and place.parent == Path(traces).resolve():
            raise UsageError(f"{path} is read, and traces are written to {traces}: name another directory")


def _list(plan: Study, digests: dict[str, str], output: Path, fresh: bool) -> int:
    from baonet.study.conduct import check_results  # noqa: PLC0415
    from baonet.study.store import Store  # noqa: PLC0415

    ended: dict[tuple[int, int, int], tuple[str, str]] = {}
    if output.exists() and not fresh:
        with Store(output, write=False) as store:
            check_results(store, digests)
            for _, row in store.runs():
                why = escaped(": " + row.error.partition("\n")[0])
                ended[row.point, row.seed, row.repeat] = ("done", "") if row.done else ("failed", why)
    points = plan.points()
    for run in plan.runs():
        state, why = ended.get((run.point, run.seed, run.repeat), ("to do", ""))
        print(f"{state:6}  point {run.point}, seed {run.seed}, repeat {run.repeat}: {points[run.point].label}{why}")
    return 0


def _run(
    plan: Study, digests: dict[str, str], stamps: dict[Path, Stamp], output: Path, options: argparse.Namespace
) -> int:
    import trio  # noqa: PLC0415

    from baonet.study.conduct import StudyOutcome, conduct, prepare  # noqa: PLC0415
    from baonet.study.origin import origin  # noqa: PLC0415
    from baonet.study.progress import ProgressLine  # noqa: PLC0415
    from baonet.study.runner import Runner  # noqa: PLC0415
    from baonet.study.store import Store  # noqa: PLC0415

    traces = None if options.traces is None else Path(options.traces)
    if traces is not None:
        traces.mkdir(parents=True, exist_ok=True)
    work = _work(output)
    with Store(output, write=True) as store:
        if options.fresh:
            store.clear()
        runs = prepare(plan, store, digests, origin(["baonet", *sys.argv[1:]]))
        shutil.rmtree(work, ignore_errors=True)  # of a call that was killed: the results are ours alone
        work.mkdir()
        total = sum(1 for _ in plan.runs())
        progress = ProgressLine(sys.stderr, total, total - len(runs), time.monotonic, live=rewrites(sys.stderr))
        jobs = options.jobs or len(os.sched_getaffinity(0))

        async def live() -> StudyOutcome:
            async with Runner(plan, work, traces, stamps) as runner:
                return await conduct(runs, store, runner, jobs, progress)

        try:
            outcome = trio.run(live)
        except BaseExceptionGroup as group:
            raise first(group) from None
        finally:
            shutil.rmtree(work, ignore_errors=True)
    print(output)
    for disagreement in outcome.disagreements:
        print(f"baonet study: {disagreement}", file=sys.stderr)
    if outcome.signal is not None:
        print(
            f"baonet study: ended by {signal.Signals(outcome.signal).name}; the same command goes on", file=sys.stderr
        )
        return 128 + outcome.signal
    if outcome.failed:
        print(f"baonet study: {outcome.failed} failed; the same command tries them again", file=sys.stderr)
    return 1 if outcome.failed or outcome.disagreements else 0
