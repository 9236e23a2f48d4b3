"""The two that run a job: QEMU, with its guest at EL1 and no hypervisor, and baonet, by its command line."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Protocol

import yaml

from benchmarks.jobs import Job, Run, Vm
from benchmarks.process import run_until

QEMU = "qemu-system-aarch64"
QEMU_PACKAGE = "qemu-system-arm"
RAM_BASE = 0x40000000
IMAGE_BASE = 0x40200000
MAILBOX = 0x70000000
UART = 0x09000000
UART_INTID, IPC_INTID = 33, 84


class Emulator(Protocol):
    """What can run a job."""

    name: str

    def version(self) -> str: ...

    def can_run(self, job: Job) -> bool: ...

    def run(self, job: Job) -> Run:
        """Raises RunFailedError."""
        ...


class QemuMissingError(Exception):
    """QEMU is not there and cannot be installed."""


class Qemu:
    """``-M virt,gic-version=3 -cpu cortex-a53``: the machine whose addresses the guests are made for."""

    name = "QEMU"

    def __init__(self) -> None:
        self._path = shutil.which(QEMU) or self._install()

    @staticmethod
    def _install() -> str:
        advice = f"{QEMU} is not installed. On Debian or Ubuntu: apt-get install {QEMU_PACKAGE}"
        if os.geteuid() or not shutil.which("apt-get"):
            raise QemuMissingError(advice)
        print(f"installing {QEMU_PACKAGE} ...", file=sys.stderr, flush=True)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (
            ["apt-get", "-qq", "update"],
            ["apt-get", "-qq", "install", "--no-install-recommends", QEMU_PACKAGE],
        ):
            result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
            if result.returncode:
                raise QemuMissingError(f"{advice}\n{result.stderr.strip()}")
        found = shutil.which(QEMU)
        if not found:
            raise QemuMissingError(advice)
        return found

    def version(self) -> str:
        return subprocess.run(
            [self._path, "--version"], capture_output=True, text=True, check=True
        ).stdout.splitlines()[0]

    def can_run(self, job: Job) -> bool:
        return len(job.vms) == 1 and not job.one_process

    def run(self, job: Job) -> Run:
        (vm,) = job.vms
        command = [self._path, "-M", "virt,gic-version=3", "-cpu", "cortex-a53", "-smp", str(vm.cpus)]
        command += ["-m", str(vm.memory_mib), "-nographic", "-nodefaults", "-serial", "stdio", "-kernel", str(vm.image)]
        if vm.initrd:
            command += ["-initrd", str(vm.initrd), "-append", vm.command_line]
        return run_until(command, job.until, job.timeout, signal.SIGTERM)


class Baonet:
    """``baonet run`` on a machine file that is made for the job."""

    name = "baonet"

    def __init__(self) -> None:
        script = Path(sys.executable).parent / "baonet"
        self._command = [str(script)] if script.exists() else [sys.executable, "-m", "baonet.cli.main"]

    def version(self) -> str:
        made = [sys.executable, "-P", "-c", "from baonet.hyp import pcpu; print(pcpu.__file__)"]
        file = subprocess.run(made, capture_output=True, text=True, check=True).stdout.strip()
        return f"baonet by {' '.join(self._command)}, {'compiled' if file.endswith('.so') else 'not compiled'}"

    def can_run(self, job: Job) -> bool:
        return bool(job.vms)

    def run(self, job: Job) -> Run:
        with tempfile.TemporaryDirectory(prefix="baonet-benchmark-") as directory:
            machine = Path(directory) / f"{job.name}.yaml"
            machine.write_text(yaml.safe_dump(machine_file(job), sort_keys=False))
            placement = "one-process" if job.one_process else "process-per-cpu"
            command = [*self._command, "run", str(machine), "--timeout", f"{job.timeout:g}s", "--placement", placement]
            return run_until(command, job.until, job.timeout + 10, signal.SIGINT)


def machine_file(job: Job) -> dict[str, object]:
    """The machine of a job in the format of docs/configuration.md: the addresses are those of QEMU's ``virt``."""
    cpus = max(4, sum(vm.cpus for vm in job.vms))
    machine: dict[str, object] = {
        "version": 1,
        "platform": {"extends": "qemu-aarch64-virt", "cpus": cpus},
        "clock": {"mode": "host"},
    }
    if len(job.vms) > 1:
        machine["shared_memory"] = [{"name": "mailbox", "size": "64KiB"}]
    machine["vms"] = [_vm(number, vm, shares=len(job.vms) > 1) for number, vm in enumerate(job.vms)]
    return machine


def _vm(number: int, vm: Vm, *, shares: bool) -> dict[str, object]:
    uart: dict[str, object] = {"pa": UART, "va": UART, "size": "4KiB"}
    if number == 0:  # an interrupt belongs to one VM
        uart["interrupts"] = [UART_INTID]
    image: dict[str, object] = {"path": str(vm.image)}
    description: dict[str, object] = {
        "name": f"{vm.image.stem}-{number}",
        "image": image,
        "cpus": vm.cpus,
        "memory": [{"base": RAM_BASE, "size": f"{vm.memory_mib}MiB"}],
        "devices": [uart],
    }
    if vm.initrd:
        image["base"] = IMAGE_BASE
        description |= {
            "initrd": {"path": str(vm.initrd)},
            "command_line": vm.command_line,
            "device_tree": "auto",
        }
    if shares:
        description["ipcs"] = [
            {"base": MAILBOX, "size": "64KiB", "shared_memory": "mailbox", "interrupts": [IPC_INTID]}
        ]
    return description
