"""What the engine does in a hypervisor's place (``native/errands.h``) is what that would have done.

Where a machine has faults each message is looked at, and no errands are run: one that never happens tells them apart.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.system.elsewhere import BOARDS, riscv
from tests.system.machine import baonet, pair, vm, write
from tests.system.virtual import IPC, SILENT, records, traced

NEVER = [{"fault": "drop", "message": "ipc", "after": "1000s"}]
OF_THE_HOST = {"exits_budget", "exits_kicked"}


def same(directory: Path, machine: dict[str, Any], until: str) -> dict[str, Any]:
    """Counters of the pcpus, once they have been found the same, as has all that was recorded."""
    found = []
    for faults in ([], NEVER):
        stats = directory / "stats.json"
        result, path = traced(directory, machine | {"faults": faults}, "--for", until, "--stats", str(stats))
        written = json.loads(stats.read_text())
        counters = {
            pcpu: {name: count for name, count in each.items() if name not in OF_THE_HOST}
            for pcpu, each in written["pcpus"].items()
        }
        found.append((result.digest, result.time, result.out, counters, written["deliveries"], records(path)))
    for quick, asked in zip(*found, strict=True):
        assert quick == asked
    counted: dict[str, Any] = found[0][3]
    return counted


def trio(**clock: str) -> dict[str, Any]:
    """Two that talk, and one that has their memory and hears of nothing, on two CPUs that compute."""
    ipc = IPC | {"interrupts": []}
    others = vm("smp", cpus=2, ipcs=[ipc], devices=SILENT)
    machine = pair()
    return machine | {"vms": [*machine["vms"], others], "clock": {"mode": "virtual", **clock}}


def test_two_that_talk(tmp_path: Path) -> None:
    counters = same(tmp_path, pair(), "500us")
    assert counters["0"]["received_IpcNotify"] > 50


def crowd() -> dict[str, Any]:
    """One that asks two who both answer, and whose answers both others hear: notices meet on their way, and interrupts
    come while others are with the guest.
    """
    machine = pair()
    pong = machine["vms"][1]
    return machine | {"vms": [*machine["vms"], pong | {"name": "pong2"}]}


@pytest.mark.parametrize("controller", BOARDS)
@pytest.mark.parametrize("talk", [pair, crowd])
def test_some_that_talk_on_harts(tmp_path: Path, talk: Callable[[], dict[str, Any]], controller: str) -> None:
    counters = same(tmp_path, riscv(talk(), controller), "200us")
    assert counters["0"]["received_IpcNotify"] > 10


def test_two_that_talk_beside_others(tmp_path: Path) -> None:
    counters = same(tmp_path, trio(window="3us"), "300us")
    assert counters["2"]["received_IpcNotify"] > 10


@st.composite
def machines(draw: st.DrawFn) -> dict[str, Any]:
    nanoseconds = st.integers(0, 6_000).map("{}ns".format)
    costs = {kind: draw(nanoseconds) for kind in ("hypercall", "access", "interrupt", "direct", "relayed")}
    machine: dict[str, Any] = draw(st.sampled_from((pair, trio, crowd)))()
    controller = draw(st.sampled_from((None, *BOARDS)))
    if controller is None:
        for each in machine["vms"]:
            each["interrupts"] = draw(st.sampled_from(["mediated", "direct"]))
    machine["platform"] = {"extends": "qemu-aarch64-virt", "costs": costs}
    machine["clock"] = {
        "mode": "virtual",
        "mhz": draw(st.sampled_from([50, 1000, 2500])),
        "window": f"{draw(st.integers(1000, 50_000))}ns",
        "latency": {kind: draw(nanoseconds) for kind in ("ipi", "ipc", "spi")},
    }
    return machine if controller is None else riscv(machine, controller)


@pytest.mark.slow
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(machines())
def test_any_that_talk(machine: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        same(Path(directory), machine, "300us")


@pytest.mark.parametrize("controller", [None, "plic"])
def test_two_that_talk_by_the_clock_of_the_host(tmp_path: Path, controller: str | None) -> None:
    """Nobody misses a notification, and what was done without the hypervisors is counted as theirs."""
    machine = pair() if controller is None else riscv(pair(), controller)
    stats = tmp_path / "stats.json"
    result = baonet("run", write(tmp_path, machine), "--clock", "host", "--timeout", "60s", "--stats", stats)
    assert result.status == 0, result.err
    assert result.out.count(", 0 wrong") == 6
    left, right = json.loads(stats.read_text())["pcpus"].values()
    for one, other in ((left, right), (right, left)):
        sent = one["sent_IpcNotify"]
        assert 10_000 < sent == one["messages_sent"]
        assert one["exits_ecall" if controller else "exits_hvc"] == sent + 1, "it has gone off, too"
        assert sent - 2 <= other["received_IpcNotify"] == other["messages_received"] <= sent
