"""The header of a RISC-V Linux ``Image``: by what it is known, where it wants to be, how long it is at least.

Linux Documentation/arch/riscv/boot-image-header.rst. As on other architectures ``image_size`` counts the bss, of which
the file has nothing; that a file is whole is seen by the jump over the header, and by the table of sections of one that
UEFI can start. Where RAM begins and where a kernel lies is to be a multiple of 2 MiB; ``text_offset`` is one.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from baonet.config.pe_sections import PADDING, end_of_sections

HEADER: Final = 64
_PLACE: Final = struct.Struct("<8xQQ")
_FLAGS: Final = struct.Struct("<24xQ")
_MAGIC: Final = b"RISCV\0\0\0RSC\x05"
_BIG_ENDIAN: Final = 1
_ALIGNMENT: Final = 2 << 20
_RISCV64: Final = 0x5064


def is_linux(head: bytes) -> bool:
    return head[0x30:0x3C] == _MAGIC


def room(head: bytes) -> tuple[int, int]:
    """(what of text_offset is no multiple of 2 MiB, image_size)."""
    text_offset, image_size = _PLACE.unpack_from(head)
    return text_offset % _ALIGNMENT, image_size


def doubts(head: bytes) -> Iterator[tuple[str, str]]:
    (flags,) = _FLAGS.unpack_from(head)
    if flags & _BIG_ENDIAN:
        yield "the kernel is big-endian", "get one that is little-endian: nothing of it would be printed"


def least(head: bytes) -> int:
    """Bytes that the file of an ``Image`` must have. ``head``: what of its beginning is there."""
    return max(HEADER + 4, _jump(head), end_of_sections(head, _RISCV64) - PADDING)


def _jump(head: bytes) -> int:
    """The end of the first instruction that the header jumps to, at its beginning or behind the "MZ" of EFI (JAL x0:
    unprivileged architecture, 2.5.1); 0 when it has none.
    """
    for at in (0, 2):
        word = int.from_bytes(head[at : at + 4], "little")
        if word & 0xFFF == 0x06F:
            offset = (word >> 31) << 20 | (word >> 12 & 0xFF) << 12 | (word >> 20 & 1) << 11 | (word >> 21 & 0x3FF) << 1
            return at + offset - ((word >> 31) << 21) + 2
    return 0
