"""A debugger inside Linux that writes its breakpoints into the code of its child, which runs on another CPU."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.guests.programs import either, machine
from tests.guests.test_boot import Running

pytestmark = [pytest.mark.guests, pytest.mark.timeout(600)]

STOPS = 1000


@pytest.mark.parametrize(
    ("clock", "placement"), [("virtual", "process-per-island"), ("host", "one-process"), ("host", "process-per-cpu")]
)
@either
def test_code_is_as_the_debugger_has_left_it(
    tmp_path: Path, guest_cache: Path, architecture: str, clock: str, placement: str
) -> None:
    told = machine(tmp_path, guest_cache, architecture, "breakpoints", 2)
    run = Running(tmp_path, told, "--clock", clock, "--placement", placement, "--console", "linux")
    run.wait_for("shell ready")
    run.type(f"breakpoints {STOPS}; poweroff")
    run.wait_for(f"breakpoints: {STOPS} stops, 0 wrong")
    assert run.end() == 0, run.text[-2000:]
