"""baonet report RESULTS"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from baonet.cli.common import Subparsers

if TYPE_CHECKING:
    from baonet.study.report import Drawn

EPILOG = """\
exit status:
  0    the report is written
  1    the report is written, and says that runs failed, are missing, or differ where they must be equal
  2    the results cannot be read, or matplotlib is not installed (pip install 'baonet[study]')

examples:
  baonet report ping-pong.sqlite                     (ping-pong.html)
  baonet report ping-pong.sqlite -o out.html --svg docs/pictures
"""


def add(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "report",
        help="show the results of a study as a page",
        description="Write the results of a study as one HTML page that needs nothing else, and its pictures as files.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("results", metavar="RESULTS", help="what 'baonet study' has written (SQLite)")
    parser.add_argument("-o", "--output", metavar="FILE", help="page (default: the name of RESULTS with .html, here)")
    parser.add_argument("--svg", metavar="DIR", help="write every picture to DIR, as RESULTS-METRIC-KIND.svg")
    parser.add_argument("--png", metavar="DIR", help="the same as PNG")
    parser.set_defaults(command=report)


def report(options: argparse.Namespace) -> int:
    # Other commands should not pay for these.
    from baonet.study import pictures  # noqa: PLC0415
    from baonet.study.report import drawn, page  # noqa: PLC0415
    from baonet.study.results import results  # noqa: PLC0415
    from baonet.study.store import Store, StoreError  # noqa: PLC0415

    path = Path(options.results)
    try:
        with Store(path, write=False) as store:
            found = results(store)
        with pictures.style():
            metrics = drawn(found)
            Path(options.output or f"{path.stem}.html").write_text(page(found, metrics), encoding="utf-8")
            _write(metrics, path.stem, options.svg, options.png)
    except (StoreError, pictures.NoMatplotlibError) as error:
        print(f"baonet report: {error}", file=sys.stderr)
        return 2
    whole = len(found.rows) == found.expected_runs and all(row.done for row in found.rows)
    return 0 if whole and not found.disagreements else 1


def _write(metrics: list[Drawn], study: str, svg: str | None, png: str | None) -> None:
    from baonet.study import pictures  # noqa: PLC0415

    for directory in filter(None, (svg, png)):
        Path(directory).mkdir(parents=True, exist_ok=True)
    for each in metrics:
        for picture in each.pictures:
            if svg is not None:
                Path(svg, f"{study}-{picture.name}.svg").write_text(pictures.svg(picture), encoding="utf-8")
            if png is not None:
                Path(png, f"{study}-{picture.name}.png").write_bytes(pictures.png(picture))
