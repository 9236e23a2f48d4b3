"""The command line: exit statuses, signals, errors, and that nothing is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.patience import PROCESS
from tests.system.machine import COMMAND, Background, baonet, gone, pair, run, vm, write
from tests.system.virtual import islands

ENDINGS = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143), (signal.SIGQUIT, 143)]


def idle() -> dict[str, object]:
    """A machine that waits for input for ever."""
    return {"vms": [vm("echo")]}


def test_until_ends_the_run(tmp_path: Path) -> None:
    result = run(tmp_path, idle(), "--until", "type a line")
    assert (result.status, result.err) == (0, "")


def test_timeout(tmp_path: Path) -> None:
    result = baonet("run", write(tmp_path, idle()), "--timeout", "500ms")
    assert result.status == 4
    assert result.err.startswith("baonet: timeout after 0.5 s: echo running\n")


@pytest.mark.parametrize(("number", "status"), ENDINGS)
def test_signals(tmp_path: Path, number: signal.Signals, status: int) -> None:
    running = Background(tmp_path, idle())
    running.wait_for("type a line")
    children = running.children()
    assert len(children) == 1
    assert running.end(number).status == status
    assert gone(children)


@pytest.mark.parametrize(("number", "status"), ENDINGS)
@pytest.mark.parametrize("options", [[], ["--clock", "virtual", "--placement", "process-per-cpu"]])
def test_a_signal_to_the_whole_group_is_the_users_not_a_cpus_death(
    tmp_path: Path, number: signal.Signals, status: int, options: list[str]
) -> None:
    running = Background(tmp_path, {"vms": [vm("flood-forever", cpus=2)]}, *options, start_new_session=True)
    running.wait_for("line 5")
    children = running.children()
    assert len(children) == 2
    os.killpg(running.process.pid, number)
    result = running.end()
    assert result.status == status
    assert "killed" not in result.err
    assert gone(children)


def test_ctrl_c_while_modules_are_loaded_leaves_no_traceback() -> None:
    code = (
        "import builtins, os, signal, sys\n"
        "real = builtins.__import__\n"
        "def load(name, *rest):\n"
        "    if name == 'yaml': os.kill(os.getpid(), signal.SIGINT)\n"
        "    return real(name, *rest)\n"
        "builtins.__import__ = load\n"
        "from baonet.cli.main import main\n"
        "sys.exit(main(['check', 'x']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PROCESS, check=False)
    assert (done.returncode, done.stderr) == (130, "baonet: ended by SIGINT\n")


@pytest.mark.parametrize("count", [1, 2, 4])
def test_ctrl_c_while_it_starts_is_not_lost(tmp_path: Path, count: int) -> None:
    running = Background(tmp_path, {"vms": [vm("echo", cpus=4)]})
    deadline = time.monotonic() + 30
    while len(children := running.children()) < count:
        assert time.monotonic() < deadline
    result = running.end(signal.SIGINT)
    assert result.status == 130
    said = [line for line in result.err.splitlines() if not line.startswith(("VM 'echo' (vm 0), vcpu ", "  "))]
    assert said == ["baonet: ended by SIGINT"], "nothing but how the guest was, if it had started"
    assert gone(children)


def test_a_killed_cpu_takes_its_vm_down_and_no_other(tmp_path: Path) -> None:
    machine = {"vms": [vm("echo", cpus=2), vm("timer", devices=[{"pa": 0x09000000, "va": 0x09000000, "size": 0x1000}])]}
    running = Background(tmp_path, machine)
    running.wait_for("type a line")
    children = running.children()
    os.kill(children[1], signal.SIGKILL)
    result = running.end()
    assert result.status == 1
    assert "baonet: pcpu 1 (VM 'echo', vcpu 1) was killed by SIGKILL" in result.err
    assert "timer: done" in result.out
    assert gone(children)


def test_a_killed_agent_leaves_no_cpu(tmp_path: Path) -> None:
    running = Background(tmp_path, {"vms": [vm("echo", cpus=2)]})
    running.wait_for("type a line")
    children = running.children()
    assert len(children) == 2
    running.end(signal.SIGKILL)
    assert gone(children)


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    def traces() -> set[str]:
        places = [Path("/dev/shm"), Path("/tmp")]
        found = {str(path) for place in places for path in place.iterdir() if "baonet" in path.name}
        return found | {
            line.split()[-1] for line in Path("/proc/net/unix").read_text().splitlines() if "baonet" in line
        }

    before = traces()
    assert run(tmp_path, pair()).status == 0
    assert traces() == before


def test_an_output_that_nobody_reads_is_no_error(tmp_path: Path) -> None:
    file = write(tmp_path, {"vms": [vm("hello")]})
    line = f"{' '.join(COMMAND)} run {file} | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=PROCESS, check=False)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["run", "check"])
def test_a_wrong_file_is_told_with_its_place(tmp_path: Path, command: str) -> None:
    file = write(tmp_path, {"vms": [vm("hello", cpuss=2)]})
    result = baonet(command, file)
    assert result.status == 2
    assert "machine.yaml:" in result.err
    assert "cpuss" in result.err
    assert "cpus" in result.err
    assert "Traceback" not in result.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "no-such-file.yaml"),
        ("check", "no-such-file.yaml"),
        ("dtb", "no-such-file.yaml", "--vm", "x"),
        ("run",),
        ("walk",),
        ("run", "x.yaml", "--timeout", "soon"),
    ],
)
def test_a_wrong_command_line_is_one_clear_error(arguments: tuple[str, ...]) -> None:
    result = baonet(*arguments)
    assert result.status == 2
    assert result.err
    assert "Traceback" not in result.err


def test_an_unknown_vm_is_told_with_the_known_ones(tmp_path: Path) -> None:
    file = write(tmp_path, idle())
    for arguments in (("run", file, "--console", "nobody"), ("dtb", file, "--vm", "nobody")):
        result = baonet(*arguments)
        assert result.status == 2
        assert "there is no VM 'nobody': this machine has echo" in result.err


def test_check_shows_the_plan(tmp_path: Path) -> None:
    result = baonet("check", write(tmp_path, {"vms": [vm("smp", cpus=2)]}))
    assert result.status == 0
    assert "pcpu 0: smp vcpu 0, master\npcpu 1: smp vcpu 1\npcpu 2: powered down" in result.out


def test_statistics_that_cannot_be_written_are_told_before_the_run(tmp_path: Path) -> None:
    result = run(tmp_path, idle(), "--stats", str(tmp_path / "no" / "such" / "file"))
    assert result.status == 2
    assert "no/such" in result.err
    assert "Traceback" not in result.err


def test_help_version_schema_platforms_and_dtb(tmp_path: Path) -> None:
    usage = baonet("run", "--help").out
    assert "examples:" in usage
    assert "--threads N" in usage
    assert baonet("--version").out.startswith("baonet ")
    assert '"$defs"' in baonet("schema").out
    assert "qemu-aarch64-virt-gicv2: 4 CPUs" in baonet("platforms").out
    out = tmp_path / "out.dtb"
    assert baonet("dtb", write(tmp_path, idle()), "--vm", "echo", "-o", out).status == 0
    assert out.read_bytes()[:4] == b"\xd0\x0d\xfe\xed"


def test_a_run_on_no_thread_is_refused(tmp_path: Path) -> None:
    result = run(tmp_path, {"vms": [vm("hello")]}, "--threads", "0")
    assert result.status == 2
    assert result.err.endswith("argument --threads: '0' is no whole number from 1 on\n")


def test_threads_are_shared_out_among_islands(tmp_path: Path) -> None:
    for machine, told in (({"vms": [vm("smp", cpus=2)]}, "3 threads"), (islands(), "1 thread")):
        result = run(tmp_path, machine, "--for", "1ms", "--clock", "virtual", "--threads", "3", "-v")
        assert f"baonet: INFO: guests of an island run on {told} at most\n" in result.err


@pytest.mark.parametrize(
    "option", [["--for", "1ms"], ["--input", "x.yaml"], ["--record", "x.yaml"], ["--threads", "2"]]
)
def test_what_is_of_virtual_time_is_refused_in_host_time(tmp_path: Path, option: list[str]) -> None:
    result = run(tmp_path, {"vms": [vm("hello")]}, *option)
    assert result.status == 2
    assert result.err == f"baonet run: {option[0]} is of virtual time: give --clock virtual with it\n"


def test_a_placement_that_the_clock_does_not_have_is_refused(tmp_path: Path) -> None:
    result = run(tmp_path, {"vms": [vm("hello")]}, "--placement", "process-per-vm")
    assert result.status == 2
    assert "process-per-vm needs the virtual clock" in result.err
