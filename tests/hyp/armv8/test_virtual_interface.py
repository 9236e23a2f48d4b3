"""The reference of the virtual CPU interface against the architecture's words."""

from __future__ import annotations

import pytest

from baonet.hyp.armv8.cpu import (
    HCR_EN,
    HCR_EOICOUNT_SHIFT,
    HCR_LRENPIE,
    HCR_NPIE,
    HCR_UIE,
    HCR_VGRP1DIE,
    HCR_VGRP1EIE,
    ICH_HCR,
    ICH_REGISTERS,
    LR_ACTIVE,
    LR_EOI,
    LR_GROUP,
    LR_HW,
    LR_PENDING,
    LR_PINTID_SHIFT,
    LR_PRIORITY_SHIFT,
    LR_SOURCE_SHIFT,
    LR_STATE,
)
from tests.hyp.armv8.virtual_interface import (
    IDLE,
    MISR_EOI,
    MISR_LRENP,
    MISR_NP,
    MISR_U,
    MISR_VGRP1D,
    MISR_VGRP1E,
    SPURIOUS,
    SPURIOUS_GROUP1,
    Gicv,
    Icc,
    VirtualInterface,
)


def lr(intid: int, priority: int, flags: int = LR_GROUP, state: int = LR_PENDING) -> int:
    return intid | priority << LR_PRIORITY_SHIFT | flags | state


def interface(*lists: int, version: int = 3, hcr: int = HCR_EN) -> VirtualInterface:
    ich = [0] * ICH_REGISTERS
    ich[: len(lists)] = lists
    ich[ICH_HCR] = hcr
    it = VirtualInterface(ich, 4, version)
    for register, value in ((Icc.PMR, 0xFF), (Icc.IGRPEN0, 1), (Icc.IGRPEN1, 1), (Icc.BPR0, 0), (Icc.BPR1, 0)):
        it.write(register, value)
    return it


def test_reset_values_and_widths_of_fields() -> None:
    it = interface()
    assert (it.read(Icc.PMR), it.read(Icc.BPR0), it.read(Icc.BPR1), it.read(Icc.RPR)) == (0xF8, 2, 3, IDLE)
    assert it.read(Icc.CTLR) == 0x8800 | 4 << 8
    it.write(Icc.CTLR, 3)
    assert it.read(Icc.CTLR) == 0x8800 | 4 << 8 | 3
    assert it.read(Icc.BPR1) == 3, "the common one plus one"
    it.write(Icc.BPR0, 7)
    it.write(Icc.BPR1, 4)
    assert it.read(Icc.BPR1) == 7
    it.write(Icc.CTLR, 0)
    assert it.read(Icc.BPR1) == 3


def test_highest_priority_then_lowest_list_register() -> None:
    it = interface(lr(50, 0x80), lr(40, 0x40), lr(30, 0x40), lr(20, 0x20, state=LR_ACTIVE))
    assert it.read(Icc.HPPIR1) == 40
    assert it.read(Icc.IAR1) == 40
    assert it.read(Icc.RPR) == 0x40
    assert it.read(Icc.IAR1) == SPURIOUS
    assert it.read(Icc.HPPIR1) == 30, "whatever masks it"


def test_what_masks() -> None:
    it = interface(lr(50, 0x80))
    assert (it.irq, it.fiq) == (True, False)
    it.write(Icc.PMR, 0x80)
    assert not it.irq
    it.write(Icc.PMR, 0x88)
    assert it.irq
    it.write(Icc.IGRPEN1, 0)
    assert not it.irq
    assert it.read(Icc.HPPIR1) == SPURIOUS
    it.write(Icc.IGRPEN1, 1)
    it.ich[ICH_HCR] = 0
    assert (it.irq, it.read(Icc.IAR1)) == (False, SPURIOUS)


def test_group_0() -> None:
    it = interface(lr(50, 0x80), lr(40, 0x40, flags=0))
    assert (it.irq, it.fiq) == (False, True)
    assert (it.read(Icc.IAR1), it.read(Icc.HPPIR1)) == (SPURIOUS, SPURIOUS)
    assert (it.read(Icc.HPPIR0), it.read(Icc.IAR0)) == (40, 40)
    assert (it.read(Icc.AP0R0), it.read(Icc.AP1R0)) == (1 << 8, 0)
    it.write(Icc.EOIR1, 40)
    assert it.read(Icc.RPR) == 0x40
    it.write(Icc.EOIR0, 40)
    assert it.read(Icc.RPR) == IDLE


@pytest.mark.parametrize(("bpr", "preempts"), [(3, True), (4, True), (5, False), (7, False)])
def test_preemption_by_group_priority(bpr: int, preempts: bool) -> None:
    it = interface(lr(50, 0x50))
    it.write(Icc.BPR1, bpr)
    assert it.read(Icc.IAR1) == 50
    it.ich[1] = lr(51, 0x40)
    assert it.irq is preempts
    assert it.read(Icc.IAR1) == (51 if preempts else SPURIOUS)


def test_nested_and_ended_in_order() -> None:
    it = interface(lr(50, 0x80))
    it.read(Icc.IAR1)
    it.ich[1] = lr(51, 0x40)
    it.read(Icc.IAR1)
    assert it.read(Icc.AP1R0) == 1 << 8 | 1 << 16
    it.write(Icc.EOIR1, 51)
    assert (it.ich[1] & LR_STATE, it.read(Icc.RPR)) == (0, 0x80)
    it.write(Icc.EOIR1, 50)
    assert (it.ich[0] & LR_STATE, it.read(Icc.RPR)) == (0, IDLE)


def test_split_drop_and_deactivation() -> None:
    it = interface(lr(50, 0x80))
    it.write(Icc.CTLR, 2)
    it.read(Icc.IAR1)
    it.write(Icc.EOIR1, 50)
    assert (it.ich[0] & LR_STATE, it.read(Icc.RPR)) == (LR_ACTIVE, IDLE)
    it.write(Icc.DIR, 50)
    assert it.ich[0] & LR_STATE == 0
    it.write(Icc.CTLR, 0)
    it.ich[0] |= LR_ACTIVE
    it.write(Icc.DIR, 50)
    assert it.ich[0] & LR_STATE == LR_ACTIVE, "not in the mode that does not split"


def test_pending_and_active_stays_pending_at_its_end() -> None:
    it = interface(lr(50, 0x80, state=LR_STATE))
    assert it.read(Icc.IAR1) == SPURIOUS
    it.write(Icc.AP1R0, 1 << 16)
    it.write(Icc.EOIR1, 50)
    assert it.ich[0] & LR_STATE == LR_PENDING


def test_hardware_interrupt_is_deactivated() -> None:
    it = interface(lr(50, 0x80, LR_GROUP | LR_HW | 33 << LR_PINTID_SHIFT))
    it.read(Icc.IAR1)
    it.write(Icc.EOIR1, 50)
    assert it.deactivated == [33]
    assert it.misr == 0


@pytest.mark.parametrize("split", [0, 2])
def test_ends_that_miss_are_counted(split: int) -> None:
    it = interface(hcr=HCR_EN | HCR_LRENPIE)
    it.write(Icc.CTLR, split)
    it.write(Icc.EOIR1, 50)
    assert it.misr == 0, "no priority to drop"
    for _ in range(2):
        it.write(Icc.AP1R0, 1 << 16)
        it.write(Icc.EOIR1, 50)
        if split:
            assert it.ich[ICH_HCR] >> HCR_EOICOUNT_SHIFT in (0, 1)
            it.write(Icc.DIR, 50)
    assert it.ich[ICH_HCR] >> HCR_EOICOUNT_SHIFT == 2
    assert it.misr == MISR_LRENP
    it.write(Icc.EOIR1, SPURIOUS)
    it.write(Icc.DIR, SPURIOUS)
    assert it.ich[ICH_HCR] >> HCR_EOICOUNT_SHIFT == 2


def test_maintenance_conditions() -> None:
    pending, active = lr(50, 0x80), lr(51, 0x80, state=LR_ACTIVE)
    assert interface(lr(50, 0x80, LR_EOI, state=0)).misr == MISR_EOI
    assert interface(lr(50, 0x80, LR_EOI | LR_HW, state=0)).misr == 0
    assert interface(lr(50, 0x80, LR_EOI)).misr == 0
    assert interface(pending, hcr=HCR_EN | HCR_UIE).misr == MISR_U
    assert interface(pending, active, hcr=HCR_EN | HCR_UIE).misr == 0
    assert interface(active, lr(1, 1, state=LR_STATE), hcr=HCR_EN | HCR_NPIE).misr == MISR_NP
    assert interface(active, pending, hcr=HCR_EN | HCR_NPIE).misr == 0
    it = interface(hcr=HCR_EN | HCR_VGRP1EIE | HCR_VGRP1DIE)
    assert it.misr == MISR_VGRP1E
    it.write(Icc.IGRPEN1, 0)
    assert it.misr == MISR_VGRP1D
    assert it.maintenance
    it.ich[ICH_HCR] &= ~HCR_EN
    assert not it.maintenance


def test_gicv2_frame() -> None:
    it = interface(lr(5 | 3 << LR_SOURCE_SHIFT, 0x80, flags=0), version=2)
    it.write_frame(Gicv.CTLR, 1)
    assert (it.irq, it.fiq) == (True, False)
    it.write_frame(Gicv.CTLR, 9)
    assert (it.irq, it.fiq) == (False, True)
    assert it.read_frame(Gicv.CTLR) == 9
    assert it.read_frame(Gicv.HPPIR) == 3 << 10 | 5
    assert it.read_frame(Gicv.IAR) == 3 << 10 | 5
    assert (it.read_frame(Gicv.RPR), it.read_frame(Gicv.APR0)) == (0x80, 1 << 16)
    it.write_frame(Gicv.EOIR, 5)
    assert it.ich[0] & LR_STATE == LR_ACTIVE, "the source belongs to it"
    it.write_frame(Gicv.APR0, 1 << 16)
    it.write_frame(Gicv.EOIR, 3 << 10 | 5)
    assert (it.ich[0] & LR_STATE, it.read_frame(Gicv.RPR)) == (0, IDLE)
    for register, value in ((Gicv.PMR, 0xF0), (Gicv.BPR, 4), (Gicv.ABPR, 5)):
        it.write_frame(register, value)
        assert it.read_frame(register) == value


def test_gicv2_group_1() -> None:
    it = interface(lr(40, 0x80), lr(41, 0x90, flags=0), version=2)
    it.write_frame(Gicv.CTLR, 3)
    assert (it.read_frame(Gicv.IAR), it.read_frame(Gicv.HPPIR)) == (SPURIOUS_GROUP1, SPURIOUS_GROUP1)
    assert (it.read_frame(Gicv.AHPPIR), it.read_frame(Gicv.AIAR)) == (40, 40)
    assert it.read_frame(Gicv.AIAR) == SPURIOUS
    it.write_frame(Gicv.AEOIR, 40)
    assert it.read_frame(Gicv.IAR) == 41
    it.ich[0] = lr(40, 0x40)
    it.write_frame(Gicv.CTLR, 7)
    assert it.read_frame(Gicv.IAR) == 40, "AckCtl"
    it.write_frame(Gicv.EOIR, 40)
    assert (it.ich[0] & LR_STATE, it.read_frame(Gicv.RPR)) == (0, 0x90)
    it.write_frame(Gicv.PMR, 0)
    it.write_frame(Gicv.CTLR, 3)
    it.ich[0] = lr(40, 0x40)
    assert it.read_frame(Gicv.IAR) == SPURIOUS
    it.write_frame(Gicv.CTLR, 0x202)
    it.ich[0] = lr(40, 0x40, state=LR_ACTIVE)
    it.write_frame(Gicv.DIR, 40)
    assert it.ich[0] & LR_STATE == 0


def test_what_is_no_register() -> None:
    it = interface()
    with pytest.raises(ValueError, match="cannot be read"):
        it.read(Icc.DIR)
    with pytest.raises(ValueError, match="cannot be read"):
        it.read_frame(Gicv.EOIR)
    with pytest.raises(ValueError, match="cannot be written"):
        it.write(Icc.IAR1, 0)
    with pytest.raises(ValueError, match="cannot be written"):
        it.write_frame(Gicv.IAR, 0)
