"""A whole VM: where its image, initrd and device tree come to lie, and what its record tells."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from baonet.config import fdt
from baonet.config.devicetree import blob
from baonet.config.loader import load
from baonet.machine import (
    Clock,
    ClockMode,
    Device,
    Faithful,
    Ipc,
    Latency,
    Machine,
    Region,
    SharedMemory,
    Vm,
)
from baonet.machine.armv8 import Armv8Vm, Gic
from tests.config.machines import BASE, linux_image, problems, write
from tests.examples import examples

MIB = 1 << 20


def spans(vm: Vm) -> list[tuple[int, int]]:
    return sorted((each.base, each.base + each.size) for each in vm.segments)


def linux_of(directory: Path, *changes: tuple[str, str]) -> tuple[Machine, Vm]:
    text = BASE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    machine = load(write(directory, text))
    return machine, machine.vms[1]


def test_the_records_of_a_machine(tmp_path: Path) -> None:
    path = write(tmp_path)
    machine = load(path)
    ping = machine.vms[0]
    gic = Gic(version=3, gicd=0x08000000, gicr=0x080A0000)
    assert (machine.path, machine.clock, machine.faithful) == (str(path), Clock(), Faithful.PRACTICAL)
    assert (machine.clock.window, machine.clock.slice) == (10_000, 1_000)
    assert machine.shared_memory == (SharedMemory("mailbox", 0x10000),)
    assert (ping.index, ping.name, ping.cpus, ping.cpu_affinity, ping.colors) == (0, "ping", 1, (0,), 0)
    assert ping.regions == (Region(0x40000000, 64 * MIB),)
    assert ping.devices == (Device(0x09000000, 0x09000000, 0x1000, (33,)),)
    assert ping.ipcs == (Ipc(0x70000000, 0x10000, 0, (84,)),)
    assert ping.arch == Armv8Vm(gic)
    assert ping.interrupts == (27, 33)
    assert (ping.entry, ping.context, ping.initrd, ping.device_tree) == (0x40100000, 0, None, None)


def test_defaults_that_come_from_elsewhere_in_the_file(tmp_path: Path) -> None:
    machine, linux = linux_of(
        tmp_path,
        (
            "version: 1",
            "version: 1\nclock: {mode: virtual, mhz: 250, window: 20 us, slice: 2us, latency: {ipc: 1.5us}}"
            "\nfaithful: strict",
        ),
        ("{pa: 0x09000000, size: 4KiB}", "{pa: 0x09000000, va: 0x1000, id: 5}, {interrupts: [40, 27]}"),
        (
            "    timer: [27]\n",
            "    gic: {gicr: 0x0a000000, interrupts: 70}\n    colors: [0, 3]\n    huge_pages: false\n"
            "    interrupts: direct\n",
        ),
    )
    assert machine.clock == Clock(ClockMode.VIRTUAL, 250, 20_000, 2_000, Latency(ipc=1500))
    assert linux.devices == (Device(0x09000000, 0x1000, 0x1000, (), 5), Device(0, None, 0, (40, 27)))
    assert linux.ipcs[0].size == 0x10000
    assert [vm.direct_interrupts for vm in machine.vms] == [False, True]
    assert linux.arch == Armv8Vm(Gic(version=3, gicd=0x08000000, gicr=0x0A000000, interrupts=96))
    assert linux.interrupts == (27, 40)
    assert linux.colors == 0b1001
    assert [vm.huge_pages for vm in machine.vms] == [True, False]


def test_without_a_timer(tmp_path: Path) -> None:
    _, linux = linux_of(tmp_path, ("timer: [27]", "timer: []"))
    assert linux.interrupts == ()


def test_the_tree_goes_to_the_top_and_the_initrd_below_it(tmp_path: Path) -> None:
    machine, linux = linux_of(tmp_path)
    assert linux.device_tree == 0x80000000 - 2 * MIB
    assert linux.context == linux.device_tree
    assert linux.initrd == (linux.device_tree - 0x3000, linux.device_tree - 0x3000 + 10_000)
    assert linux.entry == 0x60200000
    assert {each.path for each in linux.segments} == {str(tmp_path / "Image"), str(tmp_path / "initrd.gz"), None}
    (tree,) = [each for each in linux.segments if each.base == linux.device_tree]
    assert tree.data == blob(machine, linux)
    assert tree.size == len(tree.data)
    chosen = fdt.read(tree.data).root.child("chosen")
    assert chosen.properties["linux,initrd-start"] == linux.initrd[0].to_bytes(8, "big")
    assert chosen.properties["linux,initrd-end"] == linux.initrd[1].to_bytes(8, "big")


def test_strict_places_the_tree_and_passes_no_pointer(tmp_path: Path) -> None:
    _, linux = linux_of(tmp_path, ("version: 1", "version: 1\nfaithful: strict"))
    assert linux.context == 0
    assert linux.device_tree == 0x80000000 - 2 * MIB
    assert any(each.base == linux.device_tree for each in linux.segments)


def test_places_that_are_given(tmp_path: Path) -> None:
    _, linux = linux_of(
        tmp_path,
        ("device_tree: auto", "device_tree: {path: auto, base: 0x60000000}"),
        ("{path: initrd.gz}", "{path: initrd.gz, base: 0x68000000}"),
    )
    assert (linux.device_tree, linux.initrd) == (0x60000000, (0x68000000, 0x68000000 + 10_000))


def test_in_memory_too_small_for_a_block_the_tree_is_placed_by_pages(tmp_path: Path) -> None:
    _, linux = linux_of(tmp_path, ("{base: 0x60000000, size: 512MiB}", "{base: 0x60200000, size: 0x308000}"))
    assert linux.device_tree == 0x60507000
    assert linux.initrd == (0x60504000, 0x60504000 + 10_000)


def test_a_kernel_near_the_top_leaves_the_room_around_it(tmp_path: Path) -> None:
    _, linux = linux_of(tmp_path, ("0x60200000", "0x7fc00000"))
    assert linux.device_tree == 0x7FA00000
    assert linux.initrd == (0x80000000 - 0x3000, 0x80000000 - 0x3000 + 10_000)


def test_ram_that_starts_at_zero(tmp_path: Path) -> None:
    _, linux = linux_of(
        tmp_path, ("{base: 0x60000000, size: 512MiB}", "{base: 0, size: 6MiB}"), ("0x60200000", "0x00200000")
    )
    assert linux.device_tree == linux.context == 6 * MIB - 0x1000  # address 0 would tell the guest that there is none


def test_a_tree_from_a_file_gets_its_chosen(tmp_path: Path) -> None:
    root = fdt.FdtNode()
    root.text("compatible", "own,board")
    root.add("chosen").text("bootargs", "old")
    root.child("chosen").text("stdout-path", "/serial")
    root.child("chosen").wide("linux,initrd-end", 1)
    (tmp_path / "own.dtb").write_bytes(fdt.write(root))
    machine, linux = linux_of(tmp_path, ("device_tree: auto", "device_tree: own.dtb"))
    found = fdt.read(blob(machine, linux)).root
    assert linux.initrd is not None
    assert found.properties == {"compatible": b"own,board\0"}
    assert found.child("chosen").properties == {
        "bootargs": b"console=ttyAMA0\0",
        "stdout-path": b"/serial\0",
        "linux,initrd-start": linux.initrd[0].to_bytes(8, "big"),
        "linux,initrd-end": linux.initrd[1].to_bytes(8, "big"),
    }


def test_a_tree_from_a_file_is_untouched_when_there_is_nothing_to_tell(tmp_path: Path) -> None:
    root = fdt.FdtNode()
    root.text("compatible", "own,board")
    (tmp_path / "own.dtb").write_bytes(fdt.write(root))
    text = 'initrd: {path: initrd.gz}\n    command_line: "console=ttyAMA0"\n    device_tree: auto'
    machine, linux = linux_of(tmp_path, (text, "device_tree: own.dtb"))
    assert blob(machine, linux) == (tmp_path / "own.dtb").read_bytes()


def test_a_tree_that_is_too_large(tmp_path: Path) -> None:
    write(tmp_path)
    root = fdt.FdtNode()
    root.properties["much"] = bytes(3 * MIB)
    (tmp_path / "own.dtb").write_bytes(fdt.write(root))
    (found,) = problems(write(tmp_path, BASE.replace("device_tree: auto", "device_tree: own.dtb")))
    assert "not a device tree: it is cut short" in found.message or "Linux takes at most 2MiB" in found.hint


def test_a_machine_file_in_another_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "machines").mkdir()
    write(tmp_path / "machines")
    monkeypatch.chdir(tmp_path)
    machine = load(Path("machines/machine.yaml"))
    assert machine.path == "machines/machine.yaml"
    assert machine.vms[0].segments[0].path == str(tmp_path / "machines" / "ping.elf")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(60))
@given(
    start=st.integers(0, 8),
    size=st.integers(1, 5000),
    kernel=st.integers(0, 16),
    sizes=st.tuples(st.integers(0x1000, 6 * MIB), st.integers(1, 3 * MIB)),
)
def test_nothing_overlaps_and_all_is_inside(
    tmp_path: Path, start: int, size: int, kernel: int, sizes: tuple[int, int]
) -> None:
    """Whatever the sizes: either the machine has room and all is apart, or there is a problem that says so."""
    image_size, initrd = sizes
    base = 0x60000000 + start * 0x1000
    place = 0x60000000 + kernel * 2 * MIB
    text = BASE.replace("{base: 0x60000000, size: 512MiB}", f"{{base: {base}, size: {size * 0x1000}}}")
    path = write(tmp_path, text.replace("0x60200000", hex(place)))
    (tmp_path / "Image").write_bytes(linux_image(image_size))
    (tmp_path / "initrd.gz").write_bytes(bytes(initrd))
    if problems(path):
        return
    linux = load(path).vms[1]
    taken = sorted([(place, place + image_size), *(each for each in spans(linux) if each[0] != place)])
    assert all(base <= low and high <= base + size * 0x1000 for low, high in taken)
    assert all(one[1] <= two[0] for one, two in pairwise(taken))
    assert len(taken) == 3
