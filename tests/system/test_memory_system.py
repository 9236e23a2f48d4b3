"""Where memory takes time: who shares a cache feels the others, the same in every placement and at every window."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.system.machine import UART, pair, run, vm
from tests.system.virtual import PLACEMENTS, same_everywhere, virtual

SILENT = {key: value for key, value in UART.items() if key != "interrupts"}
SLOW = pytest.mark.slow
VICTIMS, NEIGHBOURS = [0, 1, 2, 3], [4, 5, 6]
"""Colours, of the eight that there are."""


def platform(**fields: Any) -> dict[str, Any]:
    """Four CPUs of one cluster; the guests' counter counts nanoseconds."""
    changes = {"cpus": 4, "timer_frequency": 1_000_000_000, "memory_system": {"preset": "cortex-a53"} | fields}
    return {"extends": "qemu-aarch64-virt"} | changes


def guest(name: str, command_line: str, cpus: int = 1, **fields: Any) -> dict[str, Any]:
    memory = [{"base": 0x40000000, "size": "32MiB"}]
    return vm(name, command_line=command_line, device_tree="auto", cpus=cpus, memory=memory) | fields


def machine(*, neighbours: int = 2, colored: bool = False, window: str = "10us", passes: int = 4) -> dict[str, Any]:
    """A VM that reads at random in half of the cache, beside one that writes to all of it; they share nothing else."""
    victim = guest("membench", f"work=0 size=512KiB passes={passes}")
    noise = guest("membound", "size=1MiB reads=0", neighbours, devices=[SILENT])
    if colored:
        victim["colors"], noise["colors"] = VICTIMS, NEIGHBOURS
    return {
        "platform": platform(),
        "clock": {"mode": "virtual", "mhz": 1200, "window": window},
        "vms": [victim, noise] if neighbours else [victim],
    }


def mean(directory: Path, made: dict[str, Any], *options: str) -> int:
    """Nanoseconds of a pass of the victim."""
    result = run(directory, made, "--placement", "one-process", "--until", "result", *options)
    assert result.status == 0, result.err
    (found,) = re.findall(r"min/mean/max \d+/(\d+)/\d+ ns", result.out)
    return int(found)


def test_neighbours_are_felt_and_colours_help(tmp_path: Path) -> None:
    alone, colored = mean(tmp_path, machine(neighbours=0)), mean(tmp_path, machine(neighbours=0, colored=True))
    beside, both = mean(tmp_path, machine()), mean(tmp_path, machine(colored=True))
    assert alone < colored < both < 2 * alone, "half of the cache is enough"
    assert beside > 3 * alone, "the neighbours drive out what the victim has read"


def test_a_window_of_any_length_comes_to_about_the_same(tmp_path: Path) -> None:
    made = [mean(tmp_path, machine(neighbours=1, window=window)) for window in ("1us", "10us", "100us")]
    assert max(made) < 1.02 * min(made)


def test_vms_that_share_a_cache_alone_do_the_same_everywhere(tmp_path: Path) -> None:
    made = machine(passes=1)
    first = same_everywhere(tmp_path, made, "--for", "2ms")
    for threads in ("1", "3"):
        assert virtual(tmp_path, made, "--for", "2ms", "--threads", threads).digest == first.digest
    assert virtual(tmp_path, made, "--for", "2ms", "--on", "local:2", placement=PLACEMENTS[1]).digest == first.digest


@pytest.mark.parametrize(
    ("vms", "end"),
    [
        pytest.param([vm("smp", cpus=4)], "400us", marks=SLOW),
        pytest.param([vm("sgi", cpus=2), vm("timer", devices=[SILENT])], "1ms", marks=SLOW),
        pytest.param([vm("contend", cpus=4)], "500us", marks=SLOW),
        ([vm("coherence", cpus=2), guest("membound", "size=1MiB", devices=[SILENT])], "500us"),
    ],
    ids=["smp", "sgi", "contend", "coherence"],
)
def test_vcpus_of_a_vm_do_the_same_everywhere(tmp_path: Path, vms: list[dict[str, Any]], end: str) -> None:
    same_everywhere(tmp_path, {"platform": platform(), "vms": vms}, "--for", end)


@SLOW
def test_vms_that_send_each_other_messages_do_the_same_everywhere(tmp_path: Path) -> None:
    same_everywhere(tmp_path, pair() | {"platform": platform()}, "--for", "2ms")


def test_nodes_share_no_pages_whose_memory_takes_time(tmp_path: Path) -> None:
    options = ["--clock", "virtual", "--on", "local:2", "--place", "ping=0,pong=1"]
    result = run(tmp_path, pair() | {"platform": platform()}, *options)
    assert result.status != 0
    assert "VMs 'ping' and 'pong' share memory on two nodes" in result.err
