"""What a guest reads in virtual time follows from its own instructions: nothing of the host shows."""

from __future__ import annotations

import pytest

from baonet.hyp.armv8.cpu import EXIT_INTID, ICH_AP1R0, ICH_HCR, ICH_VMCR, LR_ACTIVE, LR_GROUP, LR_HW, Exit
from tests.core.virtual import HVC, ISB, LOOP, NOP, core, read, write

ENABLE_CYCLES = (0xD2800020, 0xD51B9C00, 0xD2B00000, 0xD51B9C20, ISB)  # PMCR_EL0.E, PMCNTENSET_EL0 bit 31


PMCCNTR = (3, 3, 9, 13, 0)
RNDR, RNDRRS = (3, 3, 2, 4, 0), (3, 3, 2, 4, 1)
CNTV_CTL, CNTV_CVAL = (3, 3, 14, 3, 1), (3, 3, 14, 3, 2)
ICC_EOIR1 = (3, 0, 12, 12, 1)


def test_the_cycle_counter_counts_the_guests_cycles() -> None:
    guest = core(*ENABLE_CYCLES, read(PMCCNTR, 1), ISB, *[NOP] * 40, ISB, read(PMCCNTR, 2), ISB, HVC)
    assert guest.run_until(10_000) == Exit.HVC
    # Between two ISBs, each of which ends a block: the second's 40 NOPs, itself, and the reads.
    assert 40 <= guest.x[2] - guest.x[1] <= 44


def test_the_cycle_counter_stands_still_until_it_is_enabled_and_can_be_set() -> None:
    set_cycles = write(PMCCNTR, 3)
    guest = core(
        0xD2801903, set_cycles, ISB, NOP, read(PMCCNTR, 1), ISB, *ENABLE_CYCLES, NOP, ISB, read(PMCCNTR, 2), HVC
    )  # 200
    assert guest.run_until(10_000) == Exit.HVC
    assert guest.x[1] == 200
    assert 200 < guest.x[2] < 210


def test_random_numbers_repeat_and_differ_between_cpus() -> None:
    rndr, rndrrs = read(RNDR, 1), read(RNDRRS, 2)

    def numbers(index: int) -> tuple[int, int]:
        guest = core(rndr, rndrrs, HVC, index=index, cores=2)
        assert guest.run_until(1000) == Exit.HVC
        return guest.x[1], guest.x[2]

    assert numbers(0) == numbers(0)
    assert len({*numbers(0), *numbers(1)}) == 4


@pytest.mark.parametrize("due", [1_600, 16_000, 160_000])
def test_a_timer_that_is_armed_again_while_it_is_active_comes_on_time(due: int) -> None:
    """As Linux does: it sets the next event in the handler, and ends the interrupt after that."""
    set_ctl, set_cval = write(CNTV_CTL, 1), write(CNTV_CVAL, 2)
    end = write(ICC_EOIR1, 3)
    # the first interrupt at once; then, still active: the next, its end, and work for ever
    guest = core(0xD2800021, set_ctl, NOP, set_cval, end, NOP, LOOP)
    guest.x[3] = 27
    assert guest.run_until(100) == Exit.INTERRUPT
    guest.x[2] = due // 16
    guest.ich[ICH_HCR], guest.ich[ICH_VMCR], guest.ich[ICH_AP1R0] = 1, 0xF800_0002, 1 << 20
    guest.ich[0] = LR_ACTIVE | LR_HW | LR_GROUP | 0xA0 << 48 | 27 << 32 | 27
    reason = guest.run_until(10_000_000)
    while reason in (Exit.MAINTENANCE, Exit.DEACTIVATED):
        reason = guest.run_until(10_000_000)
    assert (reason, guest.exit[EXIT_INTID]) == (Exit.INTERRUPT, 27)
    assert due <= guest.time <= due + 4
