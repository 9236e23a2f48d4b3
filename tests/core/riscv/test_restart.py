"""How a hart enters its guest: at first, and when it was on before (Bao's ``vcpu_arch_reset``)."""

from __future__ import annotations

from baonet.hyp.riscv.cpu import RiscvExit
from tests.core.memory import MASK
from tests.core.riscv import asm
from tests.core.riscv.asm import A0, A1, ECALL
from tests.core.riscv.bench import CODE, HANDLER, Hart


def used() -> Hart:
    """It has changed all that a guest can change."""
    hart = Hart("virtual", levels=3)
    for csr, value in (
        (asm.SSCRATCH, 5),
        (asm.SEPC, 6),
        (asm.SCAUSE, 7),
        (asm.STVAL, 8),
        (asm.SIE, 0x222),
        (asm.SIP, 2),
        (asm.STIMECMP, MASK),
        (asm.FCSR, 0xE5),
        (asm.SCOUNTEREN, 0),
        (asm.SENVCFG, 0x70),
        (asm.SSTATUS, 0x6000 | asm.SSTATUS_SUM | asm.SSTATUS_MXR),
    ):
        hart.set(csr, value)
    for n in range(1, 32):
        hart.core.x[n] = n
    return hart


def test_a_reset_is_the_entry_state() -> None:
    fresh, hart = Hart("virtual"), used()
    for each in (fresh, hart):
        each.core.reset(CODE, 0x55)
    ours, theirs = hart.core.state(), fresh.core.state()
    assert ours == theirs
    assert list(hart.core.x) == list(fresh.core.x)
    assert (hart.core.x[A0], hart.core.x[A1], hart.core.pc) == (0, 0x55, CODE)
    assert not hart.core.software
    hart.set(asm.STVEC, HANDLER)
    assert hart.get(asm.FCSR) == 0
    assert hart.get(asm.SIP) == 1 << 5


def test_a_hart_that_is_started_at_an_odd_address_is_so_at_the_one_before() -> None:
    hart = Hart("virtual")
    for enter in (hart.core.reset, hart.core.restart):
        enter(CODE | 1, 0)
        assert hart.core.pc == CODE


def test_messages_to_a_hart_that_is_not_started_wait_for_it() -> None:
    """On hardware the interrupt file is beside the hart, and no start of SBI touches it."""
    hart = Hart("virtual", identities=255)
    for identity in (5, 255):
        hart.core.inject(identity)
    for enter in (hart.core.reset, hart.core.restart):
        enter(CODE, 0)
        assert hart.core.file() == (0, 0, [5, 255], [])
    code = (asm.csrw(asm.SISELECT, A0), asm.csrw(asm.SIREG, A1), asm.csrr(A0, asm.STOPEI), ECALL)
    assert hart.go(*code, a0=0xC0, a1=MASK) == RiscvExit.ECALL
    assert hart.core.x[A0] == 5 << 16 | 5
    hart.core.clear_file()
    hart.core.reset(CODE, 0)
    assert hart.core.file() == (0, 0, [], [])


def test_a_restart_is_one_too_for_what_bao_resets() -> None:
    hart = used()
    hart.core.restart(CODE, 0x55)
    state = hart.core.state()
    assert (hart.core.x[A0], hart.core.x[A1], hart.core.pc) == (0, 0x55, CODE)
    assert list(hart.core.x)[12:] == [0] * 20
    assert state["privilege"] == 1
    assert (state["stvec"], state["satp"], state["sie"], state["sepc"]) == (0, 0, 0, 0)
    assert state["sstatus"] == 0x8000_0002_0001_E000
    assert hart.go(ECALL) == RiscvExit.ECALL


def test_counts_and_time_go_on() -> None:
    hart = used()
    before, count = hart.core.time, hart.core.statistics()["instructions"]
    hart.core.reset(CODE, 0)
    assert (hart.core.time, hart.core.statistics()["instructions"]) == (before, count)
