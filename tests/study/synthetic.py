"""Trace files as ``baonet run --trace`` writes them, of records written by hand; and a stand-in for the command."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgpack

from baonet.trace.head import VERSION
from baonet.trace.order import Row
from baonet.trace.records import RECORD

VMS = [{"name": "ping", "pcpus": [0]}, {"name": "pong", "pcpus": [1, 2]}]


def header(**fields: Any) -> dict[str, Any]:
    made = {"version": VERSION, "mode": "virtual", "hz": 1_000_000_000, "vms": VMS, "mhz": 1000}
    made |= {"window": 10_000, "slice": 1_000}
    return made | fields


def footer(**fields: Any) -> dict[str, Any]:
    deliveries = {"exact": 1, "late": 0, "latest": 0}
    return {"ending": "done", "time": 1000, "digest": "d" * 64, "deliveries": deliveries} | fields


def write_trace(
    path: Path,
    chunks: Iterable[list[Row]],
    head: dict[str, Any] | None = None,
    foot: dict[str, Any] | None = None,
) -> Path:
    """A trace with these chunks, each of one pcpu. No footer when ``foot`` is empty."""
    values: list[object] = [head or header()]
    values += [[chunk[0][2], b"".join(RECORD.pack(*record) for record in chunk), bytes(16)] for chunk in chunks]
    if foot is None or foot:
        values.append(foot or footer())
    path.write_bytes(b"BNT1\n" + b"".join(msgpack.packb(value) for value in values))
    return path


COMMAND = [sys.executable, "-m", "tests.study.fake_command"]
"""Is asked as ``baonet.study.worker`` is; the machine file says what it does."""
