"""Machine files for the tests, with the guests' files that they name."""

from __future__ import annotations

import struct
from pathlib import Path

from baonet.config.loader import load
from baonet.document.errors import ConfigError, Problem

BASE = """\
version: 1
platform: qemu-aarch64-virt
shared_memory:
  - {name: mailbox, size: 64KiB}
vms:
  - name: ping
    image: {path: ping.elf}
    cpus: 1
    cpu_affinity: [0]
    memory: [{base: 0x40000000, size: 64MiB}]
    devices: [{pa: 0x09000000, va: 0x09000000, size: 4KiB, interrupts: [33]}]
    ipcs: [{base: 0x70000000, size: 64KiB, shared_memory: mailbox, interrupts: [84]}]
  - name: linux
    image: {path: Image, base: 0x60200000}
    initrd: {path: initrd.gz}
    command_line: "console=ttyAMA0"
    device_tree: auto
    cpus: 2
    memory: [{base: 0x60000000, size: 512MiB}]
    devices: [{pa: 0x09000000, size: 4KiB}]
    ipcs: [{base: 0x90000000, shared_memory: mailbox, interrupts: [84]}]
    timer: [27]
"""
MARK = "§"
IMAGE_SIZE = 0x300000


def elf(
    *segments: tuple[int, int, bytes, int],
    entry: int = 0x40100000,
    machine: int = 183,
    kind: int = 2,
) -> bytes:
    """A linked program: segments are (physical address, virtual address, bytes, size in memory)."""
    headers, body = b"", b""
    start = 64 + 56 * len(segments)
    for physical, virtual, data, size in segments:
        headers += struct.pack("<IIQQQQQQ", 1, 7, start + len(body), virtual, physical, len(data), size, 0x1000)
        body += data
    identity = b"\x7fELF\2\1\1" + bytes(9)
    head = struct.pack("<16sHHIQQQIHHHHHH", identity, kind, machine, 1, entry, 64, 0, 0, 64, 56, len(segments), 0, 0, 0)
    return head + headers + body


def linux_image(image_size: int = IMAGE_SIZE, text_offset: int = 0, length: int = 0x1000) -> bytes:
    head = struct.pack("<8sQQQ24s4s4s", b"MZ\0\0\0\0\0\x14", text_offset, image_size, 10, b"", b"ARM\x64", b"")
    return head.ljust(length, b"\0")


PING = elf((0x40100000, 0x40100000, b"text" * 64, 256), (0x40101000, 0x40101000, b"data", 0x2000))


def write(directory: Path, text: str = BASE) -> Path:
    """The machine file and its guests' files; the path of the former."""
    (directory / "ping.elf").write_bytes(PING)
    (directory / "Image").write_bytes(linux_image())
    (directory / "initrd.gz").write_bytes(b"\x1f\x8b" + bytes(9998))
    path = directory / "machine.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def marked(text: str) -> tuple[str, list[tuple[int, int]]]:
    """The text without its marks, and their (line, column)."""
    places = []
    lines = []
    for number, line in enumerate(text.split("\n"), 1):
        while MARK in line:
            places.append((number, line.index(MARK) + 1))
            line = line.replace(MARK, "", 1)  # noqa: PLW2901
        lines.append(line)
    return "\n".join(lines), places


def problems(path: Path) -> tuple[Problem, ...]:
    """What is wrong with a file; empty if nothing is."""
    try:
        load(path)
    except ConfigError as error:
        return error.problems
    return ()
