"""What happens when a node, a lead or the way between is no more: real processes and TCP, namespaces as hosts."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.hosts.bench import Bench, Process, eventually, family, needs_namespaces
from tests.system.machine import vm, write
from tests.system.virtual import SECOND_UART, TWO_UARTS

pytestmark = [pytest.mark.hosts, needs_namespaces]
HEARTBEAT = 1.0
SLACK = 1.0
Make = Callable[..., Bench]


def _apart(directory: Path, clock: str) -> Path:
    """Two VMs that have nothing to do with each other: one answers, the other counts for ever."""
    platform = {"extends": "qemu-aarch64-virt", "devices": TWO_UARTS}
    vms = [vm("echo"), vm("spin", devices=SECOND_UART)]
    return write(directory, {"platform": platform, "vms": vms, "clock": {"mode": clock}})


def _split(directory: Path) -> Path:
    return write(directory, {"vms": [vm("spin", cpus=2)], "clock": {"mode": "virtual"}})


def _stop(bench: Bench, name: str) -> Callable[[], None]:
    victims = bench.sessions(name)
    return _signal(victims)


def _stop_all(bench: Bench, name: str) -> Callable[[], None]:
    return _signal([pid for session in bench.sessions(name) for pid in family(session)])


def _signal(victims: list[int]) -> Callable[[], None]:
    for pid in victims:
        os.kill(pid, signal.SIGSTOP)

    def undo() -> None:
        for pid in victims:
            os.kill(pid, signal.SIGCONT)

    return undo


def _kill(bench: Bench, name: str) -> Callable[[], None]:
    for pid in bench.sessions(name):
        os.kill(pid, signal.SIGKILL)
    return lambda: None


def _link_down(bench: Bench, name: str) -> Callable[[], None]:
    bench.link(name, "down")
    return lambda: bench.link(name, "up")


def _silence(bench: Bench, name: str) -> Callable[[], None]:
    bench.tell_wire(name, "silent")
    return lambda: bench.tell_wire(name, "go")


FAILURES = {"kill": _kill, "stop": _stop, "stop-all": _stop_all, "link-down": _link_down, "silence": _silence}


def _lead(bench: Bench, file: Path, *options: str) -> Process:
    return bench.lead(file, "--heartbeat", f"{HEARTBEAT:g}s", "--timeout", "100s", *options)


def _break(bench: Bench, lead: Process, failure: str) -> Callable[[], None]:
    """Node b is lost, and that is told in time."""
    began = time.monotonic()
    undo = FAILURES[failure](bench, "b")
    told = lead.err.wait_for("WARNING: node 1 (10.99.0.3:7470)", HEARTBEAT + SLACK + 5)
    assert told - began < HEARTBEAT + SLACK
    return undo


def _nothing_is_left(bench: Bench) -> None:
    eventually(lambda: not bench.left(), "nothing is left of it", HEARTBEAT + 5)
    assert all(daemon.popen.poll() is None for daemon in bench.daemons.values())


@pytest.mark.parametrize("clock", ["host", "virtual"])
@pytest.mark.parametrize("failure", FAILURES)
def test_who_lives_elsewhere_goes_on(bench: Make, tmp_path: Path, failure: str, clock: str) -> None:
    hosts = bench("a", "b", wired=("b",))
    lead = _lead(hosts, _apart(tmp_path, clock), "--place", "echo=0,spin=1", "--console", "echo")
    assert lead.out is not None
    lead.out.wait_for("echo: ")
    undo = _break(hosts, lead, failure)
    lead.type("still there\n")
    lead.out.wait_for("still there")
    undo()
    lead.type("quit\n")
    assert lead.status() == 3
    said = lead.err.all()
    assert "VM 'spin', vcpu 0) was on node 1" in said
    assert "VM 'echo'" not in said.split("virtual time;")[0].replace("baonet: VM 'echo' is off", "")
    _nothing_is_left(hosts)


@pytest.mark.parametrize("failure", FAILURES)
def test_a_split_vm_ends_and_the_first_loser_is_named(bench: Make, tmp_path: Path, failure: str) -> None:
    hosts = bench("a", "b", wired=("b",))
    lead = _lead(hosts, _split(tmp_path), "--place", "spin=0:1")
    assert lead.out is not None
    lead.out.wait_for("spin: 2 vCPUs")
    undo = _break(hosts, lead, failure)
    assert lead.status() == 3
    said = lead.err.all()
    assert "was on node 1 (10.99.0.3:7470)" in said
    assert "node 0 (" not in said
    undo()
    _nothing_is_left(hosts)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_lead_that_dies_takes_its_nodes_with_it(bench: Make, tmp_path: Path, number: signal.Signals) -> None:
    hosts = bench("a", "b")
    lead = _lead(hosts, _split(tmp_path), "--place", "spin=0:1")
    assert lead.out is not None
    lead.out.wait_for("spin: 2 vCPUs")
    os.kill(lead.pid, number)
    eventually(
        lambda: not hosts.sessions("a") and not hosts.sessions("b"), "the sessions have ended", HEARTBEAT + 2 * SLACK
    )
    os.kill(lead.pid, signal.SIGCONT)
    assert lead.status() == (3 if number is signal.SIGSTOP else -signal.SIGKILL)
    _nothing_is_left(hosts)


def test_two_nodes_that_lose_each_other_alone(bench: Make, tmp_path: Path) -> None:
    """Both still reach the lead: what they share ends, and it is told who does not reach whom."""
    hosts = bench("a", "b")
    lead = _lead(hosts, _split(tmp_path), "--place", "spin=0:1")
    assert lead.out is not None
    lead.out.wait_for("spin: 2 vCPUs")
    hosts.drop_between("a", "b")
    lead.err.wait_for("do not reach each other", HEARTBEAT + SLACK + 1)
    assert lead.status() == 3
    _nothing_is_left(hosts)


@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)],
)
def test_a_signal_ends_all_hosts(bench: Make, tmp_path: Path, number: signal.Signals, status: int) -> None:
    hosts = bench("a", "b")
    lead = _lead(hosts, _split(tmp_path), "--place", "spin=0:1")
    assert lead.out is not None
    lead.out.wait_for("spin: 2 vCPUs")
    lead.popen.send_signal(number)
    assert lead.status() == status
    _nothing_is_left(hosts)


@pytest.mark.parametrize("failure", ["kill", "stop-all", "link-down"])
def test_of_four_the_node_that_conducts_is_lost(bench: Make, tmp_path: Path, failure: str) -> None:
    """All others lose it too, and none of them is blamed."""
    hosts = bench("a", "b", "c", "d")
    file = write(tmp_path, {"vms": [vm("spin", cpus=4)], "clock": {"mode": "virtual"}})
    lead = _lead(hosts, file, "--place", "spin=0:1:2:3")
    assert lead.out is not None
    lead.out.wait_for("spin: 4 vCPUs")
    began = time.monotonic()
    undo = FAILURES[failure](hosts, "a")
    assert lead.err.wait_for("WARNING: node 0 (10.99.0.2:7470)") - began < HEARTBEAT + SLACK
    assert lead.status() == 3
    said = lead.err.all()
    assert "node 0 (" in said
    assert not [number for number in (1, 2, 3) if f"node {number} (" in said]
    undo()
    _nothing_is_left(hosts)
