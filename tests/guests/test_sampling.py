"""Linux samples what its CPU does, as ``perf record`` would: an interrupt of the PMU each so many events."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest

from tests.guests import initramfs
from tests.guests.test_boot import linux
from tests.system.machine import baonet, write

pytestmark = [pytest.mark.guests, pytest.mark.timeout(600)]

PROGRAM = Path(__file__).parent / "sampler"
MONITORS = 23
ROUNDS, STEPS, INSTRUCTIONS = 1000, 4000, 4
"""Of the program: a step is so many, three in four of them in the hot function."""
TOLD = re.compile(r"sampler: (\w+), each (\d+): (\d+) samples, (\d+) in hot, (\d+) in cold")


def sampled(directory: Path, cache: Path) -> str:
    entry = initramfs.Entry("bin/sampler", stat.S_IFREG | 0o755, PROGRAM.read_bytes())
    initrd = directory / "initrd.cpio.gz"
    initrd.write_bytes((cache / "initrd.cpio.gz").read_bytes() + initramfs.archive([entry]))
    guest = linux(cache, cpus=1) | {"initrd": {"path": str(initrd)}}
    guest["devices"] = [*guest["devices"], {"interrupts": [MONITORS]}]
    machine = {
        "platform": {"extends": "qemu-aarch64-virt", "memory_system": "cortex-a53"},
        "clock": {"mode": "virtual"},
        "vms": [guest],
        "input": [{"vm": "linux", "at": "3s", "text": f"sampler {ROUNDS}; poweroff\n"}],
    }
    result = baonet("run", write(directory, machine), "--console", "linux", "--timeout", "500s", seconds=520)
    assert result.status == 0, result.out[-3000:] + result.err
    return result.out


def test_samples_are_where_the_time_goes(tmp_path: Path, guest_cache: Path) -> None:
    told = {
        match[1]: [int(number) for number in match.groups()[1:]]
        for match in TOLD.finditer(sampled(tmp_path, guest_cache))
    }
    assert told.keys() == {"cycles", "instructions"}
    period, samples, hot, cold = told["instructions"]
    expected = ROUNDS * STEPS * INSTRUCTIONS / period
    assert expected < hot + cold < 1.1 * expected, "what the kernel executes for a sample is counted, too"
    for _, samples, hot, cold in told.values():
        assert hot + cold > 0.9 * samples
        assert hot / (hot + cold) == pytest.approx(0.75, abs=0.03)
