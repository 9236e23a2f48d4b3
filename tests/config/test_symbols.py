"""Names of addresses, from the symbol tables of ELF images."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import pytest

from baonet.config.symbols import Symbols
from baonet.machine import LoadSegment
from tests.hyp import machines

LINKED, BSS = 0x8000, 0x10000
SYMBOLS = (
    ("_start", 0, 2, 0x10),
    ("label", 0x20, 0, 0),
    ("$x", 0x20, 0, 0),
    ("main", 0x40, 2, 8),
    ("data", 0x30, 1, 4),
)


def elf(symbols: tuple[tuple[str, int, int, int], ...] = SYMBOLS, bss: int = 0) -> bytes:
    """A program of one segment of 0x100 bytes at ``LINKED``, and so many of zeroes, in a segment of their own, at
    ``BSS``; symbols are (name, offset, type, size).
    """
    names, table = b"\0", bytes(24)
    for name, offset, kind, size in symbols:
        table += struct.pack("<IBBHQQ", len(names), 1 << 4 | kind, 0, 1, LINKED + offset, size)
        names += name.encode() + b"\0"
    at = 0x40 + 2 * 0x38
    sections = at + len(table) + len(names)
    head = struct.pack(
        "<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", 2, 183, 1, LINKED, 0x40, sections, 0, 0x40, 0x38, 2, 0x40, 3, 0
    )
    program = struct.pack("<IIQQQQQQ", 1, 5, 0, LINKED, LINKED, 0x100, 0x100, 0x1000)
    program += struct.pack("<IIQQQQQQ", 1, 6, 0x100, BSS, BSS, 0, bss, 0x1000)
    headers = bytes(64)
    headers += struct.pack("<IIQQQQIIQQ", 0, 2, 0, 0, at, len(table), 2, 1, 8, 24)
    headers += struct.pack("<IIQQQQIIQQ", 0, 3, 0, 0, at + len(table), len(names), 0, 0, 1, 0)
    return head + program + table + names + headers


def symbols(tmp_path: Path, content: bytes, base: int = LINKED) -> Symbols:
    image = tmp_path / "image"
    image.write_bytes(content)
    return Symbols(replace(machines.vm(0), segments=(LoadSegment(base, 0x100, str(image), 0),)))


@pytest.mark.parametrize(
    ("offset", "name"),
    [
        (0, "_start+0x0"), (0xC, "_start+0xc"), (0x10, ""), (0x20, "label+0x0"), (0x2C, "label+0xc"),
        (0x40, "main+0x0"), (0x48, ""), (-4, ""),
    ],
)  # fmt: skip
def test_names(tmp_path: Path, offset: int, name: str) -> None:
    assert symbols(tmp_path, elf()).name(LINKED + offset) == name


def test_the_variables_of_a_page_have_names(tmp_path: Path) -> None:
    found = symbols(tmp_path, elf((*SYMBOLS, ("first", 0x08, 1, 0x10))))
    assert found.within(LINKED, LINKED + 0x34) == ["first", "data"]
    assert found.within(LINKED + 0x17, LINKED + 0x30) == ["first"]
    assert found.within(LINKED + 0x34, LINKED + 0x100) == []
    assert found.within(LINKED + 0x2C, LINKED + 0x44, code=True) == ["label", "data", "main"]


def test_variables_that_no_byte_of_the_file_is_of_have_names(tmp_path: Path) -> None:
    """They are in no segment that is loaded. A label where one begins is another name of it."""
    zeroes = (("__bss_start", 0x8000, 0, 0), ("buffer", 0x8000, 1, 0x3000), ("__bss_end", 0xB000, 0, 0))
    found = symbols(tmp_path, elf((*SYMBOLS, *zeroes), bss=0x4000), base=0x4000_0000)
    for moved in (0, 0x4000_0000 - LINKED):
        assert found.within(BSS + moved, BSS + moved + 0x1000, code=True) == ["buffer"]
        assert found.within(BSS + moved + 0x2FFF, BSS + moved + 0x3001, code=True) == ["buffer", "__bss_end"]
    assert found.within(BSS + 0x4000, BSS + 0x5000, code=True) == []


def test_an_image_that_was_loaded_elsewhere_has_its_names_in_both_places(tmp_path: Path) -> None:
    found = symbols(tmp_path, elf(), base=0x4000_0000)
    assert found.name(0x4000_0044) == found.name(LINKED + 0x44) == "main+0x4"


@pytest.mark.parametrize("length", [0, 3, 0x40, 0x60, 0x80, 0x100, 0x160])
def test_a_file_that_is_cut_short_has_no_names(tmp_path: Path, length: int) -> None:
    assert symbols(tmp_path, elf()[:length]).name(LINKED) in ("", "_start+0x0")


def test_what_is_not_elf_and_what_is_gone_has_no_names(tmp_path: Path) -> None:
    assert symbols(tmp_path, bytes(0x100)).name(LINKED) == ""
    (tmp_path / "image").unlink()
    gone = Symbols(replace(machines.vm(0), segments=(LoadSegment(LINKED, 0x100, str(tmp_path / "image"), 0),)))
    assert gone.name(LINKED) == ""


def test_random_damage_never_raises(tmp_path: Path) -> None:
    whole = elf()
    for place in range(len(whole)):
        symbols(tmp_path, whole[:place] + bytes((whole[place] ^ 0xFF,)) + whole[place + 1 :]).name(LINKED)
