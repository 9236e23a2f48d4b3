"""Instructions of floating point come to what they come to on QEMU, with the flags that they set, in every mode."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.system.machine import GUESTS, run


@dataclass(frozen=True)
class Target:
    """``answer``: SHA-256 of what QEMU 7.2 has the guest print, without parameters."""

    qemu: str
    options: tuple[str, ...]
    platform: str
    image: Path
    ram: int
    lines: int
    answer: str


TARGETS = {
    "armv8": Target(
        "qemu-system-aarch64",
        ("-M", "virt,gic-version=3", "-cpu", "cortex-a53"),
        "qemu-aarch64-virt",
        GUESTS / "float.elf",
        0x4000_0000,
        384,
        "ac4decdeced867292eb93d8ab1f639d6d34c4b910946025e49327e7ebfb06bc4",
    ),
    "riscv": Target(
        "qemu-system-riscv64",
        ("-M", "virt", "-cpu", "rv64"),
        "qemu-riscv64-virt-plic",
        GUESTS.parent / "bin-riscv" / "float.elf",
        0x8020_0000,
        265,
        "61ebf2054a1aeea679f668ee95af277ecdccfb52856ddeee568804f5d46660ba",
    ),
}
EACH_TARGET = pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
MORE = [
    pytest.param(10_000, 7, marks=pytest.mark.slow),
    *(pytest.param(20_000, seed, marks=[pytest.mark.long, pytest.mark.timeout(600)]) for seed in range(8, 20)),
]


def told(output: str) -> list[str]:
    return re.findall(r"float: .*, mode .*\w", output)


def here(directory: Path, target: Target, command_line: str = "") -> list[str]:
    guest: dict[str, Any] = {
        "name": "float",
        "image": {"path": str(target.image)},
        "cpus": 1,
        "memory": [{"base": target.ram, "size": "16MiB"}],
        "devices": ["uart0"],
        "device_tree": "auto",
        "command_line": command_line,
    }
    result = run(directory, {"platform": target.platform, "vms": [guest]}, "--clock", "virtual")
    assert result.status == 0, result.err
    return told(result.out)


def on_qemu(target: Target, command_line: str) -> list[str]:
    machine = ("-m", "256", "-nic", "none", "-nographic", "-kernel", str(target.image), "-append", command_line)
    command = [target.qemu, *target.options, *machine]
    return told(subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True).stdout)


@EACH_TARGET
def test_instructions(tmp_path: Path, target: Target) -> None:
    lines = here(tmp_path, target)
    assert len(lines) == target.lines
    assert hashlib.sha256("\n".join(lines).encode()).hexdigest() == target.answer, "see test_beside_qemu for which"


@EACH_TARGET
@pytest.mark.parametrize(("vectors", "seed"), MORE)
def test_beside_qemu(tmp_path: Path, target: Target, vectors: int, seed: int) -> None:
    if not shutil.which(target.qemu):
        pytest.skip(f"no {target.qemu} here")
    parameters = f"vectors={vectors} seed={seed}"
    assert here(tmp_path, target, parameters) == on_qemu(target, parameters)
