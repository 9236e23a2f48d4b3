"""Guests that fill what is between them and the user: memory has a bound, ends come, nothing that counts is lost."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from baonet.actors.notices import TOLD
from baonet.cli.session import REPORTS
from tests.cli.test_readers import ended, stuck
from tests.patience import ANSWER, LIMIT
from tests.system.hostile import NOTICES, NOTIFY, PARK, RESET, SEND, SLEEP, hostile
from tests.system.machine import COMMAND, baonet, run, vm, write
from tests.system.virtual import IPC, MAILBOX, SILENT, parsed

FREE: dict[str, Any] = {"extends": "qemu-aarch64-virt", "costs": {"hypercall": 0, "access": 0, "interrupt": 0}}
"""The hypervisor's work takes no time, so that a guest gets as much of it as there can be."""
VIRTUAL = ["--clock", "virtual"]


@pytest.mark.parametrize("options", [[*VIRTUAL, "--for", "500us"], ["--clock", "host", "--timeout", "1s"]])
def test_a_storm_of_notices_is_told_and_counted(tmp_path: Path, options: list[str]) -> None:
    file = write(tmp_path, {"platform": FREE, "vms": [hostile(tmp_path, "storm", NOTICES)]})
    done = baonet("run", file, *options)
    assert done.status in (0, 4)
    warnings = re.findall(r"^baonet: WARNING: pcpu 0: (.*)$", done.err, re.MULTILINE)
    assert warnings[:TOLD] == [
        f"Unknown hypercall id {16 + n}{' (more of these are counted)' if n == TOLD - 1 else ''}" for n in range(TOLD)
    ]
    (more,) = re.findall(r"Unknown hypercall id \.\.\.: (\d+) more$", done.err, re.MULTILINE)
    assert int(more) > 1000
    assert len(warnings) <= 2 * (TOLD + 1), "two kinds: beyond 0xffff they are no hypercalls"


@pytest.mark.parametrize("options", [[*VIRTUAL, "--for", "20ms"], ["--clock", "host", "--timeout", "3s"]])
def test_a_vcpu_that_is_parked_again_and_again_is_reported_a_few_times_and_counted(
    tmp_path: Path, options: list[str]
) -> None:
    others = vm("spin", devices=SILENT)  # a machine of parked VMs alone ends
    done = run(tmp_path, {"vms": [hostile(tmp_path, "again", PARK, cpus=2), others]}, *options)
    assert done.status in (0, 4), done.err
    assert done.err.count("no emulation handler for abort(0x20000000") == REPORTS
    (times,) = re.findall(
        r"^baonet: VM 'again', vcpu 1 was parked (\d+) times, as reported above$", done.err, re.MULTILINE
    )
    assert int(times) > 2 * REPORTS


def resident(process: subprocess.Popen[str]) -> int:
    """KiB of private memory of a run and its children."""
    pids = [process.pid, *map(int, Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split())]
    found = [re.search(r"^RssAnon:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE) for pid in pids]
    return sum(int(each[1]) for each in found if each)


def started(process: subprocess.Popen[str]) -> None:
    """Until it has more threads than one: those that write, which come when all is ready."""
    deadline = time.monotonic() + 30
    while len(list(Path(f"/proc/{process.pid}/task").iterdir())) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.01)


@contextmanager
def held(directory: Path, machine: dict[str, Any], *options: str) -> Iterator[subprocess.Popen[str]]:
    """A run whose output nobody reads."""
    command = [*COMMAND, "run", str(write(directory, machine)), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize(
    "placement", ["process-per-island", "one-process", pytest.param("process-per-cpu", marks=pytest.mark.slow)]
)
def test_what_a_turn_leaves_does_not_pile_up_until_a_horizon(tmp_path: Path, placement: str) -> None:
    """10 ms of a guest that does nothing but print are 100 MiB of records; a turn pauses long before."""
    machine = {"platform": FREE, "vms": [hostile(tmp_path, "send", SEND)]}
    with held(tmp_path, machine, *VIRTUAL, "--placement", placement) as process:
        assert process.stdout is not None
        process.stdout.read(1)
        before = resident(process)
        stuck(process)
        assert resident(process) - before < 16 << 10
        assert ended(process, signal.SIGTERM) == 143


def test_messages_that_never_arrive_end_their_island(tmp_path: Path) -> None:
    """A latency of a second and no cost: none is lost, so there is an end to what can be under way."""
    machine = {
        "platform": FREE,
        "shared_memory": [MAILBOX],
        "clock": {"mode": "virtual", "latency": {"ipc": "1s"}},
        "vms": [
            hostile(tmp_path, "notify", NOTIFY, ipcs=[IPC]),
            hostile(tmp_path, "sleep", SLEEP, ipcs=[IPC], devices=SILENT),
        ],
    }
    began = time.monotonic()
    result = run(tmp_path, machine, *VIRTUAL, "--placement", "process-per-cpu")
    assert result.status == 1
    assert "messages wait for pcpu 1: its VMs send faster than clock.latency" in result.err
    assert "Traceback" not in result.err
    assert time.monotonic() - began < 60


def storm(directory: Path) -> dict[str, Any]:
    """Two VMs that notify each other as fast as they can."""
    return {
        "platform": FREE,
        "shared_memory": [MAILBOX],
        "vms": [
            hostile(directory, "left", NOTIFY, ipcs=[IPC]),
            hostile(directory, "right", NOTIFY, ipcs=[IPC], devices=SILENT),
        ],
    }


@pytest.mark.parametrize("placement", ["process-per-cpu", pytest.param("one-process", marks=pytest.mark.slow)])
def test_two_that_fill_each_others_queues_go_on(tmp_path: Path, placement: str) -> None:
    """Neither stops taking because it cannot send."""
    options = ["--clock", "host", "--placement", placement, "--stats", str(tmp_path / "stats")]
    with held(tmp_path, storm(tmp_path), *options) as process:
        started(process)
        time.sleep(1)
        before = resident(process)
        time.sleep(1)
        assert resident(process) - before < 16 << 10
        process.send_signal(signal.SIGTERM)
        assert process.wait(ANSWER) == 143
    received = [int(count) for count in re.findall(r'"messages_received": (\d+)', (tmp_path / "stats").read_text())]
    assert len(received) == 2
    assert min(received) > 10


@pytest.mark.slow
def test_a_storm_has_one_digest(tmp_path: Path) -> None:
    digests = {
        parsed(run(tmp_path, storm(tmp_path), *VIRTUAL, "--for", "50us", "--placement", placement)).digest
        for placement in ("one-process", "process-per-cpu")
    }
    assert len(digests) == 1


def test_what_arrives_at_once_is_not_one_frame(tmp_path: Path) -> None:
    """Tens of thousands of messages become due to one that waited, in another process."""
    machine = {
        "platform": FREE,
        "shared_memory": [MAILBOX],
        "clock": {"mode": "virtual", "latency": {"ipc": "200us"}},
        "vms": [
            hostile(tmp_path, "notify", NOTIFY, ipcs=[IPC]),
            hostile(tmp_path, "sleep", SLEEP, ipcs=[IPC], devices=SILENT),
        ],
    }
    first, second = (
        parsed(run(tmp_path, machine, *VIRTUAL, "--for", "250us", "--placement", placement))
        for placement in ("one-process", "process-per-cpu")
    )
    assert (first.status, second.status) == (0, 0)
    assert first.digest == second.digest


def test_a_vm_that_resets_itself_for_ever_does_not_stop_the_time(tmp_path: Path) -> None:
    """Each life takes some instructions, and a millisecond until the next one; its island goes on meanwhile."""
    machine = {
        "shared_memory": [MAILBOX],
        "vms": [
            hostile(tmp_path, "again", RESET, ipcs=[IPC]),
            hostile(tmp_path, "sleeper", SLEEP, devices=SILENT, ipcs=[IPC]),
        ],
    }
    result = parsed(run(tmp_path, machine, "--clock", "virtual", "--for", "40ms", "--timeout", LIMIT))
    assert result.status == 0
    assert result.said.splitlines() == ["baonet: WARNING: VM 'again' has been reset 16 times (PSCI SYSTEM_RESET)"]
    assert 39_000_000 < result.time <= 40_000_000
