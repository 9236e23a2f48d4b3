"""The configuration with a second architecture: what it needs of one is what its protocol says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import baonet.config
from baonet.config import fdt, wings
from baonet.config.devicetree import blob
from baonet.config.loader import load
from baonet.config.models import VmModel
from baonet.document.models import described, key_of
from baonet.hyp import wings as hypervisors
from tests.config.machines import BASE, elf, marked, problems, write
from tests.config.toy import MACHINE, Toy, ToyPart

UART = "{name: uart0, kind: pl011, pa: 0x09000000, interrupt: 40}"
BOARD = f"{{cpus: 2, ram: [{{base: 0x40000000, size: 1GiB}}], devices: [{UART}], toyic: 0x10000000}}"
TOY = f"""\
version: 1
platform: {BOARD}
vms:
  - name: one
    image: {{path: toy.elf}}
    device_tree: auto
    cpus: 1
    memory: [{{base: 0x40000000, size: 64MiB}}]
    devices: [{{pa: 0x09000000, interrupts: [40]}}]
    toyic: 0x20000000
  - name: two
    image: {{path: toy.elf}}
    cpus: 1
    memory: [{{base: 0x40000000, size: 64MiB}}]
"""


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setitem(wings.ARCHITECTURES, Toy.name, Toy())
    segment = (0x40100000, 0x40100000, b"\1" * 64, 64)
    (tmp_path / "toy.elf").write_bytes(elf(segment, entry=0x40100002, machine=MACHINE))
    return tmp_path


def test_a_machine_of_another_architecture(directory: Path) -> None:
    machine = load(write(directory, TOY))
    one, two = machine.vms
    assert (machine.platform.architecture, machine.platform.arch) == ("toy", ToyPart(0x10000000))
    assert (one.arch, two.arch) == (ToyPart(0x20000000), ToyPart(0x10000000))
    assert (one.interrupts, two.interrupts) == ((0, 40), (0,))
    tree = fdt.read(blob(machine, one)).root
    controller, uart = tree.child("toyic@20000000"), tree.child("serial@9000000")
    assert controller.properties["phandle"] == tree.properties["interrupt-parent"]
    assert uart.properties["interrupts"] == (40).to_bytes(4, "big")
    assert [each.name for each in tree.children if each.name in ("cpus", "psci", "timer")] == []


def test_the_keys_of_all_stand_where_they_belong(directory: Path) -> None:
    keys = [key_of(each) for each in described(VmModel)]
    assert keys[keys.index("devices") :] == ["devices", "toyic", "ipcs", "gic", "irqc", "interrupts", "timer"]


def test_hypervisor_and_configuration_have_the_same_architectures() -> None:
    assert set(wings.ARCHITECTURES) == set(hypervisors.ARCHITECTURES)


def test_the_other_machines_are_what_they_were(directory: Path) -> None:
    assert load(write(directory)).platform.architecture == "armv8"


@pytest.mark.parametrize(
    ("text", "field", "message", "hint"),
    [
        (TOY.replace("toyic: 0x2", "§gic: {gicd: 0x2").replace("20000000\n", "20000000}\n"), "vms[0].gic",
         "'gic' is of armv8, and the platform is toy", "extend a platform of that architecture"),
        (TOY.replace("    toyic: 0x20000000\n", "    §timer: [27]\n"), "vms[0].timer",
         "'timer' is of armv8", "remove it"),
        (TOY.replace("cpus: 2", "cpus: 2, §midr: 1"), "platform.midr", "'midr' is of armv8", "remove it"),
        (BASE.replace("platform: qemu-aarch64-virt", "platform: {extends: qemu-aarch64-virt, §toyic: 0x1000}"),
         "platform.toyic", "'toyic' is of toy, and the platform is armv8", "remove it"),
        (TOY.replace("toyic: 0x20000000", "toyic: §0x40000000"), "vms[0].toyic",
         "the toy's controller at 0x40000000..0x40000fff and RAM at", "there is room for it"),
        (TOY.replace("[40]", "[§70]"), "vms[0].devices[0].interrupts[0]",
         "70 is no line of the toy's", "use one to 63"),
        (TOY.replace("interrupt: 40", "interrupt: §70"), "platform.devices[0].interrupt",
         "70 is no interrupt of a device", "on toy it can be from 1 to 63"),
        (TOY.replace("{path: toy.elf}", "{path: §ping.elf}", 1), "vms[0].image.path",
         f"is an ELF file for 64-bit Arm (machine 183), not for toy ({MACHINE})", "build the guest for toy"),
        (TOY + "    cpu_affinity: [§2]\n", "vms[1].cpu_affinity[0]",
         "the platform has no CPU 2", "its CPUs are 0 to 1"),
    ],
)  # fmt: skip
def test_what_is_of_another_architecture_is_told(
    directory: Path, text: str, field: str, message: str, hint: str
) -> None:
    text, places = marked(text)
    (found,) = problems(write(directory, text))
    assert [(found.line, found.column)] == places
    assert found.field == field
    assert message in found.message
    assert hint in found.hint


SHARED = sorted(set(Path(baonet.config.__file__).parent.glob("*.py")) - {Path(wings.__file__)})
OF_ARMV8 = r"gic\w*|psci|intids?|spis?|ppis?|sgis?|ipas?|arm|arm64|aarch64|armv8|cortex|smc|hvc|midr|cntfrq"
OF_RISCV = r"riscv\w*|risc-v|rv64\w*|harts?|plic|aplic|imsics?|aia|irqc|sbi|ecall|sstc"
WORDS = f"{OF_ARMV8}|{OF_RISCV}"
NAMES = re.compile(rf"(?<![a-z])({WORDS})(?![a-z])", re.IGNORECASE)
ALLOWED = {
    "build.py": {"spi"},  # as in clock_models
    "clock_models.py": {"spi"},  # the key that a user writes for a device's interrupt under `latency`
    "fault_models.py": {"spi"},  # as in clock_models, for a message of a fault
    "images.py": {"arm", "risc-v"},  # names in ELF's list of machines
    "memory_models.py": {
        "ipa"
    },  # the key of what keeps finished translations of stage 2, which guests take for physical
    "memory_system.py": {"ipa"},  # as in memory_models
    "packed.py": {"arm"},  # what a file can be that is no guest of ours: a zImage for 32-bit Arm
    "platform_models.py": {"arm"},  # who makes the PL011
    "reference.py": {"aarch64"},  # the name of the platform in the examples of the page
    "uart_bindings.py": {"arm"},  # the binding of the PL011, which any platform can have
}


def named(path: Path) -> Iterator[str]:
    return (found[1].lower() for found in NAMES.finditer(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", SHARED, ids=lambda path: path.name)
def test_what_all_architectures_share_speaks_of_none(path: Path) -> None:
    assert set(named(path)) == ALLOWED.get(path.name, set())


@pytest.mark.parametrize(
    ("name", "words"),
    [("armv8", {"gic", "psci", "intid", "spi", "aarch64"}), ("riscv", {"plic", "aplic", "imsic", "hart", "riscv64"})],
)
def test_the_wing_is_where_they_are_named(name: str, words: set[str]) -> None:
    wing = Path(baonet.config.__file__).parent / name
    assert words <= {word for path in wing.glob("*.py") for word in named(path)}
