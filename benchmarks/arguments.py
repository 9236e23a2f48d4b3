"""Arguments that several benchmarks have: what would measure nothing, or be lost after hours, is told at once."""

from __future__ import annotations

import argparse
from pathlib import Path

from baonet.cli.common import positive


def add_repeat(parser: argparse.ArgumentParser, default: int, what: str = "runs of each") -> None:
    parser.add_argument("--repeat", type=positive, default=default, metavar="N", help=f"{what} (default {default})")


def output_file(text: str) -> Path:
    """Of an argument: a file that can be written."""
    path = Path(text)
    try:
        path.open("a").close()
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{text}: {error.strerror}") from None
    return path
