"""A GICv2 VM as its guest sees it: the distributor's registers, and SGIs that know their sources."""

from __future__ import annotations

import pytest

from baonet.config.platforms import builtin
from baonet.hyp.armv8 import vgicv2, vgicv3
from baonet.machine.armv8 import Armv8Platform
from tests.hyp.armv8.virtual_machine import GICD, SPURIOUS, VirtualMachine

ISENABLER, ISPENDR, ICPENDR, ISACTIVER = GICD + 0x100, GICD + 0x200, GICD + 0x280, GICD + 0x300
IPRIORITYR, ITARGETSR, ICFGR, SGIR = GICD + 0x400, GICD + 0x800, GICD + 0xC00, GICD + 0xF00
LIST, OTHERS, SELF, RESERVED = (n << 24 for n in range(4))


def machine(vcpus: int, lists: int = 4) -> VirtualMachine:
    vm = VirtualMachine(vcpus, version=2, lists=lists).open()
    for n in range(vcpus):
        for intid in range(16):
            vm.write(n, IPRIORITYR + intid, 0x80, size=1)
    return vm


def heard(vm: VirtualMachine) -> list[list[int]]:
    vm.settle()
    return [vm.take_all(n) for n in range(len(vm.vgics))]


def test_identification_and_control() -> None:
    vm = VirtualMachine(3, version=2)
    assert vm.read(1, GICD + 4) == 2 << 5 | 2
    assert vm.read(0, GICD + 8) == 0x0200_143B
    assert vm.read(0, GICD) == 0x10
    vm.write(1, GICD, 0xFF)
    assert vm.read(0, GICD) == 0x11
    assert vm.read(0, GICD + 0xFE8) == 0


def test_the_interrupts_of_qemus_boards() -> None:
    """GICD_TYPER of a VM of 2 CPUs, observed: 288 INTIDs of a GICv2, 256 of a GICv3."""
    boards = builtin()
    assert vgicv2.typer(Armv8Platform.of(boards["qemu-aarch64-virt-gicv2"]).gic.interrupts, 2) == 0x28
    assert vgicv3.typer(Armv8Platform.of(boards["qemu-aarch64-virt"]).gic.interrupts, 2) == 0x48_0027


def test_registers_repeat_in_the_window() -> None:
    vm = VirtualMachine(2, version=2)
    vm.write(1, GICD + 0x7000, 1)
    vm.write(1, GICD + 0x3000 + 0x424, 0x40, size=1)
    assert vm.read(0, GICD + 0xF000) == 0x11
    assert vm.read(1, GICD + 0x6000 + 0x424) == 0xFFFF_FF40
    assert vm.read(1, GICD + 0x6000 + 0x424, size=8) is None


def test_private_interrupts_are_banked() -> None:
    vm = VirtualMachine(2, version=2)
    vm.write(1, ISENABLER, 1 << 20)
    vm.write(1, IPRIORITYR + 20, 0x2F, size=1)
    assert [vm.read(n, ISENABLER) for n in (0, 1)] == [0xFFFF, 0xFFFF | 1 << 20]
    assert [vm.read(n, IPRIORITYR + 20, size=1) for n in (0, 1)] == [0xFF, 0x28]
    assert vm.read(0, ICFGR) == 0
    vm.write(0, IPRIORITYR + 40, 0xFF, size=1)
    assert vm.read(1, IPRIORITYR + 40, size=1) == 0xF8


def test_sgis_cannot_be_disabled_nor_set_pending() -> None:
    vm = machine(1)
    vm.write(0, GICD + 0x180, 0xFFFF_FFFF)
    vm.write(0, ISPENDR, 0xFFFF)
    assert vm.read(0, ISENABLER) == 0xFFFF
    assert heard(vm) == [[]]
    vm.write(0, SGIR, SELF | 3)
    vm.write(0, ICPENDR, 0xFFFF)
    assert heard(vm) == [[3]]


@pytest.mark.parametrize("n", [0, 1, 2])
@pytest.mark.parametrize(
    ("how", "expected"),
    [
        (LIST | 0b101 << 16, {0, 2}),
        (LIST | 0xF8 << 16, set()),
        (OTHERS | 0xFF << 16, None),
        (SELF | 0xFF << 16, "self"),
        (RESERVED | 0xFF << 16, set()),
    ],
)
def test_sgi_filters(n: int, how: int, expected: set[int] | str | None) -> None:
    vm = machine(3)
    vm.write(n, SGIR, how | 5)
    targets = {0, 1, 2} - {n} if expected is None else {n} if expected == "self" else expected
    assert heard(vm) == [[n << 10 | 5] if target in targets else [] for target in range(3)]


def test_write_only_registers_read_as_zero() -> None:
    vm = machine(1)
    for offset in (0xF00, 0xF10, 0xF20):
        assert vm.read(0, GICD + offset) == 0
    vm.write(0, GICD + 0xF20, 0xFFFF_FFFF)
    assert heard(vm) == [[]]


def test_sgis_of_several_sources_come_one_by_one_highest_first() -> None:
    vm = machine(4)
    for source in (2, 1, 3, 1):
        vm.write(source, SGIR, LIST | 1 << 16 | 6)
    vm.settle()
    assert vm.read(0, ISPENDR) == 0
    seen = []
    for _ in range(3):
        seen.append(vm.acknowledge(0))
        assert vm.acknowledge(0) == SPURIOUS
        vm.end(0, seen[-1])
    assert [intid >> 10 for intid in seen] == [3, 2, 1]
    assert {intid & 0x3FF for intid in seen} == {6}
    assert vm.acknowledge(0) == SPURIOUS


def test_sgi_of_the_same_source_while_active() -> None:
    vm = machine(2)
    vm.write(1, SGIR, LIST | 1 << 16 | 6)
    vm.settle()
    assert vm.acknowledge(0) == 1 << 10 | 6
    for source in (0, 1):
        vm.write(source, SGIR, LIST | 1 << 16 | 6)
    vm.settle()
    assert vm.acknowledge(0) == SPURIOUS
    vm.end(0, 1 << 10 | 6)
    assert vm.take_all(0) == [1 << 10 | 6, 6]


def test_sgis_that_are_spilled_keep_their_sources() -> None:
    vm = machine(4, lists=2)
    for intid in range(6):
        vm.write(0, IPRIORITYR + intid, 0xF0 - 0x10 * intid, size=1)
        for source in (1, 2, 3):
            vm.write(source, SGIR, LIST | 1 << 16 | intid)
    vm.settle()
    assert vm.take_all(0) == [source << 10 | intid for intid in range(5, -1, -1) for source in (3, 2, 1)]


def test_targets() -> None:
    vm = machine(3)
    assert [vm.read(n, ITARGETSR + 4) for n in range(3)] == [0x0101_0101, 0x0202_0202, 0x0404_0404]
    vm.write(0, ITARGETSR + 4, 0xFFFF_FFFF)
    assert vm.read(0, ITARGETSR + 5, size=1) == 1
    assert vm.read(0, ITARGETSR + 40) == 0
    vm.write(1, ITARGETSR + 40, 0xFF02_0600)
    assert vm.read(0, ITARGETSR + 40) == 0x0702_0600
    vm.write(0, ITARGETSR + 41, 4, size=1)
    assert vm.read(2, ITARGETSR + 40) == 0x0702_0400


@pytest.mark.parametrize(("targets", "expected"), [(0b110, 1), (0b100, 2), (0b111, 0)])
def test_the_lowest_of_several_targets_gets_it(targets: int, expected: int) -> None:
    vm = machine(3)
    vm.enable(2, 40)
    vm.pend(2, 40)
    assert heard(vm) == [[], [], []]
    assert vm.read(0, ISPENDR + 4) == 1 << 8, "no targets to begin with"
    vm.write(2, ITARGETSR + 40, targets, size=1)
    assert heard(vm) == [[40] if n == expected else [] for n in range(3)]


def test_notification_and_device() -> None:
    vm = VirtualMachine(2, version=2, hardware=(27, 33), master=1).open()
    for intid in (33, 52):
        vm.enable(0, intid)
        vm.write(0, ITARGETSR + intid, 1, size=1)
    vm.vgics[1].inject(52)
    vm.settle()
    assert vm.take(0) == 52
    vm.vgics[0].line(33, 1, 1)
    vm.settle()
    assert vm.take(0) == 33
    vm.settle()
    assert vm.acknowledge(0) == 33
    vm.vgics[0].line(33, 0, 2)
    vm.end(0, 33)
    assert heard(vm) == [[], []]
    vm.enable(1, 27)
    vm.raise_line(1, 27)
    assert [vm.take(1), vm.take(1)] == [27, 27]


def test_notification_by_sgi_has_source_0() -> None:
    vm = machine(2)
    vm.vgics[1].inject(4)
    assert heard(vm) == [[], [4]]


def test_split_end() -> None:
    vm = VirtualMachine(1, version=2).open(split=True)
    for intid in (40, 41):
        vm.enable(0, intid)
        vm.write(0, ITARGETSR + intid, 1, size=1)
        vm.pend(0, intid)
    assert vm.acknowledge() == 40
    vm.end(0, 40)
    vm.pend(0, 40)
    assert vm.acknowledge() == 41
    vm.end(0, 41)
    vm.deactivate(0, 40)
    assert vm.acknowledge() == 40


def test_widths_that_hang() -> None:
    vm = VirtualMachine(2, version=2)
    for n in (0, 1):
        for offset, size in [(0, 8), (0x800, 2), (0x820, 8), (0xF00, 1), (0x400, 2), (0x6000, 8), (0x100, 1)]:
            assert vm.read(n, GICD + offset, size) is None
            assert not vm.write(n, GICD + offset, 0, size)
