"""Debian's riscv64 kernel and U-Boot in virtual time: a whole session is the same in every placement."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.guests.riscv import PLATFORMS, TROUBLE, linux, u_boot
from tests.guests.test_virtual_boot import session

pytestmark = [pytest.mark.guests, pytest.mark.timeout(600)]


@pytest.mark.parametrize("irqc", list(PLATFORMS))
@pytest.mark.parametrize("cpus", [1, 2, 4])
def test_linux_does_the_same_in_every_run(tmp_path: Path, guest_cache: Path, cpus: int, irqc: str) -> None:
    typed = "cat /proc/interrupts; nproc; cat /proc/uptime; head -c 16 /dev/urandom | md5sum; poweroff\n"
    machine = {
        "platform": PLATFORMS[irqc],
        "vms": [linux(guest_cache, cpus=cpus)],
        "input": [{"vm": "linux", "at": "4s", "text": typed}],
    }
    placements = ("one-process", "process-per-cpu" if cpus == 2 else "process-per-island")
    runs = [session(tmp_path, machine, placement) for placement in placements]
    first, digest = runs[0]
    assert [result.status for result, _ in runs] == [0] * 2, first.out[-2000:] + first.err
    assert {(result.out, again) for result, again in runs} == {(first.out, digest)}
    assert re.search(r"\s10 .*ttyS0", first.out), first.out[-2000:]
    assert re.search(rf"\n{cpus}\r?\n", first.out[first.out.rindex("shell ready") :])
    assert not re.search(TROUBLE, first.out), first.out


def test_linux_on_two_harts_does_the_same_where_memory_takes_time(tmp_path: Path, guest_cache: Path) -> None:
    """With remote fences, and console output through an emulated PLIC's interrupts; U-mode reads the clock."""
    typed = "nproc; cat /proc/uptime; poweroff\n"
    machine = {
        "platform": {"extends": PLATFORMS["plic"], "memory_system": "sifive-u74"},
        "clock": {"mhz": 1500},
        "vms": [linux(guest_cache, cpus=2)],
        "input": [{"vm": "linux", "at": "2s", "text": typed}],
    }
    spread = ("--on", "local:2", "--place", "spread")
    (first, digest), *others = (
        session(tmp_path, machine, *each) for each in (("one-process",), ("process-per-island", *spread))
    )
    for second, again in others:
        assert first.status == second.status == 0, second.out[-2000:] + second.err
        assert (first.out, digest) == (second.out, again)
    assert re.search(r"\n2\r?\n", first.out[first.out.rindex("shell ready") :])
    assert not re.search(TROUBLE, first.out), first.out


def test_u_boot_does_the_same_in_every_run(tmp_path: Path, guest_cache: Path) -> None:
    typed = [("1s", "\n"), ("2s", "version; reset\n"), ("3s", "\n"), ("4s", "poweroff\n")]
    machine = {
        "platform": PLATFORMS["aia"],
        "vms": [u_boot(guest_cache)],
        "input": [{"vm": "uboot", "at": at, "text": text} for at, text in typed],
    }
    runs = [session(tmp_path, machine, placement) for placement in ("process-per-cpu", "one-process")]
    (first, digest), (second, again) = runs
    assert first.status == second.status == 0, first.out[-2000:] + first.err
    assert (first.out, digest) == (second.out, again)
    assert first.out.count("Hit any key") == 2
    assert first.out.count("U-Boot 20") == 3
