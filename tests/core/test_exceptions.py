"""Exceptions that the guest takes itself: FP traps, what EL0 may not do, illegal returns, a misaligned PC."""

from __future__ import annotations

import pytest

from tests.core.bench import RAM
from tests.core.probe import (
    CLOCKS,
    CORTEX_A53,
    DATA,
    EL0,
    EL1H,
    EL1T,
    HANDLER,
    IL,
    LOWER_EL,
    MASKED,
    MAX,
    SAME_EL,
    USER,
    Probe,
    address,
    user,
)

FP_TRAP = 0x07 << 26 | IL | 1 << 24 | 0xE << 20  # CV, COND: always
ILLEGAL_STATE = 0x0E << 26 | IL
PC_ALIGNMENT = 0x22 << 26 | IL
FP_ROUTINES = ("fmov", "vector_move", "read_fpsr", "str_q")
PSTATE_IL, PSTATE_NZCV = 1 << 20, 0xF << 28

clocks = pytest.mark.parametrize("clock", CLOCKS)
models = pytest.mark.parametrize("model", [CORTEX_A53, MAX], ids=["cortex-a53", "max"])


# FP and SIMD (Arm ARM D17.2.30, CPACR_EL1; ISS of EC 0x07)


@clocks
@models
@pytest.mark.parametrize("routine", FP_ROUTINES)
@pytest.mark.parametrize("fpen", range(4))
def test_fp_is_trapped_as_cpacr_says(clock: str, model: int, routine: str, fpen: int) -> None:
    probe = Probe(clock, model, mmu=True)
    probe.set_up(cpacr=fpen << 20)
    at_el1 = probe.go(routine, RAM + DATA)
    if fpen & 1:
        assert at_el1 is None
    else:
        assert at_el1 is not None
        assert (at_el1.vector, hex(at_el1.esr), at_el1.elr) == (SAME_EL, hex(FP_TRAP), address(routine))
        assert probe.retired == HANDLER
    at_el0 = probe.go(routine, USER + DATA, spsr=EL0)
    assert at_el0 is not None, "EL0 ends with an HVC, which is undefined there"
    if fpen == 3:
        assert (at_el0.vector, at_el0.ec, at_el0.elr) == (LOWER_EL, 0, user(routine) + 4)
    else:
        assert (at_el0.vector, hex(at_el0.esr), at_el0.elr) == (LOWER_EL, hex(FP_TRAP), user(routine))


def test_fp_is_disabled_at_reset() -> None:
    probe = Probe()
    assert probe.go("get_cpacr") is None
    assert probe.core.x[3] == 0


@clocks
def test_a_write_of_cpacr_shows_in_code_that_has_run_before(clock: str) -> None:
    probe = Probe(clock)
    for _ in range(2):
        for fpen in (3, 0, 1, 2):
            assert probe.go("set_cpacr", 0, fpen << 20) is None
            assert probe.go("get_cpacr") is None
            assert probe.core.x[3] == fpen << 20
            taken = probe.go("fmov")
            assert (taken is None) == bool(fpen & 1)


@clocks
def test_a_trap_in_mid_block_retires_what_was_before_it(clock: str) -> None:
    probe = Probe(clock)
    taken = probe.go("fp_amid")
    assert taken is not None
    assert taken.elr == address("fp_amid") + 12
    assert list(probe.core.x)[9:12] == [1, 2, 3]
    assert probe.retired == 3 + HANDLER


@clocks
@models
def test_threads_that_switch_fp_lazily_keep_their_registers(clock: str, model: int) -> None:
    probe = Probe(clock, model)
    assert probe.go("lazy_switch", 1001) is None
    assert list(probe.core.x)[3:6] == [501, 500, 1 + 1001 - 1 + 1]


# DAIF at EL0 (Arm ARM D17.2.118, SCTLR_EL1.UMA)

SCTLR_UMA = 1 << 9


def trapped_system(op0: int, op1: int, crn: int, crm: int, op2: int, *, rt: int = 31, read: bool = False) -> int:
    """ISS of EC 0x18."""
    fields = op0 << 20 | op2 << 17 | op1 << 14 | crn << 10 | rt << 5 | crm << 1
    return 0x18 << 26 | IL | fields | read


@clocks
@pytest.mark.parametrize(
    ("routine", "syndrome"),
    [
        ("set_daif", trapped_system(0, 6, 4, 3, 3)),  # op1 and op2 exchanged, as QEMU and so the reference has it
        ("clear_daif", trapped_system(0, 7, 4, 4, 3)),
        ("read_daif", trapped_system(3, 3, 4, 2, 1, rt=3, read=True)),
    ],
)
def test_el0_may_not_touch_daif_unless_el1_grants_it(clock: str, routine: str, syndrome: int) -> None:
    probe = Probe(clock, mmu=True)
    taken = probe.go(routine, spsr=EL0)
    assert taken is not None
    assert (taken.vector, hex(taken.esr), taken.elr) == (LOWER_EL, hex(syndrome), user(routine))
    assert probe.retired == HANDLER
    probe.set_up(sctlr=SCTLR_UMA)
    granted = probe.go(routine, spsr=EL0)
    assert granted is not None
    assert granted.elr == user(routine) + 4


# Illegal returns (Arm ARM D1.4.4)


@clocks
@pytest.mark.parametrize(
    "spsr",
    [
        pytest.param(EL0 | 1, id="el0-with-sp-elx"),
        pytest.param(EL1H | 2, id="reserved"),
        pytest.param(0x8, id="el2t"),
        pytest.param(0x9, id="el2h"),
        pytest.param(0xC, id="el3t"),
        pytest.param(0x13, id="aarch32-supervisor"),
        pytest.param(0x1A, id="aarch32-hyp"),
        pytest.param(EL1H | PSTATE_IL, id="il"),
        pytest.param(EL0 | PSTATE_IL, id="il-at-el0"),
    ],
)
def test_an_illegal_return_is_an_illegal_state(clock: str, spsr: int) -> None:
    probe = Probe(clock, mmu=True)
    flags = 0xA << 28
    legal = spsr & PSTATE_IL
    target = user("nothing") if legal and not spsr & 0xF else address("nothing")
    taken = probe.go("return_to", target, spsr | flags | 0x80)
    assert taken is not None
    assert (taken.vector, hex(taken.esr)) == (LOWER_EL if legal and not spsr & 0xF else SAME_EL, hex(ILLEGAL_STATE))
    assert taken.elr == target
    level = spsr & 0xF if legal else EL1H
    assert hex(taken.spsr) == hex(level | flags | 0x80 | PSTATE_IL), "NZCV and DAIF are restored, the level is not"
    assert probe.retired == 3 + HANDLER
    assert probe.go("nothing") is None, "and it is over with the exception"


# A misaligned PC (Arm ARM D1.4.9)


@clocks
@pytest.mark.parametrize("offset", [1, 2, 3])
@pytest.mark.parametrize("routine", ["branch", "branch_link", "return_register", "return_to"])
def test_a_misaligned_pc(clock: str, routine: str, offset: int) -> None:
    probe = Probe(clock)
    target = address("nothing") + offset
    for _ in range(2):
        taken = probe.go(routine, target, EL1H | MASKED)
        assert taken is not None
        assert (taken.vector, hex(taken.esr)) == (SAME_EL, hex(PC_ALIGNMENT))
        assert (taken.elr, taken.far) == (target, target)
        assert probe.retired == (3 if routine == "return_to" else 1) + HANDLER


def test_a_misaligned_pc_at_el0() -> None:
    probe = Probe(mmu=True)
    taken = probe.go(user("nothing") + 2, spsr=EL0)
    assert taken is not None
    assert (taken.vector, hex(taken.esr), taken.far) == (LOWER_EL, hex(PC_ALIGNMENT), user("nothing") + 2)


@pytest.mark.parametrize("spsr", [EL1T | MASKED, EL1H, EL1H | MASKED | PSTATE_NZCV])
def test_a_legal_return_is_none(spsr: int) -> None:
    probe = Probe()
    assert probe.go("return_to", address("read_current"), spsr) is None
    assert list(probe.core.x)[3:6] == [spsr & MASKED, spsr & PSTATE_NZCV, spsr & 1]
