"""Debian's kernel, saved and made anew while it boots and while somebody types: nothing of it shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.guests.test_boot import linux
from tests.system.machine import write
from tests.system.travelling import same, travelled

pytestmark = [pytest.mark.guests, pytest.mark.timeout(600)]

TYPED = "cat /proc/interrupts; head -c 16 /dev/urandom | md5sum; seq 1 3000 | sort | sha1sum; poweroff\n"


def test_linux_goes_on_from_any_horizon(tmp_path: Path, guest_cache: Path) -> None:
    machine: dict[str, Any] = {
        "clock": {"mode": "virtual"},
        "vms": [linux(guest_cache, cpus=2)],
        "input": [{"vm": "linux", "at": "2s", "text": TYPED}],
    }
    file, end, step = write(tmp_path, machine), 6_000_000_000, 10_000_000
    left = travelled(file, end, step)
    assert b"Power down" in left.printed()[0, 0]
    at = {1, 2, *range(10, left.horizons, left.horizons // 6)}
    same(left, travelled(file, end, step, at))
