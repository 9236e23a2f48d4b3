"""Faults that a machine file injects on RISC-V, where IPIs are calls of SBI or messages from hart to hart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from baonet.trace.records import FaultKind, Kind
from tests.system.elsewhere import RISCV, riscv
from tests.system.machine import pair, vm
from tests.system.test_faults import round_trip, with_faults
from tests.system.virtual import PLACEMENTS, records, same_everywhere, traced, virtual

SLOW = pytest.mark.slow
one_controller = pytest.mark.parametrize("controller", ["aia", pytest.param("plic", marks=SLOW)])
APART = PLACEMENTS[3:]
"""Each hart in a process."""


@one_controller
@pytest.mark.parametrize(
    ("rule", "machine"),
    [
        ({"message": "ipi"}, {"vms": [vm("sgi", cpus=2)]}),
        pytest.param({"from": "ping", "to": "pong"}, pair(), marks=SLOW),
    ],
    ids=["ipi", "notification"],
)
def test_a_lost_message_stalls_who_waits_for_it(
    tmp_path: Path, controller: str, rule: dict[str, Any], machine: dict[str, Any]
) -> None:
    machine = riscv(with_faults(machine, rule | {"fault": "drop", "after": "100us", "count": 1}), controller)
    path = tmp_path / "run.bnt"
    result = virtual(tmp_path, machine, "--trace", str(path))
    assert result.status == 5
    assert "batch 1" not in result.out
    assert result.said.count("waits for an interrupt (WFI) in S mode") == 2
    (fault,) = records(path, Kind.FAULT)
    assert fault.b == FaultKind.DROP


@SLOW
@pytest.mark.parametrize("controller", RISCV)
def test_a_delay_makes_round_trips_longer_by_what_it_says(tmp_path: Path, controller: str) -> None:
    usual = round_trip(virtual(tmp_path, riscv(pair(), controller), "--until", "batch 1"))
    rule = {"fault": "delay", "to": "pong", "by": "25us"}
    late = round_trip(virtual(tmp_path, riscv(with_faults(pair(), rule), controller), "--until", "batch 1"))
    assert usual + 24_900 <= late <= usual + 25_100


@one_controller
def test_a_crash_stops_a_hart_for_ever_and_is_told(tmp_path: Path, controller: str) -> None:
    machine = riscv(with_faults(pair(), {"fault": "crash", "pcpu": 1, "at": "500us"}), controller)
    result = same_everywhere(tmp_path, machine, placements=APART)
    assert result.status == 5
    assert "baonet: WARNING: pcpu 1: crashed, as faults[0] says\n" in result.said
    assert "vcpu 0 on pcpu 1: is where its pcpu crashed, as the machine file says, in S mode" in result.said


@SLOW
@pytest.mark.parametrize("controller", RISCV)
def test_a_stall_stops_a_hart_for_its_time(tmp_path: Path, controller: str) -> None:
    rule = {"fault": "stall", "pcpu": 1, "at": "500us", "for": "200us"}
    _, path = traced(tmp_path, riscv(with_faults(pair(), rule), controller), "--for", "1ms")
    (fault,) = records(path, Kind.FAULT)
    assert (fault.pcpu, fault.b, fault.c) == (1, FaultKind.STALL, 200_000)
    of_it = [record for record in records(path) if record.pcpu == 1 and record.kind != Kind.ARRIVED]
    assert not [record for record in of_it if fault.time < record.time < fault.time + 200_000]
    assert [record for record in of_it if record.time > fault.time + 200_000]


@SLOW
@pytest.mark.parametrize("controller", RISCV)
def test_a_flipped_bit_reaches_the_guest(tmp_path: Path, controller: str) -> None:
    """One of ping's payload, while its notification is on the way."""
    _, path = traced(tmp_path, riscv(pair(), controller), "--for", "1ms")
    sent = next(record for record in records(path, Kind.SENT) if record.pcpu == 0 and record.time > 500_000)
    rule = {"fault": "flip", "shared_memory": "mailbox", "at": f"{sent.time + 500}ns", "offset": 72, "bit": 0}
    result = virtual(tmp_path, riscv(with_faults(pair(), rule), controller))
    assert "pong: answered 10000, 1 wrong" in result.out
