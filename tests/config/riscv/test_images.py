"""Guests of RISC-V: Linux's ``Image``, ELF files, and what is of another architecture."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from baonet.config.armv8.guests import GUESTS as ARMV8
from baonet.config.images import Image, ImageError, load
from baonet.config.riscv.guests import GUESTS
from tests.config import machines
from tests.config.machines import elf, problems
from tests.config.riscv.machines import BASE, IMAGE_SIZE, RISCV, linux_image, warnings, write
from tests.examples import examples

KERNEL = 0x90200000
DAMAGED = linux_image(jump=0x1000, length=0x1000)


def loaded(directory: Path, data: bytes, base: int | None = KERNEL) -> Image:
    path = directory / "image"
    path.write_bytes(data)
    return load(path, base, None, GUESTS)


def test_linux_takes_its_image_size(tmp_path: Path) -> None:
    image = loaded(tmp_path, linux_image())
    assert image.linux
    assert image.entry == KERNEL
    assert image.spans == ((KERNEL, KERNEL + IMAGE_SIZE),)


@pytest.mark.parametrize("text_offset", [0, 0x200000, 0x400000])
def test_linux_wants_a_multiple_of_2_mib_whatever_its_text_offset(tmp_path: Path, text_offset: int) -> None:
    data = linux_image(text_offset=text_offset)
    assert loaded(tmp_path, data).entry == KERNEL
    with pytest.raises(ImageError, match="starts at a multiple of 2MiB") as caught:
        loaded(tmp_path, data, KERNEL + 0x1000)
    assert caught.value.hint == "use 0x90200000 or 0x90400000"


def test_linux_needs_a_base(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="is a RISC-V Linux Image, and has no 'base'"):
        loaded(tmp_path, linux_image(), None)


@pytest.mark.parametrize("name", ["Image.gz", "vmlinuz"])
def test_linux_as_it_is_shipped(tmp_path: Path, name: str) -> None:
    """Compressed, and as an EFI zboot image (zboot-header.S)."""
    packed = gzip.compress(linux_image())
    zboot = struct.pack("<2s2x4sII8x32s", b"MZ", b"zimg", 0x100, len(packed), b"gzip").ljust(0x100, b"\0") + packed
    image = loaded(tmp_path, packed if name.endswith("gz") else zboot)
    assert image.segments[0].data == linux_image()
    assert image.linux


def _with_sections(raw: int, size: int) -> bytes:
    """With a table of one section, whose bytes are at ``raw``."""
    head = bytearray(linux_image(jump=0x400))
    struct.pack_into("<I", head, 0x3C, 0x40)
    struct.pack_into("<4sHH12xH2x", head, 0x40, b"PE\0\0", 0x5064, 1, 0x10)
    struct.pack_into("<II", head, 0x40 + 24 + 0x10 + 16, size, raw)
    return bytes(head)


@pytest.mark.parametrize(("data", "needed"), [(DAMAGED, 0x1004), (_with_sections(0x8000, 0x20000), 0x18000)])
def test_linux_that_is_cut_short(tmp_path: Path, data: bytes, needed: int) -> None:
    with pytest.raises(ImageError, match="is cut short"):
        loaded(tmp_path, data)
    assert loaded(tmp_path, data.ljust(needed, b"\0")).linux


@pytest.mark.parametrize("at", [0, 2])
def test_the_jump_of_a_kernel_with_and_without_efi(tmp_path: Path, at: int) -> None:
    head = bytearray(linux_image(length=0x1000))
    head[0:8] = bytes(8)
    struct.pack_into("<I", head, at, 0x0000_106F)  # j .+0x1000
    with pytest.raises(ImageError, match=f"at least {at + 0x1000 + 2}"):
        loaded(tmp_path, bytes(head))


def test_a_kernel_that_jumps_back_has_all_of_it(tmp_path: Path) -> None:
    head = bytearray(linux_image(length=0x1000))
    struct.pack_into("<I", head, 2, 0xFFDF_F06F)  # j .-4
    assert loaded(tmp_path, bytes(head)).linux


def test_a_big_endian_kernel_is_doubtful(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(linux_image(flags=1))
    write(tmp_path)
    assert any(
        "the kernel is big-endian" in each for each in warnings(tmp_path, BASE.replace("path: Image", "path: big"))
    )


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_linux_of_the_other_architecture_is_told(tmp_path: Path, pack: object) -> None:
    assert callable(pack)
    arm, riscv = tmp_path / "arm", tmp_path / "riscv"
    arm.write_bytes(pack(machines.linux_image()))
    riscv.write_bytes(pack(linux_image()))
    with pytest.raises(ImageError) as caught:
        load(arm, KERNEL, None, GUESTS)
    assert str(caught.value) == f"{arm} is an arm64 Linux Image, and the platform's CPUs are riscv64"
    assert caught.value.hint == "give a RISC-V Linux Image, or another platform"
    with pytest.raises(ImageError, match="is a RISC-V Linux Image, and the platform's CPUs are aarch64"):
        load(riscv, KERNEL, None, ARMV8)


def test_an_elf_file_of_the_other_architecture_is_told(tmp_path: Path) -> None:
    segment = (0x80200000, 0x80200000, b"\1" * 64, 64)
    with pytest.raises(ImageError, match=r"is an ELF file for 64-bit Arm \(machine 183\), not for riscv64 \(243\)"):
        loaded(tmp_path, elf(segment), None)
    path = write(tmp_path, BASE.replace("platform: qemu-riscv64-virt", "platform: qemu-aarch64-virt"))
    assert any("is an ELF file for RISC-V (machine 243), not for aarch64" in each.message for each in problems(path))


@pytest.mark.parametrize(("base", "hint"), [(0x90200800, "use 0x90200000 or 0x90201000")])
def test_a_position_independent_program_moves_by_whole_pages(tmp_path: Path, base: int, hint: str) -> None:
    program = elf((0x2000, 0x2000, bytes(16), 16), entry=0x2002, machine=RISCV, kind=3)
    assert loaded(tmp_path, program, 0x90200000).entry == 0x90200002
    with pytest.raises(ImageError, match=r"counts on whole pages \(AUIPC\)") as caught:
        loaded(tmp_path, program, base)
    assert caught.value.hint == hint


def test_a_long_command_line_is_doubtful(tmp_path: Path) -> None:
    found = warnings(tmp_path, BASE.replace("console=ttyS0", "x" * 1024))
    assert any("1024 characters, of which RISC-V Linux keeps 1023" in each for each in found)


def test_linux_without_a_device_tree_is_doubtful(tmp_path: Path) -> None:
    bare = BASE.replace('    initrd: {path: initrd.gz}\n    command_line: "console=ttyS0"\n    device_tree: auto\n', "")
    assert any("a RISC-V Linux Image, and no device tree: a1 is 0" in each for each in warnings(tmp_path, bare))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(60), deadline=None)
@given(changes=st.dictionaries(st.integers(0, 0x6F), st.integers(0, 255), max_size=12), length=st.integers(1, 0x200))
def test_a_damaged_header_is_an_image_or_an_error(tmp_path: Path, changes: dict[int, int], length: int) -> None:
    data = bytearray(_with_sections(0x80, 0x10))
    for at, value in changes.items():
        data[at] = value
    try:
        image = loaded(tmp_path, bytes(data[:length]))
    except ImageError:
        return
    assert image.segments[0].size == length
