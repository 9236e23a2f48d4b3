"""The two that run a job: QEMU, with its guest as a kernel and no hypervisor, and baonet, by its command line."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

import yaml

from benchmarks.jobs import Job, Run, Vm
from benchmarks.process import run_until
from benchmarks.targets import Target

MAILBOX = 0x70000000


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
    """The ``virt`` of each of the targets: the machines whose addresses the guests are made for."""

    name = "QEMU"

    def __init__(self, targets: Iterable[Target]) -> None:
        self._paths = {target: shutil.which(target.qemu) or self._install(target) for target in targets}

    @staticmethod
    def _install(target: Target) -> str:
        advice = f"{target.qemu} is not installed. On Debian or Ubuntu: apt-get install {target.package}"
        if os.geteuid() or not shutil.which("apt-get"):
            raise QemuMissingError(advice)
        print(f"installing {target.package} ...", file=sys.stderr, flush=True)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (
            ["apt-get", "-qq", "update"],
            ["apt-get", "-qq", "install", "--no-install-recommends", target.package],
        ):
            result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
            if result.returncode:
                raise QemuMissingError(f"{advice}\n{result.stderr.strip()}")
        found = shutil.which(target.qemu)
        if not found:
            raise QemuMissingError(advice)
        return found

    def version(self) -> str:
        versions = {
            subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
            for path in self._paths.values()
        }
        return "; ".join(sorted(versions))

    def can_run(self, job: Job) -> bool:
        return len(job.vms) == 1 and not job.one_process

    def run(self, job: Job) -> Run:
        (vm,) = job.vms
        command = [self._paths[job.target], *job.target.options, "-smp", str(vm.cpus)]
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
        "platform": {"extends": job.target.platform, "cpus": cpus},
        "clock": {"mode": "host"},
    }
    if len(job.vms) > 1:
        machine["shared_memory"] = [{"name": "mailbox", "size": "64KiB"}]
    machine["vms"] = [_vm(job.target, number, vm, shares=len(job.vms) > 1) for number, vm in enumerate(job.vms)]
    return machine


def _vm(target: Target, number: int, vm: Vm, *, shares: bool) -> dict[str, object]:
    uart: dict[str, object] = {"pa": target.uart, "va": target.uart, "size": "4KiB"}
    if number == 0:  # an interrupt belongs to one VM
        uart["interrupts"] = [target.uart_interrupt]
    image: dict[str, object] = {"path": str(vm.image)}
    description: dict[str, object] = {
        "name": f"{vm.image.stem}-{number}",
        "image": image,
        "cpus": vm.cpus,
        "memory": [{"base": target.ram, "size": f"{vm.memory_mib}MiB"}],
        "devices": [uart],
    }
    if vm.initrd:
        image["base"] = target.kernel_base
        description |= {
            "initrd": {"path": str(vm.initrd)},
            "command_line": vm.command_line,
            "device_tree": "auto",
        }
    elif target.tree:
        description["device_tree"] = "auto"
    if shares:
        description["ipcs"] = [
            {"base": MAILBOX, "size": "64KiB", "shared_memory": "mailbox", "interrupts": [target.ipc]}
        ]
    return description
