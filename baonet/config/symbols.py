"""Names of addresses: the symbol tables of a VM's ELF images (System V ABI, chapter 4: Symbol Table).

A guest runs where it was linked, or, before it has turned its MMU on, where it was loaded; both are looked at.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final, final

from baonet.config.images import opened
from baonet.machine import LoadSegment, Vm

_HEADER: Final = struct.Struct("<16sHHIQQQIHHHHHH")
_PROGRAM_HEADER: Final = struct.Struct("<IIQQQQQQ")
_SECTION_HEADER: Final = struct.Struct("<IIQQQQIIQQ")
_SYMBOL: Final = struct.Struct("<IBBHQQ")
_SHT_SYMTAB: Final = 2
_NOTYPE, _OBJECT, _FUNC = 0, 1, 2
_CODE: Final = (_NOTYPE, _FUNC)
_MOST: Final = 1 << 28
"""Bytes of a symbol table or of its names that are read; a larger one is not a table of names for people."""


@final
class Symbols:
    """Of one VM. An image without symbols, or one that cannot be read any more, has no names."""

    def __init__(self, vm: Vm) -> None:
        found: list[tuple[int, int, str]] = []
        self._objects: list[tuple[int, int, str]] = []
        for segment in vm.segments:
            if segment.path is not None:
                try:
                    found += _symbols(segment, _CODE)
                    self._objects += _symbols(segment, (_OBJECT,))
                except (OSError, ValueError, struct.error, IndexError):
                    continue
        # Of several at one address the one with a size is the function; the others are labels in it.
        found.sort(key=lambda symbol: (symbol[0], symbol[1]))
        self._found = found
        self._starts = [start for start, _, _ in found]

    def name(self, address: int) -> str:
        """``name+0x8`` of the symbol that an address is in; "" where there is none."""
        place = bisect_right(self._starts, address) - 1
        if place < 0:
            return ""
        start, end, name = self._found[place]
        return f"{name}+{address - start:#x}" if address < end else ""

    def within(self, start: int, end: int, *, code: bool = False) -> list[str]:
        """The names of variables, and of ``code``, that have bytes from ``start`` up to ``end``, by their addresses."""
        known = self._objects + self._found if code else self._objects
        return [name for low, high, name in sorted(known) if low < end and high > start]


def _symbols(segment: LoadSegment, types: Collection[int]) -> Iterator[tuple[int, int, str]]:
    """(start, end, name) of those of some types that lie in a loaded segment, as linked and as loaded."""
    assert segment.path is not None
    with opened(Path(segment.path)) as file:

        def read(offset: int, size: int) -> bytes:
            if not 0 <= size <= _MOST:
                raise ValueError("too large")
            file.seek(offset)
            return file.read(size)

        head = read(0, _HEADER.size)
        if not head.startswith(b"\x7fELF\2\1"):
            return
        _, _, _, _, _, programs, sections, _, _, _, program_count, _, section_count, _ = _HEADER.unpack(head)
        loads = _PROGRAM_HEADER.iter_unpack(read(programs, program_count * _PROGRAM_HEADER.size))
        linked = [(each[3], each[6]) for each in loads if each[0] == 1 and each[2] == segment.offset and each[5]]
        headers = list(_SECTION_HEADER.iter_unpack(read(sections, section_count * _SECTION_HEADER.size)))
        for header in headers:
            if header[1] != _SHT_SYMTAB or not linked:
                continue
            table = read(header[4], header[5] // _SYMBOL.size * _SYMBOL.size)
            strings = headers[header[6]]
            names = read(strings[4], strings[5])
            virtual, size = linked[0]
            for start, end, name in _spans(table, names, types, virtual, virtual + size):
                yield start, end, name
                if virtual != segment.base:
                    yield start - virtual + segment.base, end - virtual + segment.base, name


def _spans(table: bytes, names: bytes, types: Collection[int], low: int, high: int) -> Iterator[tuple[int, int, str]]:
    """A label has no size, so it reaches to the next symbol."""
    found = []
    for name, info, _, section, value, size in _SYMBOL.iter_unpack(table):
        if info & 0xF in types and section and low <= value < high:
            text = names[name : names.index(b"\0", name)].decode("utf-8", "replace")
            if text and not text.startswith("$"):  # $x and $d tell code from data
                found.append((value, size, text))
    found.sort()
    starts = [value for value, _, _ in found]
    for value, size, text in found:
        after = bisect_right(starts, value)
        yield value, value + size if size else starts[after] if after < len(starts) else high, text
