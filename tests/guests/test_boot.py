"""Debian's kernels and U-Boot on whole machines, through the command that users type."""

from __future__ import annotations

import os
import re
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = [pytest.mark.guests, pytest.mark.timeout(600)]

GUESTS = Path(__file__).parents[2] / "examples" / "guests" / "bin"
UART = {"pa": 0x09000000, "va": 0x09000000, "size": 0x1000, "interrupts": [33]}
SECOND_UART = {"name": "uart1", "kind": "pl011", "pa": 0x09040000, "size": 0x1000, "interrupt": 40}
FIRST_UART = {"name": "uart0", "kind": "pl011", "pa": 0x09000000, "size": 0x1000, "interrupt": 33}


def linux(
    cache: Path,
    name: str = "linux",
    *,
    cpus: int,
    image: str = "linux-cloud.image",
    initrd: str = "initrd.cpio.gz",
) -> dict[str, Any]:
    return {
        "name": name,
        "image": {"path": str(cache / image), "base": 0x40200000},
        "initrd": {"path": str(cache / initrd)},
        "command_line": "console=ttyAMA0",
        "device_tree": "auto",
        "cpus": cpus,
        "memory": [{"base": 0x40000000, "size": "512MiB"}],
        "devices": [UART],
    }


class Running:
    """`baonet run`, its console read as it comes."""

    def __init__(self, tmp_path: Path, machine: dict[str, Any], *options: str) -> None:
        file = tmp_path / "machine.yaml"
        file.write_text(yaml.safe_dump({"version": 1, "platform": "qemu-aarch64-virt"} | machine))
        command = [sys.executable, "-m", "baonet.cli.main", "run", str(file), "--timeout", "200s", *options]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        self.text = ""

    def wait_for(self, wanted: str, seconds: float = 120) -> None:
        assert self.process.stdout is not None
        deadline, descriptor = time.monotonic() + seconds, self.process.stdout.fileno()
        start = len(self.text)
        while wanted not in self.text[start:]:
            ready, _, _ = select.select([descriptor], [], [], max(0, deadline - time.monotonic()))
            data = os.read(descriptor, 65536) if ready else b""
            assert data, f"'{wanted}' did not come; the console's end:\n{self.text[-3000:]}"
            self.text += data.decode(errors="replace")

    def type(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def end(self) -> int:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.text += self.process.stdout.read().decode(errors="replace")
        self.process.stdin.close()
        self.process.stdout.close()
        return self.process.wait(60)


@pytest.mark.parametrize("placement", ["process-per-cpu", "one-process"])
@pytest.mark.parametrize("cpus", [1, 2, 4])
def test_linux_to_a_shell_and_off(tmp_path: Path, guest_cache: Path, cpus: int, placement: str) -> None:
    run = Running(tmp_path, {"vms": [linux(guest_cache, cpus=cpus)]}, "--console", "linux", "--placement", placement)
    run.wait_for("shell ready")
    run.type("nproc; grep -c ^processor /proc/cpuinfo; cat /proc/interrupts; echo END-OF-$((6*7))")
    run.wait_for("END-OF-42")
    shown = run.text[run.text.rindex("shell ready") :]
    assert re.search(rf"\r?\n{cpus}\r?\n{cpus}\r?\n", shown), shown
    assert re.search(r"arch_timer", shown)
    assert re.search(r"GICv3\s+33\s+Level\s+uart-pl011", shown), shown
    run.type("poweroff")
    assert run.end() == 0, run.text[-2000:]
    assert not re.search(r"Oops|BUG:|WARNING:|rcu.*stall", run.text), run.text


def test_linux_on_a_16550(tmp_path: Path, guest_cache: Path) -> None:
    """Its driver finds out what there is, by loopback too, prints by interrupts, and SysRq begins with a break."""
    machine = {
        "platform": {"extends": "qemu-aarch64-virt", "devices": [FIRST_UART | {"kind": "16550"}]},
        "vms": [linux(guest_cache, cpus=1) | {"command_line": "console=ttyS0 sysrq_always_enabled"}],
        "input": [
            {"vm": "linux", "at": "2s", "text": "seq 1 3000 | tail -n 1; cat /proc/interrupts; echo END-OF-$((6*7))\n"},
            {"vm": "linux", "at": "3s", "break": True},
            {"vm": "linux", "at": "3001ms", "text": "b"},
        ],
    }
    run = Running(tmp_path, machine, "--for", "4s")
    assert run.end() == 0, run.text[-2000:]
    assert "is a 16550A" in run.text
    assert re.search(r"\n *(linux \| )?3000\r?\n", run.text)
    assert re.search(r"GICv3\s+33\s+Level\s+ttyS0", run.text), run.text[-2000:]
    assert "END-OF-42" in run.text
    assert "sysrq: Resetting" in run.text
    assert run.text.count("shell ready") == 2, "it has started again"


def test_a_32_bit_user_land(tmp_path: Path, guest_cache: Path) -> None:
    """Debian's armhf busybox under the arm64 kernel: processes, pipes, signals and timers of two CPUs."""
    vm = linux(guest_cache, cpus=2, initrd="initrd-armhf.cpio.gz")
    run = Running(tmp_path, {"vms": [vm]}, "--console", "linux")
    run.wait_for("shell ready")
    run.type(
        "head -c 5 /proc/self/exe | od -An -tx1; seq 1 3000 | sort -rn | head -n 1; usleep 20000 && echo SLEPT-$((6*7))"
    )
    run.wait_for("SLEPT-42")
    assert "7f 45 4c 46 01" in run.text, "an ELF file of 32 bits"
    assert re.search(r"\n3000\r?\n", run.text)
    run.type("sleep 60 & kill $!; for n in 1 2 3 4; do (seq 1 5000 | md5sum) & done; wait; echo END-OF-$((6*7))")
    run.wait_for("END-OF-42")
    assert len(set(re.findall(r"[0-9a-f]{32}  -", run.text))) == 1
    run.type("poweroff")
    assert run.end() == 0, run.text[-2000:]
    assert not re.search(r"Oops|BUG:|WARNING:|rcu.*stall|Segmentation|Illegal", run.text), run.text


def test_two_linux_side_by_side(tmp_path: Path, guest_cache: Path) -> None:
    second = linux(guest_cache, "second", cpus=1) | {
        "devices": [{"pa": 0x09040000, "va": 0x09000000, "size": 0x1000, "interrupts": [40]}]
    }
    machine = {
        "platform": {"extends": "qemu-aarch64-virt", "devices": [FIRST_UART, SECOND_UART]},
        "vms": [linux(guest_cache, "first", cpus=1), second],
    }
    run = Running(tmp_path, machine)
    run.wait_for("first  | baonet: shell ready")
    if "second | baonet: shell ready" not in run.text:
        run.wait_for("second | baonet: shell ready")
    run.process.terminate()
    assert run.end() == 143


def test_preempt_rt_beside_the_ordinary_kernel(tmp_path: Path, guest_cache: Path) -> None:
    ordinary = linux(guest_cache, "ordinary", cpus=1) | {
        "devices": [{"pa": 0x09040000, "va": 0x09000000, "size": 0x1000, "interrupts": [40]}]
    }
    machine = {
        "platform": {"extends": "qemu-aarch64-virt", "devices": [FIRST_UART, SECOND_UART]},
        "vms": [linux(guest_cache, "rt", cpus=2, image="linux-rt.image"), ordinary],
    }
    run = Running(tmp_path, machine, "--console", "rt")
    run.wait_for("PREEMPT_RT")
    run.wait_for("shell ready")
    run.type("cat /sys/kernel/realtime; echo END-OF-$((6*7))")
    run.wait_for("END-OF-42")
    assert re.search(r"\n1\r?\n", run.text[run.text.rindex("shell ready") :])
    run.process.terminate()
    assert run.end() == 143


def test_linux_beside_the_ping_pong_pair(tmp_path: Path, guest_cache: Path) -> None:
    def player(name: str) -> dict[str, Any]:
        return {
            "name": name,
            "image": {"path": str(GUESTS / f"{name}.elf")},
            "cpus": 1,
            "memory": [{"base": 0x40000000, "size": "16MiB"}],
            "devices": [{"pa": 0x09040000, "va": 0x09000000, "size": 0x1000}],
            "ipcs": [{"base": 0x70000000, "size": "64KiB", "shared_memory": "mailbox", "interrupts": [84]}],
        }

    machine = {
        "platform": {"extends": "qemu-aarch64-virt", "devices": [FIRST_UART, SECOND_UART]},
        "shared_memory": [{"name": "mailbox", "size": "64KiB"}],
        "vms": [linux(guest_cache, cpus=1), player("ping"), player("pong")],
    }
    run = Running(tmp_path, machine)
    run.wait_for("shell ready")
    if "pong: done" not in run.text:
        run.wait_for("pong: done")
    assert "answered 10000, 0 wrong" in run.text
    run.process.terminate()
    assert run.end() == 143


def test_u_boot_prompt_version_reset_and_off(tmp_path: Path, guest_cache: Path) -> None:
    vm = {
        "name": "uboot",
        "image": {"path": str(guest_cache / "u-boot.bin"), "base": 0},
        "device_tree": {"path": "auto", "base": 0x40000000},
        "cpus": 1,
        "memory": [{"base": 0x40000000, "size": "256MiB"}, {"base": 0, "size": "128MiB"}],
        "devices": [UART],
    }
    run = Running(tmp_path, {"vms": [vm]}, "--console", "uboot")
    for _ in range(2):
        run.wait_for("Hit any key")
        run.type("")
        run.wait_for("=> ")
        run.type("version")
        run.wait_for("GNU ld")
        if run.text.count("Hit any key") == 1:
            run.type("reset")
    run.type("poweroff")
    assert run.end() == 0
    assert run.text.count("U-Boot 20") >= 4
