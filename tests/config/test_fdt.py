"""Device tree blobs: what we write is read back, by us and by dtc; what is damaged is refused."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baonet.config import fdt
from baonet.config.fdt import FdtError, FdtNode

needs_dtc = pytest.mark.skipif(shutil.which("dtc") is None, reason="dtc is not installed (device-tree-compiler)")
names = st.text("abcdefghijklmnopqrstuvwxyz,#-", min_size=1, max_size=12).filter(lambda name: name[0] not in ",-")
nodes = st.recursive(
    st.builds(FdtNode, names, st.dictionaries(names, st.binary(max_size=9), max_size=3)),
    lambda inner: st.builds(
        FdtNode,
        names,
        st.dictionaries(names, st.binary(max_size=9), max_size=3),
        st.lists(inner, max_size=3, unique_by=lambda node: node.name),
    ),
    max_leaves=8,
)


def dtc(*arguments: str, data: bytes) -> bytes:
    found = subprocess.run(["dtc", "-q", *arguments, "-"], input=data, capture_output=True, check=False)
    assert found.returncode == 0, found.stderr.decode()
    return found.stdout


def small() -> FdtNode:
    root = FdtNode()
    root.cells("#address-cells", 2)
    root.text("compatible", "a,b", "c")
    child = root.add("child@1000")
    child.wide("reg", 0x1000)
    child.flag("empty")
    return root


def test_a_small_tree_byte_by_byte() -> None:
    root = FdtNode()
    root.cells("x", 1)
    assert fdt.write(root) == bytes.fromhex(
        "d00dfeed 00000060 00000038 00000058 00000028 00000011 00000010 00000000 00000002 00000020"  # header
        "00000000 00000000 00000000 00000000"  # the end of the memory reservations
        "00000001 00000000"  # begin node ""
        "00000003 00000004 00000000 00000001"  # property of 4 bytes, name at 0
        "00000002 00000009"  # end node, end
        "7800 000000000000"  # "x", to a multiple of 8
    )


@given(nodes)
def test_what_is_written_is_read_back(node: FdtNode) -> None:
    root = FdtNode("", node.properties, node.children)
    blob = fdt.write(root)
    assert len(blob) % 8 == 0
    again = fdt.read(blob)
    assert again.root == root
    assert again.write() == blob


@needs_dtc
def test_dtc_reads_what_we_write_and_we_read_what_dtc_writes() -> None:
    source = dtc("-I", "dtb", "-O", "dts", data=fdt.write(small()))
    assert b'compatible = "a,b\\0c";' in source
    assert fdt.read(dtc("-I", "dts", "-O", "dtb", data=source)).root == small()


@needs_dtc
def test_reservations_and_the_boot_cpu_survive() -> None:
    blob = dtc("-I", "dts", "-O", "dtb", "-b", "3", data=b"/dts-v1/; /memreserve/ 0x1000 0x2000; / { a = <1>; };")
    again = fdt.read(fdt.read(blob).write())
    assert again.boot_cpu == 3
    assert again.reserved == (0x1000).to_bytes(8, "big") + (0x2000).to_bytes(8, "big") + bytes(16)


def test_a_child_is_made_once() -> None:
    root = FdtNode()
    assert root.child("chosen") is root.child("chosen")


@given(at=st.integers(0, len(fdt.write(small())) - 1), value=st.integers(0, 255), cut=st.integers(0, 200))
def test_a_damaged_blob_is_read_or_refused(at: int, value: int, cut: int) -> None:
    blob = fdt.write(small())
    damaged = (blob[:at] + bytes([value]) + blob[at + 1 :])[: len(blob) - cut]
    with suppress(FdtError):
        fdt.read(damaged)


@pytest.mark.parametrize(
    ("blob", "message"),
    [
        (b"", "shorter than a header"),
        (bytes(100), "magic number"),
        (fdt.write(small())[:-8], "cut short"),
        (fdt.write(small())[:20] + b"\0\0\0\x12\0\0\0\x12" + fdt.write(small())[28:], "version 18"),
    ],
)
def test_blobs_that_are_no_tree(blob: bytes, message: str) -> None:
    with pytest.raises(FdtError, match=message):
        fdt.read(blob)
