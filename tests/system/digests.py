"""The digests that runs are known to have, in ``digests.yaml``.

A digest that changes is a change of what a guest or a user sees: the commit that makes it says why, and writes the list
anew with ``python -m tests.system.digests``.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import yaml

from tests.system.elsewhere import RISCV, riscv
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


def of_file(name: str, *options: str) -> str:
    """The digest of the first 20 ms, on any host and in any directory."""
    return parsed(baonet("run", ROOT / name, "--clock", "virtual", "--for", "20ms", *options)).digest


def on(name: str, controller: str) -> str:
    """What the list has for a machine on RISC-V."""
    return f"{name} on {RISCV[controller]}"


def _write() -> None:
    from tests.system.test_virtual import GUESTS_AND_ENDS, OF_HARTS  # noqa: PLC0415 - it reads what this writes

    found = {name: of_file(name) for name in FILES}
    with tempfile.TemporaryDirectory() as directory:
        for name, (machine, end, _) in GUESTS_AND_ENDS.items():
            found[name] = virtual(Path(directory), machine, "--for", end).digest
        for name in OF_HARTS:
            machine, end, _ = GUESTS_AND_ENDS[name]
            for controller in RISCV:
                moved = riscv(machine, controller)
                found[on(name, controller)] = virtual(Path(directory), moved, "--for", end).digest
    for name in FILES:
        for controller, platform in RISCV.items():
            found[on(name, controller)] = of_file(name, "--set", f"platform={platform}")
    LIST.write_text("# Written by python -m tests.system.digests\n" + yaml.safe_dump(found, sort_keys=False))


if __name__ == "__main__":
    _write()
