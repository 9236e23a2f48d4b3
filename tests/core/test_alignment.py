"""Alignment faults (Arm ARM B2.5.2; SCTLR_EL1.A, SA, SA0 of D17.2.118), and addresses that are too large (D8.2.4)."""

from __future__ import annotations

import pytest

from tests.core.bench import RAM, UART
from tests.core.probe import (
    BLOCK,
    CLOCKS,
    CORTEX_A53,
    CPACR_FP,
    DATA,
    DEVICE,
    EL0,
    EL1H,
    EL1T,
    HANDLER,
    IL,
    LOWER_EL,
    MASKED,
    MAX,
    NORMAL,
    SAME_EL,
    SCTLR_A,
    SCTLR_SA,
    SCTLR_SA0,
    TABLES,
    USER,
    Probe,
    address,
    user,
)
from tests.core.vectors import Taken

DATA_ABORT, FETCH_ABORT = 0x24 << 26 | IL, 0x20 << 26 | IL
FROM_SAME_EL = 1 << 26
WRITE = 1 << 6
ALIGNMENT = 0x21
SP_ALIGNMENT = 0x26 << 26 | IL

clocks = pytest.mark.parametrize("clock", CLOCKS)

# What each accesses at once, in bytes, which is what it is aligned to; and whether it stores
PLAIN = {
    "ldrh": (2, False),
    "ldr_w": (4, False),
    "ldr_x": (8, False),
    "str_w": (4, True),
    "str_x": (8, True),
    "ldp": (8, False),
    "stp": (8, True),
    "ldr_q": (16, False),
    "ldp_q": (16, False),
    "ld1_d": (8, False),
}
BYTES = ("ldrb", "strb", "ld1_b")
ALWAYS = {
    "ldar": (8, False),
    "ldarh": (2, False),
    "stlr": (4, True),
    "ldapr": (8, False),
    "ldapur": (8, False),
    "stlur": (4, True),
    "ldxr": (8, False),
    "ldaxr": (4, False),
    "ldxp": (16, False),
    "ldadd": (8, False),  # WnR is 0 where a load would fault as well (Arm ARM D24.2.40)
    "stadd": (4, False),
    "swp": (4, False),
    "cas": (8, False),
}


def is_alignment_fault(taken: Taken | None, routine: str, at: int, *, store: bool) -> None:
    assert taken is not None
    expected = DATA_ABORT | FROM_SAME_EL | ALIGNMENT | (WRITE if store else 0)
    assert (taken.vector, hex(taken.esr)) == (SAME_EL, hex(expected))
    assert (taken.elr, hex(taken.far)) == (address(routine), hex(at))


@clocks
@pytest.mark.parametrize("routine", PLAIN)
def test_a_plain_access_need_be_aligned_if_sctlr_says_so(clock: str, routine: str) -> None:
    size, store = PLAIN[routine]
    probe = Probe(clock, mmu=True)
    for at in (NORMAL + DATA + size // 2, NORMAL + DATA + 0x1000 - size // 2):  # in a page, and across two
        for sctlr in (0, SCTLR_A, 0, SCTLR_A):
            probe.set_up(sctlr=sctlr, cpacr=CPACR_FP)
            taken = probe.go(routine, at)
            if sctlr:
                is_alignment_fault(taken, routine, at, store=store)
                assert probe.retired == HANDLER
            else:
                assert taken is None
            assert probe.go(routine, NORMAL + DATA + 0x40) is None


def test_bytes_are_aligned_anywhere() -> None:
    probe = Probe(mmu=True)
    probe.set_up(sctlr=SCTLR_A, cpacr=CPACR_FP)
    for routine in BYTES:
        assert probe.go(routine, NORMAL + DATA + 3) is None
        assert probe.go(routine, DEVICE + DATA + 3) is None


@clocks
@pytest.mark.parametrize("routine", ALWAYS)
def test_ordered_and_atomic_accesses_are_always_aligned(clock: str, routine: str) -> None:
    size, store = ALWAYS[routine]
    probe = Probe(clock, mmu=True)
    for at in (NORMAL + DATA + size // 2, NORMAL + DATA + 0x1000 - size // 2):
        is_alignment_fault(probe.go(routine, at), routine, at, store=store)
    assert probe.go(routine, NORMAL + DATA) is None


def test_a_fault_of_what_the_code_asks_for_is_before_one_of_the_translation() -> None:
    probe = Probe(mmu=True)
    is_alignment_fault(probe.go("ldar", 0x7F_0000_0004), "ldar", 0x7F_0000_0004, store=False)


def test_el0_has_the_same_control() -> None:
    probe = Probe(mmu=True)
    probe.set_up(sctlr=SCTLR_A)
    taken = probe.go("ldr_x", USER + DATA + 4, spsr=EL0)
    assert taken is not None
    assert (taken.vector, hex(taken.esr)) == (LOWER_EL, hex(DATA_ABORT | ALIGNMENT))
    assert (taken.elr, taken.far) == (user("ldr_x"), USER + DATA + 4)


@clocks
def test_a_fault_in_mid_block_retires_what_was_before_it(clock: str) -> None:
    probe = Probe(clock, mmu=True)
    probe.set_up(sctlr=SCTLR_A)
    taken = probe.go("store_amid", NORMAL + DATA + 2, 1)
    assert taken is not None
    assert taken.elr == address("store_amid") + 12
    assert probe.retired == 3 + HANDLER


# Device memory


@clocks
@pytest.mark.parametrize("routine", PLAIN)
def test_device_memory_is_accessed_aligned(clock: str, routine: str) -> None:
    size, store = PLAIN[routine]
    piece = min(size, 8)  # a register of 16 bytes is two accesses here
    probe = Probe(clock, mmu=True)
    probe.set_up(cpacr=CPACR_FP)
    for _ in range(2):
        at = DEVICE + DATA + piece // 2
        is_alignment_fault(probe.go(routine, at), routine, at, store=store)
        assert probe.retired == HANDLER
        assert probe.go(routine, DEVICE + DATA + 0x40) is None
        assert probe.go(routine, NORMAL + DATA + piece // 2) is None


def test_a_misaligned_access_to_a_register_of_a_device() -> None:
    probe = Probe(mmu=True)
    assert probe.go("ldr_w", UART + 0x18) is None
    for at in (UART + 0x19, UART + 0x1A):
        is_alignment_fault(probe.go("ldr_w", at), "ldr_w", at, store=False)
        is_alignment_fault(probe.go("str_w", at), "str_w", at, store=True)


@pytest.mark.parametrize("model", [CORTEX_A53, MAX], ids=["cortex-a53", "max"])
def test_without_translation_all_memory_is_device_memory(model: int) -> None:
    """Arm ARM D8.2.10."""
    probe = Probe(model=model)
    at = RAM + DATA + 4
    is_alignment_fault(probe.go("ldr_x", at), "ldr_x", at, store=False)
    assert probe.go("ldr_x", at + 4) is None
    is_alignment_fault(probe.go("zero", at + 4), "zero", at + 4, store=True)
    probe.mmu = True
    probe.set_up()
    assert probe.go("ldr_x", at) is None
    assert probe.go("zero", at) is None


def test_device_memory_cannot_be_zeroed_by_line() -> None:
    probe = Probe(mmu=True)
    probe.store(0x40, 7)
    at = DEVICE + DATA + 0x40
    is_alignment_fault(probe.go("zero", at), "zero", at, store=True)
    assert probe.data(0x40) == 7
    assert probe.go("zero", NORMAL + DATA + 0x40) is None
    assert probe.data(0x40) == 0


def test_device_memory_that_is_ram_keeps_what_is_stored_and_runs_what_is_code() -> None:
    """It is on the slow path of the engine, and stores to code must still be seen there."""
    probe = Probe(mmu=True)
    code = NORMAL + DATA + 0x3000
    probe.memory.load(code, (0xD2800023).to_bytes(4, "little") + (0xD4000002).to_bytes(4, "little"))  # mov x3, #1; hvc
    for value in range(2, 6):
        assert probe.go("str_w", DEVICE + DATA + 0x3000, 0xD2800003 | value << 5) is None
        assert probe.go("ldr_w", DEVICE + DATA + 0x3000) is None
        assert probe.core.x[3] == 0xD2800003 | value << 5
        assert probe.go(code) is None
        assert probe.core.x[3] == value
        assert probe.go("ldadd", DEVICE + DATA + 0x3800, 3) is None
    assert probe.data(0x3800) == 4 * 3


# The stack pointer


STACK_ACCESSES = (
    "push",
    "pop",
    "store_at_sp",
    "store_at_sp_16",
    "load_at_sp_32",
    "byte_at_sp",
    "exclusive_at_sp",
    "vector_at_sp",
    "vector_pair_at_sp",
    "store_at_sp_8",
)


@clocks
@pytest.mark.parametrize("routine", STACK_ACCESSES)
def test_a_misaligned_stack_pointer(clock: str, routine: str) -> None:
    by = 4 if routine == "store_at_sp_8" else 8  # all that the offset shows: docs/faithfulness.md
    probe = Probe(clock, mmu=True)
    for sctlr, spsr, stack in (
        (SCTLR_SA, EL1H | MASKED, NORMAL),
        (SCTLR_SA, EL1T | MASKED, NORMAL),
        (SCTLR_SA0, EL0, USER),
    ):
        level, place = (LOWER_EL, user) if spsr == EL0 else (SAME_EL if spsr & 1 else 0, address)
        probe.set_up(sctlr=sctlr, cpacr=CPACR_FP)
        taken = probe.go(routine, spsr=spsr, sp=stack + DATA + by)
        assert taken is not None
        assert (taken.vector, hex(taken.esr), taken.elr) == (level, hex(SP_ALIGNMENT), place(routine))
        assert probe.retired == HANDLER
        aligned = probe.go(routine, spsr=spsr, sp=stack + DATA + 0x100)
        assert aligned is None or (spsr == EL0 and aligned.elr == user(routine) + 4)


def test_a_stack_pointer_that_nobody_checks() -> None:
    probe = Probe(mmu=True)
    assert probe.go("push", sp=NORMAL + DATA + 8) is None
    probe.set_up(sctlr=SCTLR_SA0)
    assert probe.go("push", sp=NORMAL + DATA + 8) is None
    probe.set_up(sctlr=SCTLR_SA)
    assert probe.go("ldr_x", NORMAL + DATA + 8) is None, "another base"


# Output addresses that are too large

ADDRESS_SIZE, TRANSLATION = 0x00, 0x04
IPS = {32: 0, 36: 1, 40: 2, 42: 3, 44: 4, 48: 5}
PARANGE = {CORTEX_A53: 40, MAX: 44}
SECOND, THIRD = TABLES + 0x1000, TABLES + 0x2000
TCR = 25 | 1 << 8 | 1 << 10 | 3 << 12 | 1 << 23


@pytest.mark.parametrize("model", PARANGE, ids=["cortex-a53", "max"])
@pytest.mark.parametrize("bits", IPS)
def test_an_output_address_above_ips_or_the_cpus_own(bits: int, model: int) -> None:
    probe = Probe(model=model, mmu=True)
    limit = 1 << min(bits, PARANGE[model])
    va = 4 << 30

    def abort_of(entries: dict[int, int], at: int = va) -> int:
        for place, descriptor in {
            TABLES + 8 * 4: SECOND | 3,
            SECOND: THIRD | 3,
            THIRD: RAM | BLOCK | 2,
            **entries,
        }.items():
            probe.memory.write(place, descriptor)
        probe.set_up(tcr=TCR | IPS[bits] << 32)
        taken = probe.go("ldr_x", at)
        assert taken is not None
        assert (taken.esr | 0x3F, taken.far, taken.elr) == (DATA_ABORT | FROM_SAME_EL | 0x3F, at, address("ldr_x"))
        return taken.esr & 0x3F

    assert abort_of({THIRD: limit | BLOCK | 2}) == ADDRESS_SIZE | 3
    assert abort_of({THIRD: limit | 0x303}) == ADDRESS_SIZE | 3, "before the access flag"
    assert abort_of({SECOND: limit | BLOCK}) == ADDRESS_SIZE | 2
    assert abort_of({TABLES + 8 * 4: limit | BLOCK}) == ADDRESS_SIZE | 1
    assert abort_of({SECOND: limit | 3}) == ADDRESS_SIZE | 2, "of a table: at the level of the descriptor that names it"
    assert abort_of({TABLES + 8 * 4: limit | 3}) == ADDRESS_SIZE | 1
    assert abort_of({THIRD: 0}) == TRANSLATION | 3


def test_a_table_base_that_is_too_large_and_a_fetch() -> None:
    probe = Probe(mmu=True)
    probe.memory.write(TABLES + 8 * 4, 1 << 42 | BLOCK)
    probe.set_up()
    taken = probe.go(4 << 30)
    assert taken is not None
    assert (hex(taken.esr), taken.far) == (hex(FETCH_ABORT | FROM_SAME_EL | ADDRESS_SIZE | 1), 4 << 30)


def test_without_translation_an_address_is_at_most_as_large_as_the_cpus_own() -> None:
    probe = Probe(model=CORTEX_A53)
    taken = probe.go("ldr_x", 1 << 40)
    assert taken is not None
    assert (hex(taken.esr), taken.far) == (hex(DATA_ABORT | FROM_SAME_EL | ADDRESS_SIZE), 1 << 40)


def test_an_address_translation_instruction_finds_it_too() -> None:
    probe = Probe(mmu=True)
    probe.memory.write(TABLES + 8 * 4, 1 << 42 | BLOCK)
    probe.set_up()
    assert probe.go("translate", 4 << 30) is None
    assert hex(probe.core.x[3] & 0x7F) == hex((ADDRESS_SIZE | 1) << 1 | 1)
