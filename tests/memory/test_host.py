"""What is read of the host's memory, from files as Linux has them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from baonet.memory import host

MEMINFO = "MemTotal:        1000 kB\nMemFree:          10 kB\nSwapTotal:        24 kB\n"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(host, "_PROC", tmp_path / "proc")
    monkeypatch.setattr(host, "_GROUPS", tmp_path / "cgroup")
    put(tmp_path, "proc/meminfo", MEMINFO)
    return tmp_path


def put(root: Path, path: str, text: str) -> None:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_the_least_of_the_limits_counts(root: Path) -> None:
    assert host.most() == 1024 * 1024
    put(root, "proc/self/cgroup", "4:memory,hugetlb:/box\n3:cpuset:/box\n0::/slice/run\n")
    put(root, "cgroup/memory.max", "max\n")
    put(root, "cgroup/slice/run/memory.max", "70000\n")
    assert host.most() == 70000
    put(root, "cgroup/memory/box/memory.limit_in_bytes", "60000\n")
    assert host.most() == 60000


@pytest.mark.parametrize("name", [b"box\xff", b"box\x0b\xc2\x85"])
def test_a_cgroup_of_any_name(root: Path, name: bytes) -> None:
    put(root, "proc/meminfo", "MemTotal:  100 kB\n")
    (root / "proc/self").mkdir()
    (root / "proc/self/cgroup").write_bytes(b"0::/" + name + b"\n")
    put(root, f"cgroup/{os.fsdecode(name)}/memory.max", "70000\n")
    assert host.most() == 70000


def test_killings_are_counted(root: Path) -> None:
    assert host.killings() == 0
    put(root, "proc/vmstat", "nr_free_pages 1\noom_kill 3\n")
    assert host.killings() == 3


def test_a_host_that_tells_nothing_has_no_limit(root: Path) -> None:
    (root / "proc/meminfo").unlink()
    assert host.most() >= 1 << 64
