"""CPU_ON by several CPUs at once, of CPUs that switch themselves off, while all of them want the same pages."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.system.kicking import kicked
from tests.system.machine import run, vm
from tests.system.virtual import SILENT, same_everywhere, virtual

MACHINE = {"platform": {"extends": "qemu-aarch64-virt", "cpus": 6}, "vms": [vm("onoff", cpus=6, devices=SILENT)]}


@pytest.mark.parametrize(
    "window", ["10us", pytest.param("1us", marks=pytest.mark.slow), pytest.param("100us", marks=pytest.mark.slow)]
)
def test_each_that_was_granted_is_one_start(tmp_path: Path, window: str) -> None:
    machine = MACHINE | {"clock": {"mode": "virtual", "window": window}}
    first = same_everywhere(tmp_path, machine)
    assert first.status == 0
    assert "starts, as it should be" in first.out
    assert virtual(tmp_path, machine, "--threads", "3") == first
    assert kicked(tmp_path, machine) == first


@pytest.mark.parametrize("placement", ["one-process", "process-per-cpu"])
def test_with_the_hosts_clock(tmp_path: Path, placement: str) -> None:
    result = run(tmp_path, MACHINE | {"clock": {"mode": "host"}}, "--placement", placement)
    assert result.status == 0, result.err
    assert "starts, as it should be" in result.out
