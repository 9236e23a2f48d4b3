"""Whether a file is still the one that was looked at."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from baonet.machine.vm import Stamp


def stamp(file: int | str | Path) -> Stamp:
    """Of a descriptor or a path. Raises OSError."""
    found = os.stat(file)
    return Stamp(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)


def unchanged(file: int | str | Path, before: Stamp, path: str) -> None:
    """Raises OSError, of ``path``, when it is not the file that it was."""
    if stamp(file) != before:
        raise OSError(errno.ESTALE, "has changed since it was checked", path)
