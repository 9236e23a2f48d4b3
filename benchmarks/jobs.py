"""What is measured: every row of the table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks import goals
from benchmarks.goals import Goal
from benchmarks.job import (
    SHELL_READY,
    AnyJob,
    Figure,
    Job,
    Vm,
    bench,
    cpu,
    end,
    median_per_second,
    memory,
    timer,
    work,
)
from benchmarks.own import own_jobs
from benchmarks.targets import ARMV8, RISCV, Target

REGISTERS = {
    "GICD": (
        *("CTLR read", "TYPER read", "ISENABLER read", "ISENABLER write", "ICENABLER write", "ISPENDR read"),
        *("ICPENDR write", "ISACTIVER read", "IPRIORITYR read", "IPRIORITYR write", "ICFGR read", "ICFGR write"),
        *("IROUTER read", "IROUTER write"),
    ),
    "GICR": (
        *("CTLR read", "TYPER read", "ISENABLER read", "ISENABLER write", "ICENABLER write", "ISPENDR read"),
        *("IPRIORITYR read", "IPRIORITYR write", "ICFGR read"),
    ),
}
PLIC = (
    *("priority read", "priority write", "pending read", "enable read", "enable write", "threshold read"),
    *("threshold write", "claim read", "complete write"),
)
FLOAT = {
    "matrix": "FP matrix product",
    "sqrt-div": "FP sqrt and division",
    "single": "FP matrix product, single",
    "convert": "FP conversion",
}
WORK_BEGINS, WORK_ENDS = "work begins", "work ends"
USERLAND = {
    "fork and exec": "i=0; while [ $i -lt 400 ]; do /bin/true; i=$((i+1)); done",
    "dd with a hash": "dd if=/dev/zero bs=64k count=480 2>/dev/null | sha256sum",
}


def _bench_figures() -> tuple[Figure, ...]:
    return (
        Figure("integer loop", "insn/s", bench("int-loop"), (goals.at_least_qemu(1.0),)),
        Figure("copy 4 MiB", "B/s", bench("copy"), (goals.at_least_qemu(1.0), goals.at_least_bao(1.0, goals.COPY))),
        Figure(
            "hypercall PSCI_VERSION",
            "/s",
            bench("hypercall"),
            (goals.at_least(4e6, "/s"), goals.at_least_bao(2.0, goals.HYPERCALL)),
        ),
        Figure(
            "GICD_CTLR read",
            "/s",
            bench("gicd-read"),
            (goals.at_least(2e6, "/s"), goals.at_least_bao(4.0, goals.GICD_READ)),
        ),
        Figure("UART FR read", "/s", bench("uart-read")),
        Figure("CNTVCT read", "/s", bench("counter-read")),
        Figure("SVC and return", "/s", bench("svc")),
        Figure("LL/SC increments, 1 vCPU", "/s", bench("llsc-1")),
        Figure("LL/SC increments, 2 vCPUs", "/s", bench("llsc-2"), (goals.at_least_bao(0.5, goals.LLSC_2),)),
    )


def _linux(target: Target, cpus: int, cache: Path, shell: tuple[Goal, ...], cost: tuple[Goal, ...] = ()) -> Job:
    vm = Vm(cache / target.kernel, cpus, cache / target.initrd, target.command_line, memory_mib=512)
    name = f"{target.figures}Linux, {cpus} vCPU"
    return Job(
        f"{target.jobs}linux-{cpus}",
        (vm,),
        SHELL_READY,
        (
            Figure(f"{name}: shell", "s", end, shell),
            Figure(f"{name}: CPU time", "s", cpu, cost),
            Figure(f"{name}: memory", "B", memory),
        ),
        target,
    )


def _armv8_linux(cpus: int, cache: Path) -> Job:
    bounds: tuple[Goal, ...] = (goals.at_most_bao(0.6, goals.LINUX[cpus]),) if cpus in goals.LINUX else ()
    if cpus == 1:
        bounds = (goals.at_most_qemu(1.2), *bounds)
    return _linux(ARMV8, cpus, cache, bounds, (goals.at_most_qemu(1.0),) if cpus >= 4 else ())


def _userland(target: Target, cache: Path) -> tuple[Job, ...]:
    """Work of one process after another in Linux, CPU seconds of the host."""
    jobs = []
    for name, command in USERLAND.items():
        script = f"echo '{WORK_BEGINS}'\n{command}\necho '{WORK_ENDS}'\nbusybox poweroff -f\n"
        vm = Vm(cache / target.kernel, 1, cache / target.initrd, target.command_line, memory_mib=512, script=script)
        figure = Figure(f"{target.figures}Linux: {name}, CPU time", "s", work, (goals.at_most_qemu(1.0),))
        short = name.split()[0]
        jobs.append(Job(f"{target.jobs}{short}", (vm,), WORK_ENDS, (figure,), target, since=WORK_BEGINS))
    return tuple(jobs)


def _float(target: Target) -> Job:
    figures = tuple(
        Figure(f"{target.figures}{name}", "/s", bench(line), (goals.at_least_qemu(1.0),))
        for line, name in FLOAT.items()
    )
    return Job(f"{target.jobs}float", (Vm(target.guests / "bench-float.elf"),), "bench-float: done", figures, target)


def _registers(target: Target, controllers: Mapping[str, Sequence[str]]) -> Job:
    """Those of the interrupt controller, one by one, and Bao's hypercall, which QEMU or its firmware refuses too."""
    figures = []
    for controller, registers in controllers.items():
        for register in registers:
            line = f"{controller} {register}".lower().replace(" ", "-")
            least = 1e6 if controller == "GICR" and register.endswith("read") else 2e6
            goal = goals.at_least(least, "/s")
            figures.append(Figure(f"{target.figures}{controller}: {register}", "/s", bench(line), (goal,)))
    figures.append(Figure(f"{target.figures}hypercall IPC", "/s", bench("ipc-call"), (goals.at_least(3e6, "/s"),)))
    image = Vm(target.guests / "bench-irqc.elf")
    return Job(f"{target.jobs}registers", (image,), "bench-irqc: done", tuple(figures), target)


def _riscv_jobs(cache: Path) -> tuple[Job, ...]:
    """On QEMU firmware answers the guest, here the hypervisor does."""
    figures = (
        Figure("RISC-V: integer loop", "insn/s", bench("int-loop"), (goals.at_least_qemu(1.0),)),
        Figure("RISC-V: copy 4 MiB", "B/s", bench("copy"), (goals.at_least_qemu(1.0),)),
        Figure("RISC-V: SBI base probe", "/s", bench("hypercall"), (goals.at_least(4 * goals.RISCV_SBI_PROBE, "/s"),)),
        Figure("RISC-V: time read", "/s", bench("counter-read")),
        Figure("RISC-V: PLIC priority read", "/s", bench("plic-read")),
        Figure("RISC-V: EBREAK and return", "/s", bench("ebreak")),
        Figure("RISC-V: LR/SC increments, 1 hart", "/s", bench("llsc-1")),
        Figure("RISC-V: AMO increments, 1 hart", "/s", bench("amo-1")),
        Figure("RISC-V: LR/SC increments, 2 harts", "/s", bench("llsc-2"), (goals.at_least_qemu(1.0),)),
        Figure("RISC-V: AMO increments, 2 harts", "/s", bench("amo-2"), (goals.at_least_qemu(1.0),)),
    )
    ipi = Figure("RISC-V: IPI ping-pong", "/s", median_per_second("sgi"), (goals.at_least(4 * goals.RISCV_IPI, "/s"),))
    return (
        Job("riscv-bench", (Vm(RISCV.guests / "bench.elf", 2),), "bench: done", figures, RISCV),
        Job("riscv-sgi", (Vm(RISCV.guests / "sgi.elf", 2),), "sgi: done", (ipi,), RISCV),
        *(_linux(RISCV, cpus, cache, (), (goals.at_most_qemu(1.0),)) for cpus in (1, 2, 4, 8)),
        *_userland(RISCV, cache),
        _registers(RISCV, {"PLIC": PLIC}),
        _float(RISCV),
    )


def all_jobs(cache: Path) -> tuple[AnyJob, ...]:
    """``cache`` holds the third-party guests."""

    def elf(name: str, cpus: int = 1) -> Vm:
        return Vm(ARMV8.guests / f"{name}.elf", cpus)

    sgi, ipc = median_per_second("sgi"), median_per_second("ping")
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
            (Figure("timer latency, p50", "s", timer(1)), Figure("timer latency, p99", "s", timer(3))),
        ),
        Job(
            "first-output",
            (elf("hello"),),
            "hello: ",
            (Figure("first output, 1 vCPU", "s", end, (goals.at_most(0.6, "s"),)),),
        ),
        Job(
            "first-output-8",
            (elf("hello", 8),),
            "hello: ",
            (Figure("first output, 8 vCPUs", "s", end, (goals.at_most(0.6, "s"),)),),
        ),
        Job("memory", (elf("timer"),), "timer: 1000 ticks", (Figure("memory, small guest", "B", memory),)),
        *(_armv8_linux(cpus, cache) for cpus in (1, 2, 4, 8)),
        *_userland(ARMV8, cache),
        _registers(ARMV8, REGISTERS),
        _float(ARMV8),
        *_riscv_jobs(cache),
        *own_jobs(cache),
    )


def wanted(jobs: Sequence[AnyJob], only: Sequence[str]) -> tuple[AnyJob, ...]:
    """Those whose name, or that of one of whose figures, starts with one of ``only``; all if that is empty.

    Raises ValueError for a name of none.
    """

    def named(job: AnyJob, prefix: str) -> bool:
        return any(name.startswith(prefix) for name in (job.name, *(figure.name for figure in job.figures)))

    for prefix in only:
        if not any(named(job, prefix) for job in jobs):
            raise ValueError(f"no benchmark '{prefix}': there are {', '.join(job.name for job in jobs)}")
    return tuple(job for job in jobs if not only or any(named(job, prefix) for prefix in only))
