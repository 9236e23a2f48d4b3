"""A program inside Linux: its clock never goes backward from one CPU to another."""

from __future__ import annotations

import re
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.guests import initramfs
from tests.guests.riscv import PLATFORMS
from tests.guests.riscv import linux as riscv_linux
from tests.guests.test_boot import Running
from tests.guests.test_boot import linux as armv8_linux
from tests.system.machine import baonet, write

pytestmark = [pytest.mark.guests, pytest.mark.timeout(900)]

HERE = Path(__file__).parent
COUNT = 40_000
LAST = re.compile(r"monotonic: (\d+) CPUs, (\d+) readings handed over, (\d+) backward")


@dataclass(frozen=True, slots=True)
class Debian:
    """Of one architecture."""

    linux: Callable[..., dict[str, Any]]
    initrd: str
    program: Path
    platform: str


DEBIAN = {
    "armv8": Debian(armv8_linux, "initrd.cpio.gz", HERE / "monotonic", "qemu-aarch64-virt"),
    "riscv": Debian(riscv_linux, "initrd-riscv64.cpio.gz", HERE / "riscv" / "monotonic", PLATFORMS["aia"]),
}
either = pytest.mark.parametrize("architecture", list(DEBIAN))


def machine(directory: Path, cache: Path, debian: Debian, cpus: int) -> dict[str, Any]:
    entry = initramfs.Entry("bin/monotonic", stat.S_IFREG | 0o755, debian.program.read_bytes())
    initrd = directory / "initrd.cpio.gz"
    initrd.write_bytes((cache / debian.initrd).read_bytes() + initramfs.archive([entry]))
    typed = f"monotonic {COUNT}; dmesg | grep -i clocksource; poweroff\n"
    return {
        "platform": debian.platform,
        "vms": [debian.linux(cache, cpus=cpus) | {"initrd": {"path": str(initrd)}}],
        "input": [{"vm": "linux", "at": "4s", "text": typed}],
    }


def handed_over(directory: Path, cache: Path, debian: Debian, cpus: int, *options: str) -> int:
    """How many of the readings were ahead of the clock of who got them."""
    file = write(directory, machine(directory, cache, debian, cpus))
    result = baonet("run", file, "--console", "linux", "--timeout", "600s", *options, seconds=620)
    assert result.status == 0, result.out[-3000:] + result.err
    last = LAST.search(result.out)
    assert last, result.out[-3000:]
    assert (int(last[1]), int(last[2])) == (cpus, COUNT)
    assert not re.search(r"clocksource.*(unstable|watchdog)", result.out[last.end() :]), result.out
    return int(last[3])


@pytest.mark.parametrize("window", ["10us", "100us"])
@pytest.mark.parametrize("cpus", [2, 4])
@either
def test_in_virtual_time(tmp_path: Path, guest_cache: Path, architecture: str, cpus: int, window: str) -> None:
    options = ["--clock", "virtual", "--set", f"clock.window={window}"]
    assert handed_over(tmp_path, guest_cache, DEBIAN[architecture], cpus, *options) == 0


@pytest.mark.parametrize("placement", ["one-process", "process-per-cpu"])
@either
def test_by_the_clock_of_the_host(tmp_path: Path, guest_cache: Path, architecture: str, placement: str) -> None:
    by_itself = machine(tmp_path, guest_cache, DEBIAN[architecture], 2)
    del by_itself["input"]
    run = Running(tmp_path, by_itself, "--clock", "host", "--placement", placement, "--console", "linux")
    run.wait_for("shell ready")
    run.type(f"monotonic {COUNT}; poweroff")
    run.wait_for("backward, by")
    assert run.end() == 0, run.text[-2000:]
    last = LAST.search(run.text)
    assert last
    assert last[3] == "0", last[0]
