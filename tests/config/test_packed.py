"""Guests that come compressed or wrapped: unpacked where that can be done, else named with what to do."""

from __future__ import annotations

import bz2
import gzip
import lzma
import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from baonet.cli.layout import layout
from baonet.config.armv8.guests import GUESTS
from baonet.config.images import Image, ImageError, load
from baonet.config.loader import load as load_machine
from baonet.memory.node import NodeMemory
from baonet.memory.sizes import Sizes
from tests.config.machines import BASE, PING, linux_image, write
from tests.examples import examples

BASE_ADDRESS = 0x60200000
PLAIN = linux_image(length=0x3000)[:0x40] + bytes(range(256)) * 0x20


def zboot(kind: str, payload: bytes, offset: int = 0x400) -> bytes:
    head = struct.pack("<2sH4sII8x32s", b"MZ", 0, b"zimg", offset, len(payload), kind.encode())
    return head.ljust(offset, b"\0") + payload + bytes(100)


def loaded(directory: Path, data: bytes) -> Image:
    path = directory / "image"
    path.write_bytes(data)
    return load(path, BASE_ADDRESS, None, GUESTS)


@pytest.mark.parametrize(
    "data",
    [
        gzip.compress(PLAIN),
        gzip.compress(PLAIN) + bytes(64),
        gzip.compress(PLAIN[:0x100]) + gzip.compress(PLAIN[0x100:]),
        zboot("gzip", gzip.compress(PLAIN) + struct.pack("<I", len(PLAIN))),
        zboot("xzkern", lzma.compress(PLAIN)),
        zboot("lzma", lzma.compress(PLAIN, lzma.FORMAT_ALONE)),
    ],
    ids=["gzip", "gzip, padded", "gzip, two members", "zboot gzip", "zboot xz", "zboot lzma"],
)
def test_a_compressed_linux_image_is_what_is_in_it(tmp_path: Path, data: bytes) -> None:
    image = loaded(tmp_path, data)
    plain = loaded(tmp_path, PLAIN)
    assert not image.doubts
    assert (image.spans, image.entry, image.linux) == (plain.spans, plain.entry, True)
    assert [(each.base, each.size, each.data) for each in image.segments] == [(BASE_ADDRESS, len(PLAIN), PLAIN)]


def test_what_was_unpacked_is_in_the_memory_of_the_vm(tmp_path: Path) -> None:
    path = write(tmp_path, BASE)
    (tmp_path / "Image").write_bytes(gzip.compress(PLAIN))
    machine = load_machine(path)
    assert any(line.endswith("image Image, unpacked") for line in layout(machine, machine.vms[1]))
    memory = NodeMemory(machine, Sizes(512, 0x1000, 64, {}))
    memory.load(machine.vms[1])
    (region,) = memory.vms[1].regions
    assert region.view[0x200000 : 0x200000 + len(PLAIN)] == PLAIN
    memory.close()


@pytest.mark.parametrize(
    ("data", "what", "remedy"),
    [
        (gzip.compress(bytes(999)), "is compressed with gzip, and is no arm64 Image inside", "gzip -d"),
        (gzip.compress(PING), "what is inside is an ELF file", "gzip -d"),
        (gzip.compress(gzip.compress(PLAIN)), "what is inside is compressed with gzip", "gzip -d"),
        (
            zboot("gzip", gzip.compress(b"no kernel" * 99)),
            "is an EFI zboot image, and is no arm64 Image inside",
            "Image",
        ),
        (gzip.compress(PLAIN)[:-100], "is compressed with gzip, and cut short", "by hand"),
        (lzma.compress(PLAIN), "is compressed with xz", "xz -d"),
        (lzma.compress(PLAIN, lzma.FORMAT_ALONE), "is compressed with lzma", "--format=lzma"),
        (bz2.compress(PLAIN), "is compressed with bzip2", "bzip2 -d"),
        (b"\x28\xb5\x2f\xfd" + bytes(99), "is compressed with zstd", "zstd -d"),
        (b"\x04\x22\x4d\x18" + bytes(99), "is compressed with lz4", "lz4 -d"),
        (b"\x02\x21\x4c\x18" + bytes(99), "is compressed with lz4 (legacy)", "lz4 -d"),
        (b"\x89LZO\0\r\n\x1a\n" + bytes(99), "is compressed with lzop", "lzop -d"),
        (b"\x27\x05\x19\x56" + bytes(60) + PLAIN, "is a U-Boot uImage", "dumpimage"),
        (b"\xd0\x0d\xfe\xed" + bytes(60) + b"images\0" + PLAIN, "is a FIT image", "dumpimage -T flat_dt"),
        (b"\xd0\x0d\xfe\xed" + bytes(1000), "is a device tree", "'device_tree'"),
        (b"ANDROID!" + bytes(2000) + PLAIN, "is an Android boot image", "unpack_bootimg"),
        (
            zboot("zstd22", b"\x28\xb5\x2f\xfd" + bytes(99)),
            "is an EFI zboot image compressed with zstd22",
            "head -c 103 | zstd -d",
        ),
        (zboot("brotli", bytes(99)), "is an EFI zboot image compressed with brotli", "Image"),
        (b"MZ" + bytes(58) + b"\x40\0\0\0PE\0\0" + bytes(99), "is an EFI application", "firmware"),
        (b"QFI\xfb" + bytes(99), "is a qcow2 disk image", "the kernel"),
        (bytes(0x200) + b"EFI PART" + bytes(99), "is a disk image", "the kernel"),
        (b"!<arch>\n" + bytes(99), "is an archive of object files", "link it"),
        (b"\xcf\xfa\xed\xfe" + bytes(99), "is a Mach-O file", "aarch64"),
        (b":020000044000BA\r\n:10000000", "is Intel HEX", "objcopy -I ihex"),
        (b"S00600004844521B\nS3150000", "is S-records", "objcopy -I srec"),
        (b"070701" + b"0" * 104, "is a cpio archive", "'initrd'"),
        (bytes(257) + b"ustar\0" + bytes(250), "is a tar archive", "tar -x"),
        (bytes(0x202) + b"HdrS" + bytes(0x1000), "is a kernel for x86", "aarch64"),
        (bytes(0x24) + b"\x18\x28\x6f\x01" + bytes(99), "is a zImage for 32-bit Arm", "aarch64"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "",
)
def test_what_is_not_unpacked_is_named_with_what_to_do(tmp_path: Path, data: bytes, what: str, remedy: str) -> None:
    with pytest.raises(ImageError) as caught:
        loaded(tmp_path, data)
    assert caught.value.key == "path"
    assert what in str(caught.value)
    assert remedy in caught.value.hint


@pytest.mark.parametrize(
    ("behind", "what"), [(b"\xd0\x0d\xfe\xed" + bytes(60), "a device tree"), (b"\xaa" * 12, "12 bytes")]
)
def test_what_stands_behind_a_compressed_image_is_told(tmp_path: Path, behind: bytes, what: str) -> None:
    image = loaded(tmp_path, gzip.compress(PLAIN) + behind)
    assert image.segments[0].data == PLAIN
    ((message, _),) = image.doubts
    assert message == f"behind the compressed Image the file has {what}, which the VM does not get"


@pytest.mark.parametrize("data", [b"\x1f\x20\x03\xd5" * 300, PLAIN, b"]" * 100, b":not hex\n", b"Some text\n" * 90])
def test_what_is_only_like_one_of_these_is_not_taken_for_it(tmp_path: Path, data: bytes) -> None:
    assert loaded(tmp_path, data).segments[0].size == len(data)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(100))
@given(data=st.data(), kind=st.sampled_from(["gzip", "xzkern", "lzma"]))
def test_a_damaged_image_is_an_image_or_an_error(tmp_path: Path, data: st.DataObject, kind: str) -> None:
    whole = bytearray(zboot(kind, gzip.compress(PLAIN) if kind == "gzip" else lzma.compress(PLAIN)))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        loaded(tmp_path, bytes(whole[: data.draw(st.integers(1, len(whole)))]))
    except ImageError:
        return
