"""The device tree of a RISC-V VM, as its guest reads it, and one that its user gives."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from baonet.config import fdt
from baonet.config.devicetree import blob
from baonet.config.fdt import FdtNode
from baonet.document.errors import ConfigError
from baonet.machine import Machine
from tests.config.riscv.machines import BASE, DIRECT_MODE, PLIC, machine_of, warnings
from tests.config.test_devicetree import cells, texts, tree

INTC = "/cpus/cpu@0/interrupt-controller", "/cpus/cpu@1/interrupt-controller"


def handle(found: dict[str, FdtNode], path: str) -> int:
    return cells(found[path], "phandle")[0]


def test_what_linux_needs(tmp_path: Path) -> None:
    found = tree(machine_of(tmp_path))
    assert set(found) == {
        *("/", "/chosen", "/aliases", "/cpus", "/cpus/cpu@0", "/cpus/cpu@1", *INTC),
        *("/interrupt-controller@d000000", "/interrupt-controller@28000000"),
        *("/memory@90000000", "/serial@10000000", "/bao-ipc@70000000"),
    }
    assert cells(found["/cpus"], "timebase-frequency") == [10_000_000]
    assert texts(found["/chosen"], "stdout-path") == ["serial0:115200n8"]
    for number, path in enumerate(INTC):
        cpu = found[f"/cpus/cpu@{number}"]
        assert cells(cpu, "reg") == [number]
        assert texts(cpu, "mmu-type") == ["riscv,sv57"]
        assert texts(cpu, "riscv,isa") == ["rv64imafdc_zicbom_zicboz_zicsr_zifencei_ssaia_sstc_svpbmt"]
        assert texts(cpu, "riscv,isa-extensions")[:6] == list("imafdc")
        assert cells(cpu, "riscv,cbom-block-size") == cells(cpu, "riscv,cboz-block-size") == [64]
        assert texts(found[path], "compatible") == ["riscv,cpu-intc"]
        # Linux (of_irq_init) begins with the controllers that are their own parents, and the root names another one.
        assert cells(found[path], "interrupt-parent") == [handle(found, path)]
    assert len({handle(found, path) for path in found if "phandle" in found[path].properties}) == 4


def test_an_aia(tmp_path: Path) -> None:
    found = tree(machine_of(tmp_path))
    aplic, imsics = found["/interrupt-controller@d000000"], found["/interrupt-controller@28000000"]
    assert texts(aplic, "compatible") == ["riscv,aplic"]
    assert cells(aplic, "reg") == [0, 0x0D000000, 0, 0x4000]
    assert cells(aplic, "riscv,num-sources") == [84]  # the notification's: a guest goes through all of them
    assert cells(aplic, "msi-parent") == [handle(found, "/interrupt-controller@28000000")]
    assert cells(found["/"], "interrupt-parent") == [handle(found, "/interrupt-controller@d000000")]
    assert texts(imsics, "compatible") == ["riscv,imsics"]
    assert cells(imsics, "reg") == [0, 0x28000000, 0, 0x2000]  # a page for each hart
    assert cells(imsics, "riscv,num-ids") == [255]
    assert cells(imsics, "interrupts-extended") == [n for path in INTC for n in (handle(found, path), 9)]
    assert cells(found["/bao-ipc@70000000"], "interrupts") == [84, 1]  # an edge
    assert cells(tree(machine_of(tmp_path), 0)["/serial@10000000"], "interrupts") == [10, 4]


def test_a_plic(tmp_path: Path) -> None:
    machine = machine_of(tmp_path, PLIC)
    found = tree(machine)
    plic = found["/interrupt-controller@c000000"]
    assert texts(plic, "compatible") == ["sifive,plic-1.0.0", "riscv,plic0"]
    assert cells(plic, "reg") == [0, 0x0C000000, 0, 0x204000]  # two contexts for each hart
    assert cells(plic, "interrupts-extended") == [
        n for path in INTC for n in (handle(found, path), 11, handle(found, path), 9)
    ]
    assert cells(plic, "riscv,ndev") == [84]
    assert cells(found["/bao-ipc@70000000"], "interrupts") == [84]
    assert cells(tree(machine, 0)["/serial@10000000"], "interrupts") == [10]
    assert "ssaia" not in texts(found["/cpus/cpu@0"], "riscv,isa-extensions")


def test_an_aplic_alone(tmp_path: Path) -> None:
    found = tree(machine_of(tmp_path, DIRECT_MODE))
    aplic = found["/interrupt-controller@d000000"]
    assert cells(aplic, "interrupts-extended") == [n for path in INTC for n in (handle(found, path), 9)]
    assert "msi-parent" not in aplic.properties
    assert cells(aplic, "reg") == [0, 0x0D000000, 0, 0x5000]


def test_without_sstc_the_harts_do_not_have_it(tmp_path: Path) -> None:
    found = tree(machine_of(tmp_path, BASE, "platform.sstc=false"))
    assert "sstc" not in texts(found["/cpus/cpu@0"], "riscv,isa")[0]


def test_uarts_of_both_kinds(tmp_path: Path) -> None:
    machine = machine_of(
        tmp_path,
        BASE.replace("[{pa: 0x10000000}]", "[{pa: 0x10000000}, {pa: 0x10001000, interrupts: [11]}]"),
        "platform.devices=[{name: a, kind: '16550', pa: 0x10000000, interrupt: 10}, "
        "{name: b, kind: pl011, pa: 0x10001000, interrupt: 11}]",
    )
    found = tree(machine)
    first, second = found["/serial@10000000"], found["/serial@10001000"]
    assert texts(first, "compatible") == ["ns16550a"]
    assert cells(first, "clock-frequency") == [3_686_400]
    assert texts(second, "compatible") == ["arm,pl011", "arm,primecell"]
    assert cells(second, "clocks") == [handle(found, "/apb-pclk")] * 2
    assert texts(found["/aliases"], "serial1") == ["/serial@10001000"]


@pytest.mark.skipif(shutil.which("dtc") is None, reason="dtc is not installed (device-tree-compiler)")
@pytest.mark.parametrize("text", [BASE, PLIC, DIRECT_MODE], ids=["AIA", "PLIC", "APLIC"])
def test_dtc_finds_nothing_to_warn_about(tmp_path: Path, text: str) -> None:
    machine = machine_of(tmp_path, text)
    for vm in machine.vms:
        data = blob(machine, replace(vm, interrupts=(10,)))
        source = subprocess.run(["dtc", "-I", "dtb", "-O", "dts"], input=data, capture_output=True, check=True)
        assert source.stderr == b""
        again = subprocess.run(["dtc", "-I", "dts", "-O", "dtb"], input=source.stdout, capture_output=True, check=True)
        assert fdt.read(again.stdout).root == fdt.read(data).root


# A tree that is given


def own(machine: Machine) -> FdtNode:
    return fdt.read(blob(machine, machine.vms[1])).root


def node(root: FdtNode, name: str) -> FdtNode:
    return next(each for each in root.children if each.name.startswith(name))


def doubts_about(directory: Path, root: FdtNode, text: str = BASE) -> list[str]:
    (directory / "given.dtb").write_bytes(fdt.write(root))
    found = warnings(directory, text.replace("device_tree: auto", "device_tree: given.dtb"))
    return [each.partition(": ")[2] for each in found if each.startswith("vms[1].device_tree")]


@pytest.mark.parametrize("text", [BASE, PLIC, DIRECT_MODE], ids=["AIA", "PLIC", "APLIC"])
def test_a_tree_of_ours_is_all_right(tmp_path: Path, text: str) -> None:
    assert doubts_about(tmp_path, own(machine_of(tmp_path, text)), text) == []


def _isa(root: FdtNode, value: str) -> None:
    for cpu in node(root, "cpus").children:
        del cpu.properties["riscv,isa-extensions"]
        cpu.text("riscv,isa", value)


def _without_controller(root: FdtNode) -> None:
    node(root, "cpus").children[1].children.clear()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda root: root.children.remove(node(root, "interrupt-controller@28")),
         "it has APLIC at 0xd000000; the VM has APLIC at 0xd000000 and IMSICs at 0x28000000"),
        (lambda root: node(root, "interrupt-controller@28").wide("reg", 0x30000000, 0x2000),
         "it has its APLIC at 0xd000000 and IMSICs at 0x30000000; the VM has"),
        (lambda root: node(root, "cpus").cells("timebase-frequency", 1_000_000),
         "its /cpus has timebase-frequency 1000000; right is 10000000"),
        (lambda root: node(root, "cpus").properties.pop("timebase-frequency"),
         "its /cpus has no timebase-frequency; right is 10000000"),
        (lambda root: _isa(root, "rv64imafdcv_zba_sstc"), "its CPUs have v and zba, which the VM's have not; a guest"),
        (lambda root: _isa(root, "rv64gch"), "its CPUs have h, which the VM's have not"),
        (_without_controller, "its cpu@1 has no interrupt controller; give each a node"),
        (lambda root: node(root, "serial@").cells("interrupts", 11, 4), "its 16550 at 0x10000000 has interrupt 11"),
        (lambda root: node(root, "serial@").properties.pop("clock-frequency"),
         "its serial@10000000 has no clock; Linux uses no 16550 without clock-frequency"),
        (lambda root: node(root, "serial@").text("compatible", "arm,pl011"),
         "it has a PL011 at 0x10000000, where the VM has none; the VM maps a 16550 at 0x10000000"),
    ],
)  # fmt: skip
def test_what_a_tree_has_otherwise(tmp_path: Path, change: Callable[[FdtNode], object], told: str) -> None:
    root = own(machine_of(tmp_path))
    change(root)
    found = doubts_about(tmp_path, root)
    assert [each for each in found if each.startswith(told)], found


def test_a_tree_without_any_controller(tmp_path: Path) -> None:
    root = own(machine_of(tmp_path))
    root.children = [each for each in root.children if not each.name.startswith("interrupt-controller")]
    found = doubts_about(tmp_path, root)
    assert any(
        each.startswith("it has no interrupt controller that is a PLIC or an APLIC; the VM has") for each in found
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(data=st.data())
def test_a_damaged_tree_is_an_error_or_a_warning(tmp_path: Path, data: st.DataObject) -> None:
    whole = bytearray(fdt.write(own(machine_of(tmp_path))))
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    (tmp_path / "given.dtb").write_bytes(whole)
    try:
        warnings(tmp_path, BASE.replace("device_tree: auto", "device_tree: given.dtb"))
    except ConfigError:
        return


def test_a_tree_for_the_other_controller(tmp_path: Path) -> None:
    found = doubts_about(tmp_path, own(machine_of(tmp_path, PLIC)))
    assert "it has PLIC at 0xc000000; the VM has APLIC at 0xd000000 and IMSICs at 0x28000000" in found


def test_fewer_extensions_are_all_right(tmp_path: Path) -> None:
    root = own(machine_of(tmp_path))
    _isa(root, "rv64gc_sstc")
    assert doubts_about(tmp_path, root) == []
