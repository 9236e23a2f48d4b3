"""The table of sections of a program that UEFI can start (PE Format, section 4), as a Linux ``Image`` has one too.

It has where the bytes of each section are; the last one ends with padding that a file may lack.
"""

from __future__ import annotations

import struct
from typing import Final

PADDING: Final = 0x10000
"""The largest page, and more than any alignment in files."""
_PE_OFFSET, _COFF, _OPTIONAL, _SECTION, _RAW = 0x3C, 4, 24, 40, 16


def end_of_sections(head: bytes, machine: int) -> int:
    """Where the bytes of the last section end; 0 when there is no table for this machine, or not in ``head``."""
    try:
        (start,) = struct.unpack_from("<I", head, _PE_OFFSET)
        its, count = struct.unpack_from("<HH", head, start + _COFF)
        if head[start : start + 4] != b"PE\0\0" or its != machine:
            return 0
        (optional,) = struct.unpack_from("<H", head, start + _COFF + 16)
        table = start + _OPTIONAL + optional
        ends = [struct.unpack_from("<II", head, table + n * _SECTION + _RAW) for n in range(count)]
    except struct.error:
        return 0
    return max((int(size) + int(where) for size, where in ends), default=0)
