"""Whatever another pcpu says, nothing raises; and what the VM's own pcpus could not mean changes nothing."""

from __future__ import annotations

from typing import get_args, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baonet.hyp.armv8.vgic_messages import (
    VgicForward,
    VgicInject,
    VgicMessage,
    VgicRead,
    VgicRecall,
    VgicRelease,
    VgicResult,
    VgicUpdateEnable,
    VgicWrite,
)
from baonet.hyp.messages import SpiLine
from tests.hyp.armv8.virtual_machine import GICD, SPURIOUS, VirtualMachine

numbers = st.one_of(
    st.integers(-2, 70),
    st.sampled_from([GICD, GICD + 0x104, GICD + 0x6100, 0x080B_0100, 1 << 31, (1 << 64) - 1, -(1 << 63)]),
)
values = {int: numbers, bool: st.booleans()}
messages = st.one_of(
    *[
        st.builds(kind, **{name: values[annotation] for name, annotation in get_type_hints(kind).items()})
        for kind in get_args(VgicMessage)
    ]
)


@pytest.mark.parametrize("version", [2, 3])
@given(said=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), messages), max_size=30))
def test_nothing_raises(version: int, said: list[tuple[int, int, VgicMessage]]) -> None:
    vm = VirtualMachine(2, version=version, hardware=(27, 33)).open()
    for source, target, message in said:
        vm.vgics[target % 2].message(source + 10, message)
        vm.serve(target % 2)
    vm.settle()


@pytest.mark.parametrize(
    "message",
    [
        VgicUpdateEnable(False),
        VgicInject(16, 0),
        VgicForward(40, 0x80, False, True, False),
        VgicForward(20, 0x80, False, True, False),
        VgicRecall(40, False),
        VgicRelease(40, True, False),
        SpiLine(33, True, 1),
        VgicResult(5),
    ],
    ids=lambda message: type(message).__name__,
)
def test_messages_to_the_wrong_pcpu_or_from_it(message: VgicMessage) -> None:
    """The master is vcpu 0. What a vcpu tells it as if it were the master, and what a stranger says."""
    vm = VirtualMachine(3, hardware=(33,)).open()
    vm.enable(1, 33)
    for intid in range(16):
        vm.enable(2, intid)
    vm.vgics[2].message(11, message)
    vm.vgics[0].message(99, message)
    vm.settle()
    assert [vm.acknowledge(n) for n in range(3)] == [SPURIOUS] * 3
    vm.sgi1r(0, 1 << 24 | 4)
    vm.settle()
    assert vm.acknowledge(2) == 1


@pytest.mark.parametrize(
    "question", [VgicRead(0, 4), VgicRead(GICD, 5), VgicWrite(GICD + 1, 4, 9), VgicRead(0x080D_0100, 4)]
)
def test_a_question_that_makes_no_sense_is_answered(question: VgicMessage) -> None:
    vm = VirtualMachine(2)
    vm.vgics[0].message(11, question)
    vm.settle()
    assert vm.answers == [None, 0]
