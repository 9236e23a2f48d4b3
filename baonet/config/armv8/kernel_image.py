"""The header of an arm64 Linux ``Image``: by what it is known, where it wants to be, how long it is at least.

Of its length ``image_size`` does not tell: it counts the bss, of which the file has nothing. Two other things do. A
header begins with a branch to the kernel's entry (Linux Documentation/arch/arm64/booting.rst: code0 or, behind the "MZ"
of EFI, code1). And what UEFI can start has a table of sections (Linux arch/arm64/kernel/efi-header.S).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from baonet.config.pe_sections import PADDING, end_of_sections

HEADER: Final = 64
_PLACE: Final = struct.Struct("<8xQQ")
_FLAGS: Final = struct.Struct("<24xQ")
_BIG_ENDIAN, _GRANULE_16K = 1, 2
_LEGACY_TEXT_OFFSET = 0x80000  # of kernels before 3.17, which have image_size 0
_AARCH64: Final = 0xAA64


def is_linux(head: bytes) -> bool:
    return head[0x38:0x3C] == b"ARM\x64"


def room(head: bytes) -> tuple[int, int]:
    """(text_offset, image_size)."""
    text_offset, image_size = _PLACE.unpack_from(head)
    return (text_offset if image_size else _LEGACY_TEXT_OFFSET), image_size


def doubts(head: bytes) -> Iterator[tuple[str, str]]:
    """From the flags. A kernel that a CPU cannot run stops before it prints anything."""
    (flags,) = _FLAGS.unpack_from(head)
    if flags & _BIG_ENDIAN:
        yield "the kernel is big-endian", "build it without CONFIG_CPU_BIG_ENDIAN: nothing of it would be printed"
    if flags >> 1 & 3 == _GRANULE_16K:
        message = "the kernel has pages of 16 KiB, which no cpu_model has"
        yield message, "build it with CONFIG_ARM64_4K_PAGES: nothing of it would be printed"


def least(head: bytes) -> int:
    """Bytes that the file of an ``Image`` must have. ``head``: what of its beginning is there."""
    return max(HEADER + 4, _branch(head), end_of_sections(head, _AARCH64) - PADDING)


def _branch(head: bytes) -> int:
    """The end of the first instruction behind the header's branch; 0 when it has none (B: Arm ARM, C6.2)."""
    for at in (0, 4):
        word = int.from_bytes(head[at : at + 4], "little")
        if word >> 26 == 0b000101:
            offset = (word & 0x3FF_FFFF) - ((word & 0x200_0000) << 1)
            return at + 4 * offset + 4
    return 0
