"""What baonet alone does: starts, studies, virtual time, and how much memory its CPUs take."""

from __future__ import annotations

import resource
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import yaml

from benchmarks import goals, machines
from benchmarks.checkouts import Checkout
from benchmarks.hosts.machines import alone
from benchmarks.job import OwnFigure, OwnJob
from benchmarks.process import RunFailedError, run_until
from benchmarks.targets import ARMV8, RISCV, Target

SECONDS: Final = 300
BATCHES, ROUND_TRIPS = 5, 2000
"""Of the guest `ping`."""
SPIN_SHORT, SPIN_LONG = 100, 1100
"""Virtual milliseconds of two CPUs together. The difference is without what starting costs."""
STUDY_SHORT, STUDY_LONG = 8, 48
"""Runs of a study."""
WARM: Final = """
import resource, sys, trio, baonet
async def once():
    async with baonet.open_run(machine, placement="one-process", threads=1) as run:
        await run.finished()
def spent():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
machine = baonet.load(sys.argv[1])
trio.run(once)
before = spent()
for _ in range(20):
    machine = baonet.load(sys.argv[1])
    trio.run(once)
print(f"warm: {(spent() - before) / 20}")
"""
"""A program that runs a machine again and again: CPU seconds of each time but the first."""


def _spent(checkout: Checkout, arguments: Sequence[str]) -> tuple[float, float, str]:
    """CPU seconds and seconds that a command takes, and what it says. Raises RunFailedError."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    try:
        done = subprocess.run(
            arguments, cwd=checkout.directory, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise RunFailedError(str(error)) from None
    if done.returncode:
        raise RunFailedError(f"{' '.join(arguments)}: status {done.returncode}\n{done.stderr[-800:]}")
    after, took = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() - began
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, took, done.stdout


class _Written:
    """A file in a directory of its own, which is gone afterwards."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="baonet-benchmark-")
        self._content = content

    def __enter__(self) -> Path:
        file = Path(self._directory.name) / "machine.yaml"
        file.write_text(yaml.safe_dump(dict(self._content)))
        return file

    def __exit__(self, *_: object) -> None:
        self._directory.cleanup()


def hello() -> dict[str, Any]:
    """The machine of configs/hello.yaml, with the guest of this checkout."""
    vm = {
        "name": "hello",
        "image": {"path": str(ARMV8.guests / "hello.elf")},
        "cpus": 1,
        "memory": [{"size": "64MiB"}],
        "devices": ["uart0"],
    }
    return {"version": 1, "platform": ARMV8.platform, "vms": [vm]}


def ping_pong(target: Target) -> dict[str, Any]:
    """As configs/ping-pong.yaml: two VMs of one CPU that answer each other."""
    ipcs = [{"base": 0x70000000, "size": "64KiB", "shared_memory": "mailbox", "interrupts": [target.ipc]}]
    vms = [
        {
            "name": name,
            "image": {"path": str(target.guests / f"{name}.elf")},
            **({"device_tree": "auto"} if target.tree else {}),
            "cpus": 1,
            "memory": [{"base": target.ram, "size": "16MiB"}],
            "devices": [{"pa": target.uart}],
            "ipcs": ipcs,
        }
        for name in ("ping", "pong")
    ]
    shared = [{"name": "mailbox", "size": "64KiB"}]
    return {"version": 1, "platform": target.platform, "shared_memory": shared, "vms": vms}


def start(checkout: Checkout) -> tuple[float, ...]:
    """CPU seconds up to the first output, and those of the whole command."""
    with _Written(hello()) as file:
        run = run_until(
            [*checkout.command, "run", str(file)], "hello: ", SECONDS, signal.SIGCONT, directory=checkout.directory
        )
        whole, _, _ = _spent(checkout, [*checkout.command, "run", str(file)])
    return run.work_seconds, whole


def warm(checkout: Checkout) -> tuple[float, ...]:
    python = checkout.command[0]
    with _Written(hello()) as file:
        _, _, said = _spent(checkout, [python, "-c", WARM, str(file)])
    return (float(said.split("warm: ")[1]),)


def demo(checkout: Checkout) -> tuple[float, ...]:
    """What ``make demo`` runs."""
    with _Written(ping_pong(ARMV8)) as file:
        spent, took, _ = _spent(checkout, [*checkout.command, "run", str(file), "--timeout", "60s"])
    return took, spent


def round_trip(target: Target, checkout: Checkout) -> tuple[float, ...]:
    """CPU seconds of an IPC round trip in virtual time: of all batches but the first."""
    with _Written(ping_pong(target)) as file:
        command = [*checkout.command, "run", str(file), "--placement", "one-process"]
        run = run_until(
            command, f"batch {BATCHES}", SECONDS, signal.SIGINT, since="batch 1", directory=checkout.directory
        )
    return (run.work_seconds / ((BATCHES - 1) * ROUND_TRIPS),)


def turn(checkout: Checkout) -> tuple[float, ...]:
    """What a turn of one of two busy CPUs costs at windows of 1 us, beyond the emulation, as it is at 1 ms."""

    def spent(file: Path, window: str, milliseconds: int) -> float:
        options = ["--placement", "one-process", "--threads", "1", "--set", f"clock.window={window}"]
        each = f"{milliseconds * 1000 // 2}us"
        return _spent(checkout, [*checkout.command, "run", str(file), *options, "--for", each])[0]

    with _Written(machines.joined("spin", [1, 1])) as file:
        short, long = (spent(file, window, SPIN_LONG) - spent(file, window, SPIN_SHORT) for window in ("1us", "1ms"))
    return ((short - long) / ((SPIN_LONG - SPIN_SHORT) * 1000),)


def u_boot(cache: Path, target: Target, checkout: Checkout) -> tuple[float, ...]:
    """CPU seconds to the prompt in virtual time; what it waits for a key is 2 s of it."""
    with _Written(machines.u_boot(cache, target)) as file:
        command = [*checkout.command, "run", str(file), "--until", "=> ", "--placement", "one-process"]
        return (_spent(checkout, command)[0],)


def study(checkout: Checkout) -> tuple[float, ...]:
    """Short runs a CPU second: of those that a long study has more than a short one."""

    def spent(directory: Path, runs: int) -> float:
        windows = [f"{number}us" for number in range(10, 10 + runs)]
        file = directory / "study.yaml"
        content = {
            "version": 1,
            "title": "short runs",
            "machine": "machine.yaml",
            "sweep": {"clock.window": windows},
            "metrics": [{"console": r"MIDR 0x([0-9a-f]+)", "name": "identity"}],
        }
        file.write_text(yaml.safe_dump(content))
        results = ["-o", str(directory / f"{runs}.sqlite"), "--jobs", "2"]
        return _spent(checkout, [*checkout.command, "study", str(file), *results])[0]

    with _Written(hello()) as machine:
        more = spent(machine.parent, STUDY_LONG) - spent(machine.parent, STUDY_SHORT)
    return ((STUDY_LONG - STUDY_SHORT) / more,)


def _started(checkout: Checkout, vms: int, *options: str) -> tuple[float, int, int]:
    """Seconds until all VMs, of a CPU each, have said something; and the memory then, whole and private."""
    with _Written(alone("spin", vms)) as file:
        command = [*checkout.command, "run", str(file), *options]
        run = run_until(command, "spin: 1 vCPU", SECONDS, signal.SIGINT, directory=checkout.directory, times=vms)
    return run.end, run.memory, run.private


def of_a_pcpu(checkout: Checkout) -> tuple[float, ...]:
    """Private bytes that a pcpu more takes, in one process and in one of its own."""
    few, many = 2, 10
    found = []
    for placement in ("one-process", "process-per-cpu"):
        options = ("--clock", "host", "--placement", placement)
        (_, _, less), (_, _, more) = (_started(checkout, vms, *options) for vms in (few, many))
        found.append((more - less) / (many - few))
    return tuple(found)


def most(checkout: Checkout) -> tuple[float, ...]:
    """256 VMs of a CPU each, in virtual time and one process."""
    took, memory, _ = _started(checkout, 256, "--placement", "one-process")
    return took, memory


def _job(take: Callable[[Checkout], tuple[float, ...]], name: str, *figures: OwnFigure, linux: bool = False) -> OwnJob:
    def named(checkout: Checkout) -> Mapping[str, float]:
        return dict(zip([figure.name for figure in figures], take(checkout), strict=True))

    return OwnJob(name, figures, named, linux)


def own_jobs(cache: Path) -> tuple[OwnJob, ...]:
    def most_seconds(name: str, most: float | None = None) -> OwnFigure:
        return OwnFigure(name, "s", () if most is None else (goals.at_most(most, "s"),))

    def most_bytes(name: str, most: float) -> OwnFigure:
        return OwnFigure(name, "B", (goals.at_most(most, "B"),))

    first, whole = "start: CPU time to the first output", "start: CPU time of a whole short run"
    return (
        _job(start, "start", most_seconds(first, 0.1), most_seconds(whole)),
        _job(warm, "warm", most_seconds("start: CPU time of a run in a warm process", 0.04)),
        _job(demo, "demo", most_seconds("demo", 0.4), most_seconds("demo: CPU time")),
        _job(study, "study", OwnFigure("study: short runs a CPU second", "/s", (goals.at_least(25, "/s"),))),
        _job(turn, "turn", most_seconds("virtual time: a turn, CPU time", 0.5e-6)),
        *(
            _job(
                partial(round_trip, target),
                f"{target.jobs}round-trip",
                most_seconds(f"{target.figures}virtual time: IPC round trip, CPU time", 12e-6),
            )
            for target in (ARMV8, RISCV)
        ),
        *(
            _job(
                partial(u_boot, cache, target),
                f"{target.jobs}u-boot",
                most_seconds(f"{target.figures}virtual time: U-Boot to its prompt, CPU time", 1.5),
                linux=True,
            )
            for target in (ARMV8, RISCV)
        ),
        _job(
            of_a_pcpu,
            "pcpu",
            most_bytes("memory of a pcpu, one process", 1.5e6),
            most_bytes("memory of a pcpu, own process", 3e6),
        ),
        _job(most, "most", most_seconds("256 pcpus: start", 3), most_bytes("256 pcpus: memory", 1 << 30)),
    )
