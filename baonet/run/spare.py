"""Files that a run writes are none that its machine is read from."""

from __future__ import annotations

import os

from baonet.machine import Machine


def spare(machine: Machine, option: str, path: str | os.PathLike[str] | None) -> None:
    """Raises ValueError when that would be lost which the machine is read from."""
    if path is None or not os.path.exists(path):
        return
    for each in machine.files:
        if os.path.exists(each) and os.path.samefile(each, path):
            raise ValueError(f"{option} {os.fspath(path)} would be lost: {each} is read")
