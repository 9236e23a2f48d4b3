"""What is run, and the figures that are read from each run."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks import goals
from benchmarks.goals import Goal
from benchmarks.targets import ARMV8, RISCV, Target

SHELL_READY = "baonet: shell ready"


@dataclass(frozen=True, slots=True)
class Vm:
    """A guest: an ELF file, or a kernel Image with its initrd."""

    image: Path
    cpus: int = 1
    initrd: Path | None = None
    command_line: str = ""
    memory_mib: int = 64


@dataclass(frozen=True, slots=True)
class Run:
    """What one run gave: ``end`` is when the text came that ended it, in seconds; ``memory`` then, in bytes."""

    output: str
    end: float
    cpu_seconds: float
    memory: int


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
    """A machine to start, the text whose appearance ends it, and its figures. QEMU runs one VM only."""

    name: str
    vms: tuple[Vm, ...]
    until: str
    figures: tuple[Figure, ...]
    target: Target = ARMV8
    one_process: bool = False
    timeout: float = 60

    @property
    def linux(self) -> bool:
        """Needs what ``tests/guests/fetch`` fetches."""
        return any(vm.initrd for vm in self.vms)


def _bench(name: str) -> Callable[[Run], float | None]:
    """Units per second of one line of the bench guest."""
    pattern = re.compile(rf"bench {name}: (\d+) \S+ (\d+) ns")

    def read(run: Run) -> float | None:
        found = pattern.search(run.output)
        return int(found[1]) * 1e9 / int(found[2]) if found else None

    return read


def _median_per_second(guest: str) -> Callable[[Run], float | None]:
    """Median over the batches that the sgi and ping guests print."""
    pattern = re.compile(rf"{guest}: batch \d+: .* (\d+) per second")

    def read(run: Run) -> float | None:
        rates = [float(rate) for rate in pattern.findall(run.output)]
        return median(rates) if rates else None

    return read


def _timer(field: int) -> Callable[[Run], float | None]:
    """Seconds; field 0 the least, 1 the median, ... of the timer guest's line."""
    pattern = re.compile(r"timer: latency \S+ (\d+)/(\d+)/(\d+)/(\d+)/(\d+) ns")

    def read(run: Run) -> float | None:
        found = pattern.search(run.output)
        return int(found[field + 1]) / 1e9 if found else None

    return read


def _end(run: Run) -> float:
    return run.end


def _memory(run: Run) -> float:
    return run.memory


def _cpu(run: Run) -> float:
    return run.cpu_seconds


def _bench_figures() -> tuple[Figure, ...]:
    return (
        Figure("integer loop", "insn/s", _bench("int-loop"), (goals.at_least_qemu(1.0),)),
        Figure("copy 4 MiB", "B/s", _bench("copy"), (goals.at_least_bao(1.0, goals.COPY),)),
        Figure("hypercall PSCI_VERSION", "/s", _bench("hypercall"), (goals.at_least_bao(2.0, goals.HYPERCALL),)),
        Figure("GICD_CTLR read", "/s", _bench("gicd-read"), (goals.at_least_bao(4.0, goals.GICD_READ),)),
        Figure("UART FR read", "/s", _bench("uart-read")),
        Figure("CNTVCT read", "/s", _bench("counter-read")),
        Figure("SVC and return", "/s", _bench("svc")),
        Figure("LL/SC increments, 1 vCPU", "/s", _bench("llsc-1")),
        Figure("LL/SC increments, 2 vCPUs", "/s", _bench("llsc-2"), (goals.at_least_bao(0.5, goals.LLSC_2),)),
    )


def _linux(target: Target, cpus: int, cache: Path, shell: tuple[Goal, ...], cpu: tuple[Goal, ...] = ()) -> Job:
    vm = Vm(cache / target.kernel, cpus, cache / target.initrd, target.command_line, memory_mib=512)
    name = f"{target.figures}Linux, {cpus} vCPU"
    return Job(
        f"{target.jobs}linux-{cpus}",
        (vm,),
        SHELL_READY,
        (
            Figure(f"{name}: shell", "s", _end, shell),
            Figure(f"{name}: CPU time", "s", _cpu, cpu),
            Figure(f"{name}: memory", "B", _memory),
        ),
        target,
    )


def _armv8_linux(cpus: int, cache: Path) -> Job:
    bounds: tuple[Goal, ...] = (goals.at_most_bao(0.6, goals.LINUX[cpus]),)
    if cpus == 1:
        bounds = (goals.at_most_qemu(1.2), *bounds)
    return _linux(ARMV8, cpus, cache, bounds)


def _riscv_jobs(cache: Path) -> tuple[Job, ...]:
    """On QEMU firmware answers the guest, here the hypervisor does."""
    figures = (
        Figure("RISC-V: integer loop", "insn/s", _bench("int-loop"), (goals.at_least_qemu(1.0),)),
        Figure("RISC-V: copy 4 MiB", "B/s", _bench("copy")),
        Figure("RISC-V: SBI base probe", "/s", _bench("hypercall"), (goals.at_least(4 * goals.RISCV_SBI_PROBE, "/s"),)),
        Figure("RISC-V: time read", "/s", _bench("counter-read")),
        Figure("RISC-V: PLIC priority read", "/s", _bench("plic-read")),
        Figure("RISC-V: EBREAK and return", "/s", _bench("ebreak")),
        Figure("RISC-V: LR/SC increments, 1 hart", "/s", _bench("llsc-1")),
        Figure("RISC-V: LR/SC increments, 2 harts", "/s", _bench("llsc-2"), (goals.at_least_qemu(1.0),)),
        Figure("RISC-V: AMO increments, 2 harts", "/s", _bench("amo-2"), (goals.at_least_qemu(1.0),)),
    )
    ipi = Figure("RISC-V: IPI ping-pong", "/s", _median_per_second("sgi"), (goals.at_least(4 * goals.RISCV_IPI, "/s"),))
    return (
        Job("riscv-bench", (Vm(RISCV.guests / "bench.elf", 2),), "bench: done", figures, RISCV),
        Job("riscv-sgi", (Vm(RISCV.guests / "sgi.elf", 2),), "sgi: done", (ipi,), RISCV),
        *(_linux(RISCV, cpus, cache, (), (goals.at_most_qemu(1.0),)) for cpus in (1, 2, 4)),
    )


def all_jobs(cache: Path) -> tuple[Job, ...]:
    """``cache`` holds the third-party guests."""

    def elf(name: str, cpus: int = 1) -> Vm:
        return Vm(ARMV8.guests / f"{name}.elf", cpus)

    sgi, ipc = _median_per_second("sgi"), _median_per_second("ping")
    pair = (elf("ping"), elf("pong"))
    return (
        Job("bench", (elf("bench", 2),), "bench: done", _bench_figures()),
        Job("sgi", (elf("sgi", 2),), "sgi: done", (Figure("SGI ping-pong", "/s", sgi, (goals.at_least_qemu(0.6),)),)),
        Job(
            "sgi-one-process",
            (elf("sgi", 2),),
            "sgi: done",
            (Figure("SGI ping-pong, one process", "/s", sgi, (goals.at_least_bao(1.0, goals.SGI),), "SGI ping-pong"),),
            one_process=True,
        ),
        Job(
            "ipc",
            pair,
            "ping: done",
            (Figure("IPC ping-pong", "/s", ipc, (goals.at_least_qemu(0.5),), "SGI ping-pong"),),
        ),
        Job(
            "ipc-one-process",
            pair,
            "ping: done",
            (Figure("IPC ping-pong, one process", "/s", ipc, (goals.at_least_bao(1.0, goals.IPC),), "SGI ping-pong"),),
            one_process=True,
        ),
        Job(
            "timer",
            (elf("timer"),),
            "timer: done",
            (Figure("timer latency, p50", "s", _timer(1)), Figure("timer latency, p99", "s", _timer(3))),
        ),
        Job(
            "first-output",
            (elf("hello"),),
            "hello: ",
            (Figure("first output, 1 vCPU", "s", _end, (goals.at_most(0.6, "s"),)),),
        ),
        Job(
            "first-output-8",
            (elf("hello", 8),),
            "hello: ",
            (Figure("first output, 8 vCPUs", "s", _end, (goals.at_most(0.6, "s"),)),),
        ),
        Job("memory", (elf("timer"),), "timer: 1000 ticks", (Figure("memory, small guest", "B", _memory),)),
        *(_armv8_linux(cpus, cache) for cpus in (1, 2, 4)),
        *_riscv_jobs(cache),
    )


def wanted(jobs: tuple[Job, ...], only: list[str]) -> tuple[Job, ...]:
    """Jobs whose name starts with one of ``only``; all if that is empty. Raises ValueError for a name of none."""
    names: Mapping[str, Job] = {job.name: job for job in jobs}
    for prefix in only:
        if not any(name.startswith(prefix) for name in names):
            raise ValueError(f"no benchmark '{prefix}': there are {', '.join(names)}")
    return tuple(job for job in jobs if not only or any(job.name.startswith(prefix) for prefix in only))
