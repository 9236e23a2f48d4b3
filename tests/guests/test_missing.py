"""Debian's kernel boots with hardly a page there at a time: nothing of it shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.guests.test_boot import linux
from tests.system.machine import write
from tests.system.test_missing import undisturbed_and_missing

pytestmark = [pytest.mark.guests, pytest.mark.timeout(900)]

CAPACITY = 800
"""Pages that are there: a page of code that is taken away loses its translations too, so with few it is slow."""


@pytest.mark.parametrize("model", ["cortex-a53", "max"])
@pytest.mark.parametrize("cpus", [1, 4])
def test_nothing_shows_of_pages_that_were_missing(tmp_path: Path, guest_cache: Path, cpus: int, model: str) -> None:
    machine: dict[str, Any] = {
        "platform": {"extends": "qemu-aarch64-virt", "cpu_model": model},
        "clock": {"mode": "virtual"},
        "vms": [linux(guest_cache, cpus=cpus)],
    }
    found = undisturbed_and_missing(write(tmp_path, machine), 400_000_000, 100_000_000, CAPACITY)
    assert found.misses > 10_000
