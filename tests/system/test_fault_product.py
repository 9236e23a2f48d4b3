"""Every signal to every process, and to the group, in every phase of a run, in each placement. Takes an hour."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.patience import LIMIT, PROCESS
from tests.system.machine import COMMAND, vm, write
from tests.system.test_fault_injection import SILENT, members, spawned_by
from tests.system.virtual import IPC, MAILBOX, SECOND_UART, TWO_UARTS

PLACEMENTS = {
    "host-one": ("host", "one-process", 0),
    "host": ("host", "process-per-cpu", 4),
    "one": ("virtual", "one-process", 0),
    "island": ("virtual", "process-per-island", 2),
    "vm": ("virtual", "process-per-vm", 3),
    "cpu": ("virtual", "process-per-cpu", 4),
}
PHASES = ["forked", "starting", "running", "halted", "stopping", "timeout"]
"""forked: as soon as the processes are there. starting: at a random moment after that. halted: a VM goes off.
stopping: the agent was told to end, and writes. timeout: about when ``--timeout`` passes."""
SIGNALS = ["KILL", "TERM", "INT", "HUP", "QUIT", "STOP", "SEGV"]
ENDINGS = {"TERM": 143, "HUP": 143, "QUIT": 143, "INT": 130}


class Run:
    """A run in a session, with a TMPDIR and a cache of its own, that writes all that a run can write."""

    def __init__(self, directory: Path, placement: str, phase: str) -> None:
        self.directory = directory
        self.clock, where, self.count = PLACEMENTS[placement]
        brief = "timer" if self.clock == "host" else "hello"  # there its process goes with it: not before it is seen
        (directory / "tmp").mkdir()
        machine = {
            "shared_memory": [MAILBOX],
            "platform": {"extends": "qemu-aarch64-virt", "devices": TWO_UARTS},
            "vms": [
                vm("flood-forever", "a", cpus=2, ipcs=[IPC]),
                vm(brief, "b", devices=SILENT, ipcs=[IPC]),
                vm("flood-forever", "c", devices=SECOND_UART),
            ],
        }
        limit = "1s" if phase == "timeout" else LIMIT
        options = ["--clock", self.clock, "--placement", where, "--timeout", limit]
        options += ["--trace", str(directory / "trace"), "--stats", str(directory / "stats")]
        options += ["--record", str(directory / "record")] if self.clock == "virtual" else []
        with (directory / "err").open("w") as err:
            self.process = subprocess.Popen(
                [
                    "bash",
                    "-c",
                    'ulimit -c 0 && exec "$@"',
                    "-",
                    *COMMAND,
                    "run",
                    str(write(directory, machine)),
                    *options,
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=err,
                env={**os.environ, "TMPDIR": str(directory / "tmp")},
                start_new_session=True,
            )
        self.children = spawned_by(self.process, self.count)

    def reach(self, phase: str, chance: random.Random) -> None:
        if phase == "starting":
            time.sleep(chance.random() / 2)
        elif phase == "timeout":
            time.sleep(0.7 + chance.random() / 2)
        elif phase == "halted":
            self.wait_for(b": done")
        elif phase != "forked":
            self.wait_for(b"line 5")
        if phase == "stopping":
            self.process.send_signal(signal.SIGTERM)

    def wait_for(self, text: bytes) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if text in line:
                return
        raise AssertionError(f"it ended before it said {text!r}")

    def end(self) -> int:
        self.process.communicate(timeout=PROCESS)
        return self.process.returncode

    @property
    def err(self) -> str:
        return (self.directory / "err").read_text()


def strike(run: Run, victim: int | str, name: str) -> None:
    number = signal.Signals[f"SIG{name}"]
    pid = victim if isinstance(victim, int) else run.process.pid
    send = os.killpg if victim == "group" else os.kill
    try:
        send(pid, number)
        if name == "STOP":
            send(pid, signal.SIGKILL)
    except ProcessLookupError:
        return  # it was faster


def judge(run: Run, victim: int | str, name: str, phase: str) -> Iterator[str]:
    """What is wrong with how it ended."""
    kills = name not in ENDINGS
    ended_anyway = phase in ("stopping", "timeout")
    lives = isinstance(victim, int) and not ended_anyway  # of each machine two islands, of which one goes on
    if lives:
        run.process.send_signal(signal.SIGTERM)
    status = run.end()
    killed = -(signal.SIGSEGV if name == "SEGV" else signal.SIGKILL)
    right = {143 if phase == "stopping" else 4} if ended_anyway else set()
    if not isinstance(victim, int):
        right |= {killed if kills else ENDINGS[name]}
        right |= {-signal.SIGTERM} if phase == "timeout" else set()
        if not run.children and phase in ("forked", "starting"):
            right.add(-signal.Signals[f"SIG{name}"])  # before the command's first line
    elif lives:
        right |= {143}
    if status not in right:
        yield f"status {status} is none of {right}"
    if "Traceback" in run.err and "baonet/cli" in run.err:  # else it is the interpreter's own, before our first line
        yield "a traceback"
    if not kills and "was killed" in run.err:
        yield "a child did not ignore it"
    over = run.clock == "host" and victim in run.children[2:3]  # its VM says a few words, and is off
    if lives and kills and not over and "was killed by SIG" not in run.err:
        yield "it was not told that a process was killed"
    deadline = time.monotonic() + 10
    while left := members(run.process.pid):
        if time.monotonic() > deadline:
            yield f"orphans: {left}"
            break
    if any((run.directory / "tmp").iterdir()):
        yield "files in TMPDIR"
    beside = [path.name for path in run.directory.iterdir() if path.name.startswith(".")]
    if beside and (isinstance(victim, int) or not kills):
        yield f"files that are not whole: {beside}"


@pytest.mark.long
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("placement", PLACEMENTS)
@pytest.mark.parametrize("phase", PHASES)
def test_every_signal_to_every_process(tmp_path: Path, placement: str, phase: str) -> None:
    seed = random.randrange(1 << 32)
    chance = random.Random(seed)
    shared = set(Path("/dev/shm").iterdir())
    wrong = []
    for name in SIGNALS:
        for index in ("agent", "group", *range(PLACEMENTS[placement][2])):
            (directory := tmp_path / f"{name}-{index}").mkdir()
            run = Run(directory, placement, phase)
            run.reach(phase, chance)
            victim = run.children[index] if isinstance(index, int) else index
            strike(run, victim, name)
            wrong += [f"SIG{name} to {index}: {each}\n{run.err}" for each in judge(run, victim, name, phase)]
    wrong += [f"/dev/shm: {path}" for path in set(Path("/dev/shm").iterdir()) - shared if "baonet" in path.name]
    assert not wrong, f"seed {seed}\n" + "\n".join(wrong)
