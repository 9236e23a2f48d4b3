"""The device tree of a VM, as its guest reads it."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from baonet.config import fdt
from baonet.config.devicetree import blob, channels
from baonet.config.fdt import FdtNode
from baonet.config.loader import load
from baonet.machine import Machine
from tests.config.machines import BASE, write


def machine_of(directory: Path, *changes: tuple[str, str]) -> Machine:
    text = BASE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return load(write(directory, text))


def tree(machine: Machine, vm: int = 1) -> dict[str, FdtNode]:
    """The nodes of a VM's tree by path."""
    found: dict[str, FdtNode] = {}

    def walk(node: FdtNode, path: str) -> None:
        found[path or "/"] = node
        for child in node.children:
            walk(child, f"{path}/{child.name}")

    walk(fdt.read(blob(machine, machine.vms[vm])).root, "")
    return found


def cells(node: FdtNode, name: str) -> list[int]:
    value = node.properties[name]
    return [int.from_bytes(value[i : i + 4], "big") for i in range(0, len(value), 4)]


def texts(node: FdtNode, name: str) -> list[str]:
    return node.properties[name].decode().split("\0")[:-1]


def test_what_linux_needs(tmp_path: Path) -> None:
    found = tree(machine_of(tmp_path))
    assert set(found) == {
        "/",
        "/chosen",
        "/aliases",
        "/cpus",
        "/cpus/cpu@0",
        "/cpus/cpu@1",
        "/psci",
        "/interrupt-controller@8000000",
        "/timer",
        "/memory@60000000",
        "/apb-pclk",
        "/serial@9000000",
        "/bao-ipc@90000000",
    }
    assert cells(found["/memory@60000000"], "reg") == [0, 0x60000000, 0, 0x20000000]
    assert texts(found["/chosen"], "bootargs") == ["console=ttyAMA0"]
    assert texts(found["/chosen"], "stdout-path") == ["serial0:115200n8"]
    assert texts(found["/aliases"], "serial0") == ["/serial@9000000"]
    assert cells(found["/cpus/cpu@1"], "reg") == [1]
    assert texts(found["/cpus/cpu@1"], "enable-method") == ["psci"]
    assert texts(found["/cpus/cpu@1"], "compatible") == ["arm,cortex-a53"]
    assert texts(found["/psci"], "compatible") == ["arm,psci-1.0", "arm,psci-0.2"]
    assert texts(found["/psci"], "method") == ["smc"]


def test_the_timer_has_its_four_private_interrupts(tmp_path: Path) -> None:
    timer = tree(machine_of(tmp_path))["/timer"]
    assert cells(timer, "interrupts") == [1, 13, 4, 1, 14, 4, 1, 11, 4, 1, 10, 4]


def test_performance_monitors_have_their_interrupt_if_the_vm_has_it(tmp_path: Path) -> None:
    assert "/pmu" not in tree(machine_of(tmp_path))
    modelled = ("qemu-aarch64-virt", "{extends: qemu-aarch64-virt, memory_system: cortex-a53}")
    assert "interrupts" not in tree(machine_of(tmp_path, modelled))["/pmu"].properties
    given = ("devices: [{pa: 0x09000000, size: 4KiB}", "devices: [{interrupts: [23]}, {pa: 0x09000000, size: 4KiB}")
    for changes in ((given,), (modelled, given)):
        assert cells(tree(machine_of(tmp_path, *changes))["/pmu"], "interrupts") == [1, 7, 4]


def test_a_gicv3_has_a_redistributor_for_each_vcpu(tmp_path: Path) -> None:
    gic = tree(machine_of(tmp_path, ("timer: [27]", "gic: {gicd: 0x30000000, gicr: 0x30100000}")))[
        "/interrupt-controller@30000000"
    ]
    assert texts(gic, "compatible") == ["arm,gic-v3"]
    assert cells(gic, "reg") == [0, 0x30000000, 0, 0x10000, 0, 0x30100000, 0, 0x40000]


def test_a_gicv2_and_its_private_interrupts(tmp_path: Path) -> None:
    found = tree(machine_of(tmp_path, ("qemu-aarch64-virt", "qemu-aarch64-virt-gicv2")))
    gic = found["/interrupt-controller@8000000"]
    assert texts(gic, "compatible")[0] == "arm,gic-400"
    assert cells(gic, "reg") == [0, 0x08000000, 0, 0x1000, 0, 0x08010000, 0, 0x2000]
    assert cells(found["/timer"], "interrupts")[6:9] == [1, 11, 0x304]  # both CPUs, level


def test_a_uart_has_its_interrupt_if_the_vm_has_it(tmp_path: Path) -> None:
    machine = machine_of(tmp_path)
    assert "interrupts" not in tree(machine)["/serial@9000000"].properties
    assert cells(tree(machine, 0)["/serial@9000000"], "interrupts") == [0, 1, 4]
    assert cells(tree(machine, 0)["/serial@9000000"], "reg") == [0, 0x09000000, 0, 0x1000]


def test_a_uart_inside_a_larger_mapping(tmp_path: Path) -> None:
    machine = machine_of(
        tmp_path,
        ("qemu-aarch64-virt", "zcu104"),
        ("0x40000000", "0x40000000"),
        ("[{pa: 0x09000000, va: 0x09000000, size: 4KiB, interrupts: [33]}]", "[]"),
        ("{pa: 0x09000000, size: 4KiB}", "{pa: 0xFF000000, va: 0x10000000, size: 128KiB, interrupts: [54]}"),
    )
    found = tree(machine)
    assert texts(found["/aliases"], "serial1") == ["/serial@10010000"]
    assert cells(found["/serial@10010000"], "interrupts") == [0, 22, 4]
    assert "interrupts" not in found["/serial@10000000"].properties


def test_without_a_uart_there_is_no_clock_and_no_stdout(tmp_path: Path) -> None:
    found = tree(machine_of(tmp_path, ("    devices: [{pa: 0x09000000, size: 4KiB}]\n", "")))
    assert "/apb-pclk" not in found
    assert "stdout-path" not in found["/chosen"].properties


def test_channels_are_where_32_bits_reach() -> None:
    """The binding has no more, and an object may have any size."""
    assert channels(64 << 30) == channels(4 << 30) == ((0, 0x7FFFFFF8), (0x80000000, 0x7FFFFFF8))


def test_shared_memory_has_opposite_channels_in_two_vms(tmp_path: Path) -> None:
    machine = machine_of(tmp_path)
    ping, linux = tree(machine, 0)["/bao-ipc@70000000"], tree(machine, 1)["/bao-ipc@90000000"]
    assert texts(ping, "compatible") == ["bao,ipcshmem"]
    assert cells(ping, "reg") == [0, 0x70000000, 0, 0x10000]
    assert cells(ping, "write-channel") == cells(linux, "read-channel") == [0x8000, 0x7FF8]
    assert cells(ping, "read-channel") == cells(linux, "write-channel") == [0, 0x7FF8]
    assert cells(linux, "id") == [0]
    assert cells(linux, "interrupts") == [0, 52, 1]  # an edge: Bao's notifications have no level


@pytest.mark.parametrize("size", [0x1000, 0x4000, 0x10000])
def test_channels_end_before_the_last_byte(size: int) -> None:
    """Bao's driver: start + offset + size < end, the end being the last byte."""
    for offset, length in channels(size):
        assert offset + length < size - 1


def test_any_vm_can_be_given_a_tree(tmp_path: Path) -> None:
    """``baonet dtb`` also for a VM that has none."""
    assert tree(machine_of(tmp_path), 0)["/"].properties["model"] == b"baonet ping\0"


def test_the_cpu_model_max(tmp_path: Path) -> None:
    machine = machine_of(
        tmp_path,
        ("platform: qemu-aarch64-virt", "platform: {extends: zcu104, cpu_model: max}"),
        ("pa: 0x09000000", "pa: 0xFF000000"),
        ("interrupts: [33]", "interrupts: [53]"),
    )
    assert texts(tree(machine)["/cpus/cpu@0"], "compatible") == ["arm,armv8"]


@pytest.mark.skipif(shutil.which("dtc") is None, reason="dtc is not installed (device-tree-compiler)")
@pytest.mark.parametrize("platform", ["qemu-aarch64-virt", "qemu-aarch64-virt-gicv2"])
def test_dtc_finds_nothing_to_warn_about(tmp_path: Path, platform: str) -> None:
    machine = machine_of(tmp_path, ("platform: qemu-aarch64-virt", f"platform: {platform}"))
    for vm in machine.vms:
        data = blob(machine, replace(vm, interrupts=(27, 33)))
        source = subprocess.run(["dtc", "-I", "dtb", "-O", "dts"], input=data, capture_output=True, check=True)
        assert source.stderr == b""
        again = subprocess.run(["dtc", "-I", "dts", "-O", "dtb"], input=source.stdout, capture_output=True, check=True)
        assert fdt.read(again.stdout).root == fdt.read(data).root
