"""baonet report RESULTS"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from baonet.actors.refusals import refused
from baonet.cli.common import Subparsers, UsageError
from baonet.cli.outputs import Output, Outputs

if TYPE_CHECKING:
    from baonet.study.report import Drawn
    from baonet.study.results import Results

EPILOG = """\
exit status:
  0    the report is written
  1    the report is written, and says that runs failed, are missing, or differ where they must be equal
  2    the results cannot be read or the page cannot be written, or --svg or --png is given and matplotlib is not
       installed

Without matplotlib (pip install 'baonet[study]') the page has its tables and no pictures.

examples:
  baonet report ping-pong.sqlite                     (ping-pong.html)
  baonet report ping-pong.sqlite -o out.html --svg docs/pictures
"""


def add(subparsers: Subparsers[argparse.ArgumentParser], brief: str) -> None:
    parser = subparsers.add_parser(
        "report",
        help=brief,
        description="Write the results of a study as one HTML page that needs nothing else, and its pictures as files.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("results", metavar="RESULTS", help="what 'baonet study' has written (SQLite)")
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="page (default: the name of RESULTS with .html, here; - is standard output)",
    )
    parser.add_argument("--svg", metavar="DIR", help="write every picture to DIR, as RESULTS-METRIC-KIND.svg")
    parser.add_argument("--png", metavar="DIR", help="the same as PNG")
    parser.set_defaults(command=report)


def report(options: argparse.Namespace) -> int:
    # Other commands should not pay for these.
    from baonet.study.results import results  # noqa: PLC0415
    from baonet.study.store import Store, StoreError  # noqa: PLC0415

    path = Path(options.results)
    try:
        with Outputs([path]) as outputs:
            out = outputs.whole(f"{path.stem}.html" if options.output is None else options.output)
            with Store(path, write=False) as store:
                found = results(store)
            for directory in filter(None, (options.svg, options.png)):
                Path(directory).mkdir(parents=True, exist_ok=True)
            _write(found, out, outputs, options)
    except (StoreError, UsageError) as error:
        print(f"baonet report: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        if error.filename is None:
            raise  # standard output
        print(f"baonet report: {refused(error, 'this command')}", file=sys.stderr)
        return 2
    whole = len(found.rows) == found.expected_runs and all(row.done for row in found.rows)
    return 0 if whole and not found.disagreements else 1


def _write(found: Results, out: Output, outputs: Outputs, options: argparse.Namespace) -> None:
    """The page and the pictures, and a line that says so. Raises UsageError."""
    from baonet.study import pictures  # noqa: PLC0415
    from baonet.study.origin import origin  # noqa: PLC0415
    from baonet.study.report import drawn, page, undrawn  # noqa: PLC0415

    drawing = pictures.available()
    if not drawing:
        if options.svg or options.png:
            raise UsageError(pictures.MISSING)
        print(f"baonet report: {pictures.MISSING}; the page has tables only", file=sys.stderr)
    made = origin(["baonet", *sys.argv[1:]])
    with pictures.style() if drawing else nullcontext():
        metrics = drawn(found) if drawing else undrawn(found)
        text = page(found, metrics, made)
        files = list(_pictures(metrics, Path(options.results).stem, outputs, options))
        out.finish(text.encode())
        for output, data in files:
            output.finish(data)
    if options.output != "-":
        print(out.name)
    if files:
        places = " and ".join(dict.fromkeys(filter(None, (options.svg, options.png))))
        print(f"{len(files)} pictures in {places}", file=sys.stderr if options.output == "-" else sys.stdout)


def _pictures(
    metrics: list[Drawn], study: str, outputs: Outputs, options: argparse.Namespace
) -> Iterator[tuple[Output, bytes]]:
    """Every picture as a file that is open, with what is to be in it."""
    from baonet.study import pictures  # noqa: PLC0415

    for each in metrics:
        for picture in each.pictures:
            if options.svg is not None:
                path = Path(options.svg, f"{study}-{picture.name}.svg")
                yield outputs.whole(path), pictures.svg(picture).encode()
            if options.png is not None:
                yield outputs.whole(Path(options.png, f"{study}-{picture.name}.png")), pictures.png(picture)
