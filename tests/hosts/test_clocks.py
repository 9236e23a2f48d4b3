"""Hosts whose clocks are hours apart: a VM on both has one time, which never goes back from one to the other."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.hosts.bench import PORT, Bench, needs_namespaces
from tests.patience import LIMIT
from tests.system.machine import write
from tests.system.test_handover import handover

pytestmark = [
    pytest.mark.hosts,
    needs_namespaces,
    pytest.mark.skipif(
        subprocess.run(["unshare", "--time", "--monotonic", "1", "true"], capture_output=True, check=False).returncode
        != 0,
        reason="the kernel gives no time namespace",
    ),
]
Make = Callable[..., Bench]
HOUR = 3600
WAYS = ["exclusive", "lse", "ring", "relay", "block", "timer", "sgi", "priority", "cpu-on"]


def handed_over(hosts: Bench, directory: Path, way: str, count: int, *options: str) -> str:
    """What the guest, and who runs it, has to say of it."""
    file = write(directory, handover(way, 2, count))
    lead = hosts.lead(file, "--timeout", LIMIT, *options)
    assert lead.out is not None
    assert lead.status(100) == 0, lead.out.all() + lead.err.all()
    assert "handover: never backward" in lead.out.all()
    return lead.err.all()


def test_in_virtual_time_clocks_do_not_matter(bench: Make, tmp_path: Path) -> None:
    hosts = bench("a", "b", clocks={"b": HOUR})
    found = [
        re.search(r"digest ([0-9a-f]{64});", handed_over(hosts, tmp_path, "ring", 100, "--clock", "virtual", *place))
        for place in (["--place", "spread"], ["--place", "side0=1:0"], ["--place", "side0=1"])
    ]
    assert len({digest and digest[1] for digest in found}) == 1
    assert found[0]


@pytest.mark.parametrize("home", [0, 1])
@pytest.mark.parametrize("way", WAYS)
def test_a_reading_is_not_ahead_of_the_counter_on_another_host(
    bench: Make, tmp_path: Path, way: str, home: int
) -> None:
    """Whichever is at home: the other's clock is an hour ahead, or behind."""
    hosts = bench("a", "b", clocks={"b": HOUR})
    place = f"side0={home}:{1 - home}"
    stats = tmp_path / "stats.json"
    handed_over(hosts, tmp_path, way, 1000, "--clock", "host", "--place", place, "--stats", str(stats))
    (clock,) = json.loads(stats.read_text())["clocks"]
    assert clock["node"] == f"{hosts.address('ba'[home])}:{PORT}"
    assert clock["vms"] == ["side0"]
    assert 0 < clock["error_ns"] < 5_000_000
    # Nodes begin to count when they are asked to take part, one soon after the other.
    assert abs(clock["offset_ns"]) < 60 * 10**9


@pytest.mark.parametrize("delay", [1000, 10000])
def test_nor_over_a_long_cable(bench: Make, tmp_path: Path, delay: int) -> None:
    hosts = bench("a", "b", wired=("b",), clocks={"b": HOUR})
    hosts.tell_wire("b", f"delay {delay}")
    for way in ("ring", "timer", "sgi"):
        handed_over(hosts, tmp_path, way, 60, "--clock", "host", "--place", "spread")
