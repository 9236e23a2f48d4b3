"""How many threads run the guests of an island."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from baonet.config.loader import load
from baonet.hyp.vmm import plan
from baonet.launch.crews import Placement, threads_of_each
from tests.system.machine import vm, write

SILENT: dict[str, Any] = {"devices": []}


@pytest.mark.parametrize(
    ("cpus", "threads", "each"),
    [([4], 4, 4), ([4, 1, 1], 4, 2), ([2, 2], 4, 2), ([2, 2, 1], 6, 2), ([1, 1], 8, 1), ([2, 2, 2], 2, 1)],
)
def test_islands_that_can_use_threads_share_them(tmp_path: Path, cpus: list[int], threads: int, each: int) -> None:
    vms = [vm("spin", f"vm{number}", cpus=count, **SILENT) for number, count in enumerate(cpus)]
    placed = plan(load(write(tmp_path, {"platform": {"extends": "qemu-aarch64-virt", "cpus": 8}, "vms": vms})))
    assert threads_of_each(placed, Placement.PROCESS_PER_ISLAND, threads) == each


def test_in_one_process_an_island_has_them_all(tmp_path: Path) -> None:
    vms = [vm("spin", f"vm{number}", cpus=2, **SILENT) for number in range(2)]
    assert threads_of_each(plan(load(write(tmp_path, {"vms": vms}))), Placement.ONE_PROCESS, 4) == 4
