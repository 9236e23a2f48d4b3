"""The native virtual CPU interface against the plain Python one that was written from the architecture."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baonet.core.armv8.engine import native
from baonet.hyp.armv8.cpu import (
    HCR_EN,
    HCR_EOICOUNT_SHIFT,
    ICH_AP0R0,
    ICH_AP1R0,
    ICH_HCR,
    ICH_REGISTERS,
    ICH_VMCR,
    LR_ACTIVE,
    LR_EOI,
    LR_GROUP,
    LR_HW,
    LR_PENDING,
    LR_PINTID_SHIFT,
    LR_PRIORITY_SHIFT,
    LR_SOURCE_SHIFT,
    VMCR_VACKCTL,
    VMCR_VBPR0_SHIFT,
    VMCR_VBPR1_SHIFT,
    VMCR_VENG0,
    VMCR_VENG1,
    VMCR_VPMR_SHIFT,
)
from tests.core.bench import Memory, core_of
from tests.examples import examples
from tests.hyp.armv8.virtual_interface import Gicv, Icc, VirtualInterface

LISTS = 4
INTIDS = (0, 3, 27, 30, 33, 40, 41, 1019)
PRIORITIES = (0, 0x08, 0x10, 0x18, 0x20, 0x40, 0x48, 0x80, 0xA0, 0xF0, 0xF8)

intids = st.sampled_from(INTIDS)
priorities = st.sampled_from(PRIORITIES)


@st.composite
def list_registers(draw: st.DrawFn, version: int) -> list[int]:
    """Each interrupt in one list register at most, as the architecture demands."""
    lists = []
    for intid in draw(st.lists(intids, max_size=LISTS, unique=True)):
        state = draw(st.sampled_from((0, LR_PENDING, LR_PENDING, LR_ACTIVE, LR_PENDING | LR_ACTIVE)))
        value = intid | draw(priorities) << LR_PRIORITY_SHIFT | state
        value |= draw(st.sampled_from((0, LR_GROUP)))
        if intid >= 16 and draw(st.booleans()):
            value |= LR_HW | intid << LR_PINTID_SHIFT
        elif draw(st.booleans()):
            value |= LR_EOI
        if version == 2 and intid < 16:
            value |= draw(st.integers(0, 7)) << LR_SOURCE_SHIFT
        lists.append(value)
    return lists + [0] * (LISTS - len(lists))


vmcrs = st.builds(
    lambda bits, bpr1, bpr0, pmr: bits | bpr1 << VMCR_VBPR1_SHIFT | bpr0 << VMCR_VBPR0_SHIFT | pmr << VMCR_VPMR_SHIFT,
    st.builds(lambda low, eoim: low | eoim << 9, st.integers(0, 31), st.integers(0, 1)),
    st.integers(3, 7),
    st.integers(2, 7),
    st.sampled_from((*PRIORITIES, 0xF8, 0xF8, 0xF8)),
)
hcrs = st.builds(
    lambda en, conditions, count: en | conditions << 1 | count << HCR_EOICOUNT_SHIFT,
    st.sampled_from((HCR_EN, HCR_EN, HCR_EN, 0)),
    st.integers(0, 127),
    st.sampled_from((0, 0, 1, 30, 31)),
)


priority_bits = st.one_of(
    st.just(0), st.builds(lambda priorities: sum(1 << (priority >> 3) for priority in priorities), st.sets(priorities))
)


@st.composite
def interfaces(draw: st.DrawFn, version: int) -> list[int]:
    ich = [*draw(list_registers(version)), *[0] * (ICH_REGISTERS - LISTS)]
    ich[ICH_HCR], ich[ICH_VMCR] = draw(hcrs), draw(vmcrs)
    ich[ICH_AP0R0], ich[ICH_AP1R0] = draw(priority_bits), draw(priority_bits)
    return ich


@dataclass(frozen=True, slots=True)
class Access:
    register: Icc | Gicv
    value: int | None = None  # None: a read


ENDS = (Icc.EOIR0, Icc.EOIR1, Icc.DIR, Gicv.EOIR, Gicv.AEOIR, Gicv.DIR)
WRITE_ONLY = ENDS
READ_ONLY = (
    *(Icc.IAR0, Icc.IAR1, Icc.HPPIR0, Icc.HPPIR1, Icc.RPR),
    *(Gicv.IAR, Gicv.AIAR, Gicv.HPPIR, Gicv.AHPPIR, Gicv.RPR),
)
ACKNOWLEDGES = {3: (Icc.IAR0, Icc.IAR1), 2: (Gicv.IAR, Gicv.AIAR)}


def accesses(version: int) -> st.SearchStrategy[Access]:
    registers: list[Icc | Gicv] = list(Icc) if version == 3 else list(Gicv)
    named = st.one_of(intids, st.integers(1018, 1024), st.builds(lambda source: 3 | source << 10, st.integers(0, 7)))
    values = st.one_of(st.integers(0, 0xFF), st.integers(0, 0xFFFF_FFFF))
    return st.one_of(
        st.builds(Access, st.sampled_from([register for register in registers if register not in WRITE_ONLY])),
        st.builds(Access, st.sampled_from(ACKNOWLEDGES[version])),
        st.builds(Access, st.sampled_from([register for register in registers if register in ENDS]), named),
        st.builds(Access, st.sampled_from([register for register in registers if register in ENDS]), intids),
        st.builds(Access, st.sampled_from([r for r in registers if r not in READ_ONLY and r not in ENDS]), values),
    )


@dataclass(frozen=True, slots=True)
class Fill:
    """What the hypervisor does between two stays in the guest."""

    number: int
    value: int


def steps(version: int) -> st.SearchStrategy[list[Access | Fill]]:
    fills = st.builds(lambda lists, n: Fill(n, lists[n]), list_registers(version), st.integers(0, LISTS - 1))
    return st.lists(st.one_of(accesses(version), accesses(version), fills), max_size=25)


class Pair:
    """The native interface and the reference, side by side."""

    def __init__(self, core: native.Core, version: int, ich: list[int]) -> None:
        self.core, self.version = core, version
        core.interface_state()
        self.ich = core.ich
        self.reference = VirtualInterface([0] * ICH_REGISTERS, LISTS, version)
        for n, value in enumerate(ich):
            self.fill(n, value)

    def fill(self, n: int, value: int) -> None:
        self.ich[n] = self.reference.ich[n] = value

    def access(self, access: Access) -> None:
        frame = self.version == 2
        if access.value is None:
            read = self.reference.read_frame if frame else self.reference.read
            assert self.core.interface(frame, access.register) == read(access.register)
        else:
            self.core.interface(frame, access.register, access.value)
            (self.reference.write_frame if frame else self.reference.write)(access.register, access.value)

    def compare(self) -> None:
        irq, fiq, maintenance, deactivated = self.core.interface_state()
        assert list(self.ich) == self.reference.ich
        assert (bool(irq), bool(fiq)) == (self.reference.irq, self.reference.fiq)
        assert bool(maintenance) == self.reference.maintenance
        # A PPI of the core's own is deactivated where it is.
        assert deactivated == [intid for intid in self.reference.deactivated if intid >= 32]
        self.reference.deactivated.clear()


@pytest.mark.parametrize("version", [3, 2], ids=["GICv3", "GICv2"])
def test_as_the_reference(version: int) -> None:
    core = core_of(Memory(), gic_version=version, list_registers=LISTS)

    @settings(max_examples=examples(300))
    @given(interfaces(version), steps(version))
    def check(ich: list[int], todo: list[Access | Fill]) -> None:
        pair = Pair(core, version, ich)
        pair.compare()
        for step in todo:
            if isinstance(step, Fill):
                pair.fill(step.number, step.value)
            else:
                pair.access(step)
            pair.compare()

    check()


def test_an_end_of_group_1_that_preempted_group_0() -> None:
    """With AckCtl one register acknowledges and ends both groups: it ends whichever is the highest active."""
    core = core_of(Memory(), gic_version=2, list_registers=LISTS)
    core.ich[ICH_HCR] = HCR_EN
    core.ich[ICH_VMCR] = 0xF8 << VMCR_VPMR_SHIFT | VMCR_VENG0 | VMCR_VENG1 | VMCR_VACKCTL
    core.ich[0] = 40 | 0x80 << LR_PRIORITY_SHIFT | LR_PENDING
    assert core.interface(True, Gicv.IAR) == 40
    core.ich[1] = 41 | 0x40 << LR_PRIORITY_SHIFT | LR_PENDING | LR_GROUP
    assert core.interface(True, Gicv.IAR) == 41
    core.interface(True, Gicv.EOIR, 41)
    assert core.interface(True, Gicv.RPR) == 0x80
    core.interface(True, Gicv.EOIR, 40)
    assert core.interface(True, Gicv.RPR) == 0xFF
    assert not (core.ich[0] | core.ich[1]) & (LR_PENDING | LR_ACTIVE)
