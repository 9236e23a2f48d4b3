"""Very many pcpus, on one host and on nodes that are processes of it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.hosts.machines import alone
from benchmarks.hosts.nodes import COMMAND, Run, written
from benchmarks.hosts.setting import HOST, VIRTUAL, Sample, Setting, Ways
from benchmarks.process import memory_of_tree

SECONDS = 300


def _started(vms: int, cpus: int, *options: str) -> Sample:
    """Until all VMs have said something, each from all its vCPUs; the memory is that of all processes then."""
    with tempfile.TemporaryDirectory(prefix="baonet-benchmark-") as directory:
        file = written(Path(directory), alone("spin", vms, cpus))
        with Run([*COMMAND, "run", str(file), *options], SECONDS) as run:
            said: set[str] = set()
            for moment, line in run.said():
                if f"spin: {cpus} vCPU" in line:
                    said.add(line.split()[0])
                if len(said) == vms:
                    return {"first output": moment - run.begin, "memory": memory_of_tree(run.pid)}
            raise run.failed(f"{len(said)} of {vms} VMs have said something")


@contextmanager
def many(setting: Setting) -> Iterator[Ways]:
    vms = 4 if setting.tiny else 256
    yield {
        "host's clock": lambda: _started(vms, 1, *HOST),
        "virtual time": lambda: _started(vms, 1, *VIRTUAL),
        "one process": lambda: _started(vms, 1, *VIRTUAL, "--placement", "one-process"),
    }


@contextmanager
def most(setting: Setting) -> Iterator[Ways]:
    vms, nodes = (4, 2) if setting.tiny else (250, 4)
    on = ("--on", f"local:{nodes}")
    yield {
        "host's clock": lambda: _started(vms, 4, *HOST, *on),
        "virtual time": lambda: _started(vms, 4, *VIRTUAL, *on),
    }
