"""Guests that come wrapped: compressed Linux images, which are unpacked, and what only a boot loader unpacks.

Magic numbers: Linux drivers/firmware/efi/libstub/zboot-header.S; U-Boot
include/image.h and doc/usage/fit; Android boot_img_hdr; RFC 1952; the frame formats of xz, zstd, lz4, lzop and bzip2.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from typing import final

from baonet.config.architecture import Guests
from baonet.machine.dataclass import dataclass

HEAD = 0x300
"""Bytes from the start of a file that tell what it is."""
MOST_UNPACKED = 1 << 30
IMAGE, TARGET, FILE = "IMAGE", "TARGET", "FILE"
"""What stands in a text for the names that the architecture and the user give."""
_ZBOOT = struct.Struct("<2s2x4sII8x32s")
_GZIP = b"\x1f\x8b"
_PE_OFFSET = 0x3C
_TOOLS = {"lz4": "lz4 -d", "lzo": "lzop -d", "zstd": "zstd -d", "zstd22": "zstd -d"}
"""What takes a payload apart that is not unpacked here."""


class PackedError(ValueError):
    """What was to be unpacked is damaged."""


@final
@dataclass(frozen=True, slots=True)
class Unpacked:
    """``rest``: what stands behind it in the file, and is none of it."""

    data: bytes
    rest: bytes = b""


@final
@dataclass(frozen=True, slots=True)
class Wrapped:
    """A format that is told and not unpacked, and what its user can do."""

    what: str
    remedy: str

    def told(self, guests: Guests, file: str) -> Wrapped:
        """With the names of the architecture and of the file in place of ``IMAGE``, ``TARGET`` and ``FILE``."""
        names = {IMAGE: guests.short_image, TARGET: guests.target, FILE: file}
        what, remedy = self.what, self.remedy
        for word, name in names.items():
            what, remedy = what.replace(word, name), remedy.replace(word, name)
        return Wrapped(what, remedy)


_DISK = "a disk is no guest: take the kernel out of it"
_MAGIC: tuple[tuple[int, bytes, Wrapped], ...] = (
    (0, b"\x1f\x8b", Wrapped(f"compressed with gzip, and is no {IMAGE} inside", "decompress it: gzip -d")),
    (0, b"\xfd7zXZ\0", Wrapped("compressed with xz", "decompress it: xz -d")),
    (0, b"\x28\xb5\x2f\xfd", Wrapped("compressed with zstd", "decompress it: zstd -d")),
    (0, b"BZh", Wrapped("compressed with bzip2", "decompress it: bzip2 -d")),
    (0, b"\x04\x22\x4d\x18", Wrapped("compressed with lz4", "decompress it: lz4 -d")),
    (0, b"\x02\x21\x4c\x18", Wrapped("compressed with lz4 (legacy)", "decompress it: lz4 -d")),
    (0, b"\x89LZO\0\r\n\x1a\n", Wrapped("compressed with lzop", "decompress it: lzop -d")),
    (0, b"\x27\x05\x19\x56", Wrapped("a U-Boot uImage", "take the kernel out: dumpimage -p 0 -o Image FILE")),
    (0, b"ANDROID!", Wrapped("an Android boot image", "take the kernel out: unpack_bootimg --boot_img FILE")),
    (0, b"VNDRBOOT", Wrapped("an Android vendor boot image", "give the kernel of the boot image that goes with it")),
    (0, b"070701", Wrapped("a cpio archive", "an initial RAM disk is given as 'initrd'")),
    (0, b"PK\3\4", Wrapped("a zip archive", "take the guest out of it: unzip")),
    (0, b"!<arch>\n", Wrapped("an archive of object files", "link it, and give the program")),
    (0, b"BC\xc0\xde", Wrapped("LLVM bitcode", f"compile and link it for {TARGET}")),
    (0, b"\0asm", Wrapped("WebAssembly", f"build the guest for {TARGET}")),
    (
        0,
        b"\xcf\xfa\xed\xfe",
        Wrapped("a Mach-O file", f"build the guest for a bare-metal {TARGET} target: ELF or a raw binary"),
    ),
    (0, b"UF2\n", Wrapped("a UF2 image", "give the ELF file or the raw binary that it was made from")),
    (0, b"QFI\xfb", Wrapped("a qcow2 disk image", _DISK)),
    (0, b"hsqs", Wrapped("a squashfs file system", _DISK)),
    (0x200, b"EFI PART", Wrapped("a disk image", _DISK)),
    (257, b"ustar", Wrapped("a tar archive", "take the guest out of it: tar -x")),
    (0x24, b"\x18\x28\x6f\x01", Wrapped("a zImage for 32-bit Arm", f"build the guest for {TARGET}")),
    (0x202, b"HdrS", Wrapped("a kernel for x86", f"build the guest for {TARGET}")),
)
_TEXTS = (
    (
        rb":[0-9A-Fa-f]{10}[0-9A-Fa-f]*\r?\n",
        Wrapped("Intel HEX", "convert it: objcopy -I ihex -O binary FILE guest.bin"),
    ),
    (rb"S[0-9][0-9A-Fa-f]{8,}\r?\n", Wrapped("S-records", "convert them: objcopy -I srec -O binary FILE guest.bin")),
)


def recognise(head: bytes) -> Wrapped | None:
    """What a file that begins so is, if it is something that no CPU can run as it is. ``head`` has ``HEAD`` bytes."""
    if head.startswith(b"\xd0\x0d\xfe\xed"):
        if b"images\0" in head or b"description\0" in head or b"FIT" in head:
            return Wrapped("a FIT image", "take the kernel out: dumpimage -T flat_dt -p 0 -o Image FILE")
        return Wrapped(
            "a device tree", "give it as 'device_tree'; a FIT image is taken apart with dumpimage -T flat_dt"
        )
    if _is_lzma(head):
        return Wrapped("compressed with lzma", "decompress it: xz -d --format=lzma")
    if (zboot := _zboot(head)) is not None:
        offset, size, kind = zboot
        tool = _TOOLS.get(kind)
        by_hand = f"tail -c +{offset + 1} FILE | head -c {size} | {tool} > Image"
        remedy = f"take the kernel's Image out: {by_hand}" if tool else "build the kernel's Image, or with gzip"
        return Wrapped(f"an EFI zboot image compressed with {kind}", remedy)
    if _is_efi(head):
        return Wrapped(
            "an EFI application", "it needs UEFI firmware: give the firmware, or the program as ELF or raw binary"
        )
    for at, magic, wrapped in _MAGIC:
        if head[at : at + len(magic)] == magic:
            return wrapped
    return next((wrapped for pattern, wrapped in _TEXTS if re.match(pattern, head)), None)


def unpacker(head: bytes) -> Callable[[bytes], Unpacked] | None:
    """How a file that begins so is unpacked, if it is gzip'ed, or an EFI zboot image of a kind that can be.

    What comes out is for the caller to look at. The function raises ``PackedError``.
    """
    if head.startswith(_GZIP):
        return _gunzip
    zboot = _zboot(head)
    if zboot is None or zboot[2] not in _PAYLOADS:
        return None
    offset, size, kind = zboot
    # Behind the payload there is its size, and more of the program that unpacks it.
    return lambda data: Unpacked(_PAYLOADS[kind](data[offset : offset + size]).data)


def _zboot(head: bytes) -> tuple[int, int, str] | None:
    """Where the payload is, how long, and how it is compressed."""
    if len(head) < _ZBOOT.size:
        return None
    mz, image, offset, size, kind = _ZBOOT.unpack_from(head)
    if mz != b"MZ" or image != b"zimg":
        return None
    return offset, size, kind.partition(b"\0")[0].decode("ascii", "replace")


def _is_lzma(head: bytes) -> bool:
    """The old format has no magic number: properties, a dictionary size and a length that make sense."""
    if len(head) < 13 or head[0] != 0x5D:
        return False
    dictionary, length = struct.unpack_from("<IQ", head, 1)
    if dictionary < 1 << 12 or dictionary.bit_count() > 2:
        return False
    return bool(length == (1 << 64) - 1 or 0 < length < 1 << 40)


def _is_efi(head: bytes) -> bool:
    """MZ, and PE where its header says so (PE Format, section 2). A Linux ``Image`` is one too."""
    if not head.startswith(b"MZ") or len(head) < _PE_OFFSET + 4:
        return False
    at = int.from_bytes(head[_PE_OFFSET : _PE_OFFSET + 4], "little")
    return head[at : at + 4] == b"PE\0\0"


def _gunzip(data: bytes) -> Unpacked:
    """All members of the file, one behind the other (RFC 1952, section 2.2)."""
    import zlib  # noqa: PLC0415 - for compressed images only

    found = b""
    while data.startswith(_GZIP):
        unpacker = zlib.decompressobj(wbits=31)
        try:
            found += unpacker.decompress(data, MOST_UNPACKED - len(found) or 1)
        except zlib.error as error:
            raise PackedError(f"is compressed with gzip, and damaged: {error}") from None
        if not unpacker.eof:
            raise PackedError("is compressed with gzip, and cut short or more than 1 GiB")
        data = unpacker.unused_data
    return Unpacked(found, data.lstrip(b"\0"))


def _unxz(data: bytes) -> Unpacked:
    import lzma  # noqa: PLC0415 - as above

    unpacker = lzma.LZMADecompressor()
    kind = "xz" if data.startswith(b"\xfd7zXZ") else "lzma"
    try:
        found = unpacker.decompress(data, MOST_UNPACKED)
    except lzma.LZMAError as error:
        raise PackedError(f"is compressed with {kind}, and damaged: {error}") from None
    if not unpacker.eof:
        raise PackedError(f"is compressed with {kind}, and cut short or more than 1 GiB")
    return Unpacked(found)


_PAYLOADS: dict[str, Callable[[bytes], Unpacked]] = {"gzip": _gunzip, "xzkern": _unxz, "xz": _unxz, "lzma": _unxz}
