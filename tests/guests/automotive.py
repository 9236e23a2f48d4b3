"""Initial RAM disks with the programs of ``examples/linux``, and their workloads, of the sizes of MiBench's.

They are Debian's shell with an archive behind it, as the kernel takes several. ``rdinit=/bin/measure -- WORKLOAD...``
on the kernel's command line runs workloads and ends the machine. Without that it is the shell.
"""

from __future__ import annotations

import stat
import tempfile
from pathlib import Path

from tests.guests import initramfs

PROGRAMS = Path(__file__).resolve().parents[2] / "examples" / "linux"
PROGRAM_NAMES = ("sort", "image", "bits", "arithmetic", "inputs", "measure")

WORKLOADS = {
    "qsort-small": "sort words /inputs/words > /output",
    "qsort-large": "sort points /inputs/points > /output",
    "susanc-small": "image corners /inputs/small.pgm /output",
    "susanc-large": "image corners /inputs/large.pgm /output",
    "susane-small": "image edges /inputs/small.pgm /output",
    "susane-large": "image edges /inputs/large.pgm /output",
    "susans-small": "image smooth /inputs/small.pgm /output",
    "susans-large": "image smooth /inputs/large.pgm /output",
    "bitcount-small": "bits 75000 > /output",
    "bitcount-large": "bits 1125000 > /output",
    "basicmath-small": "arithmetic small > /output",
    "basicmath-large": "arithmetic large > /output",
}
"""What each runs, by the published name of what it is measured beside. A shell runs it, as it does there."""

INITRDS = {
    "initrd-automotive.cpio.gz": ("initrd.cpio.gz", "bin"),
    "initrd-automotive-riscv64.cpio.gz": ("initrd-riscv64.cpio.gz", "bin-riscv"),
}
"""Files in the cache of third-party guests: the shell that each begins with, and where its programs are."""


def _entries(binary: bytes) -> list[initramfs.Entry]:
    executable, link = stat.S_IFREG | 0o755, stat.S_IFLNK | 0o777
    entries = [initramfs.Entry("bin/automotive", executable, binary)]
    # BusyBox has a sort of its own; it is told by its path.
    entries += [initramfs.Entry(f"automotive/.bin/{name}", link, b"/bin/automotive") for name in PROGRAM_NAMES]
    entries += [
        initramfs.Entry(f"automotive/{name}", executable, f"#!/bin/sh\n/automotive/.bin/{command}\n".encode())
        for name, command in WORKLOADS.items()
    ]
    directories = [initramfs.Entry(name, stat.S_IFDIR | 0o755) for name in ("automotive", "automotive/.bin")]
    return [*directories, *entries, initramfs.Entry("bin/measure", link, b"automotive")]


def initrd(shell: bytes, binary: bytes) -> bytes:
    """``shell``, an archive, with one of ``binary`` behind it."""
    return shell + initramfs.archive(_entries(binary))


def write(cache: Path) -> list[Path]:
    """Brings those of ``INITRDS`` up to date whose shell is in the cache; returns them."""
    made = []
    for name, (shell, directory) in INITRDS.items():
        if not (cache / shell).exists():
            continue
        target, data = (
            cache / name,
            initrd((cache / shell).read_bytes(), (PROGRAMS / directory / "automotive").read_bytes()),
        )
        if not target.exists() or target.read_bytes() != data:
            with tempfile.NamedTemporaryFile(dir=cache, delete=False) as file:
                file.write(data)
            Path(file.name).replace(target)
        made.append(target)
    return made
