"""What the length of a window does to a wait of one CPU for another: next to nothing, however it waits."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.system.machine import vm
from tests.system.virtual import virtual


def round_trips(directory: Path, window: str, line: str) -> int:
    """How long 2000 of them took, in nanoseconds of the guest's."""
    machine = {
        "clock": {"mode": "virtual", "window": window},
        "vms": [vm("sgi", cpus=2, device_tree="auto", command_line=line)],
    }
    result = virtual(directory, machine, "--until", "batch 1:")
    assert result.status == 0, result.said
    found = re.search(r"2000 round trips in (\d+) ns", result.out)
    assert found, result.out
    return int(found[1])


@pytest.mark.parametrize("line", [pytest.param("", marks=pytest.mark.slow), "spin=1"])
def test_who_wakes_another_and_waits_for_it_waits_as_long_in_any_window(tmp_path: Path, line: str) -> None:
    """With ``spin=1`` it looks in memory again and again, and never yields: the other's store is what ends that."""
    took = {window: round_trips(tmp_path, window, line) for window in ("1us", "1ms")}
    most = 1.001 if not line else 1.5  # a store that has to wait for its page comes at the end of a round
    assert max(took.values()) <= most * min(took.values()), took


@pytest.mark.slow
def test_the_first_round_is_as_short_as_one_behind_a_fight(tmp_path: Path) -> None:
    """All CPUs of a VM begin with a hand-shake."""
    machine = {"platform": {"extends": "qemu-aarch64-virt", "cpus": 4}, "vms": [vm("smp", cpus=4)]}
    times = [virtual(tmp_path, machine, "--set", f"clock.window={window}").time for window in ("1us", "10ms")]
    assert times[1] <= 1.05 * times[0], times
