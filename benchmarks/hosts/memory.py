"""What goes between hosts: pages one by one and in order, and notifications."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.hosts import frames
from benchmarks.hosts.machines import SPREAD, far, ping_pong
from benchmarks.hosts.nodes import Nodes
from benchmarks.hosts.setting import HOST, MIB, Sample, Setting, Ways

CLEAR: Final = "in the clear"
TLS: Final = "TLS"
LINES: Final = 1e-3
"""Seconds between two lines that came in one piece."""


@contextmanager
def raw(setting: Setting) -> Iterator[Ways]:
    count = 100 if setting.tiny else 5000

    def take(keys: Path | None) -> Sample:
        middle, tail = frames.pages(setting.hosts, count, keys)
        return {"median": middle, "p99": tail}

    yield {CLEAR: lambda: take(None), TLS: lambda: take(setting.keys)}


def _misses(nodes: Nodes, *, tiny: bool) -> Sample:
    run = nodes.run(far(MIB // 4 if tiny else 4 * MIB, 1 if tiny else 4, scattered=True), *SPREAD, *HOST)
    found: dict[str, list[float]] = {"median": [], "p99": [], "home's median": [], "home's p99": []}
    for match in run.matches(r"side (\d), \d+ pages, p50/p90/p99/max (\d+)/\d+/(\d+)/\d+ ns"):
        who = "home's " if match[1] == "0" else ""
        found[f"{who}median"].append(int(match[2]) / 1e9)
        found[f"{who}p99"].append(int(match[3]) / 1e9)
    return {figure: median(taken) for figure, taken in found.items()}


@contextmanager
def pages(setting: Setting) -> Iterator[Ways]:
    with setting.nodes() as clear, setting.nodes(secure=True) as secure:
        yield {way: lambda on=on: _misses(on, tiny=setting.tiny) for way, on in ((CLEAR, clear), (TLS, secure))}  # type: ignore[misc]


def _in_order(nodes: Nodes, *, tiny: bool) -> Sample:
    """By the guest's own clock."""
    run = nodes.run(far(MIB // 4 if tiny else 4 * MIB, 1 if tiny else 5, scattered=False), *SPREAD, *HOST)
    found: dict[str, list[float]] = {"rate": [], "home's rate": []}
    for match in run.matches(r"side (\d), (\d+) bytes in (\d+) ns"):
        found["home's rate" if match[1] == "0" else "rate"].append(int(match[2]) * 1e9 / int(match[3]))
    return {figure: median(taken) for figure, taken in found.items()}


def _in_order_virtually(nodes: Nodes, *, tiny: bool) -> Sample:
    """By when the lines before and after it came: they cost some milliseconds of it."""
    size = MIB // 4 if tiny else 16 * MIB
    machine = far(size, 1 if tiny else 3, scattered=False) | {"clock": {"mode": "virtual", "window": "1ms"}}
    run = nodes.run(machine, *SPREAD)
    found = {}
    for side, figure in ((0, "home's rate"), (1, "rate")):
        begun, ended = (run.moments(f"side {side} {does}$") for does in ("reads", "has read"))
        found[figure] = median(size / max(end - begin, LINES) for begin, end in zip(begun, ended, strict=True))
    return found


@contextmanager
def ahead(setting: Setting) -> Iterator[Ways]:
    with setting.nodes() as nodes:
        yield {
            "host's clock": lambda: _in_order(nodes, tiny=setting.tiny),
            "virtual time": lambda: _in_order_virtually(nodes, tiny=setting.tiny),
        }


@contextmanager
def ipc(setting: Setting) -> Iterator[Ways]:
    def take(nodes: Nodes) -> Sample:
        run = nodes.run(ping_pong(), *SPREAD, *HOST)
        return {
            "round trips": median(float(match[1]) for match in run.matches(r"ping: batch \d+: .* (\d+) per second"))
        }

    with setting.nodes() as clear, setting.nodes(secure=True) as secure:
        yield {CLEAR: lambda: take(clear), TLS: lambda: take(secure)}
