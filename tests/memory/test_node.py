"""A node's memory: what is loaded where, and that it is really given up."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baonet.machine import Device, LoadSegment, PlatformDevice, Region, Vm
from baonet.machine.saved import StateError
from baonet.machine.stamp import stamp
from baonet.memory.node import NodeMemory, Use
from baonet.memory.sizes import Sizes
from tests.examples import examples
from tests.hyp import machines

BASE = 0x4000_0000


def memory(vm: Vm) -> NodeMemory:
    return NodeMemory(machines.machine(vm, shared_memory=(machines.MAILBOX,)), Sizes(64, 0x1000, 64, {"pl011": 100}))


def test_segments_are_loaded_where_they_belong_and_cleared(tmp_path: Path) -> None:
    image = tmp_path / "image"
    image.write_bytes(b"skip" + b"program")
    regions = (Region(BASE, 0x2000), Region(0, 0x1000))
    segments = (LoadSegment(BASE + 0x1FFC, 4, data=b"tail"), LoadSegment(0x10, 7, path=str(image), offset=4))
    vm = replace(machines.vm(0), regions=regions, segments=segments)
    node = memory(vm)
    first, second = (segment.view for segment in node.vms[0].regions)
    node.load(vm)
    assert (first[0x1FFC:], second[0x10:0x18]) == (b"tail", b"program\0")
    second[0x100] = 1
    node.clear(vm)
    assert (first[:], second[:]) == (bytes(0x2000), bytes(0x1000))
    node.close()


def test_what_does_not_fit_one_region_is_refused() -> None:
    vm = replace(machines.vm(0), segments=(LoadSegment(BASE + (64 << 20) - 1, 2, data=b"ab"),))
    node = memory(vm)
    with pytest.raises(ValueError, match="2 bytes at 0x43ffffff are not inside one region of VM 'vm0'"):
        node.load(vm)
    node.close()


def test_an_image_that_has_gone_is_told() -> None:
    vm = replace(machines.vm(0), segments=(LoadSegment(BASE, 2, path="/no/such/image"),))
    node = memory(vm)
    with pytest.raises(FileNotFoundError, match="/no/such/image"):
        node.load(vm)
    node.close()


@pytest.mark.parametrize("change", ["cut", "rewritten", "replaced"])
def test_an_image_that_has_changed_since_it_was_checked_is_told(tmp_path: Path, change: str) -> None:
    """Half of one program and half of another would run, and its guest would be blamed."""
    image = tmp_path / "image"
    image.write_bytes(b"old!")
    os.utime(image, ns=(0, 1_000_000_000))
    vm = replace(machines.vm(0), segments=(LoadSegment(BASE, 4, path=str(image), stamp=stamp(image)),))
    node = memory(vm)
    node.load(vm)
    if change == "cut":
        os.truncate(image, 2)
    elif change == "rewritten":
        image.write_bytes(b"new!")
    else:
        (tmp_path / "new").write_bytes(b"new!")
        os.utime(tmp_path / "new", ns=(0, 1_000_000_000))
        (tmp_path / "new").rename(image)
    with pytest.raises(OSError, match=f"has changed since it was checked: '{image}'"):
        node.load(vm)
    node.close()


def test_closing_gives_up_every_descriptor() -> None:
    before = os.listdir("/proc/self/fd")
    node = memory(machines.vm(0))
    assert len(os.listdir("/proc/self/fd")) > len(before)
    node.close()
    del node
    assert os.listdir("/proc/self/fd") == before


def test_a_device_that_is_modelled_has_memory_and_who_does_not_map_it_gives_it_up() -> None:
    """Of any kind that the engine has: what a process does not need is not there for a guest that breaks out.

    The names are of this test alone: others may have left memory in this process.
    """
    whole = machines.machine(machines.vm(0), machines.vm(1), shared_memory=(machines.MAILBOX,))
    devices = (
        PlatformDevice("unwanted", "pl011", 0x0900_0000, 0x1000, 33),
        PlatformDevice("wanted-disk", "disk", 0x0A00_0000, 0x1000, 34),
        PlatformDevice("other0", "none", 0x0B00_0000, 0x1000, 0),
    )
    vms = (
        replace(whole.vms[0], devices=(Device(0x0A00_0000, 0x0A00_0000, 0x1000),)),
        replace(whole.vms[1], devices=()),
    )
    whole = replace(whole, platform=replace(whole.platform, devices=devices), vms=vms)
    node = NodeMemory(whole, Sizes(4096, 0x1000, 64, {"pl011": 100, "disk": 8192}))
    assert set(node.devices) == {0x0900_0000, 0x0A00_0000}
    pid = os.fork()
    if pid == 0:
        node.keep(Use(frozenset({0}), frozenset({0})))
        text = Path("/proc/self/maps").read_text()
        os._exit(("wanted-disk" in text) + 2 * ("unwanted" in text))
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 1, "the disk and not the UART"
    node.close()


def test_translations_are_in_common_where_there_are_several_vcpus_and_for_their_processes_only() -> None:
    whole = machines.machine(replace(machines.vm(0), cpus=2), replace(machines.vm(1), cpus=2), machines.vm(2))
    node = NodeMemory(whole, Sizes(4096, 0x1000, 64, {"pl011": 100}))
    assert [vm.translations is not None for vm in node.vms.values()] == [True, True, False]
    pid = os.fork()
    if pid == 0:
        node.keep(Use(frozenset({1}), frozenset({1})))
        text = Path("/proc/self/maps").read_text()
        os._exit(
            sum(f"{whole.vms[vm].name}:translations" in text for vm in (0, 2)) * 2 + (f"{whole.vms[1].name}:t" in text)
        )
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 1
    node.close()


@settings(max_examples=examples(40))
@given(st.lists(st.tuples(st.integers(0, 0x4FFF), st.binary(min_size=1, max_size=5000)), max_size=6), st.data())
def test_memory_that_was_saved_is_had_again(writes: list[tuple[int, bytes]], data: st.DataObject) -> None:
    """Whatever has been there since, and in whichever process: in pages of which none is all zeroes."""
    vm = replace(machines.vm(0), regions=(Region(BASE, 0x6000),))
    node, other = memory(vm), memory(vm)
    views = [
        (each.vms[0].regions[0].view, each.shared[0].view, each.devices[0x0900_0000].view) for each in (node, other)
    ]
    for offset, written in writes:
        view = data.draw(st.sampled_from(views[0]))
        start = offset % len(view)
        piece = written[: len(view) - start]
        view[start : start + len(piece)] = piece
        views[1][data.draw(st.integers(0, 2))][0] = 1
    saved = node.save()
    for _, size, pieces, _ in saved["segments"]:
        for start, kept in pieces:
            assert start + len(kept) <= size
            assert all(kept[page : page + 0x1000].strip(b"\0") for page in range(0, len(kept), 0x1000))
    other.load_saved(saved)
    assert [view[:] for view in views[0]] == [view[:] for view in views[1]]
    node.close()
    other.close()


def test_memory_of_another_machine_is_refused() -> None:
    node, other = memory(machines.vm(0)), memory(replace(machines.vm(0), regions=(Region(BASE, 0x2000),)))
    with pytest.raises(
        StateError, match="a machine's memory is damaged: it has other regions: load it into the machine"
    ):
        other.load_saved(node.save())
    saved = node.save()
    saved["segments"][0][2] = [[0x20_0000, b"x"]]
    with pytest.raises(ValueError, match="is no place for"):
        node.load_saved(saved)
    node.close()
    other.close()
