"""Whatever is lost at whatever moment of a run: it ends, says in one line why, and leaves nothing."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.hosts.bench import Bench, Process, eventually, family, needs_namespaces
from tests.hosts.split import SplitVm
from tests.hosts.test_failure import HEARTBEAT
from tests.patience import LIMIT

pytestmark = [pytest.mark.long, needs_namespaces]
TRIES = int(os.environ.get("BAONET_TRIES", "100"))
LIFE = 1.2
"""Seconds in which a loss happens after a node was called: about half of them before the guests run."""
UNHEARD = 65
"""Seconds in which a node ends by itself that lost its lead before its heartbeat had begun."""
Make = Callable[..., Bench]


def _sessions(bench: Bench, number: signal.Signals, *, whole: bool = False) -> list[int]:
    victims = bench.sessions("b")
    assert victims, "nobody is there to be lost"
    if whole:
        victims = [pid for session in victims for pid in family(session)]
    for pid in victims:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
    return victims


def _ended(lead: Process) -> bool:
    with suppress(subprocess.TimeoutExpired):
        lead.status(3)
    return lead.popen.returncode is not None


def _go_on(pids: list[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def _lose(bench: Bench, lead: Process, what: str) -> Callable[[], None]:
    match what:
        case "kill":
            _sessions(bench, signal.SIGKILL)
        case "stop" | "stop-all":
            pids = _sessions(bench, signal.SIGSTOP, whole=what == "stop-all")
            return lambda: _go_on(pids)
        case "link":
            bench.link("b", "down")
            return lambda: bench.link("b", "up")
        case "silence":
            bench.tell_wire("b", "silent")
            return lambda: bench.tell_wire("b", "go")
        case "lead-kill":
            lead.popen.kill()
        case "lead-stop":
            lead.popen.send_signal(signal.SIGSTOP)
            time.sleep(2 * HEARTBEAT)
            lead.popen.send_signal(signal.SIGCONT)
        case "lead-int":
            lead.popen.send_signal(signal.SIGINT)
        case _:
            lead.popen.send_signal(signal.SIGTERM)
    return lambda: None


KINDS = {
    "kill": {1, 3},
    "stop": {1, 3},
    "stop-all": {1, 3},
    "link": {1, 3},
    "silence": {1, 3},
    "lead-kill": {-9},
    "lead-stop": {1, 3},
    "lead-int": {130},
    "lead-term": {143},
}


@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("clock", "nodes"), [("virtual", 2), ("host", 2), ("host", 3), ("host", 4)])
@pytest.mark.parametrize("what", KINDS)
def test_at_any_moment(bench: Make, tmp_path: Path, what: str, clock: str, nodes: int) -> None:
    hosts = bench(*"abcd"[:nodes], wired=("b",))
    split = SplitVm(clock, nodes)
    file = split.file(tmp_path)
    chance = random.Random(what)
    slowest = 0.0
    found: dict[str, int] = {}
    for each in range(TRIES):
        wait = chance.uniform(0, LIFE)
        if chance.random() < 0.3:  # images are sent anew
            for name in hosts.names:
                for path in (tmp_path / name).rglob("*"):
                    if path.is_file():
                        path.unlink()
        lead = hosts.lead(file, "--place", split.place, "--heartbeat", f"{HEARTBEAT:g}s", "--timeout", LIMIT)
        eventually(lambda: bool(hosts.sessions("b")), "a node is called", 20)
        time.sleep(wait)
        began = time.monotonic()
        undo = _lose(hosts, lead, what)
        try:
            if what == "lead-stop" and wait < LIFE / 2 and not _ended(lead):
                lead.popen.send_signal(signal.SIGTERM)  # no heartbeat had begun, and so it went on
                lead.status(20)
                continue
            status = lead.status(20)
            slowest = max(slowest, time.monotonic() - began)
            said = lead.err.all()
            where = f"try {each}, {wait:.3f} s: status {status}: {said}"
            assert status in KINDS[what], where
            assert "Traceback" not in said, where
            # Both lose a lead that was stopped, and any may be the first that is told of.
            others = any(f"node {number} (" in said for number in range(nodes) if number != 1)
            assert what == "lead-stop" or not others or "node 1 (" in said, where
            key = next((line for line in said.splitlines() if " node " in line), said.splitlines()[0] if said else "")
            found[f"{status}: {key}"] = found.get(f"{status}: {key}", 0) + 1
        finally:
            undo()
        patience = UNHEARD if "has said nothing for 10 s" in said else HEARTBEAT + 5
        eventually(lambda: not hosts.left(), f"nothing is left: {where}", patience)
        assert all(daemon.popen.poll() is None for daemon in hosts.daemons.values())
        for daemon in hosts.daemons.values():
            assert "Traceback" not in daemon.err.text, f"{where}: {daemon.err.text}"
    print(f"{what}, {clock}, {nodes} nodes: {TRIES} tries, the slowest {slowest:.2f} s")
    for line, count in sorted(found.items()):
        print(f"  {count} x {line}")
