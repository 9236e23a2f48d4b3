"""How far the counter that a guest sees can be ahead of its CPU's own clock: a window, and the block that it was in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.patience import LIMIT
from tests.system.machine import baonet, write
from tests.system.test_handover import BY_MEMORY, BY_MESSAGE, WINDOWS, handover

CYCLES = {"1us": 1_000, "10us": 10_000, "100us": 100_000, "1ms": 1_000_000}
"""Windows, at the 1000 MHz of a pcpu that a machine file says nothing of."""
BLOCK = 512
"""Instructions: the library makes no longer ones."""
SLOW = pytest.mark.slow


@pytest.mark.parametrize("window", [each if each == "10us" else pytest.param(each, marks=SLOW) for each in WINDOWS])
@pytest.mark.parametrize(
    "way", [each if each == "exclusive" else pytest.param(each, marks=SLOW) for each in (*BY_MEMORY, *BY_MESSAGE)]
)
def test_never_more_than_a_window(tmp_path: Path, way: str, window: str) -> None:
    statistics = tmp_path / "statistics.json"
    options = ["--clock", "virtual", "--set", f"clock.window={window}", "--stats", str(statistics)]
    machine = write(tmp_path, handover(way, 3, min(WINDOWS[window], 300)))
    result = baonet("run", machine, "--timeout", LIMIT, *options)
    assert result.status == 0, result.out + result.err
    ahead = [pcpu["ahead"] for pcpu in json.loads(statistics.read_text())["pcpus"].values()]
    assert len(ahead) == 3
    assert max(ahead) <= CYCLES[window] + BLOCK, ahead
    if way in BY_MEMORY:
        assert max(ahead) > 0, "what is handed over by memory raises the counter of who gets it"
