"""A reading of the counter that one CPU hands to another is never ahead of the other's own, at any window."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.patience import RUN
from tests.system.machine import baonet, vm, write
from tests.system.virtual import PLACEMENTS, SILENT

WAYS = {
    way: number
    for number, way in enumerate(
        (
            *("exclusive", "lse", "ring", "store-first", "relay", "block", "timer"),
            *("sgi", "notify", "priority", "cpu-on"),
        )
    )
}
"""By the number that the guest has for them: handover.c says what each is."""
BY_MEMORY = list(WAYS)[:7]
BY_MESSAGE = ["sgi", "priority", "cpu-on"]  # within a VM
WINDOWS = {"1us": 2000, "10us": 2000, "100us": 500, "1ms": 100}
"""And how many readings are handed over there: each may take a window, in which others may count instructions."""
EXACT = {"timer_frequency": 1_000_000_000}
"""A tick is an instruction: with those of QEMU's board, 16 of them, a small step backward would not be seen."""

SLOW, LONG = pytest.mark.slow, pytest.mark.long


def handover(way: str, cpus: int, count: int, *, vms: int = 1, parameters: str = "") -> dict[str, Any]:
    """``cpus`` of each VM hand so many readings over."""

    def one(side: int) -> dict[str, Any]:
        line = f"way={WAYS[way]} count={count} vms={vms} side={side} {parameters}"
        ipcs = [{"base": 0x70000000, "size": "4MiB", "shared_memory": "joint", "interrupts": [84]}]
        shared = {"ipcs": ipcs} if vms == 2 else {}
        return vm("handover", f"side{side}", cpus=cpus, device_tree="auto", command_line=line, devices=SILENT, **shared)

    machine = {
        "platform": {"extends": "qemu-aarch64-virt", "cpus": 8, "cpu_model": "max"} | EXACT,
        "vms": [one(side) for side in range(vms)],
    }
    return machine | ({"shared_memory": [{"name": "joint", "size": "4MiB"}]} if vms == 2 else {})


def never_backward(directory: Path, machine: dict[str, Any], *options: str, seconds: int = RUN) -> None:
    result = baonet("run", write(directory, machine), "--timeout", f"{seconds}s", *options, seconds=seconds + 40)
    assert result.status == 0, result.out + result.err
    assert "handover: never backward" in result.out, result.out
    handed = re.search(r"handover: (\d+) handed over", result.out)
    assert handed
    count = re.search(r"count=(\d+)", machine["vms"][0]["command_line"])
    assert count
    assert int(handed[1]) > int(count[1]) - 8, "as many as were asked for, but for what is left of a round"


def in_virtual_time(directory: Path, machine: dict[str, Any], window: str, *options: str, seconds: int = RUN) -> None:
    virtual = ["--clock", "virtual", "--set", f"clock.window={window}"]
    never_backward(directory, machine, *virtual, *options, seconds=seconds)


@pytest.mark.parametrize(
    "way", [way if way in ("exclusive", "block") else pytest.param(way, marks=SLOW) for way in BY_MEMORY]
)
def test_what_memory_hands_over(tmp_path: Path, way: str) -> None:
    in_virtual_time(tmp_path, handover(way, 3, 300), "10us")


@pytest.mark.parametrize("window", ["1ms", pytest.param("100us", marks=SLOW)])
def test_who_passes_on_what_it_got_and_is_ahead_itself(tmp_path: Path, window: str) -> None:
    in_virtual_time(tmp_path, handover("relay", 3, 300, parameters="pace=4000"), window)


@pytest.mark.parametrize("way", [way if way == "sgi" else pytest.param(way, marks=SLOW) for way in BY_MESSAGE])
def test_what_a_message_hands_over(tmp_path: Path, way: str) -> None:
    in_virtual_time(tmp_path, handover(way, 3, 300), "10us")


@pytest.mark.slow
@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("cpus", [2, 8])
@pytest.mark.parametrize("way", BY_MEMORY)
def test_memory_at_any_window(tmp_path: Path, way: str, cpus: int, window: str) -> None:
    in_virtual_time(tmp_path, handover(way, cpus, WINDOWS[window]), window)


@pytest.mark.slow
@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("busy", ["sleep=1", "sleep=0", "sleep=0 polite=0"])
@pytest.mark.parametrize("way", BY_MESSAGE)
def test_messages_at_any_window(tmp_path: Path, way: str, busy: str, window: str) -> None:
    in_virtual_time(tmp_path, handover(way, 4, WINDOWS[window], parameters=busy), window)


@pytest.mark.parametrize(
    "window", [window if window == "10us" else pytest.param(window, marks=SLOW) for window in WINDOWS]
)
@pytest.mark.parametrize("way", [way if way == "relay" else pytest.param(way, marks=SLOW) for way in BY_MEMORY])
def test_between_two_vms_by_memory(tmp_path: Path, way: str, window: str) -> None:
    in_virtual_time(tmp_path, handover(way, 2, 300, vms=2), window)


@pytest.mark.slow
@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("busy", ["sleep=1", "sleep=0"])
def test_between_two_vms_by_notification(tmp_path: Path, busy: str, window: str) -> None:
    in_virtual_time(tmp_path, handover("notify", 1, WINDOWS[window], vms=2, parameters=busy), window)


@pytest.mark.slow
@pytest.mark.parametrize("window", ["1us", "10us"])
@pytest.mark.parametrize("way", BY_MEMORY)
def test_guests_that_wait_without_a_yield(tmp_path: Path, way: str, window: str) -> None:
    in_virtual_time(tmp_path, handover(way, 3, 1000, parameters="polite=0 sleep=0"), window)


@pytest.mark.slow
@pytest.mark.parametrize("placement", PLACEMENTS)
@pytest.mark.parametrize("way", BY_MEMORY)
def test_memory_in_every_placement(tmp_path: Path, way: str, placement: str) -> None:
    in_virtual_time(tmp_path, handover(way, 2, 500, vms=2), "10us", "--placement", placement)


@pytest.mark.parametrize("placement", ["process-per-cpu", pytest.param("one-process", marks=SLOW)])
@pytest.mark.parametrize(
    "way", [way if way == "exclusive" else pytest.param(way, marks=SLOW) for way in WAYS if way != "notify"]
)
def test_by_the_clock_of_the_host(tmp_path: Path, way: str, placement: str) -> None:
    never_backward(tmp_path, handover(way, 2, 1000), "--placement", placement)


@pytest.mark.long
@pytest.mark.timeout(3700)
@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("cpus", range(2, 9))
@pytest.mark.parametrize("way", [way for way in WAYS if way != "notify"])
def test_eighty_thousand(tmp_path: Path, way: str, cpus: int, window: str) -> None:
    in_virtual_time(tmp_path, handover(way, cpus, 80_000), window, seconds=3600)


@pytest.mark.long
@pytest.mark.timeout(3700)
@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("way", [*BY_MEMORY, "notify"])
def test_eighty_thousand_between_two_vms(tmp_path: Path, way: str, window: str) -> None:
    in_virtual_time(tmp_path, handover(way, 1 if way == "notify" else 2, 80_000, vms=2), window, seconds=3600)
