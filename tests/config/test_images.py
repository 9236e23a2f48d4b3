"""Guest images: ELF, Linux Image, raw. Where each goes and starts, and files that cannot be one."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from baonet.config.armv8 import guests
from baonet.config.images import Image, ImageError, load
from baonet.machine import LoadSegment
from tests.config.machines import PING, elf, linux_image
from tests.examples import examples

GUESTS = Path(__file__).parents[2] / "examples" / "guests" / "bin"


def loaded(directory: Path, data: bytes, base: int | None = None, entry: int | None = None) -> Image:
    path = directory / "image"
    path.write_bytes(data)
    return load(path, base, entry, guests.GUESTS)


def _flags(flags: int) -> bytes:
    image = bytearray(linux_image())
    struct.pack_into("<Q", image, 24, flags)
    return bytes(image)


def _without_headers() -> bytes:
    head = bytearray(elf())
    struct.pack_into("<QI", head, 32, 0, 0)
    struct.pack_into("<H", head, 54, 0)
    return bytes(head)


def test_elf_segments_have_their_bytes_and_their_bss(tmp_path: Path) -> None:
    path = str(tmp_path / "image")
    assert loaded(tmp_path, PING) == Image(
        segments=(LoadSegment(0x40100000, 256, path, 64 + 2 * 56), LoadSegment(0x40101000, 4, path, 64 + 2 * 56 + 256)),
        spans=((0x40100000, 0x40100100), (0x40101000, 0x40103000)),
        entry=0x40100000,
    )


def test_segments_go_to_physical_addresses_and_the_entry_with_them(tmp_path: Path) -> None:
    high = 0xFFFF_0000_0000_0000
    image = loaded(tmp_path, elf((0x40080000, high + 0x80000, bytes(0x100), 0x100), entry=high + 0x80010))
    assert image.entry == 0x40080010
    assert image.spans == ((0x40080000, 0x40080100),)


def test_a_position_independent_elf_goes_to_its_base(tmp_path: Path) -> None:
    program = elf((0, 0, bytes(16), 16), (0x1000, 0x1000, bytes(16), 0x100), entry=8, kind=3)
    image = loaded(tmp_path, program, base=0x40000000)
    assert image.spans == ((0x40000000, 0x40000010), (0x40001000, 0x40001100))
    assert image.entry == 0x40000008


@pytest.mark.parametrize("base", [0x40000800, 0x40000004])
def test_a_position_independent_elf_moves_by_whole_pages(tmp_path: Path, base: int) -> None:
    program = elf((0x2000, 0x2000, bytes(16), 16), entry=0x2000, kind=3)
    with pytest.raises(ImageError, match=r"counts on whole pages \(ADRP\)") as caught:
        loaded(tmp_path, program, base)
    assert (caught.value.key, caught.value.hint) == ("base", "use 0x40000000 or 0x40001000")


def test_an_entry_that_is_given_counts(tmp_path: Path) -> None:
    assert loaded(tmp_path, PING, entry=0x40100040).entry == 0x40100040
    assert loaded(tmp_path, bytes(64), base=0x40000000, entry=0x40000010).entry == 0x40000010


def test_a_segment_that_is_all_bss_has_no_bytes(tmp_path: Path) -> None:
    image = loaded(tmp_path, elf((0x40100000, 0x40100000, bytes(8), 8), (0x40200000, 0x40200000, b"", 0x1000)))
    assert len(image.segments) == 1
    assert image.spans[1] == (0x40200000, 0x40201000)


@pytest.mark.parametrize("path", sorted(GUESTS.glob("*.elf")), ids=lambda path: path.stem)
def test_pyelftools_reads_our_guests_as_we_do(path: Path) -> None:
    image = load(path, None, None, guests.GUESTS)
    with path.open("rb") as file:
        other = ELFFile(file)
        headers = [each.header for each in other.iter_segments() if each.header.p_type == "PT_LOAD"]
        assert image.entry == other.header.e_entry
    assert image.spans == tuple((each.p_paddr, each.p_paddr + each.p_memsz) for each in headers if each.p_memsz)
    assert [(each.base, each.size, each.offset) for each in image.segments] == [
        (each.p_paddr, each.p_filesz, each.p_offset) for each in headers if each.p_filesz
    ]


def test_a_raw_binary(tmp_path: Path) -> None:
    image = loaded(tmp_path, b"\x1f\x20\x03\xd5" * 10, base=0x40001004)
    assert image == Image(
        (LoadSegment(0x40001004, 40, str(tmp_path / "image")),), ((0x40001004, 0x4000102C),), 0x40001004
    )


def test_a_linux_image_takes_its_image_size(tmp_path: Path) -> None:
    image = loaded(tmp_path, linux_image(image_size=0x300000), base=0x60200000)
    assert image.segments[0].size == 0x1000
    assert image.spans == ((0x60200000, 0x60500000),)
    assert image.entry == 0x60200000


@pytest.mark.parametrize(("image_size", "text_offset", "base"), [(0x1000, 0x1000, 0x60001000), (0, 0, 0x60080000)])
def test_a_linux_image_with_a_text_offset(tmp_path: Path, image_size: int, text_offset: int, base: int) -> None:
    program = linux_image(image_size, text_offset)
    assert loaded(tmp_path, program, base=base).entry == base
    with pytest.raises(ImageError, match="multiple of 2MiB plus") as caught:
        loaded(tmp_path, program, base=0x60000000)
    assert caught.value.key == "base"
    assert f"{base:#x}" in caught.value.hint


@pytest.mark.parametrize(
    ("data", "base", "key", "message"),
    [
        (b"", None, "path", "is empty"),
        (b"\x7fELF", None, "path", "not a 64-bit little-endian ELF"),
        (PING[:4] + b"\1" + PING[5:], None, "path", "not a 64-bit little-endian ELF"),
        (elf((0, 0, b"x", 1), machine=62), None, "path", "for x86-64 .machine 62., not for aarch64"),
        (elf((0, 0, b"x", 1), machine=299), None, "path", "for machine 299, not for aarch64"),
        (elf((0, 0, b"x", 1), kind=4), None, "path", "is a core dump"),
        (_without_headers(), None, "path", "has no segment to load"),
        (elf((0, 0, b"x", 1), kind=1), None, "path", "not linked"),
        (elf(), None, "path", "has no segment to load"),
        (PING[:100], None, "path", "its program headers are not all there"),
        (PING[:-1], None, "path", "the segment at 0x40101000 is not all there"),
        (elf((0x1000, 0x1000, bytes(8), 4)), None, "path", "has 0x8 bytes .p_filesz. for 0x4 .p_memsz."),
        (PING, 0x40000000, "base", "headers say where it goes"),
        (b"\x1f\x8b" + bytes(100), 0x40000000, "path", "compressed with gzip"),
        (b"\xfd7zXZ" + bytes(100), 0x40000000, "path", "compressed with xz"),
        (bytes(100), None, "path", "a raw binary, and has no 'base'"),
        (linux_image(), None, "path", "an arm64 Linux Image, and has no 'base'"),
    ],
)
def test_files_that_are_no_image(tmp_path: Path, data: bytes, base: int | None, key: str, message: str) -> None:
    with pytest.raises(ImageError, match=message) as caught:
        loaded(tmp_path, data, base)
    assert caught.value.key == key


def efi_image(length: int, branch: int = 0x100, raw: tuple[tuple[int, int], ...] = ()) -> bytes:
    """As Linux makes one: ``branch`` from code1, and a table of sections with (SizeOfRawData, PointerToRawData)."""
    image = bytearray(linux_image(length=max(length, 0x300)))
    struct.pack_into("<4sI", image, 0, b"MZ@\xfa", 0x14000000 | branch // 4)
    struct.pack_into("<I4sHH12xHH", image, 0x3C, 0x40, b"PE\0\0", 0xAA64, len(raw), 0xA0, 0)
    for number, (size, where) in enumerate(raw):
        struct.pack_into("<8sIIII16x", image, 0xF8 + 40 * number, b".text", 0, 0, size, where)
    return bytes(image[:length])


@pytest.mark.parametrize(
    ("whole", "data"),
    [
        (0x108, efi_image(0x107)),  # not all of the first instruction
        (0x2000004, efi_image(0x1000, branch=0x1FFFFFC)),
        (0x30000, efi_image(0x2FFFF, raw=((0x10000, 0x10000), (0x20000, 0x20000)))),
        (0x108, efi_image(0x40)),
        (0x108, efi_image(0x3E)),
        (68, linux_image(length=64)),
    ],
)
def test_an_arm64_image_that_is_cut_short(tmp_path: Path, whole: int, data: bytes) -> None:
    with pytest.raises(ImageError, match=rf"is cut short: it has {len(data)} bytes, and .* at least {whole}$"):
        loaded(tmp_path, data, 0x60000000)


@pytest.mark.parametrize(
    "data",
    [
        efi_image(0x1000),  # image_size says more: the rest is bss
        efi_image(0x108),
        efi_image(0x30000, raw=((0x10000, 0x10000), (0x20000, 0x20000))),  # without the padding of its last section
        efi_image(0x40000, raw=((0x10000, 0x10000), (0x20000, 0x20000))),
        linux_image(length=68),
    ],
)
def test_an_arm64_image_may_be_shorter_than_it_says(tmp_path: Path, data: bytes) -> None:
    assert loaded(tmp_path, data, 0x60000000).linux


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(200))
@given(at=st.integers(0, len(PING) - 1), value=st.integers(0, 255), cut=st.integers(0, len(PING)))
def test_a_damaged_elf_gives_an_image_or_an_error(tmp_path: Path, at: int, value: int, cut: int) -> None:
    damaged = (PING[:at] + bytes([value]) + PING[at + 1 :])[: cut or None]
    try:
        image = loaded(tmp_path, damaged, base=0x40000000)
    except ImageError:
        return
    assert all(each.offset + each.size <= len(damaged) for each in image.segments)


@pytest.mark.parametrize(
    ("data", "doubt"),
    [
        (_flags(0xB), "the kernel is big-endian"),
        (_flags(0xC), "the kernel has pages of 16 KiB"),
        (_flags(0xE), ""),  # 64 KiB
        (b"#!/bin/sh\necho hello\n", "is text"),
        (bytes(100), "has zeroes at the entry 0x60200000"),
        (b"\0", "has zeroes"),
        (b"\x1f\x20\x03\xd5", ""),
    ],
)
def test_what_of_a_file_can_run_and_is_probably_not_meant(tmp_path: Path, data: bytes, doubt: str) -> None:
    told = [message for message, _ in loaded(tmp_path, data, base=0x60200000).doubts]
    assert len(told) == bool(doubt)
    assert all(doubt in message for message in told)


def test_zeroes_count_at_the_entry_alone(tmp_path: Path) -> None:
    data = bytes(64) + b"\x1f\x20\x03\xd5"
    assert loaded(tmp_path, data, base=0x40000000).doubts
    assert not loaded(tmp_path, data, base=0x40000000, entry=0x40000040).doubts


def test_headers_far_away_are_found(tmp_path: Path) -> None:
    head = bytearray(PING[:64])
    struct.pack_into("<Q", head, 32, 0x10000)
    image = loaded(tmp_path, (bytes(head) + PING[64:]).ljust(0x10000, b"\0") + PING[64:176])
    assert image.spans[0] == (0x40100000, 0x40100100)
