"""Processes that are killed, and the group that is signalled, at the phases of a run, in each placement.

Every run ends in bounded time with the right status and words, and leaves no process.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from baonet.core.child import ENDINGS
from tests.patience import LIMIT, PROCESS
from tests.system.machine import COMMAND, Background, gone, vm, write

PLACEMENTS = {
    "host": [],
    "island": ["--clock", "virtual"],
    "vm": ["--clock", "virtual", "--placement", "process-per-vm"],
    "cpu": ["--clock", "virtual", "--placement", "process-per-cpu"],
}
SILENT = [{"pa": 0x09000000, "va": 0x09000000, "size": 0x1000}]


def start(directory: Path, placement: str) -> Background:
    machine = {"vms": [vm("flood-forever", "a", cpus=2), vm("flood-forever", "b", devices=SILENT)]}
    return Background(directory, machine, *PLACEMENTS[placement], start_new_session=True)


PROCESSES = {"host": 3, "island": 1, "vm": 2, "cpu": 3}


def spawned(running: Background, count: int) -> list[int]:
    return spawned_by(running.process, count)


def spawned_by(process: subprocess.Popen[Any], count: int) -> list[int]:
    """The processes of its pcpus, in order, as soon as all have been there: one whose VM is soon off may be gone."""
    path = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    deadline = time.monotonic() + 30
    children: dict[int, None] = {}
    while len(children) < count:
        children |= dict.fromkeys(pid for pid in map(int, path.read_text().split()) if _has_memory(pid))
        assert time.monotonic() < deadline
    return list(children)


def _has_memory(pid: int) -> bool:
    """A pcpu's process, not one that Python has started to look at the host."""
    try:
        return "memfd:baonet" in Path(f"/proc/{pid}/maps").read_text()
    except OSError:
        return False


@pytest.mark.parametrize("placement", PLACEMENTS)
@pytest.mark.parametrize("early", [True, False], ids=["spawned", "running"])
def test_a_killed_process_is_told_and_the_others_go_on(tmp_path: Path, placement: str, early: bool) -> None:
    """In virtual time the two VMs are one island, of which nothing is left."""
    running = start(tmp_path, placement)
    if not early:
        running.wait_for("line 5")
    children = spawned(running, PROCESSES[placement])
    os.kill(children[-1], signal.SIGKILL)
    if placement == "host":
        while Path(f"/proc/{children[-1]}").exists():
            running.wait_for("a | ")
        running.wait_for("a | ")
    result = running.end(signal.SIGTERM if placement == "host" else None)
    assert result.status == (143 if placement == "host" else 1)
    assert "was killed by SIGKILL" in result.err
    assert "Traceback" not in result.err
    assert gone(children)


def test_a_process_that_does_not_answer_is_given_up(tmp_path: Path) -> None:
    """In all placements at the same time: each waits for as long as one may be silent."""
    runs = []
    for placement in PLACEMENTS:
        (directory := tmp_path / placement).mkdir()
        runs.append(start(directory, placement))
    told = []
    for running in runs:
        running.wait_for("line 5")
        told.append(running.children())
        os.kill(told[-1][-1], signal.SIGSTOP)
        running.process.send_signal(signal.SIGTERM)
    for placement, running, children in zip(PLACEMENTS, runs, told, strict=True):
        result = running.end()
        assert result.status == 143
        assert "has not stopped for 5 s, and was killed" in result.err
        first, last = "VM 'a' (vm 0), vcpu 0 on pcpu 0: ", "VM 'b' (vm 1), vcpu 0 on pcpu 2: did not answer\n"
        assert last in result.err
        assert (f"{first}did not answer" in result.err) == (placement == "island"), "it is the only process there"
        assert gone(children)


@pytest.mark.parametrize(("placement", "early"), [("host", True), ("cpu", True), ("host", False), ("vm", False)])
def test_a_signal_to_the_group_is_the_agents(tmp_path: Path, placement: str, early: bool) -> None:
    running = start(tmp_path, placement)
    if not early:
        running.wait_for("line 5")
    children = spawned(running, PROCESSES[placement])
    os.killpg(running.process.pid, signal.SIGHUP if early else signal.SIGQUIT)
    result = running.end()
    assert result.status == 143
    assert "was killed" not in result.err
    assert "Traceback" not in result.err
    assert gone(children)


STARTING = ["outputs.py:whole", "consoles.py:consoles", "session.py:__init__", "node.py:load", "selftest.py:ensure",
    "local.py:__init__", "port.py:__init__", "agent.py:__init__", "session.py:run", "_run.py:run",
    "session.py:_live"]  # fmt: skip
DELIVER = """
import os, signal, sys
where, number = sys.argv.pop(1), int(sys.argv.pop(1))
def look(frame, event, _):
    if event == "call" and f"{os.path.basename(frame.f_code.co_filename)}:{frame.f_code.co_name}" == where:
        sys.setprofile(None)
        os.write(2, b"reached\\n")
        os.kill(os.getpid(), number)
from baonet.cli.main import main
sys.setprofile(look)
sys.exit(main())
"""


@pytest.mark.parametrize("where", STARTING)
def test_a_signal_at_any_step_of_the_start_ends_the_run_and_leaves_nothing(tmp_path: Path, where: str) -> None:
    number = list(ENDINGS)[STARTING.index(where) % len(ENDINGS)]
    file = write(tmp_path, {"vms": [vm("echo", cpus=2)]})
    before = set(tmp_path.iterdir())
    options = ["--console", f"echo=unix:{tmp_path / 'socket'}", "--stats", str(tmp_path / "stats"), "--timeout", LIMIT]
    options += ["--clock", "virtual", "--placement", "process-per-cpu", "--record", str(tmp_path / "record")]
    done = subprocess.run(
        [sys.executable, "-c", DELIVER, where, str(int(number)), "run", str(file), *options],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "reached\n" in done.stderr
    assert done.returncode == (130 if number is signal.SIGINT else 143)
    assert done.stderr.count(f"baonet: ended by {number.name}\n") == 1
    assert "Traceback" not in done.stderr
    left = {path.name for path in set(tmp_path.iterdir()) - before}
    assert left <= {"stats", "record"}, "those are whole"


@pytest.mark.parametrize(
    ("option", "number", "status"),
    [("--trace", None, 4), ("--stats", signal.SIGINT, 130), ("--record", signal.SIGTERM, 143)],
)
def test_a_pipe_that_nobody_opens_keeps_no_run(
    tmp_path: Path, option: str, number: signal.Signals | None, status: int
) -> None:
    os.mkfifo(fifo := tmp_path / "fifo")
    limit = "400ms" if number is None else LIMIT
    options = ["--clock", "virtual", option, str(fifo), "--timeout", limit]
    running = Background(tmp_path, {"vms": [vm("echo")]}, *options)
    if number is not None:
        while not sleeps(running.process.pid):
            assert running.process.poll() is None
    result = running.end(number)
    assert result.status == status
    assert result.out == ""
    told = f"baonet: timeout after 0.4 s: nobody reads {option} {fifo}\n"
    assert result.err == (told if number is None else f"baonet: ended by {number.name}\n")


@pytest.mark.parametrize("option", ["--trace", "--stats"])
def test_a_pipe_that_somebody_opens_later_is_written(tmp_path: Path, option: str) -> None:
    os.mkfifo(fifo := tmp_path / "fifo")
    running = Background(tmp_path, {"vms": [vm("hello")]}, "--clock", "virtual", option, str(fifo))
    assert fifo.read_bytes()
    assert running.end().status == 0


LIMITS = {"-v 150000": 1, "-v 600000": 1, "-n 20": 1, "-n 64": 0}
SWEEP = [*(f"-v {size}000" for size in range(150, 2000, 50)), *(f"-n {count}" for count in range(8, 64, 2)), "-f 0"]


def limited(directory: Path, limit: str) -> int:
    """The status of a run under a limit, which must say why if it fails, and leave nobody."""
    file = write(directory, {"vms": [vm("hello", cpus=2), vm("timer", devices=SILENT)]})
    command = ["bash", "-c", f'ulimit {limit} && exec "$@"', "-", *COMMAND, "run", str(file), "--timeout", LIMIT]
    running = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    _, err = running.communicate(timeout=PROCESS)
    assert not err if running.returncode == 0 else re.search(rb"^baonet", err, re.MULTILINE), err
    assert b"Traceback" not in err
    assert not members(running.pid)
    if limit.startswith("-v") and running.returncode:
        assert re.search(rb"see 'ulimit -v'", err), err
    return running.returncode


@pytest.mark.parametrize("limit", LIMITS)
def test_a_host_that_gives_too_little_ends_the_run_with_words(tmp_path: Path, limit: str) -> None:
    assert limited(tmp_path, limit) == LIMITS[limit]


@pytest.mark.long
@pytest.mark.parametrize("limit", SWEEP)
def test_any_limit_ends_a_run_with_words_or_lets_it_run(tmp_path: Path, limit: str) -> None:
    assert limited(tmp_path, limit) in (0, 1)


def sleeps(pid: int) -> bool:
    """Whether it waits for time to pass, as nothing does in the start of a run but a wait for a reader."""
    try:
        return "nanosleep" in Path(f"/proc/{pid}/wchan").read_text()
    except OSError:
        return False


def members(session: int) -> list[int]:
    """The processes of a session that are left, zombies among them."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session:
            found.append(int(path.parent.name))
    return found
