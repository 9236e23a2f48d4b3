"""Runs while another process kicks every core at random moments: what a busy host does, at its worst."""

from __future__ import annotations

import json
import mmap
import os
import random
import subprocess
import time
from pathlib import Path
from typing import Any

from baonet.core import _node
from tests.core.kicks import another_process
from tests.patience import LIMIT, PROCESS
from tests.system.machine import COMMAND, Result, write
from tests.system.virtual import Virtual, parsed

LONGEST = 40e-6
"""Seconds between two kicks, of any core."""
ENOUGH = 10
ATTEMPTS = 20


def slots_of(process: int) -> mmap.mmap | None:
    """Where the cores of a run are kicked; ``process`` is that of `baonet run`. None: there is no such memory yet."""
    for entry in Path(f"/proc/{process}/fd").iterdir():
        try:
            if os.readlink(entry).startswith("/memfd:baonet:slots"):
                with entry.open("r+b") as file:
                    return mmap.mmap(file.fileno(), 0)
        except FileNotFoundError:
            continue  # it was closed meanwhile
    return None


def _kick(process: int) -> None:
    """All cores of the run, until somebody ends this."""
    slots = None
    while slots is None:
        slots = slots_of(process)
    cores, moment = len(slots) // _node.SLOT_SIZE, random.Random()
    while True:
        _node.kick(slots, moment.randrange(cores))
        until = time.perf_counter() + moment.uniform(0, LONGEST)
        while time.perf_counter() < until:
            pass


def _kicked(directory: Path, machine: dict[str, Any], *options: str) -> tuple[Virtual, int]:
    """One run, and how many stays in a guest a kick ended."""
    statistics = directory / "statistics.json"
    command = [*COMMAND, "run", str(write(directory, machine)), "--timeout", LIMIT, "--clock", "virtual"]
    process = subprocess.Popen(
        [*command, "--stats", str(statistics), *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with another_process(lambda: _kick(process.pid)):
        out, err = process.communicate(timeout=PROCESS)
    result = parsed(Result(process.returncode, out, err))
    return result, sum(pcpu["exits_kicked"] for pcpu in json.loads(statistics.read_text())["pcpus"].values())


def kicked(directory: Path, machine: dict[str, Any], *options: str, placement: str = "one-process") -> Virtual:
    """Run a machine to its end in virtual time as ``tests.system.virtual.virtual`` does, and kick it all the while.

    A host that is busy lets few kicks through; it is run until there were enough, and must do the same each time.
    """
    first, kicks = _kicked(directory, machine, "--placement", placement, *options)
    for _ in range(ATTEMPTS):
        if kicks >= ENOUGH:
            return first
        again, more = _kicked(directory, machine, "--placement", placement, *options)
        assert again.digest == first.digest
        kicks += more
    raise AssertionError(f"{kicks} kicks in {ATTEMPTS} runs tell nothing")
