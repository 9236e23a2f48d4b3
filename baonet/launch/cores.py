"""How many cores of the host this process may use: sched_setaffinity(2), and Linux's cgroup-v1/cpu and cgroup-v2."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

_GROUPS: Final = Path("/sys/fs/cgroup")
_OWN: Final = Path("/proc/self/cgroup")


def cores(groups: Path = _GROUPS, own: Path = _OWN) -> int:
    """At least 1. A quota of time counts as the whole cores that it is enough for, rounded up."""
    found = len(os.sched_getaffinity(0))
    for quota, period in _quotas(groups, own):
        if quota > 0 and period > 0:
            found = min(found, -(-quota // period))
    return max(found, 1)


def _quotas(groups: Path, own: Path) -> Iterator[tuple[int, int]]:
    """(Microseconds, in a period of so many) of the own cgroup and of those that it is in."""
    for line in _text(own).splitlines():
        _, controllers, path = line.split(":", 2)
        parts = Path(path).parts[1:]
        for depth in range(len(parts) + 1):
            place = Path(*parts[:depth])
            if not controllers:
                yield from _numbers(_text(groups / place / "cpu.max").split())
            elif "cpu" in controllers.split(","):
                names = ("cpu.cfs_quota_us", "cpu.cfs_period_us")
                yield from _numbers([_text(groups / "cpu" / place / name).strip() for name in names])


def _numbers(texts: list[str]) -> Iterator[tuple[int, int]]:
    """v2 says 'max' where there is no quota, v1 -1."""
    with suppress(ValueError):
        quota, period = map(int, texts)
        yield quota, period


def _text(path: Path) -> str:
    with suppress(OSError):
        return path.read_text()
    return ""
