"""The two that run a job: QEMU, with its guest as a kernel and no hypervisor, and baonet, by its command line."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import yaml

from benchmarks.checkouts import Checkout, here
from benchmarks.job import AnyJob, Job, OwnJob, Vm
from benchmarks.process import run_until
from benchmarks.targets import Target
from tests.guests import initramfs

MAILBOX = 0x70000000
SCRIPT = "/work"


class Emulator(Protocol):
    """What can run a job."""

    name: str

    def version(self) -> str: ...

    def can_run(self, job: AnyJob) -> bool: ...

    def run(self, job: AnyJob) -> Mapping[str, float]:
        """Its figures, by their names, but for those that there are not. Raises RunFailedError."""
        ...


@contextmanager
def scripted(vm: Vm) -> Iterator[Vm]:
    """With its script, if it has one, in an archive behind that of its initrd: the kernel takes several."""
    if not vm.script:
        yield vm
        return
    assert vm.initrd
    text = f"#!/bin/sh\nmount -t proc proc /proc\nmount -t devtmpfs devtmpfs /dev\n{vm.script}"
    entry = initramfs.Entry(SCRIPT.removeprefix("/"), stat.S_IFREG | 0o755, text.encode())
    with tempfile.TemporaryDirectory(prefix="baonet-benchmark-") as directory:
        initrd = Path(directory) / vm.initrd.name
        initrd.write_bytes(vm.initrd.read_bytes() + initramfs.archive([entry]))
        yield replace(vm, initrd=initrd, command_line=f"{vm.command_line} rdinit={SCRIPT}")


def _read(
    job: Job, command: list[str], timeout: float, stop: signal.Signals, directory: Path | None = None
) -> Mapping[str, float]:
    run = run_until(command, job.until, timeout, stop, since=job.since, directory=directory)
    found = {figure.name: figure.read(run) for figure in job.figures}
    return {name: value for name, value in found.items() if value is not None}


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

    def can_run(self, job: AnyJob) -> bool:
        return isinstance(job, Job) and len(job.vms) == 1 and not job.one_process

    def run(self, job: AnyJob) -> Mapping[str, float]:
        assert isinstance(job, Job)
        with scripted(job.vms[0]) as vm:
            command = [self._paths[job.target], *job.target.options, "-smp", str(vm.cpus), "-m", str(vm.memory_mib)]
            command += ["-nographic", "-nodefaults", "-serial", "stdio", "-kernel", str(vm.image)]
            if vm.initrd:
                command += ["-initrd", str(vm.initrd), "-append", vm.command_line]
            return _read(job, command, job.timeout, signal.SIGTERM)


class Baonet:
    """``baonet run`` of a checkout on a machine file that is made for the job, and what else it does."""

    def __init__(self, checkout: Checkout | None = None) -> None:
        self.name = "baonet" if checkout is None else checkout.name
        self._checkout = checkout or here()

    def compiled(self) -> bool:
        """Whether its hypervisor is."""
        made = [self._checkout.command[0], "-c", "from baonet.hyp import pcpu; print(pcpu.__file__)"]
        done = subprocess.run(made, cwd=self._checkout.directory, capture_output=True, text=True, check=True)
        return done.stdout.strip().endswith(".so")

    def version(self) -> str:
        return f"{self.name} of {self._checkout.directory}, {'compiled' if self.compiled() else 'not compiled'}"

    def can_run(self, job: AnyJob) -> bool:
        return isinstance(job, OwnJob) or bool(job.vms)

    def run(self, job: AnyJob) -> Mapping[str, float]:
        if isinstance(job, OwnJob):
            return dict(job.take(self._checkout))
        with tempfile.TemporaryDirectory(prefix="baonet-benchmark-") as directory, ExitStack() as stack:
            job = replace(job, vms=tuple(stack.enter_context(scripted(vm)) for vm in job.vms))
            machine = Path(directory) / f"{job.name}.yaml"
            machine.write_text(yaml.safe_dump(machine_file(job), sort_keys=False))
            placement = "one-process" if job.one_process else "process-per-cpu"
            command = [*self._checkout.command, "run", str(machine), "--timeout", f"{job.timeout:g}s"]
            command += ["--placement", placement]
            return _read(job, command, job.timeout + 10, signal.SIGINT, self._checkout.directory)


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
