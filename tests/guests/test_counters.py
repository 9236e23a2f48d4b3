"""Linux counts what the memory system of its CPU does, as ``perf stat`` would: perf_event_open(2)."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.guests import automotive
from tests.guests.test_boot import linux
from tests.system.machine import baonet, write

pytestmark = [pytest.mark.guests, pytest.mark.timeout(600)]

COUNT = re.compile(r"(\d+) (instructions|cycles|L1I refills|L1D refills|L2 refills|ITLB refills|DTLB refills)")


def test_linux_counts_what_memory_takes(tmp_path: Path, guest_cache: Path) -> None:
    automotive.write(guest_cache)
    guest = linux(guest_cache, cpus=1, initrd="initrd-automotive.cpio.gz")
    guest["command_line"] += " rdinit=/bin/measure -- runs=2 bitcount-small qsort-small"
    platform = {"extends": "qemu-aarch64-virt", "memory_system": "cortex-a53"}
    stats = tmp_path / "stats.json"
    file = write(tmp_path, {"platform": platform, "vms": [guest]})
    result = baonet("run", file, "--clock", "virtual", "--stats", stats, "--timeout", "500s", seconds=520)
    assert result.status == 0, result.out[-3000:] + result.err
    assert re.search(r"hw perfevents: enabled with armv8_\w+ PMU driver, 7 counters available", result.out)
    runs = {
        match[1]: {name: int(count) for count, name in COUNT.findall(match[0])}
        for match in re.finditer(r"(\S+, run \d): .*", result.out)
    }
    assert runs.keys() == {f"{name}, run {n}" for name in ("bitcount-small", "qsort-small") for n in (1, 2)}
    whole = json.loads(stats.read_text())["memory"]["vms"]["linux"]
    for counts in runs.values():
        assert len(counts) == 7
        assert all(counts.values())
        assert counts["instructions"] < whole["instructions"]
        assert counts["L2 refills"] < whole["guest"]["l2_misses"]
        assert counts["L2 refills"] < counts["L1I refills"] + counts["L1D refills"]
    first, second = (runs[f"bitcount-small, run {n}"]["instructions"] for n in (1, 2))
    assert first == pytest.approx(second, rel=0.01), "the same work"
    sort, bits = runs["qsort-small, run 2"], runs["bitcount-small, run 2"]
    assert sort["L1D refills"] / sort["instructions"] > 10 * bits["L1D refills"] / bits["instructions"]
