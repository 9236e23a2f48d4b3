"""The benchmarks' reading and arithmetic, and that what they start is valid; nothing is measured."""

from __future__ import annotations

import gzip
import os
import re
import signal
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import yaml

from baonet.cli.common import load_machine
from benchmarks import goals, islands, machines, own, studies
from benchmarks.checkouts import Checkout, NoCheckoutError, another
from benchmarks.emulators import Baonet, machine_file, scripted
from benchmarks.job import AnyJob, Figure, Job, OwnFigure, OwnJob, Run, Vm
from benchmarks.jobs import PLIC, REGISTERS, all_jobs, wanted
from benchmarks.process import RunFailedError, cpu_of_tree, run_until
from benchmarks.report import Row, table
from benchmarks.targets import ARMV8, RISCV, Target
from benchmarks.units import scaled

OUTPUT = """bench: start
bench int-loop: 2000000000 insns 500000000 ns
bench copy: 541065216 bytes 1000000000 ns
sgi: batch 1: 2000 round trips in 100 ns, 10 per second
sgi: batch 2: 2000 round trips in 100 ns, 30 per second
sgi: batch 3: 2000 round trips in 100 ns, 20 per second
bench gicd-isenabler-write: 1000 writes 500000 ns
bench plic-enable-read: 1000 reads 1000000 ns
bench matrix: 500 products 250000000 ns
timer: latency min/p50/p90/p99/max 1000/2000/3000/4000/5000 ns, 0 periods missed
"""


@pytest.fixture
def jobs(tmp_path: Path) -> tuple[AnyJob, ...]:
    for target in (ARMV8, RISCV):
        for name in (target.kernel, target.initrd):
            (tmp_path / name).write_bytes(bytes(4096))
    return all_jobs(tmp_path)


def test_figures_are_read_from_what_guests_print(jobs: tuple[AnyJob, ...]) -> None:
    run = Run(OUTPUT, 1.5, 2.5, 4096)
    figures = {figure.name: figure.read(run) for job in jobs if isinstance(job, Job) for figure in job.figures}
    assert figures["integer loop"] == 4e9
    assert figures["copy 4 MiB"] == 541065216
    assert figures["SGI ping-pong"] == 20
    assert figures["IPC ping-pong"] is None
    assert figures["timer latency, p50"] == pytest.approx(2e-6)
    assert figures["Linux, 1 vCPU: shell"] == figures["RISC-V: Linux, 1 vCPU: shell"] == 1.5
    assert figures["RISC-V: integer loop"] == 4e9
    assert figures["GICD: ISENABLER write"] == 2e6
    assert figures["RISC-V: PLIC: enable read"] == 1e6
    assert figures["FP matrix product"] == 2000


def test_figures_have_names_of_their_own(jobs: tuple[AnyJob, ...]) -> None:
    names = [figure.name for job in jobs for figure in job.figures]
    assert len(names) == len(set(names))
    assert all(figure.compare_with in ("", *names) for job in jobs for figure in job.figures)


def test_machine_files_are_valid(jobs: tuple[AnyJob, ...], tmp_path: Path) -> None:
    for job in (job for job in jobs if isinstance(job, Job)):
        file = tmp_path / f"{job.name}.yaml"
        file.write_text(yaml.safe_dump(machine_file(job)))
        machine = load_machine(str(file))
        assert machine is not None, job.name
        assert [vm.cpus for vm in machine.vms] == [vm.cpus for vm in job.vms]


@pytest.mark.parametrize("target", [ARMV8, RISCV], ids=lambda target: target.name)
def test_machines_of_what_baonet_alone_does_are_valid(target: Target, tmp_path: Path) -> None:
    (tmp_path / target.u_boot).write_bytes(bytes(4096))
    made = (own.hello(), own.ping_pong(target), machines.u_boot(tmp_path, target), machines.joined("spin", [1, 1]))
    for number, content in enumerate(made):
        file = tmp_path / f"{number}.yaml"
        file.write_text(yaml.safe_dump(content))
        assert load_machine(str(file)) is not None


def test_every_register_that_the_guests_measure_has_a_row(jobs: tuple[AnyJob, ...]) -> None:
    lines = {
        f"{controller}: {register}".lower().replace(": ", "-").replace(" ", "-")
        for controller, registers in {**REGISTERS, "PLIC": PLIC}.items()
        for register in registers
    }
    measured: set[str] = set()
    for target in (ARMV8, RISCV):
        data = (target.guests / "bench-irqc.elf").read_bytes()
        measured |= {text.decode() for text in re.findall(rb"((?:gic[dr]|plic)-[a-z]+(?:-read|-write))", data)}
    assert measured - {"gicd-read", "plic-read"} == lines


def test_a_script_comes_behind_the_archive_of_a_kernel(tmp_path: Path) -> None:
    initrd = tmp_path / "initrd.gz"
    initrd.write_bytes(b"the shell")
    with scripted(Vm(tmp_path / "kernel", initrd=initrd, command_line="quiet", script="echo done\n")) as vm:
        assert vm.initrd is not None
        data = vm.initrd.read_bytes()
        assert data.startswith(b"the shell")
        assert b"echo done\n" in gzip.decompress(data.removeprefix(b"the shell"))
        assert vm.command_line == "quiet rdinit=/work"
    assert not vm.initrd.exists()


def test_what_baonet_alone_does_is_asked_of_a_checkout() -> None:
    def take(checkout: Checkout) -> dict[str, float]:
        return {"figure": float(len(checkout.options))}

    job = OwnJob("own", (OwnFigure("figure", "s"),), take)
    other = Baonet(Checkout("before", (sys.executable,), Path(), ("--threads", "1")))
    assert other.can_run(job)
    assert other.run(job) == {"figure": 2.0}


def test_goals_relative_to_bao_become_relative_to_qemu() -> None:
    goal = goals.at_least_bao(2.0, goals.Reference(qemu=100, bao=25))
    assert goal.met(50, 100) is True
    assert goal.met(49, 100) is False
    assert goal.met(50, None) is None
    assert goals.at_most(0.6, "s").met(0.5, None) is True
    assert goals.at_most_qemu(1.2).met(1.3, 1.0) is False


def test_only_takes_jobs_by_the_start_of_their_name(jobs: tuple[AnyJob, ...]) -> None:
    assert [job.name for job in wanted(jobs, ["sgi", "linux-2"])] == ["sgi", "sgi-one-process", "linux-2"]
    assert [job.name for job in wanted(jobs, ["GICR: ISENABLER", "256 pcpus"])] == ["registers", "most"]
    assert wanted(jobs, []) == jobs
    with pytest.raises(ValueError, match="no benchmark 'coffee'"):
        wanted(jobs, ["coffee"])


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (3.28e9, "insn/s", "3280 MIPS"),
        (67_800, "/s", "67.8 k/s"),
        (946e6, "B/s", "946 MB/s"),
        (0.0352, "s", "35.2 ms"),
        (1.94, "s", "1.94 s"),
        (12, "/s", "12 /s"),
        (5e-7, "s", "500 ns"),
    ],
)
def test_figures_have_three_digits(value: float, unit: str, text: str) -> None:
    assert scaled(value, unit) == text


def test_table_says_what_is_missed_and_what_stands_for_a_missing_peer(jobs: tuple[AnyJob, ...]) -> None:
    rows = [Row(figure) for job in jobs for figure in job.figures]
    by_name = {row.figure.name: row for row in rows}
    by_name["integer loop"].samples = {"baonet": [1e9, 3e9, 2e9], "QEMU": [4e9]}
    by_name["SGI ping-pong"].samples = {"QEMU": [60_000]}
    by_name["IPC ping-pong, one process"].samples = {"baonet": [40_000]}
    lines = table(rows, "baonet", "QEMU").splitlines()
    (missed,) = (line for line in lines if line.startswith("integer loop"))
    assert "2000 MIPS [1000..3000]" in missed
    assert "0.50" in missed
    assert missed.endswith("MISSED")
    (stands,) = (line for line in lines if line.startswith("IPC ping-pong, one process"))
    assert "(0.67)" in stands
    assert stands.endswith("met")


def test_table_sets_another_baonet_beside_ours() -> None:
    rows = [Row(Figure("loop", "/s", lambda run: None, (goals.at_least(10, "/s"), goals.at_least_qemu(1.0))))]
    rows[0].samples = {"baonet": [30.0], "v1": [20.0], "QEMU": [60.0]}
    head, line, second = table(rows, "baonet", "QEMU", "v1").splitlines()
    assert head.split()[:6] == ["work", "v1", "baonet", "/", "v1", "QEMU"]
    assert line.split()[1:7] == ["20", "/s", "30", "/s", "1.50", "60"]
    assert line.endswith("met")
    assert second.endswith("MISSED")


def test_work_counts_from_the_text_with_which_it_begins() -> None:
    busy = "import time\ndef spend(s):\n while time.process_time() < s: pass\n"
    said = "spend(0.1); print('begins', flush=True); spend(0.15); print('ends', flush=True); time.sleep(60)"
    program = [sys.executable, "-c", busy + said]
    whole = run_until(program, "ends", 30, signal.SIGTERM)
    part = run_until(program, "ends", 30, signal.SIGTERM, since="begins")
    assert whole.work_seconds > 0.14
    assert part.work_seconds < 0.1
    assert part.private > 1_000_000


def test_children_that_have_ended_count() -> None:
    program = "import os\nif not os.fork():\n while os.times().user < 0.1: pass\n os._exit(0)\nos.wait()\nprint('over')"
    with subprocess.Popen([sys.executable, "-c", program + "\ninput()"], stdin=-1, stdout=-1) as process:
        assert process.stdout
        process.stdout.readline()
        assert cpu_of_tree(process.pid) >= 0.1
        process.kill()


def test_run_ends_when_the_text_comes() -> None:
    program = "import time; print('one', flush=True); print('two', flush=True); time.sleep(60)"
    run = run_until([sys.executable, "-c", program], "two", 30, signal.SIGTERM)
    assert run.output.split() == ["one", "two"]
    assert 0 < run.end < 30
    assert run.memory > 1_000_000


def test_run_that_never_prints_the_text_tells_what_it_printed() -> None:
    with pytest.raises(RunFailedError, match="something else"):
        run_until([sys.executable, "-c", "print('something else')"], "two", 30, signal.SIGTERM)


@pytest.mark.parametrize("work", [work for work in islands.works() if not work.linux], ids=lambda work: work.name)
def test_machines_of_islands_are_valid(work: islands.Work, tmp_path: Path) -> None:
    file = tmp_path / "machine.yaml"
    file.write_text(yaml.safe_dump(work.machine()))
    assert load_machine(str(file)) is not None


def test_works_have_names_of_their_own() -> None:
    names = [work.name for work in islands.works()]
    assert len(names) == len(set(names))


def test_what_is_no_checkout_is_told(tmp_path: Path) -> None:
    with pytest.raises(NoCheckoutError, match=r"has no \.venv"):
        another(str(tmp_path))
    with pytest.raises(NoCheckoutError, match="neither a directory nor a commit"):
        another("no-such-commit")


@pytest.mark.parametrize("name", studies.READY)
def test_studies_are_swept_by_window(name: str) -> None:
    study = studies.swept(name, ("1us", "10us"))
    assert study["sweep"]["clock.window"] == ["1us", "10us"]
    assert Path(study["machine"]).is_file()
    assert "run.clock" not in study["sweep"]


def test_how_far_medians_are_apart() -> None:
    assert studies.spread({"1us": 100.0, "10us": 100.0}) == 0
    assert studies.spread({"1us": 100.0, "10us": 105.0}) == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("benchmark", "arguments", "told"),
    [
        ("benchmarks.__main__", ["--repeat", "0"], "'0' is no whole number from 1 on"),
        ("benchmarks.__main__", ["--json", "/no/such/dir/x"], "/no/such/dir/x: No such file or directory"),
        ("benchmarks.__main__", ["--peer", "--only", "start"], "QEMU does none of these"),
        ("benchmarks.__main__", ["--only", "nothing"], "no benchmark 'nothing'"),
        ("benchmarks.memory", ["--repeat", "-1"], "--repeat"),
        ("benchmarks.memory", ["--only", "nothing"], "no row has 'nothing' in its name"),
        ("benchmarks.islands", ["--only", "nothing"], "no row has 'nothing' in its name"),
        ("benchmarks.islands", ["--threads", "many"], "'many' is no whole number from 1 on"),
        ("benchmarks.virtual", ["--repeat", "0"], "'0' is no whole number from 1 on"),
        ("benchmarks.studies", ["--jobs", "0"], "'0' is no whole number from 1 on"),
        ("benchmarks.hosts.__main__", ["--repeat", "0"], "'0' is no whole number from 1 on"),
        ("benchmarks.hosts.__main__", ["--json", "/no/such/dir/x"], "/no/such/dir/x: No such file or directory"),
    ],
)
def test_what_would_measure_nothing_is_told_at_once(
    benchmark: str,
    arguments: list[str],
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", [benchmark, *arguments])
    try:
        status = import_module(benchmark).main()
    except SystemExit as ended:
        status = ended.code
    said = capsys.readouterr()
    assert (status, said.out) == (2, "")
    assert told in said.err


def test_a_list_that_nobody_reads_ends() -> None:
    """Who has read enough may be gone before or after the last line is written: here, before the first."""
    listing = [sys.executable, "-u", "-m", "benchmarks", "--list"]
    read = subprocess.run(listing, capture_output=True, check=True)
    assert read.stdout.startswith(b"bench\n")
    reader, writer = os.pipe()
    os.close(reader)
    try:
        unread = subprocess.run(listing, stdout=writer, stderr=subprocess.PIPE, check=False)
    finally:
        os.close(writer)
    assert unread.stderr == b""
    assert unread.returncode == -signal.SIGPIPE
