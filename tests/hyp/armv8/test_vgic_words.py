"""Registers are read as their interrupts are, without a look at each. ``test_vgic_model`` tries it at random."""

from __future__ import annotations

import pytest

from baonet.hyp.armv8.vgic_words import RegisterWords
from tests.hyp.armv8 import shown
from tests.hyp.armv8.virtual_machine import GICD, GICR, VirtualMachine

ISPENDR, ISACTIVER, IPRIORITYR, ICFGR, IROUTER = GICD + 0x200, GICD + 0x300, GICD + 0x400, GICD + 0xC00, GICD + 0x6000
NOBODY = 9


def test_interrupts_begin_with_their_priority_and_no_other_has_one() -> None:
    assert RegisterWords(range(6), 0xA0).priorities == [0xA0A0_A0A0, 0xA0A0]
    assert RegisterWords(range(5, 8), 0xF8).priorities == [0, 0xF8F8_F800]
    assert RegisterWords(range(0), 0xF8).priorities == []


def test_a_line_of_an_spi_that_goes_to_nobody() -> None:
    vm = VirtualMachine(1, hardware=(34,)).open()
    vm.write(0, IROUTER + 8 * 34, NOBODY, size=8)
    vm.enable(0, 34)
    vm.vgics[0].line(34, 1, 1)
    assert vm.read(0, ISPENDR + 4) == 4
    vm.write(0, IROUTER + 8 * 34, 0, size=8)
    assert vm.read(0, ISPENDR + 4) == 0, "it is in a list register"


@pytest.mark.parametrize("version", [2, 3])
def test_what_has_no_list_register_is_pending(version: int) -> None:
    vm = VirtualMachine(1, version=version, lists=2).open()
    pending = (GICR + 0x10000 if version == 3 else GICD) + 0x200
    assert vm.read(0, pending) == 0
    for intid in range(4):
        vm.enable(0, intid)
        if version == 3:
            vm.sgi1r(0, intid << 24 | 1)
        else:
            vm.write(0, GICD + 0xF00, 1 << 16 | intid)
    assert vm.read(0, pending) == 0b1100
    assert sorted(vm.take_all()) == [0, 1, 2, 3]
    assert vm.read(0, pending) == 0
    shown.check(vm.vgics[0])


def test_what_was_there_already_is_not_set_again() -> None:
    """But a priority that no register keeps so, as one has at reset, is."""
    vm = VirtualMachine(1, version=2).open()
    assert vm.read(0, IPRIORITYR + 40) == 0xFFFF_FFFF
    vm.write(0, IPRIORITYR + 40, 0xF8F8_FFFF)
    assert vm.read(0, IPRIORITYR + 40) == 0xF8F8_F8F8


def test_a_reset_and_what_was_saved() -> None:
    vm = VirtualMachine(2, hardware=(34,)).open()
    for address, value in ((GICD + 0x104, 0xFF00), (ISACTIVER + 4, 2), (IPRIORITYR + 60, 0x10203040), (ICFGR + 8, 0xA)):
        vm.write(0, address, value)
    vm.write(1, GICR + 0x3_0100, 0xFFFF_0000)
    saved = [vgic.save() for vgic in vm.vgics]
    for vgic in vm.vgics:
        vgic.reset()
        shown.check(vgic)
    assert [vm.read(0, GICD + 0x104), vm.read(0, IPRIORITYR + 60), vm.read(0, ICFGR + 8)] == [0, 0xFFFF_FFFF, 0]
    for vgic, data in zip(vm.vgics, saved, strict=True):
        vgic.load(data)
        shown.check(vgic)
    assert [vm.read(0, GICD + 0x104), vm.read(0, ISACTIVER + 4)] == [0xFF00, 2]
    assert [vm.read(0, IPRIORITYR + 60), vm.read(0, ICFGR + 8)] == [0x10203040, 0xA]
    assert vm.read(1, GICR + 0x3_0100) == 0xFFFF_0000
