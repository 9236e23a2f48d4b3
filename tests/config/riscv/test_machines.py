"""Machines of RISC-V: what comes of a file, and what is wrong with one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from baonet.config import wings
from baonet.config.platforms import builtin
from baonet.document.document import Form, parse
from baonet.machine.riscv import Aia, Plic, RiscvPlatform, RiscvVm
from tests.config.machines import marked, problems
from tests.config.riscv.machines import BASE, DIRECT_MODE, PLIC, machine_of, warnings, write

QEMU = builtin()["qemu-riscv64-virt"]
AIA = Aia(0x0D000000, 0x28000000)


def with_platform(text: str) -> str:
    return BASE.replace("platform: qemu-riscv64-virt", f"platform: {text}")


@pytest.mark.parametrize(("name", "irqc"), [("qemu-riscv64-virt", AIA), ("qemu-riscv64-virt-plic", Plic(0x0C000000))])
def test_the_platforms_of_qemu(tmp_path: Path, name: str, irqc: Plic | Aia) -> None:
    machine = machine_of(tmp_path, with_platform(name))
    assert machine.platform == replace(QEMU, name=name, arch=RiscvPlatform(irqc))
    assert (machine.platform.cpus, machine.platform.timer_frequency) == (4, 10_000_000)
    assert sum(bank.size for bank in machine.platform.ram) == (4 << 30) - (2 << 20)
    ping, linux = machine.vms
    assert ping.arch == linux.arch == RiscvVm(irqc)
    assert ping.entry == 0x80200002
    assert (ping.interrupts, linux.interrupts) == ((10,), ())
    assert (ping.context, linux.context) == (0, linux.device_tree)


def test_a_vm_has_its_controller_where_it_says(tmp_path: Path) -> None:
    text = BASE.replace("cpus: 1\n", "cpus: 1\n    irqc: {aplic: 0x0e000000, imsic: 0x30000000}\n")
    ping, linux = machine_of(tmp_path, text).vms
    assert ping.arch == RiscvVm(Aia(0x0E000000, 0x30000000))
    assert linux.arch == RiscvVm(AIA)
    text = PLIC.replace("cpus: 1\n", "cpus: 1\n    irqc: {plic: 0x20000000}\n")
    assert machine_of(tmp_path, text).vms[0].arch == RiscvVm(Plic(0x20000000))


@pytest.mark.parametrize(
    ("given", "irqc"),
    [
        ("{sources: 200}", replace(AIA, sources=200)),
        ("{imsic: 0x29000000, identities: 2047}", replace(AIA, imsic=0x29000000, identities=2047)),
        ("{aplic: 0x0e000000}", Aia(0x0E000000, None)),
        ("{aplic: 0x0e000000, imsic: 0x28000000, guest_files: 3}", Aia(0x0E000000, 0x28000000, guest_files=3)),
        ("{plic: 0x0c000000, priority_bits: 5}", Plic(0x0C000000, priority_bits=5)),
    ],
)
def test_a_controller_is_changed_field_by_field(tmp_path: Path, given: str, irqc: Plic | Aia) -> None:
    machine = machine_of(tmp_path, with_platform(f"{{extends: qemu-riscv64-virt, irqc: {given}}}"))
    assert machine.platform.arch == RiscvPlatform(irqc)


def test_a_platform_of_its_own(tmp_path: Path) -> None:
    uart = "{name: uart, kind: pl011, pa: 0x10000000, interrupt: 10}"
    given = f"irqc: {{plic: 0x0c000000}}, sstc: false, timer_frequency: 1000000, devices: [{uart}]"
    board = f"{{cpus: 3, ram: [{{base: 0x80000000, size: 1GiB}}], {given}}}"
    platform = machine_of(tmp_path, with_platform(board)).platform
    assert platform.arch == RiscvPlatform(Plic(0x0C000000), sstc=False)
    assert (platform.cpus, platform.timer_frequency, platform.costs.interrupt) == (3, 1_000_000, 0)


@pytest.mark.parametrize(("text", "direct"), [(BASE, True), (PLIC, False), (DIRECT_MODE, False)])
def test_interrupts_reach_a_vm_as_the_controller_has_them(tmp_path: Path, text: str, *, direct: bool) -> None:
    possible, other = ("direct", "mediated") if direct else ("mediated", "direct")
    for said in ("", f"    interrupts: {possible}\n"):
        assert machine_of(tmp_path, text + said).vms[1].direct_interrupts is direct
    (found,) = problems(write(tmp_path, f"{text}    interrupts: {other}\n"))
    assert found.field == "vms[1].interrupts"
    assert found.message.startswith(f"interrupts cannot be {other}: ")
    assert found.hint == f"write 'interrupts: {possible}', or nothing"


def test_strict_passes_no_device_tree(tmp_path: Path) -> None:
    linux = machine_of(tmp_path, f"{BASE}faithful: strict\n").vms[1]
    assert linux.context == 0
    assert linux.device_tree is not None
    assert any("a1" in each for each in warnings(tmp_path, f"{BASE}faithful: strict\n"))


def test_an_interrupt_is_of_one_vm_but_notifications_are_of_any(tmp_path: Path) -> None:
    assert [ipc.interrupts for vm in machine_of(tmp_path).vms for ipc in vm.ipcs] == [(84,), (84,)]
    for number in (5, 10, 31):  # on Arm some of these would be a CPU's own
        text = BASE.replace("interrupts: [10]", f"interrupts: [{number}]")
        (found,) = problems(write(tmp_path, text.replace("{pa: 0x10000000}", f"{{interrupts: [{number}]}}")))
        assert f"interrupt {number} is given twice: VM 'ping' has it" in found.message


CASES = {
    "no source 0": (BASE.replace("[10]", "[§0]"), "vms[0].devices[0].interrupts[0]", "there is no interrupt 0",
                    "from 1 to 1023"),
    "a source that the platform has not": (BASE.replace("[10]", "[§96]"), "vms[0].devices[0].interrupts[0]",
                                           "there is no interrupt 96", "the last source of the platform is 95"),
    "a controller of another kind": (BASE.replace("cpus: 2", "cpus: 2\n    irqc: {§plic: 0x0c000000}"),
                                     "vms[1].irqc.plic", "the platform's interrupt controller is an AIA: no plic",
                                     "give aplic and imsic"),
    "IMSICs beside a PLIC": (PLIC.replace("cpus: 2", "cpus: 2\n    irqc: {§imsic: 0x28000000}"), "vms[1].irqc.imsic",
                             "the platform's interrupt controller is a PLIC: no imsic", "give plic, or nothing"),
    "IMSICs in direct mode": (DIRECT_MODE.replace("cpus: 2", "cpus: 2\n    irqc: {§imsic: 0x28000000}"),
                              "vms[1].irqc.imsic", "is an APLIC in direct mode: no imsic", "give aplic"),
    "an APLIC at an odd place": (BASE.replace("cpus: 2", "cpus: 2\n    irqc: {aplic: §0x0d001000}"),
                                 "vms[1].irqc.aplic", "not a multiple of 16KiB", "0xd000000 or 0xd004000"),
    "RAM over the PLIC": (PLIC.replace("512MiB}]", "512MiB}, {base: §0x0c200000, size: 4KiB}]"),
                          "vms[1].memory[1].base", "and the PLIC at 0xc000000..0xc203fff overlap", "at 0xc204000"),
    "shared memory over the IMSICs": (BASE.replace("base: 0x70000000, shared", "base: §0x28001000, shared"),
                                      "vms[1].ipcs[0].base", "and the IMSICs at 0x28000000..0x28001fff", "0x28002000"),
    "past the address space": (BASE.replace("512MiB}]", "512MiB}, {base: §0x1fffffff000, size: 8KiB}]"),
                               "vms[1].memory[1].base", "reaches past the 41-bit address space", "0x1ffffffffff"),
    "a key of another architecture": (BASE.replace("cpus: 2", "cpus: 2\n    §gic: {gicd: 0x08000000}"), "vms[1].gic",
                                      "'gic' is of armv8, and the platform is riscv", "remove it"),
    "a platform's key of another architecture": (
        with_platform("{extends: qemu-riscv64-virt, §gic: {gicd: 0x08000000}}"), "platform.gic",
        "'gic' is of armv8, and the platform is riscv", "remove it"),
    "a timer, which is no interrupt here": (BASE.replace("cpus: 2", "cpus: 2\n    §timer: [27]"), "vms[1].timer",
                                            "'timer' is of armv8", "remove it"),
    "no controller": (with_platform("§{cpus: 1, ram: [{base: 0x80000000, size: 1GiB}], irqc: {sources: 9}}")
                      .replace("§{cpus", "{cpus").replace("irqc: {", "irqc: §{"),
                      "platform.irqc", "it is not clear what controller this is", "{plic: ...} or {aplic: ..., imsic"),
    "a PLIC with an AIA's fields": (with_platform("{extends: qemu-riscv64-virt, irqc: {plic: 0, §identities: 63}}"),
                                    "platform.irqc.identities", "a PLIC has no identities", "remove 'plic'"),
    "identities for a PLIC": (with_platform("{extends: qemu-riscv64-virt-plic, irqc: {§identities: 63}}"),
                              "platform.irqc.identities", "a PLIC has no identities", "add 'aplic', or remove it"),
    "guest files without IMSICs": (
        with_platform("{extends: qemu-riscv64-virt, irqc: {aplic: 0x0d000000, §guest_files: 2}}"),
        "platform.irqc.guest_files", "an APLIC in direct mode has no guest_files", "add 'imsic', or remove it"),
    "IMSICs for a PLIC": (with_platform("{extends: qemu-riscv64-virt-plic, irqc: {§imsic: 0x28000000}}"),
                          "platform.irqc.imsic", "a PLIC has no imsic", "add 'aplic'"),
    "priorities of an APLIC": (with_platform("{extends: qemu-riscv64-virt, irqc: {§priority_bits: 3}}"),
                               "platform.irqc.priority_bits", "an AIA has no priority_bits", "remove it"),
    "identities in no whole words": (with_platform("{extends: qemu-riscv64-virt, irqc: {identities: §100}}"),
                                     "platform.irqc.identities", "100 is not one less than a multiple of 64",
                                     "use 63 or 127"),
    "IMSICs at an odd place": (with_platform("{extends: qemu-riscv64-virt, irqc: {imsic: §0x28001000}}"),
                               "platform.irqc.imsic", "not a multiple of 8KiB", "0x28000000 or 0x28002000"),
    "a timer faster than a device tree can say": (
        with_platform("{extends: qemu-riscv64-virt, timer_frequency: §10_000_000_000}"), "platform.timer_frequency",
        "10000000000 is out of range", "from 1000 to 4294967295"),
    "a device beyond the sources": (
        with_platform("{extends: qemu-riscv64-virt, devices: [{name: a, kind: '16550', pa: 0x10000000, "
                      "interrupt: §96}]}"),
        "platform.devices[0].interrupt", "the AIA has no source 96", "its sources end at 95"),
    "IMSICs that outgrow": (with_platform("{extends: qemu-riscv64-virt, cpus: §5, ram: [{base: 0x28008000, "
                                          "size: 2GiB}]}"), "platform.cpus", "with so many CPUs the IMSICs at "
                            "0x28000000..0x28009fff and the bank of RAM", "there is room: 'irqc: {imsic: 0xa8100000}'"),
    "Bao's aia": (BASE.replace("cpus: 2", "cpus: 2\n    irqc: {§aia: {aplic: {base: 1}}}"), "vms[1].irqc.aia",
                  "unknown key 'aia'", "'irqc: {aplic: ..., imsic: ...}'"),
    "Bao's base": (BASE.replace("cpus: 2", "cpus: 2\n    irqc: {§base: 1}"), "vms[1].irqc.base",
                   "unknown key 'base'", "say of what"),
    "Bao's guest files": (with_platform("{extends: qemu-riscv64-virt, irqc: {§num_guest_files: 1}}"),
                          "platform.irqc.num_guest_files", "unknown key", "it is called 'guest_files' here"),
    "a kind that YAML takes for a number": (
        with_platform("{extends: qemu-riscv64-virt, devices: [{name: a, kind: §16550, pa: 0x10000000}]}"),
        "platform.devices[0].kind", "16550 is not known here", 'quote it: "16550"'),
    "Linux at an odd place": (BASE.replace("0x90200000", "§0x90280000"), "vms[1].image.base",
                              "a RISC-V Linux Image starts at a multiple of 2MiB", "use 0x90200000 or 0x90400000"),
    "an entry between instructions": (BASE.replace("ping.elf}", "ping.elf, entry: §0x80200001}"), "vms[0].image.entry",
                                      "the entry 0x80200001 is not a multiple of 2", "0x80200000"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "field", "message", "hint"), CASES.values(), ids=CASES)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, text: str, field: str, message: str, hint: str) -> None:
    text, places = marked(text)
    found = problems(write(tmp_path, text))[0]
    assert [(found.line, found.column)] == places
    assert found.field == field
    assert message in found.message
    assert hint in found.hint


def test_many_harts(tmp_path: Path) -> None:
    text = BASE.replace("cpus: 2", "cpus: 255")
    machine = machine_of(tmp_path, text, "platform.cpus=256")
    assert machine.vms[1].cpus == 255
    assert "\n" not in " ".join(warnings(tmp_path, text, ["platform.cpus=256"]))


@pytest.mark.parametrize(("key", "above"), [("plic", "irqc"), ("aplic", "irqc"), ("imsic", "irqc"), ("gicd", "gic")])
def test_a_key_that_stands_one_mapping_too_high_is_told_its_place(key: str, above: str, tmp_path: Path) -> None:
    text = BASE.replace("cpus: 1\n", f"cpus: 1\n    {key}: 0x0c000000\n")
    (found,) = problems(write(tmp_path, text))
    assert found.message == f"unknown key '{key}'"
    assert found.hint == f"it belongs under '{above}': '{above}: {{{key}: ...}}'"


def test_a_platform_is_of_what_it_extends(tmp_path: Path) -> None:
    """Whatever keys it has besides: else its images would be called of the wrong machine."""
    path = tmp_path / "machine.yaml"
    path.write_text("platform: {extends: qemu-riscv64-virt, gic: {version: 3}}\n")
    root, _ = parse(path, Form())
    assert wings.meant(root.at("platform")).name == "riscv"
