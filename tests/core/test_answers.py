"""Calls that the core answers in the midst of a stay: all is as if they had left the guest."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baonet.core.armv8.engine import native
from baonet.hyp.answers import FixedAnswer, RegisterBits, RegisterValue, whole
from baonet.hyp.armv8.cpu import Exit
from tests.core.owners import Owners
from tests.core.virtual import COSTS, HVC, ISB, WFI, core, write

CNTV_CTL, CNTV_CVAL = (3, 3, 14, 3, 1), (3, 3, 14, 3, 2)
ADD_5, AND_5, MOV_1, BACK = 0x910004A5, 0x924004A0, 0xAA0503E1, 0x17FFFFFA
SMC = 0xD4000003
CALLS = (write(CNTV_CVAL, 2), write(CNTV_CTL, 3), ISB, ADD_5, AND_5, MOV_1, HVC, SMC, WFI, BACK)
"""For ever: x5 += 1; x0 = x5 & 3; x1 = x5; the calls."""

ANSWERS = (
    FixedAnswer((whole(0, 0),), (RegisterValue(0, 7),)),
    FixedAnswer(
        (RegisterBits(0, 0xFFFF_FFFF, 1), RegisterBits(1, 4, 4)), (RegisterValue(0, 1 << 63), RegisterValue(1, 5))
    ),
    FixedAnswer((whole(0, 2), RegisterBits(1, 8, 0)), None),
    FixedAnswer((whole(0, 2),), (RegisterValue(0, 2),)),
    FixedAnswer((whole(0, 7),), ()),
)


def asked(guest: native.Core, reason: int) -> None:
    """What a hypervisor does that is asked."""
    for conditions, results in ANSWERS:
        if all(guest.x[number] & mask == value for number, mask, value in conditions):
            for number, value in results or ():
                guest.x[number] = value
            break
    if reason == Exit.SMC:
        guest.pc += 4


def come_to(guest: native.Core) -> list[Any]:
    """All but how often its budget was over, and what depends on the host."""
    statistics: Any = guest.statistics()
    exits = [count for reason, count in zip(Exit, statistics["exits"], strict=False) if reason not in (1, 2)]
    return [guest.time, guest.visible, guest.pc, list(guest.x), exits, statistics["instructions"]]


@given(
    st.lists(st.tuples(st.integers(1, 60), st.booleans(), st.booleans()), min_size=1, max_size=12),
    st.sampled_from((0, 1, 40)),
    st.integers(1, 30),
    st.integers(0, 100),
)
@settings(max_examples=60)
def test_an_answer_is_as_one_that_was_asked_for(
    steps: list[tuple[int, bool, bool]], cost: int, due: int, floor: int
) -> None:
    costs = [0] * COSTS
    costs[Exit.HVC], costs[Exit.SMC] = cost, 2 * cost
    guests, limit = [], 0
    for answers in ((), ANSWERS):
        owners = Owners()
        guest = core(*CALLS, owners=owners, costs=tuple(costs))
        guest.answer(answers)
        guest.x[2] = due
        guests.append(guest)
    for length, polite, frozen in steps:
        limit += length
        for guest in guests:
            while (reason := guest.run_until(limit, polite, frozen)) not in (Exit.BUDGET, Exit.KICKED):
                if reason in (Exit.HVC, Exit.SMC):
                    asked(guest, reason)
                elif reason == Exit.WFI:
                    guest.skip_to(guest.time + floor)
        assert come_to(guests[0]) == come_to(guests[1])
    records = [[data for data, _, _ in guest.take_records(True)] for guest in guests]
    assert records[0] == records[1]


def test_it_need_not_leave_the_guest_and_may_have_to() -> None:
    guest = core(HVC, HVC, HVC)
    guest.answer(
        (FixedAnswer((whole(0, 0),), (RegisterValue(0, 1),)), FixedAnswer((whole(0, 1),), (RegisterValue(0, 2),)))
    )
    assert guest.run_until(100) == Exit.HVC
    assert (guest.x[0], guest.time) == (2, 3)
    beside = core(HVC, HVC)
    beside.answer((FixedAnswer((), ()),))
    assert [beside.run_until(100, False, True), beside.time] == [Exit.HVC, 1], "others may go on first"


@pytest.mark.parametrize(
    "answers",
    [
        (1,),
        (((), (), ()),),
        (((), 1),),
        (([], ()),),
        (((), []),),
        ((((31, 0, 0),), ()),),
        (((), ((31, 0),)),),
        ((((0, 0, 0),) * 4, ()),),
        (((), ((0, 0),) * 3),),
        ((((0, 0),), ()),),
    ],
)
def test_what_are_no_answers_is_refused(answers: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        core(HVC).answer(answers)
