"""Stage 1 as the guest asks for it (AT), and how an atomic operation that it refuses describes itself."""

from __future__ import annotations

import pytest

from baonet.hyp.armv8.cpu import EXIT_ESR, EXIT_FAR, EXIT_IPA, Exit
from tests.core.bench import RAM, UART, retired
from tests.core.probe import (
    CLOCKS,
    DATA,
    EL0,
    EL1H,
    GO,
    IL,
    MASKED,
    NORMAL,
    SAME_EL,
    TABLES,
    USER,
    Probe,
    address,
)
from tests.core.vectors import Taken
from tests.core.virtual import HVC

CODE = RAM + 0x28_0000
NOP = 0xD503_201F
AT = {"s1e1r": 0xD508_7800, "s1e1w": 0xD508_7820, "s1e0r": 0xD508_7840, "s1e0w": 0xD508_7860}  # of x0
READ_PAR = 0xD538_7403  # MRS x3, PAR_EL1
HOLE = 0x0A00_0000
VA = 4 << 30  # the fifth entry of the first table
DATA_ABORT = 0x24 << 26 | IL
FROM_SAME_EL, CM, WRITE, STAGE1_WALK = 1 << 26, 1 << 8, 1 << 6, 1 << 7
clocks = pytest.mark.parametrize("clock", CLOCKS)


def probe_of(clock: str, entry: int, *code: int) -> Probe:
    """What EL1 runs, and the entry of VA in the first-level table."""
    probe = Probe(clock, mmu=True)
    probe.memory.write(TABLES + 8 * (VA >> 30), entry)
    probe.memory.load(CODE, b"".join(word.to_bytes(4, "little") for word in (*code, NOP, HVC)))
    return probe


@pytest.mark.parametrize("name", AT)
def test_what_is_mapped_is_told_in_par(name: str) -> None:
    probe = probe_of("host", 0, AT[name], 0xD503_3FDF, READ_PAR)
    assert probe.go(CODE, NORMAL + DATA) is None
    assert bool(probe.core.x[3] & 1) == name.startswith("s1e0")
    assert probe.go(CODE, USER + DATA) is None
    assert probe.core.x[3] & 1 == 0
    assert probe.core.x[3] & 0xFFFF_F000 == RAM + DATA
    assert probe.go(CODE, VA) is None
    assert probe.core.x[3] & 0x7F == 0x05 << 1 | 1  # translation fault, level 1


@clocks
@pytest.mark.parametrize("name", AT)
def test_a_table_that_is_not_there_is_the_hypervisors(clock: str, name: str) -> None:
    """A fault of stage 2 on the walk is taken to EL2 and not told in PAR_EL1 (Arm ARM D8.14.1)."""
    probe = probe_of(clock, HOLE | 3, NOP, AT[name], NOP)
    core = probe.core
    core.x[0], core.x[30], core.x[29] = VA, CODE, EL1H | MASKED
    core.pc = address("go")
    before = retired(core)
    assert probe.stay() == Exit.DATA_ABORT
    assert (core.pc, retired(core) - before) == (CODE + 4, GO + 1)
    assert (core.exit[EXIT_FAR], core.exit[EXIT_IPA]) == (VA, HOLE)
    assert hex(core.exit[EXIT_ESR]) == hex(DATA_ABORT | STAGE1_WALK | CM | WRITE | 7)


@clocks
def test_a_table_in_a_device_is_refused(clock: str) -> None:
    probe = probe_of(clock, UART | 3, NOP, AT["s1e1r"])
    taken = probe.go(CODE, VA)
    assert taken is not None
    assert (taken.vector, hex(taken.esr)) == (SAME_EL, hex(DATA_ABORT | FROM_SAME_EL | CM | WRITE | 0x16))
    assert (taken.elr, taken.far) == (CODE + 4, VA)


# WnR (Arm ARM D24.2.40): 0 where a load would fault as well

LDADD, CAS, SWP = 0xF821_0003, 0xC8A1_7C03, 0xF821_8003  # LDADD x1, x3, [x0]; CAS x1, x3, [x0]; SWP x1, x3, [x0]
READ_ONLY = RAM | 0x701 | 1 << 6 | 1 << 7


@clocks
@pytest.mark.parametrize("word", [LDADD, CAS, SWP], ids=["ldadd", "cas", "swp"])
def test_an_atomic_operation_that_stage_1_refuses(clock: str, word: int) -> None:
    def status(taken: Taken | None) -> int:
        assert taken is not None
        assert (taken.elr, taken.far) == (CODE, VA)
        assert taken.ec == 0x25
        return taken.esr & 0x7F

    probe = probe_of(clock, 0, word)
    assert status(probe.go(CODE, VA)) == 0x05  # translation fault, level 1
    probe = probe_of(clock, READ_ONLY, word)
    assert status(probe.go(CODE, VA)) == WRITE | 0x0D  # permission fault, level 1
    probe = probe_of(clock, READ_ONLY & ~(1 << 10), word)
    assert status(probe.go(CODE, VA)) == 0x09  # access flag


# Registers with a rule of their own


@pytest.mark.parametrize("op2", range(3))
def test_the_secure_timer_is_not_there(op2: int) -> None:
    """CNTPS_TVAL_EL1, CNTPS_CTL_EL1, CNTPS_CVAL_EL1: undefined in Non-secure EL1."""
    for word in (0xD53F_E200 | op2 << 5 | 3, 0xD51F_E200 | op2 << 5 | 3):
        taken = probe_of("host", 0, word).go(CODE)
        assert taken is not None
        assert hex(taken.esr) == hex(IL)


@pytest.mark.parametrize("n", [0, 3, 5])
def test_event_counters_may_be_granted_to_el0_for_reading(n: int) -> None:
    """PMUSERENR_EL0.ER (Arm ARM D17.5.17)."""
    read = 0xD53B_E803 | n << 5  # MRS x3, PMEVCNTR<n>_EL0
    for granted, word, traps in ((8, read, False), (0, read, True), (8, read & ~(1 << 21), True), (1, read, False)):
        probe = probe_of("host", 0, 0xD51B_9E00)  # MSR PMUSERENR_EL0, x0
        assert probe.go(CODE, granted) is None
        probe.memory.load(CODE + 0x100, b"".join(w.to_bytes(4, "little") for w in (word, 0xD400_0001)))
        taken = probe.go(USER + 0x28_0100, spsr=EL0 | MASKED)
        assert taken is not None
        assert taken.ec == (0x18 if traps else 0x15)
