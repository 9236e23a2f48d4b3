"""Warnings: what can run and is probably not meant. The valid file of these tests has none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from baonet.config import devicetree, fdt
from baonet.config.fdt import FdtNode
from baonet.config.loader import load
from baonet.document.errors import ConfigError, Problem
from baonet.machine.assignment import assign
from tests.config.machines import BASE, elf, marked, write
from tests.examples import examples

UART = "{pa: 0x09000000, va: 0x09000000, size: 4KiB, interrupts: [33]}"
PING = "image: {path: ping.elf}"
LINUX_S = "    devices: [{pa: 0x09000000, size: 4KiB}]\n"
SILENT = BASE.replace(LINUX_S, "").replace("console=ttyAMA0", "quiet")
"""Linux has no UART, and is not told to speak on one."""


def warnings(path: Path) -> list[Problem]:
    found: list[Problem] = []
    load(path, (), found)
    return found


def test_the_valid_file_has_none(tmp_path: Path) -> None:
    assert warnings(write(tmp_path, SILENT)) == []


@pytest.mark.parametrize(
    "case",
    [
        (
            "interrupts: [33]", "interrupts: [§17]", "vms[0].devices[0].interrupts[0]",
            "'uart0' has interrupt 33, and 17 belongs to nothing here", "write 'interrupts: [33]'",
        ),
        (
            "interrupts: [33]", "interrupts: [33, §49]", "vms[0].devices[0].interrupts[1]",
            "nothing on this platform raises interrupt 49", "33 ('uart0')",
        ),
        (
            UART, f"{UART}, {{interrupts: [27, §17]}}", "vms[0].devices[1].interrupts[1]",
            "nothing on this platform raises interrupt 17", "PPI 1 of a device tree is INTID 17, its SPI 1 is INTID 33",
        ),
        (UART, UART.replace(", interrupts: [33]", "").replace("pa: 0", "pa: §0"), "vms[0].devices[0].pa",
         "'uart0' has interrupt 33, and no VM has it", "add 'interrupts: [33]'"),
        (
            "    device_tree: auto\n", "", "vms[1].image.path", "an arm64 Linux Image, and no device tree",
            "add 'device_tree: auto'",
        ),
        (
            "version: 1\n", "version: 1\nfaithful: strict\n", "vms[1].image.path",
            "'faithful: strict' leaves x0 at 0", "'practical'",
        ),
        (
            '"quiet"', f'"quiet{" x" * 1022}"', "vms[1].command_line",
            "2049 characters, of which arm64 Linux keeps 2047", "make it shorter",
        ),
        (
            PING, "image: {path: ping.elf, entry: §0x40200000}", "vms[0].image.entry",
            "the entry 0x40200000 is not in what the image loads", "it loads 0x40100000..0x401000ff",
        ),
        (
            "    ipcs: [{base: 0x90000000, shared_memory: mailbox, interrupts: [84]}]\n", "", "shared_memory[0].name",
            "only VM 'ping' has shared memory 'mailbox'", "'ipcs' of another",
        ),
        (
            "shared_memory:\n", "shared_memory:\n  - {name: §unused, size: 4KiB}\n", "shared_memory[0].name",
            "no VM has shared memory 'unused'", "'ipcs' of the VMs",
        ),
        (
            "shared_memory:\n", "input: [{vm: §linux, at: 1s, text: x}]\nshared_memory:\n", "input[0].vm",
            "VM 'linux' has no UART that it could read this from", "map one",
        ),
        (
            "shared_memory:\n", "faults: [{fault: crash, pcpu: §3, at: 1s}]\nshared_memory:\n", "faults[0].pcpu",
            "no VM runs on CPU 3: nothing comes of it", "which CPU runs what",
        ),
        (
            "interrupts: [84]}]\n    timer", "}]\n    timer: [27]\nfaults:\n  - §{fault: drop, to: linux}\n#",
            "faults[0]",
            "no VM that it is about notifies another", "between VMs that share an object",
        ),
    ],
    ids=lambda case: case[3],
)  # fmt: skip
def test_a_doubt_is_told_at_its_place(tmp_path: Path, case: tuple[str, str, str, str, str]) -> None:
    old, new, field, message, hint = case
    base = SILENT
    if old.startswith("    device_tree"):
        base = base.replace("    initrd: {path: initrd.gz}\n", "").replace('    command_line: "quiet"\n', "")
    assert old in base
    text, places = marked(base.replace(old, new, 1))
    (found,) = warnings(write(tmp_path, text))
    assert found.field == field
    assert message in found.message
    assert hint in found.hint
    assert places in ([], [(found.line, found.column)])


def test_linux_needs_the_interrupt_that_another_vm_has(tmp_path: Path) -> None:
    (found,) = warnings(write(tmp_path, BASE))
    assert found.message == "'uart0' has interrupt 33, and VM 'ping' has it"
    assert "Linux does not use a PL011 without its interrupt" in found.hint


def test_another_device_s_interrupt(tmp_path: Path) -> None:
    uarts = (
        "[{name: a, kind: pl011, pa: 0x09000000, interrupt: 33}, {name: b, kind: pl011, pa: 0x09001000, interrupt: 34}]"
    )
    text = SILENT.replace("platform: qemu-aarch64-virt", f"platform: {{extends: qemu-aarch64-virt, devices: {uarts}}}")
    text = text.replace("interrupts: [33]", "interrupts: [33, 34]")
    (found,) = warnings(write(tmp_path, text))
    assert found.message == "interrupt 34 is that of 'b' at 0x9001000, which this entry does not map"


UNMODELLED = (
    "{extends: qemu-aarch64-virt, devices: [{name: eth, kind: none, pa: 0x30000000, size: 64KiB, interrupt: 66}, "
    "{name: iomux, kind: none, pa: 0x30380000}, {name: uart0, kind: pl011, pa: 0x09000000, interrupt: 33}]}"
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(40))
@given(
    first=st.sets(st.integers(0, 3)), second=st.sets(st.integers(0, 3)), cpus=st.integers(1, 2), pcpu=st.integers(0, 3)
)
def test_a_cpu_that_no_vm_gets_is_known_as_such(
    tmp_path: Path, first: set[int], second: set[int], cpus: int, pcpu: int
) -> None:
    """As the hypervisor assigns them."""
    text = BASE.replace("cpu_affinity: [0]", f"cpu_affinity: {sorted(first)}")
    text = text.replace("cpus: 2", f"cpus: {cpus}\n    cpu_affinity: {sorted(second)}")
    text = text.replace("vms:\n", f"faults: [{{fault: crash, pcpu: {pcpu}, at: 1s}}]\nvms:\n")
    found: list[Problem] = []
    try:
        machine = load(write(tmp_path, text), (), found)
    except ConfigError:  # they cannot have what they prefer
        return
    _, idle = assign(machine.vms, machine.platform.cpus)
    assert any("no VM runs on" in each.message for each in found) == (pcpu in idle)


def test_devices_that_nothing_models_can_be_given(tmp_path: Path) -> None:
    text = SILENT.replace("platform: qemu-aarch64-virt", f"platform: {UNMODELLED}")
    text = text.replace("    cpus: 2\n", "    cpus: 2\n    devices: [{pa: 0x30000000, interrupts: [66]}]\n")
    text = text.replace(UART, f"{UART}, {{pa: 0x30380000}}")
    assert warnings(write(tmp_path, text)) == []
    text = text.replace("shared_memory:\n", "input: [{vm: linux, at: 1s, text: x}]\nshared_memory:\n", 1)
    (found,) = warnings(write(tmp_path, text))
    assert "has no UART" in found.message


def test_an_elf_whose_entry_is_in_none_of_its_segments(tmp_path: Path) -> None:
    path = write(tmp_path, SILENT)
    (tmp_path / "ping.elf").write_bytes(elf((0x40100000, 0x40100000, bytes(64), 64), entry=0x40300000))
    (found,) = warnings(path)
    assert (found.field, found.message) == ("vms[0].image.path", "the entry 0x40300000 is not in what the image loads")


def test_an_entry_in_bss(tmp_path: Path) -> None:
    path = write(tmp_path, SILENT)
    (tmp_path / "ping.elf").write_bytes(elf((0x40100000, 0x40100000, bytes(64), 4096), entry=0x40100800))
    (found,) = warnings(path)
    assert found.message == "the entry 0x40100800 is in its .bss, which is zeroes"


def test_what_is_an_error_is_not_a_warning_too(tmp_path: Path) -> None:
    found: list[Problem] = []
    path = write(tmp_path, BASE.replace("interrupts: [33]", "interrupts: [1]"))
    with pytest.raises(ConfigError) as caught:
        load(path, (), found)
    assert [each.field for each in caught.value.problems] == ["vms[0].devices[0].interrupts[0]"]
    assert not [each for each in found if each.field == caught.value.problems[0].field]


def test_warnings_come_with_errors_too(tmp_path: Path) -> None:
    found: list[Problem] = []
    with pytest.raises(ConfigError) as caught:
        load(
            write(tmp_path, BASE.replace("interrupts: [33]", "interrupts: [17]").replace("cpus: 2", "cpus: 9")),
            (),
            found,
        )
    assert len(caught.value.problems) == 1
    assert any("17 belongs to nothing here" in each.message for each in found)


# A device tree that is given


def tree(directory: Path) -> FdtNode:
    """The one that the VM would get."""
    machine = load(write(directory, BASE))
    return fdt.read(devicetree.generate(machine, machine.vms[1])).root


def node(root: FdtNode, name: str) -> FdtNode:
    return next(child for child in root.children if child.name.startswith(name))


def doubts_about(directory: Path, root: FdtNode) -> list[str]:
    (directory / "given.dtb").write_bytes(fdt.write(root))
    text = BASE.replace("device_tree: auto", "device_tree: given.dtb")
    text = text.replace("devices: [{pa: 0x09000000, size: 4KiB}]", "devices: [{pa: 0x09000000}]")
    found = warnings(write(directory, text))
    return [f"{each.message}; {each.hint}" for each in found if each.field == "vms[1].device_tree"]


def test_a_tree_that_tells_the_truth(tmp_path: Path) -> None:
    assert doubts_about(tmp_path, tree(tmp_path)) == []


def test_a_tree_that_leaves_memory_out_or_a_uart(tmp_path: Path) -> None:
    root = tree(tmp_path)
    node(root, "memory@").wide("reg", 0x60000000, 0x8000000, 0x70000000, 0x1000000)
    node(root, "serial@").text("status", "disabled")
    assert doubts_about(tmp_path, root) == []


def test_addresses_behind_a_bus(tmp_path: Path) -> None:
    """The UART at 0x1000 of a bus that lies at 0x08fff000, in cells of one word."""
    root = tree(tmp_path)
    uart = node(root, "serial@")
    root.children.remove(uart)
    node(root, "aliases").text("serial0", "/soc/serial")
    bus = root.add("soc")
    bus.text("compatible", "simple-bus")
    bus.cells("#address-cells", 1)
    bus.cells("#size-cells", 1)
    bus.cells("ranges", 0, 0, 0x08FFF000, 0x10000)
    bus.children.append(uart)
    uart.cells("reg", 0x1000, 0x1000)
    assert doubts_about(tmp_path, root) == []
    uart.cells("reg", 0x2000, 0x1000)
    assert doubts_about(tmp_path, root) == ["it has a PL011 at 0x9001000, where the VM has none; the VM maps 0x9000000"]


def test_what_a_tree_has_otherwise(tmp_path: Path) -> None:
    root = tree(tmp_path)
    for number in (2, 3):
        cpu = node(root, "cpus").add(f"cpu@{number}")
        cpu.text("device_type", "cpu")
        cpu.text("enable-method", "psci")
        cpu.cells("reg", number)
    node(root, "memory@").wide("reg", 0x60000000, 1 << 30)
    node(root, "serial@").cells("interrupts", 0, 17, 4)
    node(root, "timer").cells("interrupts", 1, 13, 4, 1, 14, 4, 1, 12, 4, 1, 10, 4)
    node(root, "interrupt-controller").wide("reg", 0x08000000, 0x10000, 0x08100000, 0x40000)
    assert doubts_about(tmp_path, root) == [
        "its /cpus has 4 CPUs (reg 0x0, 0x1, 0x2, 0x3), the VM has 2 (reg 0x0, 0x1); correct the tree, or 'cpus'",
        "its GIC is at 0x8000000 and 0x8100000; the VM has a GICv3 at 0x8000000 and 0x80a0000",
        "its PL011 at 0x9000000 has interrupt 49; the VM does not have the right one, 33",
        "its memory 0x60000000..0x9fffffff is not all the VM's; "
        "the VM has 0x60000000..0x7fffffff: correct the tree, or 'memory'",
        "its virtual timer has interrupt 28; right is INTID 27, PPI 11",
    ]
    node(root, "interrupt-controller").text("compatible", "arm,gic-400")
    assert any(
        each.startswith("its GIC is") or each.startswith("it has a GICv2") for each in doubts_about(tmp_path, root)
    )
    root.children.remove(node(root, "interrupt-controller"))
    assert any(each.startswith("it has no interrupt controller") for each in doubts_about(tmp_path, root))


def _without(root: FdtNode, name: str) -> None:
    root.children.remove(node(root, name))


def _device(root: FdtNode, address: int, status: str = "okay", *, ranges: bool = True) -> None:
    bus = root.add("soc")
    bus.text("compatible", "simple-bus")
    if ranges:
        bus.flag("ranges")
    bus.cells("#address-cells", 2)
    bus.cells("#size-cells", 2)
    device = bus.add(f"virtio@{address:x}")
    device.text("compatible", "virtio,mmio")
    device.text("status", status)
    device.wide("reg", address, 0x200)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda root: _without(root, "memory@"), "it has no memory; the VM has 0x60000000..0x7fffffff"),
        (lambda root: node(root, "memory@").wide("reg", 0, 0), "it has no memory; "),
        (lambda root: _without(root, "timer"), "it has no generic timer; "),
        (
            lambda root: node(root, "interrupt-controller").properties.pop("phandle"),
            "its timer and bao-ipc@90000000 have interrupt parent 0x1, and no node that phandle; give the GIC",
        ),
        (
            lambda root: root.cells("interrupt-parent", 0x77),
            "its timer and bao-ipc@90000000 have interrupt parent 0x77",
        ),
        (
            lambda root: root.properties.pop("interrupt-parent"),
            "its timer and bao-ipc@90000000 have no interrupt parent",
        ),
        (lambda root: node(root, "serial@").properties.pop("clocks"), "its serial@9000000 has no clocks; Linux uses"),
        (lambda root: node(root, "serial@").cells("clocks", 2, 0x99), "its serial@9000000 has clock 0x99, and no node"),
        (
            lambda root: node(root, "interrupt-controller").wide("reg", 0x08000000, 0x10000, 0x080A0000, 0x20000),
            "its GIC has redistributors in 128KiB, and 2 CPUs; right is 256KiB at 0x80a0000",
        ),
        (
            lambda root: node(root, "chosen").text("stdout-path", "serial7:9600"),
            "its stdout-path 'serial7' leads to no",
        ),
        (lambda root: _without(root, "psci"), "it has several CPUs and no PSCI node; a VM's CPUs are started by PSCI"),
        (
            lambda root: node(root, "cpus").children[1].text("enable-method", "spin-table"),
            "its CPUs have enable-method 'spin-table'; a VM's CPUs are started by PSCI",
        ),
        (lambda root: _device(root, 0xA000000), "its virtio@a000000 is where the VM has nothing; a guest that looks"),
    ],
)
def test_what_leads_nowhere_in_a_tree(tmp_path: Path, change: Callable[[FdtNode], object], told: str) -> None:
    root = tree(tmp_path)
    change(root)
    (found,) = doubts_about(tmp_path, root)
    assert found.startswith(told)


@pytest.mark.parametrize(
    "change",
    [
        lambda root: _device(root, 0xA000000, "disabled"),
        lambda root: _device(root, 0xA000000, ranges=False),  # an address on the bus, and none of a CPU
        lambda root: _device(root, 0x70000000),
        lambda root: node(root, "chosen").text("stdout-path", "/serial"),
        lambda root: node(root, "chosen").properties.pop("stdout-path"),
    ],
)
def test_what_is_all_right_in_a_tree(tmp_path: Path, change: Callable[[FdtNode], object]) -> None:
    root = tree(tmp_path)
    change(root)
    assert doubts_about(tmp_path, root) == []


def test_many_devices_that_the_vm_does_not_have_are_one_warning(tmp_path: Path) -> None:
    root = tree(tmp_path)
    for number in range(6):
        device = root.add(f"gpio@a00{number}000")
        device.text("compatible", "arm,pl061")
        device.wide("reg", 0xA000000 + number * 0x1000, 0x1000)
    (found,) = doubts_about(tmp_path, root)
    assert found.startswith("its gpio@a000000, gpio@a001000, gpio@a002000, gpio@a003000 and 2 more are where the VM")


def test_an_overlay_is_no_tree(tmp_path: Path) -> None:
    root = FdtNode()
    root.add("fragment@0").add("__overlay__").cells("foo", 1)
    (found,) = doubts_about(tmp_path, root)
    assert found.startswith("it is an overlay, which changes a tree and is none; apply it to one with fdtoverlay")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(60))
@given(data=st.data())
def test_a_damaged_tree_is_an_error_or_a_warning(tmp_path: Path, data: st.DataObject) -> None:
    whole = bytearray(fdt.write(tree(tmp_path)))
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    (tmp_path / "given.dtb").write_bytes(whole)
    try:
        warnings(write(tmp_path, BASE.replace("device_tree: auto", "device_tree: given.dtb")))
    except ConfigError:
        return


@pytest.mark.parametrize(
    ("command_line", "asked"),
    [
        ("console=ttyS0", "ttyS0"),
        ("quiet console=ttyS1,115200", "ttyS1"),
        ("console=ttyAMA0", None),
        ("console=ttyS0 console=ttyAMA0", None),
        ("console=hvc0", None),
        ("quiet", None),
    ],
)
def test_linux_speaks_on_a_uart_that_the_vm_has(command_line: str, asked: str | None, tmp_path: Path) -> None:
    text = BASE.replace("console=ttyAMA0", command_line).replace(f"devices: [{UART}]", "devices: []")
    text = text.replace("devices: [{pa: 0x09000000, size: 4KiB}]", "devices: [uart0]")
    found = warnings(write(tmp_path, text))
    wanted = [] if asked is None else [f"the VM has a PL011, and Linux calls no such UART {asked}"]
    assert [each.message for each in found] == wanted
    assert all("write 'console=ttyAMA0'" in each.hint for each in found)


@pytest.mark.parametrize(
    ("platform", "hint"),
    [
        ("qemu-aarch64-virt", "map one: 'devices: [uart0]'"),
        (
            "{extends: qemu-aarch64-virt, devices: [{name: uart0, kind: none, pa: 0x09000000, size: 4KiB}]}",
            "add one to",
        ),
    ],
)
def test_linux_is_to_speak_on_a_uart_and_has_none(platform: str, hint: str, tmp_path: Path) -> None:
    text = BASE.replace(LINUX_S, "").replace(f"devices: [{UART}]", "devices: []")
    (found,) = warnings(write(tmp_path, text.replace("platform: qemu-aarch64-virt", f"platform: {platform}")))
    assert found.field == "vms[1].command_line"
    assert found.message == "the VM has no UART, and Linux is to print on ttyAMA0: nothing comes"
    assert hint in found.hint
