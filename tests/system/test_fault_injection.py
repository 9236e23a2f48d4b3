"""Processes that are killed, and the group that is signalled, at the phases of a run, in each placement.

Every run ends in bounded time with the right status and words, and leaves no process.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.system.machine import Background, gone, vm

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
    """As soon as they are all there."""
    deadline = time.monotonic() + 30
    while len(children := [pid for pid in running.children() if _has_memory(pid)]) < count:
        assert time.monotonic() < deadline
    return children


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


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_a_process_that_does_not_answer_is_given_up(tmp_path: Path, placement: str) -> None:
    running = start(tmp_path, placement)
    running.wait_for("line 5")
    children = running.children()
    os.kill(children[-1], signal.SIGSTOP)
    result = running.end(signal.SIGTERM)
    assert result.status == 143
    assert "has not stopped for 5 s, and was killed" in result.err
    assert gone(children)
