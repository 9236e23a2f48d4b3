"""What a benchmark is: what is run, and the figures that are read from each run."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.checkouts import Checkout
from benchmarks.goals import Goal
from benchmarks.targets import ARMV8, Target

SHELL_READY = "baonet: shell ready"


@dataclass(frozen=True, slots=True)
class Vm:
    """A guest: an ELF file, or a kernel Image with its initrd.

    ``script``: what its first process runs instead of a shell on the console.
    """

    image: Path
    cpus: int = 1
    initrd: Path | None = None
    command_line: str = ""
    memory_mib: int = 64
    script: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """What one run gave: ``end`` is when the text came that ended it, in seconds; ``memory`` then, in bytes, and
    what of it is ``private`` to a process.

    ``cpu_seconds`` are those of the whole command, ``work_seconds`` those up to that text, from the text with which the
    work begins if there is one.
    """

    output: str
    end: float
    cpu_seconds: float
    memory: int
    work_seconds: float = 0
    private: int = 0


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the table. ``read`` returns None where a run does not have the figure."""

    name: str
    unit: str
    read: Callable[[Run], float | None]
    goals: tuple[Goal, ...] = ()
    compare_with: str = ""  # name of the figure of QEMU that stands for the missing one


@dataclass(frozen=True, slots=True)
class Job:
    """A machine to start, the text whose appearance ends it, and its figures. QEMU runs one VM only.

    ``since``: the text with which the work begins, if that is not the start.
    """

    name: str
    vms: tuple[Vm, ...]
    until: str
    figures: tuple[Figure, ...]
    target: Target = ARMV8
    one_process: bool = False
    timeout: float = 60
    since: str = ""

    @property
    def linux(self) -> bool:
        """Needs what ``tests/guests/fetch`` fetches."""
        return any(vm.initrd for vm in self.vms)


def bench(name: str) -> Callable[[Run], float | None]:
    """Units per second of one line of the bench guest."""
    pattern = re.compile(rf"bench {name}: (\d+) \S+ (\d+) ns")

    def read(run: Run) -> float | None:
        found = pattern.search(run.output)
        return int(found[1]) * 1e9 / int(found[2]) if found else None

    return read


def median_per_second(guest: str) -> Callable[[Run], float | None]:
    """Median over the batches that the sgi and ping guests print."""
    pattern = re.compile(rf"{guest}: batch \d+: .* (\d+) per second")

    def read(run: Run) -> float | None:
        rates = [float(rate) for rate in pattern.findall(run.output)]
        return median(rates) if rates else None

    return read


def timer(field: int) -> Callable[[Run], float | None]:
    """Seconds; field 0 the least, 1 the median, ... of the timer guest's line."""
    pattern = re.compile(r"timer: latency \S+ (\d+)/(\d+)/(\d+)/(\d+)/(\d+) ns")

    def read(run: Run) -> float | None:
        found = pattern.search(run.output)
        return int(found[field + 1]) / 1e9 if found else None

    return read


def end(run: Run) -> float:
    return run.end


def memory(run: Run) -> float:
    return run.memory


def cpu(run: Run) -> float:
    return run.cpu_seconds


def work(run: Run) -> float:
    return run.work_seconds


@dataclass(frozen=True, slots=True)
class OwnFigure:
    """One row of what baonet alone does."""

    name: str
    unit: str
    goals: tuple[Goal, ...] = ()
    compare_with: str = ""


@dataclass(frozen=True, slots=True)
class OwnJob:
    """Work of another kind, which QEMU does not have.

    ``take`` has a checkout do it, and gives the figures by their names. It raises RunFailedError.
    """

    name: str
    figures: tuple[OwnFigure, ...]
    take: Callable[[Checkout], Mapping[str, float]]
    linux: bool = False


AnyJob = Job | OwnJob
AnyFigure = Figure | OwnFigure
