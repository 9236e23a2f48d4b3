"""A program inside Linux: its clock never goes backward from one CPU to another."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.guests.programs import either, machine
from tests.guests.test_boot import Running
from tests.system.machine import baonet, write

pytestmark = [pytest.mark.guests, pytest.mark.timeout(900)]

COUNT = 40_000
LAST = re.compile(r"monotonic: (\d+) CPUs, (\d+) readings handed over, (\d+) backward")


@pytest.mark.parametrize("window", ["10us", "100us"])
@pytest.mark.parametrize("cpus", [2, 4])
@either
def test_in_virtual_time(tmp_path: Path, guest_cache: Path, architecture: str, cpus: int, window: str) -> None:
    typed = f"monotonic {COUNT}; dmesg | grep -i clocksource; poweroff\n"
    told = machine(tmp_path, guest_cache, architecture, "monotonic", cpus)
    file = write(tmp_path, told | {"input": [{"vm": "linux", "at": "4s", "text": typed}]})
    options = ["--clock", "virtual", "--set", f"clock.window={window}"]
    result = baonet("run", file, "--console", "linux", "--timeout", "600s", *options, seconds=620)
    assert result.status == 0, result.out[-3000:] + result.err
    last = LAST.search(result.out)
    assert last, result.out[-3000:]
    assert (int(last[1]), int(last[2]), int(last[3])) == (cpus, COUNT, 0)
    assert not re.search(r"clocksource.*(unstable|watchdog)", result.out[last.end() :]), result.out


@pytest.mark.parametrize("placement", ["one-process", "process-per-cpu"])
@either
def test_by_the_clock_of_the_host(tmp_path: Path, guest_cache: Path, architecture: str, placement: str) -> None:
    told = machine(tmp_path, guest_cache, architecture, "monotonic", 2)
    run = Running(tmp_path, told, "--clock", "host", "--placement", placement, "--console", "linux")
    run.wait_for("shell ready")
    run.type(f"monotonic {COUNT}; poweroff")
    run.wait_for("backward, by")
    assert run.end() == 0, run.text[-2000:]
    last = LAST.search(run.text)
    assert last
    assert last[3] == "0", last[0]
