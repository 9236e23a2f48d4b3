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


@pytest.mark.parametrize("cleared", [False, True])
def test_an_edge_that_nobody_has_taken_is_cleared(cleared: bool) -> None:
    """It shows nowhere; so may a read before tell."""
    vm = VirtualMachine(1, hardware=(34,)).open()
    vm.write(0, ICFGR + 8, 0b10 << 4)
    vm.vgics[0].line(34, 1, 1)
    vm.vgics[0].line(34, 0, 2)
    assert vm.read(0, ISPENDR + 4) == 0
    if cleared:
        vm.write(0, ISPENDR + 0x80 + 4, 1 << 2)
    vm.enable(0, 34)
    assert vm.take_all() == ([] if cleared else [34])
    shown.check(vm.vgics[0])


@pytest.mark.parametrize("state", [ISPENDR, ISACTIVER])
@pytest.mark.parametrize("intid", [5, 34])
def test_what_a_guest_has_cleared_is_looked_at_no_more(state: int, intid: int) -> None:
    vm = VirtualMachine(1).open()
    address = state - GICD + (GICR + 0x1_0000 if intid < 32 else GICD) + intid // 32 * 4
    bank = vm.vgics[0]._private if intid < 32 else vm.vgics[0]._distributor
    for enabled in (False, True):
        if enabled:
            vm.enable(0, intid)
        vm.write(0, address, 1 << intid % 32)
        assert bank.words.stirred[intid // 32] >> intid % 32 & 1
        vm.write(0, address + 0x80, 1 << intid % 32)
        assert not bank.words.stirred[intid // 32] >> intid % 32 & 1
        assert vm.take_all() == []
        assert [vm.read(0, each) for each in (address, address + 0x80)] == [0, 0]
        shown.check(vm.vgics[0])


ANY = 1 << 31
"""Of a route: the SPI goes to the vCPU that had it evaluated last."""


def test_the_same_route_again_is_an_evaluation_by_who_writes() -> None:
    vm = VirtualMachine(2, hardware=(34,)).open()
    vm.write(0, IROUTER + 8 * 34, ANY, size=8)
    vm.enable(0, 34)
    vm.write(1, IROUTER + 8 * 34, ANY, size=8)
    vm.vgics[0].line(34, 1, 1)
    vm.settle()
    assert 34 in vm.vgics[1]._held.interrupts


def test_the_same_route_again_recalls_what_is_held_elsewhere() -> None:
    vm = VirtualMachine(2).open()
    vm.write(0, IROUTER + 8 * 34, ANY, size=8)
    vm.enable(0, 34)
    vm.write(0, ISPENDR + 4, 1 << 2)
    vm.write(1, ISPENDR + 4, 1 << 2)
    assert 34 in vm.vgics[0]._held.interrupts
    vm.write(1, IROUTER + 8 * 34, ANY, size=8)
    vm.settle()
    assert 34 in vm.vgics[1]._held.interrupts
