"""How a vCPU enters its guest: at first, and when it was on before (Bao's ``vcpu_arch_reset``)."""

from __future__ import annotations

import pytest

from baonet.core.armv8.engine import native
from baonet.hyp.armv8.cpu import ICH_AP1R0, Exit
from tests.core import virtual
from tests.core.bench import RAM
from tests.core.virtual import HVC, ISB, read, write

NZCV, DAIF, SPSEL, SCTLR, CNTKCTL = (3, 3, 4, 2, 0), (3, 3, 4, 2, 1), (3, 0, 4, 2, 0), (3, 0, 1, 0, 0), (3, 0, 14, 1, 0)
VBAR, TTBR0, CNTV_CTL, CNTV_CVAL = (3, 0, 12, 0, 0), (3, 0, 2, 0, 0), (3, 3, 14, 3, 1), (3, 3, 14, 3, 2)
PMCR, PMCCNTR, SP_EL0, CSSELR = (3, 3, 9, 12, 0), (3, 3, 9, 13, 0), (3, 0, 4, 1, 0), (3, 2, 0, 0, 0)
MOV_TO_SP, MOV_FROM_SP = 0x9100_001F, 0x9100_03E0  # of x0
READ = (NZCV, DAIF, SPSEL, SCTLR, CNTKCTL, VBAR, TTBR0, CNTV_CTL, CNTV_CVAL, PMCR, PMCCNTR)


def entered(core: native.Core) -> dict[tuple[int, int, int, int, int], int]:
    assert core.run_until(core.time + 10_000) == Exit.HVC
    return dict(zip(READ, core.x[10 : 10 + len(READ)], strict=True))


def reading() -> list[int]:
    return [MOV_FROM_SP, *(read(register, 10 + n) for n, register in enumerate(READ)), HVC]


def test_the_entry_state() -> None:
    core = virtual.core(*reading())
    found = entered(core)
    assert (found[NZCV], found[DAIF], found[SPSEL], found[SCTLR]) == (0, 0x3C0, 1, 0x30C5_0830)


@pytest.mark.parametrize(("index", "value"), [(0, 2), (1, 0)])
def test_the_cache_that_bao_looked_at_last_is_selected(index: int, value: int) -> None:
    """By its CPU_MASTER: two levels, the second unified."""
    core = virtual.core(read(CSSELR, 1), HVC, index=index, cores=2)
    assert core.run_until(1000) == Exit.HVC
    assert core.x[1] == value


@pytest.mark.parametrize("stack", [0, 1])
def test_what_a_restart_resets_and_what_it_keeps(stack: int) -> None:
    """Whichever stack pointer was in use when the CPU went off."""
    changes = (CNTKCTL, VBAR, TTBR0, CNTV_CVAL, PMCCNTR, PMCR, NZCV, SCTLR)
    code = [MOV_TO_SP, write(SP_EL0, 9), *(write(register, 1 + n) for n, register in enumerate(changes)), ISB]
    code += [0xD500_40BF | stack << 8, HVC]  # MSR SPSel, #stack
    second = RAM + 4 * len(code)
    core = virtual.core(*code, *reading())
    core.x[0], core.x[9] = RAM + 0x1000, RAM + 0x2000
    for n, value in enumerate((3, RAM + 0x800, RAM + 0x3000, 77, 1234, 0x41, 0xF << 28, 0x30C5_0834)):
        core.x[1 + n] = value
    assert core.run_until(10_000) == Exit.HVC
    core.ich[ICH_AP1R0] = 0x10
    core.restart(second, 0x55)
    assert (core.pc, core.x[0], list(core.x[1:31])) == (second, 0x55, [0] * 30)
    found = entered(core)
    assert core.x[0] == RAM + 0x1000, "SP_EL1"
    assert core.state()["sp_el0"] == RAM + 0x2000
    assert (found[NZCV], found[DAIF], found[SPSEL], found[SCTLR]) == (0, 0x3C0, 1, 0x30C5_0830)
    assert (found[CNTKCTL], found[PMCR] & 0xFF) == (0, 0)
    assert (found[VBAR], found[TTBR0], found[CNTV_CVAL], found[PMCCNTR]) == (RAM + 0x800, RAM + 0x3000, 77, 1234)
    assert core.ich[ICH_AP1R0] == 0x10
