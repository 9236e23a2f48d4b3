"""Machines of the guests that come with baonet, run by the command that users type."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.patience import ANSWER, LIMIT, PROCESS

GUESTS = Path(__file__).parents[2] / "examples" / "guests" / "bin"
UART: dict[str, Any] = {"pa": 0x09000000, "va": 0x09000000, "size": 0x1000, "interrupts": [33]}
HOST = {"version": 1, "platform": "qemu-aarch64-virt", "clock": {"mode": "host"}}
COMMAND = [sys.executable, "-m", "baonet.cli.main"]


def vm(image: str, name: str | None = None, **fields: Any) -> dict[str, Any]:
    """One VM of a guest; ``fields`` are added or replaced."""
    return {
        "name": name or image,
        "image": {"path": str(GUESTS / f"{image}.elf")},
        "cpus": 1,
        "memory": [{"base": 0x40000000, "size": "16MiB"}],
        "devices": [UART],
    } | fields


def pair() -> dict[str, Any]:
    """Ping and pong, on one UART whose interrupt is ping's."""
    ipcs = [{"base": 0x70000000, "size": "64KiB", "shared_memory": "mailbox", "interrupts": [84]}]
    silent = {key: value for key, value in UART.items() if key != "interrupts"}
    return {
        "shared_memory": [{"name": "mailbox", "size": "64KiB"}],
        "vms": [vm("ping", ipcs=ipcs), vm("pong", ipcs=ipcs, devices=[silent])],
    }


def write(directory: Path, machine: dict[str, Any]) -> Path:
    file = directory / "machine.yaml"
    file.write_text(yaml.safe_dump(HOST | machine))
    return file


@dataclass(frozen=True)
class Result:
    status: int
    out: str
    err: str


def baonet(*arguments: object, stdin: str | None = "", seconds: float = PROCESS) -> Result:
    """Run the command to its end, which must come within so many seconds."""
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)], input=stdin, capture_output=True, text=True, timeout=seconds, check=False
    )
    return Result(done.returncode, done.stdout, done.stderr)


def run(directory: Path, machine: dict[str, Any], *options: str, stdin: str | None = "") -> Result:
    return baonet("run", write(directory, machine), "--timeout", LIMIT, *options, stdin=stdin)


class Background:
    """`baonet run`, while it runs."""

    def __init__(
        self, directory: Path, machine: dict[str, Any], *options: str, start_new_session: bool = False
    ) -> None:
        file = write(directory, machine)
        self.process = subprocess.Popen(
            [*COMMAND, "run", str(file), "--timeout", LIMIT, *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=start_new_session,
        )

    def wait_for(self, text: str) -> None:
        assert self.process.stdout is not None
        seen = []
        for line in self.process.stdout:
            seen.append(line)
            if text in line:
                return
        raise AssertionError(f"'{text}' did not come: {''.join(seen)}")

    def children(self) -> list[int]:
        """The processes of its pcpus, in order."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in path.read_text().split()]

    def end(self, number: signal.Signals | None = None) -> Result:
        if number is not None:
            self.process.send_signal(number)
        out, err = self.process.communicate(timeout=PROCESS)
        return Result(self.process.returncode, out, err)


def gone(pids: list[int], seconds: float = ANSWER) -> bool:
    """Whether all these processes have ended, or do within so many seconds."""
    deadline = time.monotonic() + seconds
    while any(_alive(pid) for pid in pids):
        if time.monotonic() > deadline:
            return False
        os.sched_yield()
    return True


def _alive(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    return not re.search(r"^State:\s+Z", status, re.MULTILINE)
