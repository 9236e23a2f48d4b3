"""What a run leaves when it is over: nothing."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest

import baonet
from tests.system.machine import vm, write


@pytest.mark.parametrize("placement", ["one-process", "process-per-cpu"])
async def test_many_runs_hold_no_descriptor(tmp_path: Path, placement: str) -> None:
    """Those of the machine's memory above all, which a core has mapped."""
    machine = baonet.load(write(tmp_path, {"vms": [vm("echo")]}), set={"clock.mode": "virtual"})
    held = []
    for _ in range(4):
        async with baonet.open_run(machine, placement=placement) as run:
            await run.console("echo").wait_for("type")
        gc.collect()
        held.append(len(os.listdir("/proc/self/fd")))
    assert held[-1] == held[0]
