"""Programs of this directory inside Debian's Linux, of either architecture."""

from __future__ import annotations

import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.guests import initramfs
from tests.guests.riscv import PLATFORMS
from tests.guests.riscv import linux as riscv_linux
from tests.guests.test_boot import linux as armv8_linux

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Debian:
    """Of one architecture."""

    linux: Callable[..., dict[str, Any]]
    initrd: str
    programs: Path
    platform: str


_DEBIAN = {
    "armv8": Debian(armv8_linux, "initrd.cpio.gz", _HERE, "qemu-aarch64-virt"),
    "riscv": Debian(riscv_linux, "initrd-riscv64.cpio.gz", _HERE / "riscv", PLATFORMS["aia"]),
}
either = pytest.mark.parametrize("architecture", list(_DEBIAN))


def machine(directory: Path, cache: Path, architecture: str, program: str, cpus: int) -> dict[str, Any]:
    """Of one VM, whose shell has the program."""
    debian = _DEBIAN[architecture]
    entry = initramfs.Entry(f"bin/{program}", stat.S_IFREG | 0o755, (debian.programs / program).read_bytes())
    initrd = directory / "initrd.cpio.gz"
    initrd.write_bytes((cache / debian.initrd).read_bytes() + initramfs.archive([entry]))
    vm = debian.linux(cache, cpus=cpus) | {"initrd": {"path": str(initrd)}}
    return {"platform": debian.platform, "vms": [vm]}
