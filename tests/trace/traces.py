"""Trace files for tests: records by hand or by Hypothesis, cut into chunks as a run might have written them."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from pathlib import Path

import msgpack
from hypothesis import strategies as st

from baonet.trace.chain import Chain
from baonet.trace.head import VERSION
from baonet.trace.order import Row
from baonet.trace.records import RECORD, InterruptSource, Kind, VcpuState, machine_digest

GIC = {"version": 3, "gicd": 0x0800_0000, "gicr": 0x080A_0000}
UART = {"base": 0x0900_0000, "size": 0x1000, "kind": "device", "name": "uart0"}
WINDOW = 10_000
HEADER: Mapping[str, object] = {
    "version": VERSION,
    "mode": "virtual",
    "hz": 1_000_000_000,
    "machine": "two.yaml",
    "vms": [
        {"name": "ping", "pcpus": [0], "gic": GIC, "regions": [UART]},
        {"name": "pong, the other", "pcpus": [1, 2], "gic": GIC | {"gicd": 0x2000_0000}, "regions": []},
    ],
    "platform": "qemu-aarch64-virt",
    "mhz": 1000,
    "window": WINDOW,
    "slice": 1_000,
    "latency": {"ipi": 500, "ipc": 1000, "spi": 500, "console": 0},
    "costs": {"hypercall": 310},
    "config": "00" * 32,
}
TIME = itemgetter(0)


def chunk(rows: Sequence[Row]) -> bytes:
    """Records of one pcpu as a value of the file."""
    records = b"".join(RECORD.pack(*row) for row in rows)
    packed: bytes = msgpack.packb([rows[0][2], records, struct.pack("<QQ", 0, 1)])
    return packed


def by_pcpu(rows: Iterable[Row]) -> dict[int, list[Row]]:
    parts: dict[int, list[Row]] = {}
    for row in rows:
        parts.setdefault(row[2], []).append(row)
    return parts


def digest(rows: Iterable[Row], window: int = WINDOW) -> bytes:
    """Of a pcpu with these records."""
    chain = Chain(window)
    chain.add(b"".join(RECORD.pack(*row) for row in rows))
    return chain.digest()


def footer(rows: Iterable[Row], time: int | None = None) -> dict[str, object]:
    """What a run with these records would say at its end."""
    rows = list(rows)
    digests = {pcpu: digest(part) for pcpu, part in by_pcpu(rows).items()}
    return {
        "ending": "done",
        "time": max((row[0] for row in rows), default=0) if time is None else time,
        "digest": machine_digest(digests),
        "digests": {pcpu: digest.hex() for pcpu, digest in digests.items()},
        "statistics": {pcpu: {"exits_hvc": 1} for pcpu in digests},
        "deliveries": {"exact": 3, "late": 1, "latest": 7},
    }


def write(
    path: Path,
    rows: Iterable[Row],
    *,
    size: int = 2048,
    end: Mapping[str, object] | bool | None = True,
    header: Mapping[str, object] = HEADER,
) -> Path:
    """``rows`` of each pcpu in the order of time; ``size`` records a chunk; ``end``: True makes the right one."""
    rows = list(rows)
    pieces = [part[at : at + size] for _, part in sorted(by_pcpu(rows).items()) for at in range(0, len(part), size)]
    pieces.sort(key=lambda piece: piece[-1][0])  # a chunk is written when it is full
    last = footer(rows) if end is True else end
    values = [msgpack.packb(dict(header)), *map(chunk, pieces)] + ([msgpack.packb(last)] if last else [])
    path.write_bytes(b"BNT1\n" + b"".join(values))
    return path


_U64 = st.integers(0, (1 << 64) - 1)
_INTIDS = st.sampled_from([1, 2, 27, 84])
_INTERRUPT = st.tuples(_INTIDS, st.just(0), st.just(0))
_FIELDS = {
    Kind.PENDING: _INTERRUPT,
    Kind.DELIVERED: _INTERRUPT,
    Kind.ACKNOWLEDGED: _INTERRUPT,
    Kind.ENDED: _INTERRUPT,
    Kind.EXIT: st.tuples(st.integers(3, 12), _U64, st.sampled_from([0, 27, 84, 0xC400_0003, 0x0800_0004, 1 << 63])),
    Kind.ACCESS: st.tuples(st.sampled_from([4, 0x104]), st.integers(0x0800_0000, 0x0812_0000), _U64),
    Kind.RAISED: st.tuples(_INTIDS, st.sampled_from(InterruptSource), st.integers(0, 300)),
    Kind.SENT: st.tuples(st.sampled_from([37, 49, 999]), st.integers(0, 1 << 20), st.integers(0, 300)),
    Kind.ARRIVED: st.tuples(st.sampled_from([37, 49, 999]), st.integers(0, 1 << 20), st.integers(0, 300)),
    Kind.CONSOLE: st.tuples(st.integers(0, 1), _U64, st.integers(0, 255)),
    Kind.INPUT: st.tuples(st.integers(0, 1), st.integers(0, 9), _U64),
    Kind.STATE: st.tuples(st.sampled_from([*VcpuState, 9]), st.just(0), st.just(0)),
}
_ANYTHING = st.tuples(st.integers(0, (1 << 32) - 1), _U64, _U64)


@st.composite
def any_rows(draw: st.DrawFn) -> list[Row]:
    """What a run might record and what it never would, in the order of time."""
    rows = []
    time = 0
    for kind in draw(st.lists(st.sampled_from([*Kind, 20, 0x1234]), max_size=60)):
        time += draw(st.sampled_from([0, 0, 1, 5, 100]))
        a, b, c = draw(_FIELDS.get(kind, _ANYTHING))
        rows.append((time, int(kind), draw(st.integers(0, 3)), int(a), int(b), c))
    return rows


def in_order(rows: Iterable[Row]) -> list[Row]:
    """By (time, pcpu), and as they were within a pcpu."""
    return sorted(rows, key=itemgetter(0, 2))
