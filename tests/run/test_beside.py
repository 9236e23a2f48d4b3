"""Machines that several threads of one program run at the same time, each on threads of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from textwrap import dedent

from tests.patience import PROCESS
from tests.system.machine import vm, write

PROGRAM = dedent(
    """
    import sys, threading
    import baonet, trio

    machine, digests = baonet.load(sys.argv[1], set={"clock.mode": "virtual", "clock.window": "100us"}), []

    async def run():
        async with baonet.open_run(machine, placement="one-process", threads=3, limit="10ms") as run:
            await run.finished()
        digests.append(run.outcome.digest)

    def work():
        for _ in range(8):
            trio.run(run)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(len(digests), len(set(digests)))
    """
)


def test_two_threads_run_machines_at_the_same_time(tmp_path: Path) -> None:
    file = write(tmp_path, {"vms": [vm("spin", cpus=4)]})
    command = [sys.executable, "-c", PROGRAM, str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PROCESS, check=False)
    assert (done.returncode, done.stdout) == (0, "16 1\n"), done.stderr
