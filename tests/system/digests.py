"""The digests that runs are known to have, in ``digests.yaml``.

A digest that changes is a change of what a guest or a user sees: the commit that makes it says why, and writes the list
anew with ``python -m tests.system.digests``.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import yaml

from tests.system.machine import baonet
from tests.system.virtual import parsed, virtual

LIST = Path(__file__).with_name("digests.yaml")
ROOT = Path(__file__).parents[2]
FILES = [
    "configs/hello.yaml",
    "configs/ping-pong.yaml",
    "examples/studies/machines/boot-time.yaml",
    "examples/studies/machines/interrupt-latency.yaml",
    "examples/studies/machines/noisy-neighbour.yaml",
    "examples/studies/machines/ping-pong.yaml",
]
"""Machines that a user has; those of third-party guests are as their images are."""


def known() -> dict[str, str]:
    listed = yaml.safe_load(LIST.read_text())
    assert isinstance(listed, dict)
    return listed


def of_file(name: str) -> str:
    """The digest of the first 20 ms, on any host and in any directory."""
    return parsed(baonet("run", ROOT / name, "--clock", "virtual", "--for", "20ms")).digest


def _write() -> None:
    from tests.system.test_virtual import GUESTS_AND_ENDS  # noqa: PLC0415 - it reads what this writes

    found = {name: of_file(name) for name in FILES}
    with tempfile.TemporaryDirectory() as directory:
        for name, (machine, end, _) in GUESTS_AND_ENDS.items():
            found[name] = virtual(Path(directory), machine, "--for", end).digest
    LIST.write_text("# Written by python -m tests.system.digests\n" + yaml.safe_dump(found, sort_keys=False))


if __name__ == "__main__":
    _write()
