"""baonet trace info|export|verify FILE"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, final

from baonet.actors.refusals import reason
from baonet.cli.common import Subparsers, UsageError, rewrites
from baonet.cli.outputs import Outputs

if TYPE_CHECKING:
    from baonet.trace.reader import Progress, TraceReader

EPILOG = """\
FILE is what `baonet run --trace FILE` wrote; docs/tracing.md tells what is in it.

exit status:
  0    done; of verify: the records are those of the run
  1    verify: they are not; or the output could not be written
  2    FILE cannot be read or is not a whole trace, or the command line has an error

examples:
  baonet run configs/ping-pong.yaml --clock virtual --for 10ms --trace run.bnt
  baonet trace info run.bnt
  baonet trace export run.bnt --perfetto run.pftrace     (open it at https://ui.perfetto.dev)
  baonet trace export run.bnt --csv - | grep ',sent,'
"""


def add(subparsers: Subparsers[argparse.ArgumentParser], brief: str) -> None:
    parser = subparsers.add_parser(
        "trace",
        help=brief,
        description="Read the trace of a run.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _command(commands, "info", "say what was run, how it ended, and what is recorded", _info)
    _command(commands, "verify", "compare the records with the digest that the run had", _verify)
    told = "write the records for another program; - is standard output"
    export = _command(commands, "export", told, _export, "run.bnt --csv run.csv")
    formats = export.add_mutually_exclusive_group(required=True)
    formats.add_argument("--perfetto", metavar="OUT", help="for the Perfetto UI and trace processor")
    formats.add_argument("--json", metavar="OUT", help="one JSON document, a record a line")
    formats.add_argument("--csv", metavar="OUT", help="a table with a record a line")


def _command(
    commands: Subparsers[argparse.ArgumentParser],
    name: str,
    text: str,
    action: Callable[[TraceReader, argparse.Namespace], int],
    example: str = "run.bnt",
) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name, help=text, description=f"{text[0].upper()}{text[1:]}.", epilog=f"example: baonet trace {name} {example}"
    )
    parser.add_argument("file", metavar="FILE", help="trace (.bnt)")
    parser.set_defaults(command=_reading(action))
    return parser


def _reading(action: Callable[[TraceReader, argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    """``action`` with the trace that the command line names, and one line for whatever is wrong with it."""

    def read(options: argparse.Namespace) -> int:
        from baonet.trace.head import TraceError  # noqa: PLC0415 - other commands should not pay for these
        from baonet.trace.reader import TraceReader  # noqa: PLC0415

        try:
            with _Shown("reading") as shown:
                trace = TraceReader(Path(options.file), shown)
        except OSError as error:
            return _refuse(f"{options.file}: {reason(error)}")
        except TraceError as error:
            return _refuse(f"{options.file}: {error}")
        with trace:
            if trace.footer is None:
                cut = f"; {trace.rest} bytes of a chunk that is cut off are ignored" if trace.rest else ""
                print(f"baonet trace: {options.file}: the run was killed, or goes on: no end{cut}", file=sys.stderr)
            try:
                return action(trace, options)
            except (TraceError, UsageError) as error:
                return _refuse(f"{options.file}: {error}" if isinstance(error, TraceError) else str(error))

    return read


def _refuse(why: str) -> int:
    print(f"baonet trace: {why}", file=sys.stderr)
    return 2


@final
class _Shown:
    """Progress on a terminal: one line on standard error, gone when all is done."""

    def __init__(self, doing: str) -> None:
        self._doing = doing
        self._live = rewrites(sys.stderr)
        self._next = time.monotonic() + 0.5  # what is done at once needs none
        self._width = 0

    def __call__(self, done: int, total: int) -> None:
        if self._live and (now := time.monotonic()) >= self._next:
            self._next = now + 0.1
            self._say(f"{self._doing}: {100 * done // max(total, 1)} %")

    def _say(self, text: str) -> None:
        sys.stderr.write("\r" + text.ljust(self._width))
        sys.stderr.flush()
        self._width = len(text)

    def __enter__(self) -> _Shown:
        return self

    def __exit__(self, *_: object) -> None:
        if self._width:
            self._say("")
            sys.stderr.write("\r")


def _info(trace: TraceReader, options: argparse.Namespace) -> int:
    from baonet.trace.text import describe  # noqa: PLC0415

    with _Shown("counting") as shown:
        lines = describe(trace, shown)
    print("\n".join(lines))
    return 0


def _verify(trace: TraceReader, options: argparse.Namespace) -> int:
    from baonet.trace.digest import verify  # noqa: PLC0415

    if trace.footer is None:
        return _refuse(f"{options.file}: there is no digest to compare with")
    if trace.footer.digest is None:
        why = "a run of which a CPU was lost" if trace.header.mode == "virtual" else "a run under the host's clock"
        return _refuse(f"{options.file}: {why} has no digest to compare with")
    with _Shown("verifying") as shown:
        verdict = verify(trace, shown)
    if verdict.disordered:
        print(f"records are out of order, or another pcpu's: {_pcpus(verdict.disordered)}")
    if verdict.same:
        print(f"{trace.records} records are those of the run: digest {verdict.digest}")
    elif verdict.differing:
        print(f"the records of {_pcpus(verdict.differing)} are not those of the run")
        print(f"digest of the records: {verdict.digest}\ndigest of the run:     {trace.footer.digest}")
    else:
        print("the digest of the run is not made from those of its pcpus")
        print(f"digest of the records: {verdict.digest}\ndigest of the run:     {trace.footer.digest}")
    return 0 if verdict.same and not verdict.disordered else 1


def _pcpus(pcpus: tuple[int, ...]) -> str:
    return f"pcpu{'s' if len(pcpus) > 1 else ''} {', '.join(map(str, pcpus))}"


def _export(trace: TraceReader, options: argparse.Namespace) -> int:
    export, target = _exporter(options)
    with (
        Outputs([Path(options.file)]) as outputs,
        _Shown("exporting") as shown,
        outputs.whole(target).writing() as out,
    ):
        export(trace, out, shown)
    return 0


def _exporter(options: argparse.Namespace) -> tuple[Callable[[TraceReader, BinaryIO, Progress], None], str]:
    """Raises UsageError when the package that it needs is not installed."""
    if options.csv is not None:
        from baonet.trace import export_csv  # noqa: PLC0415

        return export_csv.export, options.csv
    if options.json is not None:
        from baonet.trace import export_json  # noqa: PLC0415

        return export_json.export, options.json
    if options.perfetto == "-" and sys.stdout.isatty():
        raise UsageError("a Perfetto trace is no text: give --perfetto a file, or a pipe")
    try:
        from baonet.trace import export_perfetto  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in ("perfetto", "google"):
            raise
        raise UsageError("--perfetto needs one more package: pip install 'baonet[perfetto]'") from None
    return export_perfetto.export, options.perfetto
