"""A debugger inside Linux: hardware watchpoints, hardware breakpoints and single step through ptrace(2)."""

from __future__ import annotations

import stat
import struct
from pathlib import Path

import pytest

from tests.guests import initramfs
from tests.guests.debugger_code import CODE, ENTRY
from tests.guests.test_boot import Running, linux

pytestmark = [pytest.mark.guests, pytest.mark.timeout(600)]

BASE, HEADERS = 0x40_0000, 64 + 56
EM_AARCH64, PT_LOAD, READ_WRITE_EXECUTE = 183, 1, 7


def executable(code: bytes, entry: int) -> bytes:
    """A static ELF file of one segment (System V ABI, chapters 4 and 5)."""
    size = HEADERS + len(code)
    start = BASE + HEADERS + entry
    header = struct.pack(
        "<4sBBB9xHHIQQQIHHHHHH", b"\x7fELF", 2, 1, 1, 2, EM_AARCH64, 1, start, 64, 0, 0, 64, 56, 1, 64, 0, 0
    )
    segment = struct.pack("<IIQQQQQQ", PT_LOAD, READ_WRITE_EXECUTE, 0, BASE, BASE, size, size, 0x1000)
    return header + segment + code


@pytest.mark.parametrize("clock", ["virtual", "host"])
def test_a_debugger_watches_and_breaks(tmp_path: Path, guest_cache: Path, clock: str) -> None:
    entry = initramfs.Entry("bin/debugger", stat.S_IFREG | 0o755, executable(CODE, ENTRY["start"]))
    initrd = tmp_path / "initrd.cpio.gz"
    initrd.write_bytes((guest_cache / "initrd.cpio.gz").read_bytes() + initramfs.archive([entry]))
    vm = linux(guest_cache, cpus=2) | {"initrd": {"path": str(initrd)}}
    run = Running(tmp_path, {"vms": [vm]}, "--clock", clock, "--console", "linux")
    run.wait_for("shell ready")
    run.type("/bin/debugger; poweroff")
    # Five stops at the store, five at the function, none elsewhere; 4 is what the fifth store was about to overwrite.
    run.wait_for("debugger: 5504")
    assert run.end() == 0, run.text[-2000:]
