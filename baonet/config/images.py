"""Guest images: what a file puts where, and where the guest starts.

Three forms are known, as a bootloader knows them: ELF (by its magic), Linux's ``Image`` (by the magic in its
header, which is the architecture's) and raw binaries. Only headers are read here; the bytes go from
the file into the VM's memory when the machine starts. An ``Image`` that is compressed is unpacked here.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from os import fstat
from pathlib import Path
from stat import S_ISREG
from typing import BinaryIO, final

from baonet.config import packed, wings
from baonet.config.architecture import Guests
from baonet.document.kinds import nearest
from baonet.document.quantities import human
from baonet.machine import PAGE_SIZE, LoadSegment, Stamp
from baonet.machine.dataclass import dataclass, replace
from baonet.machine.stamp import stamp

_SOURCES = frozenset({".c", ".h", ".S", ".s", ".o", ".ld", ".rs", ".md", ".txt", ".yaml", ".yml", ".dts"})
"""What is no guest, however alike its name."""
_ELF_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_PROGRAM_HEADER = struct.Struct("<IIQQQQQQ")
_ELF = b"\x7fELF"
_MACHINES = {
    3: "x86",
    8: "MIPS",
    20: "PowerPC",
    21: "PowerPC",
    40: "32-bit Arm",
    62: "x86-64",
    183: "64-bit Arm",
    243: "RISC-V",
}
_TEXT = bytes(range(0x20, 0x7F)) + b"\t\n\r"
_LEAST_TEXT = 16
_ET_EXEC, _ET_DYN, _ET_CORE, _PT_LOAD = 2, 3, 4, 1
_ALIGNMENT_OF_LINUX = 2 << 20


@final
class ImageError(ValueError):
    """The file cannot be used as an image. ``key`` is the field to blame, ``hint`` what would be right."""

    def __init__(self, key: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.key = key
        self.hint = hint


@final
@dataclass(frozen=True, slots=True)
class Image:
    """What an image needs: ``segments`` are its bytes; ``spans`` the (start, end) that it takes, with its bss.

    ``linux``: it is Linux's ``Image``. ``movable``: it is position independent, and has no base. ``doubts``:
    what of the file can run and is probably not meant, and what would be right.
    """

    segments: tuple[LoadSegment, ...]
    spans: tuple[tuple[int, int], ...]
    entry: int
    linux: bool = False
    movable: bool = False
    doubts: tuple[tuple[str, str], ...] = ()


def opened(path: Path) -> BinaryIO:
    """A regular file that is not empty, open for reading. Raises ``ImageError``."""
    try:
        found = path.stat()
        if not S_ISREG(found.st_mode):
            raise ImageError("path", f"{path} is not a regular file")
        if not found.st_size:
            raise ImageError("path", f"{path} is empty")
        return path.open("rb")
    except OSError as error:
        raise ImageError("path", f"{path} cannot be read: {error.strerror or error}", _similar(path)) from None


def size_of(file: BinaryIO) -> int:
    return fstat(file.fileno()).st_size


def load(path: Path, base: int | None, entry: int | None, guests: Guests) -> Image:
    """Read the headers of an image. Raises ``ImageError``."""
    with opened(path) as file:
        head = file.read(packed.HEAD)
        if head.startswith(_ELF):
            return _elf(file, path, head[: _ELF_HEADER.size], base, entry, guests=guests)
        if (unpack := packed.unpacker(head)) is not None:
            file.seek(0)
            return _packed(path, unpack, file.read(packed.MOST_UNPACKED), base, entry, guests=guests)
        _refuse_foreign(path, head, guests)
        wrapped = packed.recognise(head)
        if wrapped is not None and not guests.is_linux(head):
            told = wrapped.told(guests, path.name)
            raise ImageError("path", f"{path} is {told.what}", told.remedy)
        image = _raw(path, size_of(file), head, base, entry, guests=guests, stamp=stamp(file.fileno()))
        return replace(image, doubts=_doubts_of_raw(file, path, head, image, guests))


def _packed(
    path: Path,
    unpack: Callable[[bytes], packed.Unpacked],
    data: bytes,
    base: int | None,
    entry: int | None,
    *,
    guests: Guests,
) -> Image:
    try:
        unpacked = unpack(data)
    except packed.PackedError as error:
        raise ImageError("path", f"{path} {error}", "decompress it by hand, or get it again") from None
    head = unpacked.data[: packed.HEAD]
    _refuse_foreign(path, head, guests)
    if not guests.is_linux(head):
        gzip = not data.startswith(b"MZ")
        within = packed.recognise(head)
        what = "an ELF file" if head.startswith(_ELF) else within.told(guests, path.name).what if within else ""
        inside = f"what is inside is {what}" if what else f"is no {guests.short_image} inside"
        form = "compressed with gzip" if gzip else "an EFI zboot image"
        remedy = "decompress it: gzip -d" if gzip else "give the kernel's Image"
        raise ImageError("path", f"{path} is {form}, and {inside}", remedy)
    image = _raw(path, len(unpacked.data), head, base, entry, guests=guests, data=unpacked.data)
    doubts = list(guests.doubts(head))
    if unpacked.rest:
        tree = unpacked.rest.startswith(b"\xd0\x0d\xfe\xed")
        what = "a device tree" if tree else f"{len(unpacked.rest)} bytes"
        hint = "give it as 'device_tree'" if tree else "nothing uses them: get the file again"
        doubts.append((f"behind the compressed Image the file has {what}, which the VM does not get", hint))
    return replace(image, doubts=tuple(doubts))


def _refuse_foreign(path: Path, head: bytes, guests: Guests) -> None:
    """Linux of another architecture is known by its header too."""
    others = (each.guests for each in wings.ARCHITECTURES.values() if each.guests.is_linux(head))
    other = next(others, None)
    if other is not None and not guests.is_linux(head):
        message = f"{path} is {other.image}, and the platform's CPUs are {guests.target}"
        raise ImageError("path", message, f"give {guests.image}, or another platform")


def _doubts_of_raw(
    file: BinaryIO, path: Path, head: bytes, image: Image, guests: Guests
) -> tuple[tuple[str, str], ...]:
    """Of a raw binary or an ``Image``: what would stop at the guest's first instructions."""
    if image.linux:
        return tuple(guests.doubts(head))
    if len(head) >= _LEAST_TEXT and not head.translate(None, _TEXT):
        return ((f"{path} is text, and is taken for a raw binary", "give the program that was built"),)
    (segment,) = image.segments
    file.seek(image.entry - segment.base if segment.base <= image.entry else segment.size)
    word = file.read(4)
    if word and not word.strip(b"\0"):
        message = f"{path} has zeroes at the entry {image.entry:#x}: an undefined instruction"
        return ((message, "give 'entry', or another file"),)
    return ()


def _similar(path: Path) -> str:
    """The file there whose name is nearest to that of one which is not."""
    if any(part.startswith(("~", "$")) for part in path.parts):
        return "'~' and '$' mean nothing here: write the path out"
    try:
        names = [each.name for each in path.parent.iterdir() if each.suffix not in _SOURCES]
    except OSError:
        return ""
    near = nearest(path.name, names)
    return f"did you mean {path.parent / near}?" if near and near != path.name else ""


def _elf(file: BinaryIO, path: Path, head: bytes, base: int | None, entry: int | None, *, guests: Guests) -> Image:
    size = size_of(file)
    if len(head) < _ELF_HEADER.size or head[4:6] != b"\2\1":
        raise ImageError(
            "path", f"{path} is not a 64-bit little-endian ELF file", f"build the guest for {guests.target}"
        )
    _, form, machine, _, start, offset, _, _, _, entry_size, count, *_ = _ELF_HEADER.unpack(head)
    if machine != guests.machine:
        what = f"{_MACHINES[machine]} (machine {machine})" if machine in _MACHINES else f"machine {machine}"
        message = f"{path} is an ELF file for {what}, not for {guests.target} ({guests.machine})"
        raise ImageError("path", message, f"build the guest for {guests.target}")
    if form == _ET_CORE:
        raise ImageError("path", f"{path} is a core dump", "give the linked program")
    if form not in (_ET_EXEC, _ET_DYN):
        raise ImageError("path", f"{path} is an ELF file that is not linked", "give the linked program")
    if not count:
        raise ImageError("path", f"{path} has no segment to load", "link it as a program")
    if entry_size != _PROGRAM_HEADER.size or offset + count * entry_size > size:
        raise ImageError("path", f"{path} is cut short: its program headers are not all there")
    file.seek(offset)
    loads = [
        each
        for each in _PROGRAM_HEADER.iter_unpack(file.read(count * entry_size))
        if each[0] == _PT_LOAD and each[6]  # p_memsz
    ]
    if not loads:
        raise ImageError("path", f"{path} has no segment to load")
    if base is not None and form == _ET_EXEC:
        raise ImageError("base", "an ELF file's headers say where it goes", "remove 'base'")
    bias = 0 if base is None else base - min(each[4] for each in loads)
    if base is not None and bias % PAGE_SIZE:
        below = base - bias % PAGE_SIZE
        message = f"{base:#x} moves the program by {bias:#x}, and its code counts on whole pages ({guests.whole_pages})"
        raise ImageError("base", message, f"use {max(0, below):#x} or {below + PAGE_SIZE:#x}")
    segments, spans = [], []
    for _, _, at, virtual, physical, in_file, in_memory, _ in loads:
        if in_file > in_memory:
            message = (
                f"the segment at {physical:#x} of {path} has {in_file:#x} bytes (p_filesz) for {in_memory:#x} (p_memsz)"
            )
            raise ImageError("path", message, "the program header is damaged: link the guest again")
        if at + in_file > size:
            raise ImageError("path", f"{path} is cut short: the segment at {physical:#x} is not all there")
        where = physical + bias
        if in_file:
            segments.append(LoadSegment(where, in_file, str(path.absolute()), at, stamp=stamp(file.fileno())))
        spans.append((where, where + in_memory))
        if entry is None and virtual <= start < virtual + in_memory:
            entry = start - virtual + where
    start = start + bias if entry is None else entry
    return Image(tuple(segments), tuple(spans), start, movable=form == _ET_DYN and base is None)


def _raw(
    path: Path,
    size: int,
    head: bytes,
    base: int | None,
    entry: int | None,
    *,
    guests: Guests,
    data: bytes = b"",
    stamp: Stamp | None = None,
) -> Image:
    """``data`` is what was unpacked of the file, if anything was; else ``stamp`` is the file."""
    linux = guests.is_linux(head)
    if linux and (needed := guests.least(head)) > size:
        message = f"{path} is cut short: it has {size} bytes, and {guests.image} with this header at least {needed}"
        raise ImageError("path", message, "get it again")
    text_offset, image_size = guests.room(head) if linux else (0, 0)
    if base is None:
        what = guests.image if linux else "not an ELF file, so a raw binary"
        hint = "give 'base', the guest address where it goes"
        wanted = ", in RAM and a multiple of 2MiB" + (f" plus {text_offset:#x}" if text_offset else "") if linux else ""
        raise ImageError("path", f"{path} is {what}, and has no 'base'", hint + wanted)
    if linux and (base - text_offset) % _ALIGNMENT_OF_LINUX:
        below = base - (base - text_offset) % _ALIGNMENT_OF_LINUX
        offset = f" plus {text_offset:#x}" if text_offset else ""
        message = f"{guests.image} starts at a multiple of {human(_ALIGNMENT_OF_LINUX)}{offset}"
        raise ImageError("base", message, f"use {max(0, below):#x} or {below + _ALIGNMENT_OF_LINUX:#x}")
    taken = max(size, image_size) if linux else size
    if data:
        segment = LoadSegment(base, size, data=data, unpacked=str(path))
    else:
        segment = LoadSegment(base, size, str(path.absolute()), stamp=stamp)
    return Image((segment,), ((base, base + taken),), base if entry is None else entry, linux)
