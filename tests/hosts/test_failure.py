"""What happens when a node, a lead or the way between is no more: real processes and TCP, namespaces as hosts."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.hosts.bench import Bench, Process, eventually, family, needs_namespaces
from tests.hosts.split import SplitVm
from tests.patience import LIMIT
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


def _beside(directory: Path, split: SplitVm) -> Path:
    """A VM that answers, and one that is split."""
    platform = {"extends": "qemu-aarch64-virt", "devices": TWO_UARTS}
    vms = [vm("echo"), {**split.fields, "devices": SECOND_UART}]
    return write(directory, {"platform": platform, "vms": vms, "clock": {"mode": split.clock}})


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
            with suppress(ProcessLookupError):  # its daemon may have ended it meanwhile
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
    return bench.lead(file, "--heartbeat", f"{HEARTBEAT:g}s", "--timeout", LIMIT, *options)


def _begun(bench: Bench, directory: Path, split: SplitVm) -> Process:
    """The lead of one that runs on as many nodes as it has vCPUs."""
    lead = _lead(bench, split.file(directory), "--place", split.place)
    assert lead.out is not None
    lead.out.wait_for(split.begun)
    return lead


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


clocks = pytest.mark.parametrize("clock", ["host", "virtual"])


@clocks
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


@clocks
@pytest.mark.parametrize("failure", FAILURES)
def test_who_lives_elsewhere_goes_on_beside_a_split_vm(bench: Make, tmp_path: Path, failure: str, clock: str) -> None:
    """And a node that comes back is not taken back."""
    hosts = bench("a", "b", wired=("b",))
    split = SplitVm(clock)
    lead = _lead(hosts, _beside(tmp_path, split), "--place", "echo=0", "--place", split.place, "--console", "echo")
    assert lead.out is not None
    lead.out.wait_for("echo: ")
    undo = _break(hosts, lead, failure)
    lead.type("still there\n")
    lead.out.wait_for("still there")
    undo()
    eventually(lambda: not hosts.sessions("b"), "the node that came back is turned away", HEARTBEAT + SLACK)
    lead.type("and now\n")
    lead.out.wait_for("and now")
    lead.type("quit\n")
    assert lead.status() == 3
    said = lead.err.all()
    assert "VM 'split', vcpu 1) was on node 1" in said
    assert "node 0 (" not in said
    _nothing_is_left(hosts)


@clocks
@pytest.mark.parametrize("failure", FAILURES)
def test_a_split_vm_ends_and_the_first_loser_is_named(bench: Make, tmp_path: Path, failure: str, clock: str) -> None:
    hosts = bench("a", "b", wired=("b",))
    lead = _begun(hosts, tmp_path, SplitVm(clock))
    undo = _break(hosts, lead, failure)
    assert lead.status() == 3
    said = lead.err.all()
    assert "was on node 1 (10.99.0.3:7470)" in said
    assert "node 0 (" not in said
    undo()
    _nothing_is_left(hosts)


@clocks
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_lead_that_dies_takes_its_nodes_with_it(
    bench: Make, tmp_path: Path, number: signal.Signals, clock: str
) -> None:
    hosts = bench("a", "b")
    lead = _begun(hosts, tmp_path, SplitVm(clock))
    os.kill(lead.pid, number)
    eventually(
        lambda: not hosts.sessions("a") and not hosts.sessions("b"), "the sessions have ended", HEARTBEAT + 2 * SLACK
    )
    os.kill(lead.pid, signal.SIGCONT)
    assert lead.status() == (3 if number is signal.SIGSTOP else -signal.SIGKILL)
    _nothing_is_left(hosts)


@clocks
def test_two_nodes_that_lose_each_other_alone(bench: Make, tmp_path: Path, clock: str) -> None:
    """Both still reach the lead: what they share ends, and it is told who does not reach whom."""
    hosts = bench("a", "b")
    lead = _begun(hosts, tmp_path, SplitVm(clock))
    hosts.drop_between("a", "b")
    lead.err.wait_for("do not reach each other", HEARTBEAT + SLACK + 1)
    assert lead.status() == 3
    _nothing_is_left(hosts)


@clocks
@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)],
)
def test_a_signal_ends_all_hosts(bench: Make, tmp_path: Path, number: signal.Signals, status: int, clock: str) -> None:
    hosts = bench("a", "b")
    lead = _begun(hosts, tmp_path, SplitVm(clock))
    lead.popen.send_signal(number)
    assert lead.status() == status
    _nothing_is_left(hosts)


@clocks
@pytest.mark.parametrize("lost", [0, 2])
@pytest.mark.parametrize("failure", ["kill", "stop-all", "link-down"])
def test_of_four_one_is_lost(bench: Make, tmp_path: Path, failure: str, lost: int, clock: str) -> None:
    """Where it is home, all others lose it too, and none of them is blamed."""
    names = ("a", "b", "c", "d")
    hosts = bench(*names)
    lead = _begun(hosts, tmp_path, SplitVm(clock, 4))
    began = time.monotonic()
    undo = FAILURES[failure](hosts, names[lost])
    told = lead.err.wait_for(f"WARNING: node {lost} ({hosts.address(names[lost])}:7470)")
    assert told - began < HEARTBEAT + SLACK
    assert lead.status() == 3
    said = lead.err.all()
    assert {number for number in range(4) if f"node {number} (" in said} == {lost}
    undo()
    _nothing_is_left(hosts)
