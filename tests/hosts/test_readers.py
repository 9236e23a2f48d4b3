"""Who reads a run that is on several hosts holds its guests back, or ends it, as on one."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.hosts.bench import Bench, eventually, family, needs_namespaces
from tests.system.machine import UART, vm, write

pytestmark = [pytest.mark.hosts, needs_namespaces]
Make = Callable[..., Bench]
BROKEN_PIPE = 141
"""What a shell tells of a command that SIGPIPE ended."""
MOST = 8 << 20
"""Bytes by which a process may grow while nobody reads."""


def _resident(pids: list[int]) -> dict[int, int]:
    found = {}
    for pid in pids:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("RssAnon"):
                found[pid] = int(line.split()[1]) << 10
    return found


def _flood(directory: Path, clock: str) -> Path:
    return write(directory, {"vms": [vm("flood-forever", "flood")], "clock": {"mode": clock}})


def _split(directory: Path) -> Path:
    """The one that floods belongs to an island that another node conducts."""
    ipcs = [{"base": 0x70000000, "size": "64KiB", "shared_memory": "mailbox", "interrupts": [84]}]
    silent = {key: value for key, value in UART.items() if key != "interrupts"}
    vms = [vm("spin", ipcs=ipcs, devices=[silent]), vm("flood-forever", "flood", ipcs=ipcs)]
    memory = [{"name": "mailbox", "size": "64KiB"}]
    return write(directory, {"shared_memory": memory, "vms": vms, "clock": {"mode": "virtual", "window": "1ms"}})


def _nothing_is_left(bench: Bench) -> None:
    eventually(lambda: not bench.left(), "nothing is left of it", 8)


@pytest.mark.parametrize("clock", ["host", "virtual"])
def test_a_terminal_that_does_not_read_holds_a_guest_elsewhere_back(bench: Make, tmp_path: Path, clock: str) -> None:
    """What nobody reads is kept nowhere: neither on the lead nor on the node does anybody grow."""
    hosts = bench("a", "b")
    lead = hosts.lead(_flood(tmp_path, clock), "--place", "flood=1", reads=False)
    assert lead.popen.stdout is not None
    lead.popen.stdout.readline()
    time.sleep(1.5)  # what there is to be filled is full
    everybody = [
        lead.pid,
        *(pid for name in hosts.names for session in hosts.sessions(name) for pid in family(session)),
    ]
    before = _resident(everybody)
    time.sleep(2)
    after = _resident(everybody)
    assert {pid: after[pid] - before[pid] for pid in before if after[pid] - before[pid] > MOST} == {}
    lead.popen.send_signal(signal.SIGINT)
    assert lead.status() == 130
    _nothing_is_left(hosts)


@pytest.mark.parametrize("split", [False, True], ids=["alone", "of an island on two nodes"])
def test_a_slow_cable_holds_a_guest_back(bench: Make, tmp_path: Path, split: bool) -> None:
    """The cable carries what goes to the lead, and of an island on two nodes what goes to who conducts it."""
    hosts = bench("a", "b", wired=("b",))
    file = _split(tmp_path) if split else _flood(tmp_path, "host")
    lead = hosts.lead(file, "--place", "pack", "--place", "flood=1", *(["--place", "spin=0"] if split else []))
    assert lead.out is not None
    lead.out.wait_for("line 100")
    hosts.tell_wire("b", "rate 100000")
    time.sleep(1)
    everybody = [pid for name in hosts.names for session in hosts.sessions(name) for pid in family(session)]
    before = _resident(everybody)
    time.sleep(3)
    after = _resident(everybody)
    assert {pid: after[pid] - before[pid] for pid in before if after[pid] - before[pid] > MOST} == {}
    assert "WARNING: node" not in lead.err.text
    hosts.tell_wire("b", "rate 0")
    lead.popen.send_signal(signal.SIGINT)
    assert lead.status() == 130
    _nothing_is_left(hosts)


def test_a_reader_that_has_gone_ends_it(bench: Make, tmp_path: Path) -> None:
    hosts = bench("a", "b")
    lead = hosts.lead(_flood(tmp_path, "host"), "--place", "flood=1", reads=False)
    assert lead.popen.stdout is not None
    lead.popen.stdout.readline()
    lead.popen.stdout.close()
    assert lead.status() == BROKEN_PIPE
    assert "Traceback" not in lead.err.all()
    _nothing_is_left(hosts)


@pytest.mark.parametrize(
    ("options", "status"),
    [(["--timeout", "1s"], 4), (["--until", "flood:line 50"], 0), (["--clock", "virtual", "--for", "2ms"], 0)],
)
def test_a_run_that_ends_leaves_nothing(bench: Make, tmp_path: Path, options: list[str], status: int) -> None:
    hosts = bench("a", "b")
    lead = hosts.lead(_flood(tmp_path, "host"), "--place", "flood=1", *options)
    assert lead.status() == status
    _nothing_is_left(hosts)
