"""Whether a file is still the one that was looked at."""

from __future__ import annotations

import os
from pathlib import Path

from baonet.machine.vm import Stamp


def stamp(file: int | str | Path) -> Stamp:
    """Of a descriptor or a path. Raises OSError."""
    found = os.stat(file)
    return Stamp(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
