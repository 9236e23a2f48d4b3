"""What a process that runs guests has, and what becomes of one that does something else, as after an escape."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from tests.patience import LIMIT, PROCESS
from tests.system.hostile import RANDOM, SLEEP, hostile
from tests.system.machine import UART, Background, Result, run, vm, write
from tests.system.virtual import SECOND_UART, TWO_UARTS

VIRTUAL: Final = ["--clock", "virtual", "--threads", "4"]
RUNS: Final = {
    "pcpu": ["--clock", "host"],
    "conductor": VIRTUAL,
    "vm": [*VIRTUAL, "--placement", "process-per-vm"],
    "crew": [*VIRTUAL, "--placement", "process-per-cpu"],
}
PAGE: Final = 0x1000


def machine() -> dict[str, Any]:
    """Two VMs that share memory, one of them with two vCPUs; and one that shares nothing."""

    def ipc(name: str, interrupt: int) -> dict[str, Any]:
        return {"base": 0x70000000, "size": "64KiB", "shared_memory": name, "interrupts": [interrupt]}

    return {
        "platform": {"extends": "qemu-aarch64-virt", "devices": TWO_UARTS},
        "shared_memory": [{"name": name, "size": "64KiB"} for name in ("both", "mine", "unused")],
        "vms": [
            vm("flood-forever", "a", cpus=2, ipcs=[ipc("both", 84)]),
            vm("echo", "b", devices=[], ipcs=[ipc("both", 85)]),
            vm("flood-forever", "c", devices=SECOND_UART, ipcs=[ipc("mine", 86)]),
        ],
    }


ALONE: Final = {
    "a": {"a:0x40000000", "a:code", "a:translations", "both", "uart0"},
    "b": {"b:0x40000000", "b:code", "both"},
    "c": {"c:0x40000000", "c:code", "mine", "uart1"},
}
OWNED: Final = {
    # In virtual time: the tables of what several pcpus can reach of it, and the ledger of an island of several.
    "a": {"owners 0", "owners 3", "owners 5", "ledger 0"},
    "b": {"owners 0", "ledger 0"},
    "c": set[str](),
}
HAS: Final = {
    # By process: the VMs, the pcpus whose slots it has, those that it may kick, and its threads: of a conductor all
    # of the 4 but the one of the other island; of a crew one more, that does what is asked of its cores.
    "pcpu": [("a", 2, 1, 1), ("a", 2, 1, 1), ("b", 1, 2, 1), ("c", 1, 0, 1)],
    "conductor": [("ab", 3, 0, 3), ("c", 1, 0, 1)],
    "vm": [("a", 2, 0, 2), ("b", 1, 0, 2), ("c", 1, 0, 1)],
    "crew": [("a", 2, 0, 1), ("a", 2, 0, 2), ("b", 1, 0, 2), ("c", 1, 0, 1)],
}
RINGS: Final = {"a": 6 + 1 + 1, "b": 3 + 2 + 1, "c": 1}
"""Pages: all that come to its VM from the three of both; its own to the other VM; who is lost."""


@pytest.mark.parametrize("placement", RUNS)
def test_a_process_has_what_its_vms_need_and_nothing_else(tmp_path: Path, placement: str) -> None:
    options = [*RUNS[placement], "--trace", str(tmp_path / "trace"), "--stats", str(tmp_path / "stats")]
    running = Background(tmp_path, machine(), *options)
    running.wait_for("a | flood: vCPU 0, line 3")
    running.wait_for("c | flood: vCPU 0, line ")
    try:
        children = running.children()
        assert len(children) == len(HAS[placement])
        for pid, (vms, slots, kicks, threads) in zip(children, HAS[placement], strict=True):
            mapped = segments(pid)
            assert mapped.pop("slots") == PAGE * (2 * slots + kicks)
            assert mapped.pop("rings", 0) == (PAGE * RINGS[vms] if placement == "pcpu" else 0)
            owned = set() if placement == "pcpu" else set.union(*(OWNED[name] for name in vms))
            assert set(mapped) == owned.union(*(ALONE[name] for name in vms))
            opened = descriptors(pid)
            assert [opened.pop(number) for number in (0, 1)] == ["/dev/null"] * 2
            assert opened[2] != os.readlink(f"/proc/{running.process.pid}/fd/2")
            assert {kind.split(":")[0] + ":" for kind in opened.values()} == {"pipe:", "socket:", "anon_inode:"}
            assert len([kind for kind in opened.values() if kind.startswith("pipe:")]) == 1
            tasks = [(task / "status").read_text() for task in Path(f"/proc/{pid}/task").iterdir()]
            assert len(tasks) == threads
            assert all("Seccomp:\t2\n" in task and "NoNewPrivs:\t1\n" in task for task in tasks)
            status = Path(f"/proc/{pid}/status").read_text()
            (ignored,) = re.findall(r"^SigIgn:\t([0-9a-f]{16})$", status, re.MULTILINE)
            ends = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
            assert all(int(ignored, 16) & 1 << number - 1 for number in ends)
            assert "Max core file size        1 " in Path(f"/proc/{pid}/limits").read_text()
    finally:
        result = running.end(signal.SIGTERM)
    assert result.status == 143


def segments(pid: int) -> dict[str, int]:
    """The bytes that are mapped of each."""
    found: dict[str, int] = {}
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        if (named := re.search(r"^(\w+)-(\w+) \S+ .* /memfd:baonet:(.+) \(deleted\)$", line)) is not None:
            found[named[3]] = found.get(named[3], 0) + int(named[2], 16) - int(named[1], 16)
    return found


def descriptors(pid: int) -> dict[int, str]:
    return {int(number): os.readlink(f"/proc/{pid}/fd/{number}") for number in os.listdir(f"/proc/{pid}/fd")}


SABOTAGE: Final = """
import ctypes, gc, mmap, os, signal, socket, sys
from baonet.hyp.pcpu import Pcpu
from baonet.wire import messages as wire
from baonet.wire.port import SocketPort
from baonet.wire.ring_port import RingPort
def say(message, to_agent):
    for port in [each for each in gc.get_objects() if isinstance(each, (SocketPort, RingPort))]:
        for peer in port._sockets if isinstance(port, SocketPort) else port._peers:
            if (peer == wire.AGENT) == to_agent:
                port.send(peer, message)
libc = ctypes.CDLL(None)
agent = os.getpid()
deeds = {
    "connect": lambda: socket.socket(socket.AF_UNIX),
    "execve": lambda: os.execv("/bin/true", ["true"]),
    "fork": os.fork,
    "write": lambda: open(sys.argv[1] + "/written", "w"),
    "ptrace": lambda: libc.ptrace(16, agent, 0, 0),
    "kill": lambda: os.kill(agent, signal.SIGKILL),
    "code": lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC),
    "odd": lambda: libc.syscall(440),
    "handler": lambda: signal.signal(signal.SIGSYS, signal.SIG_IGN),
    "x32": lambda: libc.syscall(0x40000000),
    "read": lambda: open("/etc/passwd"),
    "raise": lambda: 1 // 0,
    "crash": lambda: ctypes.string_at(16),
    "abort": lambda: (os.write(2, b"assertion \\x1b]0;failed\\n"), os.abort()),
    "talk": lambda: os.write(2, b"nothing is wrong\\n"),
    "liar": lambda: say(wire.VmOff(0, "system_off"), True),
    "stopper": lambda: say(wire.Stop(), False),
    "puppet": lambda: say(wire.VmOff(0, "system_off"), False),
    "flood": lambda: (libc.write(2, b"x" * (1 << 18), 1 << 18), os.abort()),
}
real = Pcpu.start
def start(self):
    vm = self.vcpu.config
    if vm.name in deeds and self.vcpu.id == vm.cpus - 1:
        deeds[vm.name]()
    real(self)
Pcpu.start = start
from baonet.cli.main import main
sys.exit(main(["run", *sys.argv[2:]]))
"""
FILTERED: Final = {
    "connect": "socket (41)",
    "execve": "execve (59)",
    "fork": "clone (56)",
    "write": "openat (257)",
    "ptrace": "ptrace (101)",
    "kill": "kill (62)",
    "code": "mmap (9)",
    "odd": "number (440)",
}
DEEDS: Final = [*FILTERED, "handler", "x32", "read", "raise", "crash", "abort", "flood"]


def sabotaged(directory: Path, deeds: list[str], cpus: int, *options: str) -> Result:
    """Run a VM for each deed, whose last pcpu does it when it starts, and an honest one behind them."""
    small = {"cpus": cpus, "memory": [{"base": 0x40000000, "size": "1MiB"}], "devices": []}
    file = write(
        directory,
        {
            "platform": {"extends": "qemu-aarch64-virt", "cpus": cpus * len(deeds) + 1},
            "vms": [*(hostile(directory, deed, SLEEP, **small) for deed in deeds), vm("hello", devices=[UART])],
        },
    )
    command = [sys.executable, "-c", SABOTAGE, str(directory), str(file), "--timeout", LIMIT, *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PROCESS, check=False)
    return Result(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize(("role", "cpus"), [("pcpu", 1), ("conductor", 1), ("crew", 2)])
def test_a_process_that_does_what_it_never_needs_is_ended_and_the_others_go_on(
    tmp_path: Path, role: str, cpus: int
) -> None:
    result = sabotaged(tmp_path, DEEDS, cpus, *RUNS[role])
    assert result.status == 1
    assert "hello: done" in result.out
    assert not (tmp_path / "written").exists()
    said = result.err

    def line(deed: str, how: str) -> str:
        pcpu = DEEDS.index(deed) * cpus + cpus - 1
        return f"baonet: pcpu {pcpu} (VM '{deed}', vcpu {cpus - 1}) {how}\n"

    def wrote(deed: str) -> str:
        return f"baonet: pcpu {DEEDS.index(deed) * cpus + cpus - 1} wrote:\n"

    for deed, call in FILTERED.items():
        assert line(deed, f"was ended by its seccomp filter, for the system call {call}: see docs/security.md") in said
    for deed in ("handler", "x32"):
        assert line(deed, "was killed by SIGSYS") in said
    for deed in ("read", "raise"):
        assert line(deed, "ended with status 1") in said
    assert re.search(r"^PermissionError: \[Errno 1\] Operation not permitted: '/etc/passwd'$", said, re.MULTILINE)
    assert re.search(r"^ZeroDivisionError: ", said, re.MULTILINE)
    assert line("crash", "was killed by SIGSEGV") in said
    assert wrote("crash") + "Fatal Python error: Segmentation fault\n" in said
    assert re.search(r'^  File "<string>", line \d+ in start$', said, re.MULTILINE)
    assert line("abort", "was killed by SIGABRT") in said
    assert wrote("abort") + "assertion \\x1b]0;failed\n" in said
    assert wrote("flood") + "[...]\n" + "x" * 4096 + "\n" in said
    assert line("flood", "was killed by SIGABRT") in said, "a pipe that is full holds nobody up"


def deceived(directory: Path, deed: str, *options: str) -> Result:
    """Run a VM that waits for some ms of its time, and one that shares memory with it and does the deed."""
    shared: dict[str, Any] = {
        "ipcs": [{"base": 0x70000000, "size": "64KiB", "shared_memory": "both", "interrupts": [84]}]
    }
    file = write(
        directory,
        {
            "shared_memory": [{"name": "both", "size": "64KiB"}],
            "vms": [vm("timer", **shared), hostile(directory, deed, SLEEP, devices=[], **shared)],
        },
    )
    command = [sys.executable, "-c", SABOTAGE, str(directory), str(file), "--timeout", LIMIT, *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PROCESS, check=False)
    return Result(done.returncode, done.stdout, done.stderr)


def test_who_speaks_for_another_vm_is_ended_and_not_heard(tmp_path: Path) -> None:
    result = deceived(tmp_path, "liar", *RUNS["pcpu"])
    assert (result.status, "timer: done" in result.out) == (1, True)
    assert "baonet: pcpu 1 (VM 'liar', vcpu 0) has no say in what it told the agent: VmOff\n" in result.err


def test_a_pcpu_does_not_obey_its_peers(tmp_path: Path) -> None:
    result = deceived(tmp_path, "stopper", *RUNS["pcpu"], "--until", "timer: done")
    assert result.status == 0
    assert result.err == (
        "baonet: WARNING: pcpu 0: pcpu 1 does not keep to the protocol: Stop is not its to say; "
        "nothing that it says is taken any more\n"
    )


def test_a_crew_that_speaks_for_another_vm_ends_its_island(tmp_path: Path) -> None:
    result = deceived(tmp_path, "puppet", *RUNS["crew"])
    assert result.status == 1
    assert "ConnectionError: pcpu 1 has no say in what it told its conductor\n" in result.err


@pytest.mark.parametrize(("role", "cpus"), [("pcpu", 1), ("conductor", 1), ("crew", 2)])
def test_what_a_process_writes_is_told_though_it_ends_well(tmp_path: Path, role: str, cpus: int) -> None:
    file = write(tmp_path, {"vms": [vm("hello", "talk", cpus=cpus)]})
    command = [sys.executable, "-c", SABOTAGE, str(tmp_path), str(file), "--timeout", LIMIT, *RUNS[role]]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PROCESS, check=False)
    assert (done.returncode, "hello: done" in done.stdout) == (0, True)
    said = f"baonet: pcpu {cpus - 1} wrote:\nnothing is wrong\n"
    assert said in done.stderr
    assert "ended" not in done.stderr


def test_a_host_without_filters_is_told_once_and_runs(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "import baonet.launch.local as local\n"
        "local.missing = lambda: 'Function not implemented'\n"
        "from baonet.cli.main import main\n"
        "sys.exit(main(['run', sys.argv[1], '--timeout', '300s']))"
    )
    file = write(tmp_path, {"vms": [vm("hello", cpus=2)]})
    done = subprocess.run(
        [sys.executable, "-c", code, str(file)], capture_output=True, text=True, timeout=PROCESS, check=False
    )
    assert done.returncode == 0
    assert "hello: done" in done.stdout
    assert done.stderr == (
        "baonet: WARNING: no seccomp filters (Function not implemented): guests are confined less, "
        "see docs/security.md\n"
    )


@pytest.mark.parametrize("placement", RUNS)
def test_a_confined_guest_may_ask_for_random_numbers(tmp_path: Path, placement: str) -> None:
    """As Linux does when it starts. The library would open a file for them."""
    platform = {"extends": "qemu-aarch64-virt", "cpu_model": "max"}
    shared = [{key: value for key, value in UART.items() if key != "interrupts"}]
    made = {"platform": platform, "vms": [hostile(tmp_path, name, RANDOM, devices=shared) for name in "ab"]}
    result = run(tmp_path, made, *RUNS[placement])
    assert result.status == 0, result.err
