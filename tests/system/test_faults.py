"""Faults that a machine file injects: what they do to guests, how they show in a trace, and that they repeat."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from baonet.trace.records import FaultKind, Kind
from tests.system.machine import pair, vm
from tests.system.virtual import PLACEMENTS, Virtual, records, same_everywhere, traced, virtual

BETWEEN = PLACEMENTS[2:3]
"""Where the sender and the receiver of a notification are apart."""


def with_faults(machine: dict[str, Any], *rules: dict[str, Any]) -> dict[str, Any]:
    return machine | {"faults": list(rules)}


def round_trip(result: Virtual) -> int:
    """Nanoseconds, the average of the first batch."""
    found = re.search(r"ping: batch 1: .* min/avg/max \d+/(\d+)/\d+ ns", result.out)
    assert found, result.out
    return int(found[1])


def test_a_lost_notification_stalls_who_waits_for_it(tmp_path: Path) -> None:
    rule = {"fault": "drop", "from": "ping", "to": "pong", "after": "1ms", "count": 1}
    result, path = traced(tmp_path, with_faults(pair(), rule))
    assert result.status == 5
    assert "batch 1" not in result.out
    (fault,) = records(path, Kind.FAULT)
    assert (fault.pcpu, fault.a, fault.b) == (1, 0, FaultKind.DROP)
    sent = {(record.pcpu, record.b >> 16) for record in records(path, Kind.SENT)}
    arrived = {(record.b & 0xFFFF, record.b >> 16) for record in records(path, Kind.ARRIVED)}
    assert sent - arrived == {(0, fault.c)}
    same_everywhere(tmp_path, with_faults(pair(), rule), placements=BETWEEN)


def test_a_delay_makes_round_trips_longer_by_what_it_says(tmp_path: Path) -> None:
    usual = round_trip(virtual(tmp_path, pair(), "--until", "batch 1"))
    rule = {"fault": "delay", "to": "pong", "by": "25us"}
    late, path = traced(tmp_path, with_faults(pair(), rule), "--until", "batch 1")
    assert usual + 24_900 <= round_trip(late) <= usual + 25_100
    faults = records(path, Kind.FAULT)
    assert len(faults) > 200
    assert {(fault.pcpu, fault.b) for fault in faults} == {(1, FaultKind.DELAY)}
    sent = {record.b >> 16: record for record in records(path, Kind.SENT) if record.pcpu == 0}
    for record in records(path, Kind.ARRIVED):
        if record.pcpu == 1:
            assert record.c == sent[record.b >> 16].c + 25_000
            assert record.time >= record.c


@pytest.mark.slow
def test_a_doubled_notification_does_no_harm(tmp_path: Path) -> None:
    rule = {"fault": "duplicate", "probability": 0.5, "seed": 3}
    result = same_everywhere(tmp_path, with_faults(pair(), rule), placements=BETWEEN)
    assert result.status == 0
    assert "pong: answered 10000, 0 wrong" in result.out
    _, path = traced(tmp_path, with_faults(pair(), rule), "--for", "2ms")
    sent, arrived = records(path, Kind.SENT), records(path, Kind.ARRIVED)
    doubled = records(path, Kind.FAULT)
    assert {fault.b for fault in doubled} == {FaultKind.DUPLICATE}
    assert len(arrived) in range(len(sent) + len(doubled) - 2, len(sent) + len(doubled) + 1)  # the last are on the way
    assert 0.3 < len(doubled) / len(sent) < 0.7


def test_seeds_choose(tmp_path: Path) -> None:
    digests = [
        virtual(tmp_path, with_faults(pair(), {"fault": "delay", "by": "2us", "probability": 0.1, "seed": seed}),
                "--for", "1ms").digest
        for seed in (1, 2, 1)
    ]  # fmt: skip
    assert digests[0] == digests[2] != digests[1]


def test_a_rule_holds_in_its_time_only(tmp_path: Path) -> None:
    rule = {"fault": "delay", "by": "1us", "after": "300us", "until": "400us"}
    _, path = traced(tmp_path, with_faults(pair(), rule), "--for", "1ms")
    sent = {(record.pcpu, record.b >> 16): record.time for record in records(path, Kind.SENT)}
    chosen = {(1 - fault.pcpu, fault.c) for fault in records(path, Kind.FAULT)}
    assert chosen == {flow for flow, time in sent.items() if 300_000 <= time < 400_000}
    assert len(chosen) > 10


def test_a_stall_stops_a_cpu_for_its_time(tmp_path: Path) -> None:
    rule = {"fault": "stall", "pcpu": 1, "at": "500us", "for": "200us"}
    machine = with_faults(pair(), rule)
    same_everywhere(tmp_path, machine, "--for", "1ms", placements=BETWEEN)
    _, path = traced(tmp_path, machine, "--for", "1ms")
    (fault,) = records(path, Kind.FAULT)
    assert (fault.pcpu, fault.a, fault.b, fault.c) == (1, 0, FaultKind.STALL, 200_000)
    assert 500_000 <= fault.time < 510_000
    during = [
        record
        for record in records(path)
        if record.pcpu == 1 and fault.time < record.time < fault.time + 200_000 and record.kind != Kind.ARRIVED
    ]
    assert not during
    assert any(record.time > fault.time + 200_000 for record in records(path) if record.pcpu == 1)


def test_a_crash_stops_a_cpu_for_ever_and_is_told(tmp_path: Path) -> None:
    machine = with_faults(pair(), {"fault": "crash", "pcpu": 1, "at": "500us"})
    result, path = traced(tmp_path, machine)
    assert result.status == 5
    assert "baonet: WARNING: pcpu 1: crashed, as faults[0] says\n" in result.said
    assert "vcpu 0 on pcpu 1: is where its pcpu crashed, as the machine file says, at EL1h" in result.said
    (fault,) = records(path, Kind.FAULT)
    assert (fault.pcpu, fault.b) == (1, FaultKind.CRASH)
    after = {record.kind for record in records(path) if record.pcpu == 1 and record.time > fault.time}
    assert not after & {Kind.EXIT, Kind.ENTRY, Kind.WAKE, Kind.SENT, Kind.CONSOLE, Kind.ACKNOWLEDGED}
    same_everywhere(tmp_path, machine, placements=BETWEEN)


@pytest.mark.parametrize("chosen", [{"offset": 2, "bit": 1}, {"count": 3, "seed": 5}])
def test_flipped_bits_show_and_repeat(tmp_path: Path, chosen: dict[str, int]) -> None:
    rule = {"fault": "flip", "shared_memory": "mailbox", "at": "600us"} | chosen
    machine = with_faults(pair(), rule)
    same_everywhere(tmp_path, machine, "--for", "1ms", placements=BETWEEN)
    _, path = traced(tmp_path, machine, "--for", "1ms")
    faults = records(path, Kind.FAULT)
    assert {fault.b for fault in faults} == {FaultKind.FLIP}
    assert len({fault.c for fault in faults}) == chosen.get("count", 1)
    assert {fault.time // 10_000 for fault in faults} <= {60, 61}
    if "offset" in chosen:
        assert faults[0].c == 2 * 8 + 1


def test_a_flipped_bit_reaches_the_guest(tmp_path: Path) -> None:
    """One of ping's payload, while its notification is on the way."""
    _, path = traced(tmp_path, pair(), "--for", "1ms")
    sent = next(record for record in records(path, Kind.SENT) if record.pcpu == 0 and record.time > 500_000)
    rule = {"fault": "flip", "shared_memory": "mailbox", "at": f"{sent.time + 500}ns", "offset": 72, "bit": 0}
    result = virtual(tmp_path, with_faults(pair(), rule))
    assert "pong: answered 10000, 1 wrong" in result.out


def test_a_lost_sgi_stalls_the_other_cpu(tmp_path: Path) -> None:
    rule = {"fault": "drop", "message": "ipi", "after": "1ms", "count": 1}
    result = same_everywhere(tmp_path, with_faults({"vms": [vm("sgi", cpus=2)]}, rule), placements=PLACEMENTS[3:])
    assert result.status == 5
    assert "sgi: sent" not in result.out


def test_a_reordered_message_arrives_late(tmp_path: Path) -> None:
    rule = {"fault": "reorder", "message": "ipc", "from": "ping", "by": "1ms", "after": "200us", "count": 1}
    _, path = traced(tmp_path, with_faults(pair(), rule), "--for", "3ms")
    (fault,) = records(path, Kind.FAULT)
    assert fault.b == FaultKind.REORDER
    (arrived,) = [r for r in records(path, Kind.ARRIVED) if r.pcpu == 1 and r.b >> 16 == fault.c]
    assert arrived.time >= 1_200_000
