"""Names of addresses: the symbol tables of a VM's ELF images (System V ABI, chapter 4: Symbol Table).

A guest runs where it was linked, or, before it has turned its MMU on, where it was loaded; both are looked at.
"""

from __future__ import annotations

import struct
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Final, final

from baonet.config.images import opened
from baonet.machine import LoadSegment, Vm
from baonet.machine.dataclass import dataclass, replace

_HEADER: Final = struct.Struct("<16sHHIQQQIHHHHHH")
_PROGRAM_HEADER: Final = struct.Struct("<IIQQQQQQ")
_SECTION_HEADER: Final = struct.Struct("<IIQQQQIIQQ")
_SYMBOL: Final = struct.Struct("<IBBHQQ")
_SHT_SYMTAB: Final = 2
_PT_LOAD: Final = 1
_NOTYPE, _OBJECT, _FUNC = 0, 1, 2
_NAMED: Final = (_NOTYPE, _OBJECT, _FUNC)
_MOST: Final = 1 << 28
"""Bytes of a symbol table or of its names that are read; a larger one is not a table of names for people."""


@final
@dataclass(frozen=True, slots=True, order=True)
class Symbol:
    """A name of the bytes from ``start`` up to ``end``: of a variable, else of code."""

    start: int
    end: int
    name: str
    variable: bool


@final
class Symbols:
    """Of one VM. An image without symbols, or one that cannot be read any more, has no names."""

    def __init__(self, vm: Vm) -> None:
        found: set[Symbol] = set()
        paths = dict.fromkeys(segment.path for segment in vm.segments if segment.path is not None)
        for path in paths:
            try:
                found.update(_symbols(Path(path), [each for each in vm.segments if each.path == path]))
            except (OSError, ValueError, struct.error, IndexError):
                continue
        self._code = _Ordered(each for each in found if not each.variable)
        self._variables = _Ordered(each for each in found if each.variable)
        self._all = _Ordered(found)

    def name(self, address: int) -> str:
        """``name+0x8`` of the symbol of code that an address is in; "" where there is none."""
        found = self._code.last(address)
        return f"{found.name}+{address - found.start:#x}" if found is not None and address < found.end else ""

    def within(self, start: int, end: int, *, code: bool = False) -> list[str]:
        """The names of variables, and of ``code``, that have bytes from ``start`` up to ``end``, by their addresses."""
        return [each.name for each in (self._all if code else self._variables).meeting(start, end)]


@final
class _Ordered:
    """Symbols by their addresses."""

    def __init__(self, symbols: Iterable[Symbol]) -> None:
        self._symbols = sorted(symbols)
        self._starts = [each.start for each in self._symbols]
        self._ends = list(accumulate((each.end for each in self._symbols), max))
        """Of each the last end up to it: those before one that ends too early need no look."""

    def last(self, address: int) -> Symbol | None:
        """That which begins last up to an address."""
        place = bisect_right(self._starts, address) - 1
        return self._symbols[place] if place >= 0 else None

    def meeting(self, start: int, end: int) -> list[Symbol]:
        """Those with bytes from ``start`` up to ``end``."""
        first, last = bisect_right(self._ends, start), bisect_left(self._starts, end)
        return [each for each in self._symbols[first:last] if each.end > start]


def _symbols(path: Path, segments: Sequence[LoadSegment]) -> Iterator[Symbol]:
    """Those of an ELF file of which these were loaded, as linked and as loaded."""
    with opened(path) as file:

        def read(offset: int, size: int) -> bytes:
            if not 0 <= size <= _MOST:
                raise ValueError("too large")
            file.seek(offset)
            return file.read(size)

        head = read(0, _HEADER.size)
        if not head.startswith(b"\x7fELF\2\1"):
            return
        _, _, _, _, _, programs, sections, _, _, _, program_count, _, section_count, _ = _HEADER.unpack(head)
        loads = [
            each
            for each in _PROGRAM_HEADER.iter_unpack(read(programs, program_count * _PROGRAM_HEADER.size))
            if each[0] == _PT_LOAD
        ]
        bases = {segment.offset: segment.base for segment in segments}
        moved = next((bases[each[2]] - each[4] for each in loads if each[5] and each[2] in bases), None)
        if moved is None:
            return
        headers = list(_SECTION_HEADER.iter_unpack(read(sections, section_count * _SECTION_HEADER.size)))
        for header in headers:
            if header[1] != _SHT_SYMTAB:
                continue
            table = read(header[4], header[5] // _SYMBOL.size * _SYMBOL.size)
            strings = headers[header[6]]
            names = read(strings[4], strings[5])
            for _, _, _, virtual, physical, _, size, _ in loads:
                for each in _spans(table, names, virtual, virtual + size):
                    yield each
                    if virtual != physical + moved:
                        away = physical + moved - virtual
                        yield replace(each, start=each.start + away, end=each.end + away)


def _spans(table: bytes, names: bytes, low: int, high: int) -> Iterator[Symbol]:
    """A label has no size, so it reaches to the next symbol; one where something with a size begins is another name."""
    found = []
    for name, info, _, section, value, size in _SYMBOL.iter_unpack(table):
        if info & 0xF in _NAMED and section and low <= value < high:
            text = names[name : names.index(b"\0", name)].decode("utf-8", "replace")
            if text and not text.startswith("$"):  # $x and $d tell code from data
                found.append((value, size, text, info & 0xF == _OBJECT))
    found.sort()
    starts = [value for value, _, _, _ in found]
    sized = {value for value, size, _, _ in found if size}
    for value, size, text, variable in found:
        after = bisect_right(starts, value)
        if size:
            yield Symbol(value, value + size, text, variable)
        elif value not in sized:
            yield Symbol(value, starts[after] if after < len(starts) else high, text, variable)
