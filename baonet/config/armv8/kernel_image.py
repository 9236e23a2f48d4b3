"""How long an arm64 Linux ``Image`` is at least, as its header tells.

``image_size`` does not tell: it counts the bss, of which the file has nothing. Two other things do. A header begins
with a branch to the kernel's entry (Linux Documentation/arch/arm64/booting.rst: code0 or, behind the "MZ" of EFI,
code1). And what UEFI can start has a table of sections, with where the bytes of each are (PE Format, section 4; Linux
arch/arm64/kernel/efi-header.S). Of these the last one ends with padding that a file may lack.
"""

from __future__ import annotations

import struct
from typing import Final

HEADER: Final = 64
_PE_OFFSET, _COFF, _OPTIONAL, _SECTION, _RAW = 0x3C, 4, 24, 40, 16
_AARCH64: Final = 0xAA64
_PADDING: Final = 0x10000
"""The largest page, and more than any alignment in files."""


def least(head: bytes) -> int:
    """Bytes that the file of an ``Image`` must have. ``head``: what of its beginning is there."""
    return max(HEADER + 4, _branch(head), _sections(head) - _PADDING)


def _branch(head: bytes) -> int:
    """The end of the first instruction behind the header's branch; 0 when it has none (B: Arm ARM, C6.2)."""
    for at in (0, 4):
        word = int.from_bytes(head[at : at + 4], "little")
        if word >> 26 == 0b000101:
            offset = (word & 0x3FF_FFFF) - ((word & 0x200_0000) << 1)
            return at + 4 * offset + 4
    return 0


def _sections(head: bytes) -> int:
    """Where the bytes of the last section end; 0 when there is no table, or not here."""
    try:
        (start,) = struct.unpack_from("<I", head, _PE_OFFSET)
        machine, count = struct.unpack_from("<HH", head, start + _COFF)
        if head[start : start + 4] != b"PE\0\0" or machine != _AARCH64:
            return 0
        (optional,) = struct.unpack_from("<H", head, start + _COFF + 16)
        table = start + _OPTIONAL + optional
        ends = [struct.unpack_from("<II", head, table + n * _SECTION + _RAW) for n in range(count)]
    except struct.error:
        return 0
    return max((int(size) + int(where) for size, where in ends), default=0)
