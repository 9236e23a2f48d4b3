"""The memory that the host has, and whether it ran out of it: proc(5), and Linux's cgroup-v1/memory and cgroup-v2."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")
_GROUPS: Final = Path("/sys/fs/cgroup")


def most() -> int:
    """Bytes that this process and those that it starts may use together: RAM and swap, or what its cgroup allows."""
    found = _numbers(_PROC / "meminfo")
    limits = [(found["MemTotal:"] + found.get("SwapTotal:", 0)) * 1024] if "MemTotal:" in found else []
    for path in _limits():
        with suppress(ValueError):  # v2 says 'max'
            limits.append(int(_text(path)))
    return min(limits, default=1 << 64)


def killings() -> int:
    """Processes that the host has killed so far because it, or one of its cgroups, had no more memory."""
    return _numbers(_PROC / "vmstat").get("oom_kill", 0)


def _limits() -> list[Path]:
    """Of the own cgroup, and of the root of what is mounted, which in a container is its own."""
    paths = [_GROUPS / "memory.max", _GROUPS / "memory" / "memory.limit_in_bytes"]
    for line in _text(_PROC / "self" / "cgroup").split("\n"):
        _, _, where = line.partition(":")
        controllers, _, path = where.partition(":/")
        if not controllers:
            paths.append(_GROUPS / path / "memory.max")
        elif "memory" in controllers.split(","):
            paths.append(_GROUPS / "memory" / path / "memory.limit_in_bytes")
    return paths


def _numbers(path: Path) -> dict[str, int]:
    """Of a file of lines with a name and a number; a unit may follow."""
    lines = (line.split() for line in _text(path).splitlines())
    return {words[0]: int(words[1]) for words in lines if len(words) > 1 and words[1].isdecimal()}


def _text(path: Path) -> str:
    with suppress(OSError):
        return path.read_text(errors="surrogateescape")  # a cgroup is named as whoever made it likes
    return ""
