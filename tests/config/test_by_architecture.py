"""One file for several platforms: values by architecture, devices by name, memory where the platform's RAM is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from baonet.config.loader import load
from baonet.config.one_platform import for_platform
from baonet.config.platforms import builtin
from baonet.document.errors import ConfigError, Problem
from baonet.document.overrides import Overrides
from baonet.machine import Device, Machine, Region
from tests.config import machines
from tests.config.machines import marked, problems
from tests.config.riscv import machines as riscv

ARM, RISCV = "qemu-aarch64-virt", "qemu-riscv64-virt"
BOTH = f"""\
version: 1
platform: {ARM}
vms:
  - name: one
    image: {{path: {{armv8: ping.elf, riscv: riscv.elf}}}}
    cpus: 1
    memory: [{{size: 64MiB}}]
    devices: [uart0]
  - name: two
    image: {{path: {{armv8: ping.elf, riscv: riscv.elf}}}}
    command_line: {{armv8: console=ttyAMA0, riscv: console=ttyS0}}
    device_tree: auto
    cpus: 1
    memory: [{{size: 64MiB}}]
    devices: [{{name: uart0, va: {{armv8: 0x09000000, riscv: 0x20000000}}, interrupts: []}}]
    timer: {{armv8: [27, 30]}}
"""


def write(directory: Path, text: str = BOTH) -> Path:
    riscv.write(directory)
    (directory / "ping.elf").rename(directory / "riscv.elf")
    return machines.write(directory, text)


def told(directory: Path, overrides: Overrides, text: str = BOTH) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        load(write(directory, text), overrides)
    return caught.value.problems


def _places(machine: Machine) -> list[object]:
    return [(vm.entry, vm.regions, vm.devices, vm.command_line, vm.interrupts) for vm in machine.vms]


def test_one_file_is_of_two_platforms(tmp_path: Path) -> None:
    path = write(tmp_path)
    arm, other = load(path), load(path, [f"platform={RISCV}"])
    assert (arm.platform, other.platform) == (builtin()[ARM], builtin()[RISCV])
    ram = (Region(0x40000000, 64 << 20),)
    uart = 0x09000000
    assert _places(arm) == [
        (0x40100000, ram, (Device(uart, uart, 0x1000, (33,)),), "", (27, 33)),
        (0x40100000, ram, (Device(uart, uart, 0x1000),), "console=ttyAMA0", (27, 30)),
    ]
    ram = (Region(0x80200000, 64 << 20),)
    uart = 0x10000000
    assert _places(other) == [
        (0x80200002, ram, (Device(uart, uart, 0x1000, (10,)),), "", (10,)),
        (0x80200002, ram, (Device(uart, 0x20000000, 0x1000),), "console=ttyS0", ()),
    ]


def test_a_platform_is_known_by_its_controller_and_through_files(tmp_path: Path) -> None:
    path = write(tmp_path)
    (tmp_path / "board.yaml").write_text("extends: base.yaml\ncpus: 2\n")
    (tmp_path / "base.yaml").write_text(f"extends: {RISCV}\n")
    assert load(path, ["platform=board.yaml"]).vms[0].entry == 0x80200002
    uart = "{name: uart0, kind: '16550', pa: 0x10000000, interrupt: 10}"
    own = f"{{cpus: 2, ram: [{{base: 0x80200000, size: 1GiB}}], irqc: {{plic: 0x0c000000}}, devices: [{uart}]}}"
    assert load(path, [f"platform={own}"]).vms[0].entry == 0x80200002


def test_lists_and_what_is_in_a_platform(tmp_path: Path) -> None:
    uarts = {
        "armv8": [{"name": "uart7", "kind": "pl011", "pa": 0x09000000, "interrupt": 40}],
        "riscv": [{"name": "uart7", "kind": "16550", "pa": 0x10000000, "interrupt": 40}],
    }
    text = BOTH.replace("uart0", "uart7")
    path = write(tmp_path, text)
    for platform, kind in ((ARM, "pl011"), (RISCV, "16550")):
        machine = load(path, {"platform": platform, "platform.devices": uarts})
        assert [device.kind for device in machine.platform.devices] == [kind]
        assert machine.vms[0].devices[0].interrupts == (40,)


def test_an_override_that_has_nothing_for_the_architecture_sets_nothing(tmp_path: Path) -> None:
    path = write(tmp_path)
    settings = {"vms[one].interrupts": {"armv8": "direct"}, "platform.extends": {"riscv": f"{RISCV}-plic"}}
    arm = load(path, settings)
    assert (arm.platform, arm.vms[0].direct_interrupts) == (builtin()[ARM], True)
    other = load(path, {"platform": RISCV, **settings})
    assert (other.platform, other.vms[0].direct_interrupts) == (builtin()[f"{RISCV}-plic"], False)
    assert load(path, ["vms.one.cpus={riscv: 3}"]).vms[0].cpus == 1
    assert load(path, ["vms.one.cpus={armv8: 3}"]).vms[0].cpus == 3


def test_an_override_reaches_into_what_was_given_by_architecture(tmp_path: Path) -> None:
    text = BOTH.replace("devices: [uart0]", "devices: {armv8: [{pa: 0x09000000}], riscv: [{pa: 0x10000000}]}")
    path = write(tmp_path, text)
    for platform in (ARM, RISCV):
        machine = load(path, [f"platform={platform}", "vms.0.devices.0.va=0x30000000"])
        assert machine.vms[0].devices[0].va == 0x30000000


BY_NAME = "{armv8: cortex-a53, riscv: sifive-u74}"


@pytest.mark.parametrize("platform", [ARM, RISCV])
@pytest.mark.parametrize(
    ("overrides", "size"),
    [
        ([f"platform.memory_system={BY_NAME}", "platform.memory_system.l2.size=512KiB"], 512 << 10),
        ([f"platform.memory_system={BY_NAME}", "platform.memory_system={l2: {size: 512KiB}}"], None),
        (["platform.memory_system.l2.size=512KiB", f"platform.memory_system={BY_NAME}"], 0),
        ([f"platform.memory_system={{preset: {BY_NAME}}}", "platform.memory_system.l2={size: 512KiB}"], 512 << 10),
        (
            [
                f"platform.memory_system={{preset: {BY_NAME}, l2: {{size: {{armv8: 2MiB, riscv: 4MiB}}}}}}",
                "platform.memory_system.l2={armv8: {size: 256KiB}, riscv: {size: 256KiB}}",
                "platform.memory_system.l2.size=512KiB",
            ],
            512 << 10,
        ),
    ],
)
def test_overrides_of_the_platform_have_their_turn(
    tmp_path: Path, platform: str, overrides: list[str], size: int | None
) -> None:
    """Whatever is given by architecture: a whole and then a part of it, or a whole in place of a part.

    ``size``: 0 for the preset's, None where there is no preset.
    """
    path = write(tmp_path)
    given = [f"platform={{extends: {platform}}}", *overrides]
    if size is None:
        (found,) = told(tmp_path, given)
        assert found.message == "'preset' is missing"
        return
    system = load(path, given).platform.memory_system
    assert system is not None
    assert system.l2_size == size or (not size and system.l2_size > 512 << 10)


def test_an_override_of_a_part_of_what_the_platform_has_by_architecture(tmp_path: Path) -> None:
    text = BOTH.replace(f"platform: {ARM}", f"platform: {{extends: {ARM}, memory_system: {BY_NAME}}}")
    path = write(tmp_path, text)
    for platform in (ARM, RISCV):
        system = load(path, [f"platform.extends={platform}", "platform.memory_system.cpi=2"]).platform.memory_system
        assert system is not None
        assert (system.cycles, system.instructions) == (2, 1)


def test_what_is_required_and_has_nothing_for_the_architecture_is_told(tmp_path: Path) -> None:
    text, places = marked(BOTH.replace("{path: {armv8: ping.elf, riscv: riscv.elf}}", "{path: §{armv8: ping.elf}}", 1))
    (found,) = told(tmp_path, [f"platform={RISCV}"], text)
    assert [(found.line, found.column)] == places
    assert found.field == "vms[0].image.path"
    assert found.message == "there is nothing for riscv, which is the platform's architecture"
    assert found.hint == "add 'riscv: ...', or choose a platform of armv8"


def test_a_mistake_in_a_chosen_value_is_told_where_it_stands(tmp_path: Path) -> None:
    text, places = marked(
        BOTH.replace("va: {armv8: 0x09000000, riscv: 0x20000000}", "va: {armv8: 0, riscv: §0x20000001}")
    )
    (found,) = told(tmp_path, [f"platform={RISCV}"], text)
    assert [(found.line, found.column)] == places
    assert found.field == "vms[1].devices[0].va"


def test_a_vm_can_be_named_like_an_architecture(tmp_path: Path) -> None:
    text = f"{BOTH}placement: {{riscv: 0}}\n".replace("name: one", "name: riscv")
    assert [each.vm for each in load(write(tmp_path, text)).placement.given] == ["riscv"]


@pytest.mark.parametrize(
    ("old", "new", "field", "told"),
    [
        ("[uart0]", "[§uart1]", "vms[0].devices[0]", "the platform has no device 'uart1'; did you mean 'uart0'?"),
        ("[uart0]", "[§eth]", "vms[0].devices[0]", "the platform has no device 'eth'; its devices are uart0"),
        ("[uart0]", "[{name: uart0, §pa: 0x09000000}]", "vms[0].devices[0].pa", "both 'name' and 'pa'; keep one"),
        ("[uart0]", "[{name: uart0, interrupts: [33, §33]}]", "vms[0].devices[0].interrupts[1]", "33 is given twice"),
        ("interrupts: []", "size: 4KiB", "vms[1].devices[0]", "interrupt 33 is given twice: VM 'one' has it"),
        ("[{size: 64MiB}]", "[{size: 64MiB}, {size: §4KiB}]", "vms[0].memory[1].size", "RAM at 0x40000000"),
    ],
)
def test_what_is_wrong_with_what_a_platform_says(tmp_path: Path, old: str, new: str, field: str, told: str) -> None:
    text, places = marked(BOTH.replace(old, new, 1))
    (found,) = problems(write(tmp_path, text))
    assert field.startswith(found.field)
    assert told in f"{found.message}; {found.hint}"
    assert not places or found.line == places[0][0]


def test_without_a_platform_nothing_else_is_told_of_a_device(tmp_path: Path) -> None:
    (found,) = told(tmp_path, ["platform=qemu"])
    assert found.field == "platform"


# The text of one platform


def test_the_text_of_one_platform_is_the_same_machine(tmp_path: Path) -> None:
    for platform in (ARM, RISCV, f"{RISCV}-plic"):
        text = for_platform(BOTH, platform)
        alone = load(write(tmp_path, text))
        assert replace(alone, files=()) == replace(load(write(tmp_path), [f"platform={platform}"]), files=())
        assert ("armv8" in text, "riscv:" in text) == (False, False)


LINES = """\
# comment
platform:
  extends: qemu-aarch64-virt  # which
  devices:
    armv8:
      - {name: a}  # of Arm
      - name: b
        kind: pl011
    riscv:
      - {name: c}

  cpus: {armv8: 2}
vms:
  - memory: {armv8: [1, 2], riscv: [{size: 3}]}  # RAM
    gic: {armv8: {gicd: 1}}
    irqc: {riscv: {plic: 1}, }
    last: {a: 1, gone: {armv8: 2}, kept: 3}
"""


def test_the_text_of_one_platform_keeps_its_comments_and_columns() -> None:
    arm = """\
# comment
platform:
  extends: qemu-aarch64-virt  # which
  devices:
    - {name: a}  # of Arm
    - name: b
      kind: pl011

  cpus: 2
vms:
  - memory: [1, 2]  # RAM
    gic: {gicd: 1}
    last: {a: 1, gone: 2, kept: 3}
"""
    assert for_platform(LINES, ARM) == arm
    other = """\
# comment
platform:
  extends: qemu-riscv64-virt  # which
  devices:
    - {name: c}

vms:
  - memory: [{size: 3}]  # RAM
    irqc: {plic: 1}
    last: {a: 1, kept: 3}
"""
    assert for_platform(LINES, RISCV) == other


@pytest.mark.parametrize("device", ["uart1", "{pa: 0x09040000, size: 4KiB}", "{pa: 0x09040000}"])
def test_a_platform_in_place_of_one_that_has_devices_of_its_own(tmp_path: Path, device: str) -> None:
    """Whoever sets it cannot see why a device of the file is not there."""
    second = "{name: uart1, kind: pl011, pa: 0x09040000, size: 4KiB, interrupt: 40}"
    text = machines.BASE.replace(f"platform: {ARM}", f"platform: {{extends: {ARM}, devices: [{second}]}}")
    text = text.replace("[{pa: 0x09000000, size: 4KiB}]", f"[{device}]").replace("[{pa: 0x09000000, va", "[] #")
    path = machines.write(tmp_path, text)
    load(path)
    load(path, [f"platform.extends={ARM}-gicv2"])
    with pytest.raises(ConfigError) as caught:
        load(path, [f"platform={ARM}"])
    (found,) = caught.value.problems
    assert found.hint == f"'{ARM}' replaces the file's platform: with 'platform.extends={ARM}' that keeps its devices"


@pytest.mark.parametrize(
    ("platform", "message"),
    [
        ("qemu-riscv-virt", "there is no platform 'qemu-riscv-virt'"),
        ("riscv", "there is no platform 'riscv'"),
        ("{extends: qemu-riscv64-virt, gic: {version: 3}}", "'gic' is of armv8, and the platform is riscv"),
        ("board.yaml", "3 is out of range"),
    ],
)
def test_a_platform_with_a_mistake_has_the_guests_of_what_is_meant(tmp_path: Path, platform: str, message: str) -> None:
    """No image is said to be for another architecture."""
    (tmp_path / "board.yaml").write_text("extends: qemu-riscv64-virt\ntimer_frequency: 3\n")
    path = riscv.write(tmp_path, riscv.BASE)
    with pytest.raises(ConfigError) as caught:
        load(path, ["platform=" + platform])
    assert [each.message.partition(": ")[0] for each in caught.value.problems] == [message]


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("{arm: 0x0f}", ["vms[0].colors.arm: no architecture is called 'arm'; did you mean 'armv8'?"]),
        ("{armv8: 0x0f, rv64: 1}", ["vms[0].colors.rv64: no architecture is called 'rv64'; it can be armv8 or riscv"]),
        (
            "{arm64: 0x0f, riscv64: 1}",
            [
                "vms[0].colors.arm64: no architecture is called 'arm64'; did you mean 'armv8'?",
                "vms[0].colors.riscv64: no architecture is called 'riscv64'; did you mean 'riscv'?",
            ],
        ),
        ("{even: 1}", ["vms[0].colors: a mapping is not a set of colours; write the value right here, without 'even'"]),
    ],
)
def test_an_architecture_by_another_name_is_told_as_that(tmp_path: Path, given: str, wanted: list[str]) -> None:
    """And not as keys that a value has not, the right one among them."""
    text = BOTH.replace("    cpus: 1\n", f"    colors: {given}\n    cpus: 1\n", 1)
    assert [f"{each.field}: {each.message}; {each.hint}" for each in told(tmp_path, {}, text)] == wanted


def test_a_memory_system_by_an_architecture_of_another_name(tmp_path: Path) -> None:
    platform = "{extends: qemu-aarch64-virt, memory_system: {armv8: cortex-a53, risc: sifive-u74}}"
    (found,) = told(tmp_path, {}, BOTH.replace(f"platform: {ARM}", f"platform: {platform}"))
    assert (found.field, found.hint) == ("platform.memory_system.risc", "did you mean 'riscv'?")
