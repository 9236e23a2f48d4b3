"""Files that are read, and standard input in place of one."""

from __future__ import annotations

import os
import select
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

STDIN: Final = Path("<stdin>")
"""This object, and no other of that name, is standard input. What is named there lies in the current directory."""


def given(name: str) -> Path:
    """The file of a command line; ``-`` is standard input, and a file of that name ``./-``."""
    return STDIN if name == "-" else Path(name)


def beginning(path: Path, most: int) -> bytes:
    """At most so many bytes. Raises OSError, and ValueError for a path that can be none."""
    if path is STDIN:
        return _standard_input(most)
    with path.open("rb") as file:
        return file.read(most)


def _standard_input(most: int) -> bytes:
    """Python's own stream of it loses what does not come at once where it does not block."""
    descriptor = sys.stdin.fileno()
    data = bytearray()
    while len(data) < most:
        select.select([descriptor], [], [])
        with suppress(BlockingIOError):
            piece = os.read(descriptor, most - len(data))
            if not piece:
                break
            data += piece
    return bytes(data)
