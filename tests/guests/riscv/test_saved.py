"""Debian's riscv64 kernel is saved amid its work and goes on in another placement."""

from __future__ import annotations

from pathlib import Path

import pytest

import baonet
from tests.guests.riscv import PLATFORMS, linux
from tests.system.machine import write

pytestmark = [pytest.mark.guests, pytest.mark.timeout(600)]


async def test_linux_is_saved_on_nodes_and_goes_on_anywhere(tmp_path: Path, guest_cache: Path) -> None:
    """Amid work; the bytes are those that one host saves."""
    typed = "cat /proc/interrupts; head -c 16 /dev/urandom | md5sum; seq 1 3000 | sort | sha1sum; poweroff\n"
    machine = {
        "platform": PLATFORMS["aia"],
        "vms": [linux(guest_cache, cpus=4)],
        "input": [{"vm": "linux", "at": "4s", "text": typed}],
        "placement": "spread",
    }
    loaded = baonet.load(write(tmp_path, machine), set={"clock.mode": "virtual"})
    moment = "4050ms"
    async with baonet.open_run(loaded, timeout="300s") as run:
        await run.for_(moment)
        await run.save(tmp_path / moment)
        left = await run.finished()
    state = tmp_path / f"{moment} of nodes"
    async with baonet.open_run(loaded, on="local:2", timeout="300s") as run:
        await run.for_(moment)
        await run.save(state)
    assert state.read_bytes() == (tmp_path / moment).read_bytes()
    for on in (None, "local:4"):
        async with baonet.open_run(loaded, on=on, state=state, timeout="300s") as run:
            assert (await run.finished()).digest == left.digest is not None
            assert "Power down" in run.console("linux").text
