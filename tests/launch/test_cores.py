"""How many cores of the host there are for guests: those of the affinity, as far as a quota of the cgroups goes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from baonet.launch.cores import cores

OWN2, OWN1 = "0::/a/b\n", "5:memory:/x\n4:cpu,cpuacct:/a/b\n"


class Host:
    """Files of cgroups, as at /sys/fs/cgroup, and what /proc/self/cgroup has."""

    def __init__(self, directory: Path, own: str) -> None:
        self.groups, self.own = directory / "cgroup", directory / "own"
        self.own.write_text(own)

    def say(self, name: str, text: str) -> None:
        path = self.groups / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def cores(self) -> int:
        return cores(self.groups, self.own)


@pytest.fixture(autouse=True)
def eight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)))


def test_without_cgroups_it_is_the_affinity(tmp_path: Path) -> None:
    assert cores(tmp_path / "none", tmp_path / "nothing") == 8


@pytest.mark.parametrize(
    ("quota", "found"),
    [
        ("max 100000", 8),
        ("400000 100000", 4),
        ("150000 100000", 2),
        ("10000 100000", 1),
        ("1600000 100000", 8),
        ("100000 0", 8),
        ("nonsense", 8),
        ("", 8),
    ],
)
def test_a_quota_is_the_cores_that_it_is_enough_for(tmp_path: Path, quota: str, found: int) -> None:
    host = Host(tmp_path, OWN2)
    host.say("a/b/cpu.max", f"{quota}\n")
    assert host.cores() == found


@pytest.mark.parametrize("tight", ["", "a/", "a/b/"])
def test_the_tightest_of_those_that_it_is_in_holds(tmp_path: Path, tight: str) -> None:
    """The root has a file in a container, where it is the container's own."""
    host = Host(tmp_path, OWN2)
    for place in ("", "a/", "a/b/"):
        host.say(f"{place}cpu.max", "300000 100000\n" if place == tight else "500000 100000\n")
    host.say("a/c/cpu.max", "100000 100000\n")
    host.say("a/b/d/cpu.max", "100000 100000\n")
    assert host.cores() == 3


@pytest.mark.parametrize(("quota", "found"), [("-1", 8), ("250000", 3)])
def test_the_first_version_of_cgroups(tmp_path: Path, quota: str, found: int) -> None:
    host = Host(tmp_path, OWN1)
    host.say("cpu/a/b/cpu.cfs_quota_us", f"{quota}\n")
    host.say("cpu/a/b/cpu.cfs_period_us", "100000\n")
    assert host.cores() == found


def test_this_host_has_one_at_least() -> None:
    assert cores() >= 1
