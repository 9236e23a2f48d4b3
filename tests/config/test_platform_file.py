"""Platforms: the built-in ones, what extends them, and what is wrong with one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from baonet.config.loader import load
from baonet.config.palette import Palette
from baonet.config.platforms import builtin, description
from baonet.document.errors import Problem
from baonet.machine import Cache, Costs, Platform, PlatformDevice, RamBank
from baonet.machine.armv8 import Armv8Platform, Gic
from tests.config.machines import BASE, marked, problems, write

OWN = """\
cpus: 6
ram: [{base: 0x4000_0000, size: 1GiB}, {base: 0x8_0000_0000, size: 2GiB}]
gic: {version: 3, gicd: 0x08000000, gicr: 0x080A0000, interrupts: 128, list_registers: 16}
devices: [{name: console, kind: pl011, pa: 0x09000000, interrupt: 33}]
cpu_model: cortex-a72
timer_frequency: 1000000
state_type_bit: 0
cache: {llc_size: 2MiB, llc_ways: 16, l1_size: 32KiB, l1_ways: 2}
"""


def with_platform(text: str) -> str:
    return BASE.replace("platform: qemu-aarch64-virt", f"platform: {text}")


def test_built_in_platforms_hold_together() -> None:
    assert set(builtin()) == {
        "qemu-aarch64-virt",
        "qemu-aarch64-virt-gicv2",
        "zcu104",
        "qemu-riscv64-virt",
        "qemu-riscv64-virt-plic",
    }
    for name, platform in builtin().items():
        assert platform.name == name
        assert description(name)
        if isinstance(platform.arch, Armv8Platform):
            gic = platform.arch.gic
            assert (gic.gicr is None) == (gic.version == 2)
            assert (gic.gicc is None) == (gic.version == 3)
            assert Palette.of(platform.cache) == Palette(size=2, number=8)
        for device in platform.devices:
            assert not any(bank.base <= device.pa < bank.base + bank.size for bank in platform.ram)


def test_a_built_in_platform(tmp_path: Path) -> None:
    assert load(write(tmp_path)).platform == builtin()["qemu-aarch64-virt"]


def test_an_inline_change(tmp_path: Path) -> None:
    found = load(write(tmp_path, with_platform("{extends: qemu-aarch64-virt, cpus: 8, cpu_model: max}"))).platform
    base = builtin()["qemu-aarch64-virt"]
    arch = replace(Armv8Platform.of(base), cpu_model="max", midr=0x000F0510)
    assert found == replace(base, cpus=8, arch=arch)


def test_a_gic_is_changed_field_by_field(tmp_path: Path) -> None:
    found = load(write(tmp_path, with_platform("{extends: qemu-aarch64-virt, gic: {list_registers: 8}}"))).platform
    base = Armv8Platform.of(builtin()["qemu-aarch64-virt"])
    assert found.arch == replace(base, gic=replace(base.gic, list_registers=8))
    change = "{extends: qemu-aarch64-virt, gic: {version: 2, gicc: 0x08010000, interrupts: 288}}"
    found = load(write(tmp_path, with_platform(change))).platform
    assert found.arch == builtin()["qemu-aarch64-virt-gicv2"].arch


def test_costs_are_changed_field_by_field(tmp_path: Path) -> None:
    change = "{extends: qemu-aarch64-virt, costs: {hypercall: 1.5us, access: 120ns}}"
    found = load(write(tmp_path, with_platform(change))).platform
    base = builtin()["qemu-aarch64-virt"]
    assert found == replace(base, costs=replace(base.costs, hypercall=1500, access=120))
    assert found.costs.interrupt > found.costs.direct == 0


def test_a_platform_of_its_own_has_no_costs_but_those_given(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(OWN + "costs: {access: 90ns}\n")
    assert load(write(tmp_path, with_platform("own.yaml"))).platform.costs == Costs(access=90)


def test_a_platform_file(tmp_path: Path) -> None:
    (tmp_path / "boards").mkdir()
    (tmp_path / "boards" / "own.yaml").write_text(OWN)
    assert load(write(tmp_path, with_platform("boards/own.yaml"))).platform == Platform(
        name="own",
        cpus=6,
        ram=(RamBank(0x40000000, 1 << 30), RamBank(0x800000000, 2 << 30)),
        arch=Armv8Platform(
            Gic(version=3, gicd=0x08000000, gicr=0x080A0000, interrupts=128, list_registers=16),
            cpu_model="cortex-a72",
            midr=0x410FD083,
            state_type_bit=0,
        ),
        devices=(PlatformDevice("console", "pl011", 0x09000000, 0x1000, 33),),
        timer_frequency=1_000_000,
        cache=Cache(2 << 20, 16, 0x8000, 2),
    )


def test_a_platform_file_that_extends_another(tmp_path: Path) -> None:
    (tmp_path / "boards").mkdir()
    (tmp_path / "boards" / "own.yaml").write_text(OWN)
    (tmp_path / "boards" / "big.yaml").write_text("{extends: own.yaml, name: bigger, cpus: 32, standby: false}")
    found = load(write(tmp_path, with_platform("boards/big.yaml"))).platform
    assert (found.name, found.cpus, found.standby, found.timer_frequency) == ("bigger", 32, False, 1_000_000)


@pytest.mark.parametrize(
    ("platform", "field", "message", "hint"),
    [
        (
            "§qemu-aarch64-vir",
            "platform",
            "there is no platform 'qemu-aarch64-vir'",
            "did you mean 'qemu-aarch64-virt'",
        ),
        ("{extends: §tx2}", "platform.extends", "there is no platform 'tx2'", "built in are qemu-aarch64-virt, qemu"),
        ("§none.yaml", "platform", "none.yaml cannot be read: No such file", ""),
        (
            "{extends: qemu-aarch64-virt, costs: {§stage2_miss: 10ns}}",
            "platform.costs.stage2_miss",
            "unknown key 'stage2_miss'",
            "remove it: misses of the emulator's TLB",
        ),
        ("§[zcu104]", "platform", "a list is not a mapping", "'extends'"),
        ("§7", "platform", "7 is not a mapping", "'extends'"),
        ("{extends: zcu104, cpus: §9}", "platform.cpus", "a GIC of version 2 serves at most 8 CPUs", "a GICv3"),
        ("{extends: zcu104, cpus: §1025}", "platform.cpus", "1025 is out of range", "1 to 1024"),
        ("{extends: zcu104, cpu_model: §cortex-a55}", "platform.cpu_model", "'cortex-a55' is not known", "cortex-a53"),
        ("{extends: zcu104, gic: {version: §4}}", "platform.gic.version", "4 is not known here", "2 or 3"),
        ("{extends: zcu104, gic: §{version: 3}}", "platform.gic", "'gicr' is missing", "of version 3 has a gicr"),
        (
            "{extends: qemu-aarch64-virt, gic: {§gicc: 0x1000}}",
            "platform.gic.gicc",
            "a GIC of version 3 has no gicc",
            "remove it, or set version: 2",
        ),
        (
            "{extends: qemu-aarch64-virt, gic: {interrupts: §100}}",
            "platform.gic.interrupts",
            "100 is not a multiple of 32",
            "use 96 or 128",
        ),
        (
            "{extends: qemu-aarch64-virt, ram: [{base: §0x40000800, size: 1GiB}]}",
            "platform.ram[0].base",
            "0x40000800 is not a multiple of 4KiB",
            "0x40000000",
        ),
        (
            "{extends: qemu-aarch64-virt, ram: [{base: 0x40000000, size: 1GiB}, {base: §0x7ffff000, size: 1GiB}]}",
            "platform.ram[1].base",
            "the bank of RAM at 0x7ffff000..0xbfffefff and the bank of RAM at 0x40000000..0x7fffffff",
            "0x80000000",
        ),
        (
            "{extends: zcu104, devices: [{name: u, kind: pl011, pa: §0x00100000, interrupt: 53}]}",
            "platform.devices[0].pa",
            "device 'u' at 0x100000..0x100fff and the bank of RAM at 0x80000..0x7ff69fff",
            "there is room for it at 0x7ff6a000",
        ),
        (
            "{extends: zcu104, devices: [§{name: u, kind: pl011, pa: 0xFF000000}]}",
            "platform.devices[0]",
            "'interrupt' is missing",
            "an SPI",
        ),
        (
            "{extends: qemu-aarch64-virt, devices: [{name: u, kind: pl011, pa: §0x080b0000, interrupt: 53}]}",
            "platform.devices[0].pa",
            "device 'u' at 0x80b0000..0x80b0fff and the GIC's redistributors at 0x80a0000..0x811ffff",
            "there is room for it at 0x8120000",
        ),
        (
            "{extends: qemu-aarch64-virt, ram: [{base: 0x40000000, size: 1GiB}, {base: §0x08000000, size: 64KiB}]}",
            "platform.ram[1].base",
            "the bank of RAM at 0x8000000..0x800ffff and the GIC's distributor",
            "there is room for it at 0x8010000",
        ),
        (
            "{extends: qemu-aarch64-virt, gic: {gicd: §0x09000000}}",
            "platform.gic.gicd",
            "the GIC's distributor at 0x9000000..0x900ffff and device 'uart0' at 0x9000000..0x9000fff overlap",
            "",
        ),
        (
            "{extends: qemu-aarch64-virt, ram: [{base: §0x40000000, size: 256TiB}]}",
            "platform.ram[0].base",
            "reaches past the 40-bit address space",
            "0xffffffffff",
        ),
        (
            "{extends: zcu104, devices: [{name: u, kind: pl011, pa: 0xFF000000, interrupt: §192}]}",
            "platform.devices[0].interrupt",
            "the GIC has no interrupt 192",
            "end at 191",
        ),
        (
            "{extends: zcu104, devices: [{name: u, kind: pl011, pa: 0xFF000000, interrupt: 53}, "
            "{name: §u, kind: pl011, pa: 0xFF010000, interrupt: 54}]}",
            "platform.devices[1].name",
            "two devices are named 'u'",
            "its own name",
        ),
        (
            "{extends: zcu104, devices: [{name: u, kind: pl011, pa: 0xFF000000, interrupt: 53}, "
            "{name: v, kind: pl011, pa: 0xFF010000, interrupt: §53}]}",
            "platform.devices[1].interrupt",
            "interrupt 53 is given twice",
            "device 'u' has it",
        ),
        (
            "{extends: zcu104, cache: {llc_size: §1000KiB, llc_ways: 16, l1_size: 32KiB, l1_ways: 4}}",
            "platform.cache.llc_size",
            "1000KiB in 16 ways are not whole pages a way",
            "a multiple of 64KiB",
        ),
        (
            "{extends: zcu104, cache: {llc_size: §16MiB, llc_ways: 16, l1_size: 32KiB, l1_ways: 4}}",
            "platform.cache.llc_size",
            "these caches make 128 colours",
            "64 bits",
        ),
    ],
)
def test_what_is_wrong_with_a_platform(tmp_path: Path, platform: str, field: str, message: str, hint: str) -> None:
    text, places = marked(with_platform(platform))
    found = problems(write(tmp_path, text))
    assert [(each.line, each.column, each.field) for each in found] == [(*places[0], field)]
    assert message in found[0].message
    assert hint in found[0].hint


def test_what_a_platform_needs(tmp_path: Path) -> None:
    text, places = marked(with_platform("§{name: own}"))
    found = problems(write(tmp_path, text))
    assert {(each.line, each.column) for each in found} == set(places)
    assert sorted(each.message for each in found) == ["'cpus' is missing", "'gic' is missing", "'ram' is missing"]


def found_in(directory: Path, own: str) -> tuple[Problem, ...]:
    (directory / "own.yaml").write_text(own)
    return problems(write(directory, with_platform("own.yaml")))


def test_problems_of_a_platform_file_are_placed_in_it(tmp_path: Path) -> None:
    text, places = marked(OWN.replace("cpus: 6", "§cpu: 6").replace("kind: pl011", "kind: §ns16550"))
    found = found_in(tmp_path, text)
    assert [(each.path, each.line, each.column) for each in found] == [
        (str(tmp_path / "own.yaml"), line, column) for line, column in places
    ]


def test_a_platform_file_that_is_no_yaml(tmp_path: Path) -> None:
    (found,) = found_in(tmp_path, "cpus: [")
    assert found.path == str(tmp_path / "own.yaml")


def test_a_platform_file_that_extends_itself(tmp_path: Path) -> None:
    (found,) = found_in(tmp_path, "extends: own.yaml\n")
    assert (found.line, found.column) == (1, 10)
    assert found.message == "the platform file own.yaml extends itself"


@pytest.mark.parametrize(
    ("text", "what"), [("version: 1\nvms: []\n", "a machine file"), ("metrics: [exits]\n", "a study")]
)
def test_a_file_of_another_kind_for_a_platform_file(tmp_path: Path, text: str, what: str) -> None:
    (found,) = found_in(tmp_path, text)
    assert found.field == "platform"
    assert f"own.yaml is {what}, and no platform file" in found.message
