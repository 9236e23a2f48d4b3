"""A32 and T32 at EL0: the exceptions that they take, with what EL1 reads of them and how many instructions retired."""

from __future__ import annotations

import struct

import pytest

from baonet.hyp.armv8.cpu import (
    EXIT_ESR,
    EXIT_FAR,
    EXIT_INTID,
    EXIT_IPA,
    HCR_EN,
    ICH_HCR,
    ICH_VMCR,
    LR_GROUP,
    LR_PENDING,
    LR_PRIORITY_SHIFT,
    VMCR_VENG1,
    VMCR_VPMR_SHIFT,
    Exit,
)
from tests.core.el0 import (
    A32,
    CODE,
    DATA,
    ENTRY,
    NOWHERE,
    SCTLR,
    T32,
    UNMAPPED,
    El0,
    Taken,
    address,
    halves,
    words,
)

SYNC, IRQ = 0x600, 0x680  # from a lower exception level in AArch32 state (Arm ARM D1.10.2)
IL = 1 << 25
BOTH = pytest.mark.parametrize("instruction_set", ["a32", "t32"])
EL0VCTEN, EL0PCTEN, EL0VTEN = 2, 1, 1 << 8


@pytest.fixture(scope="module")
def el0() -> El0:
    return El0()


def check(taken: Taken, routine: str, *, ec: int, iss: int, at: int, retired: int, il: int = IL) -> None:
    state = T32 if routine.startswith("t32") else A32
    assert (taken.vector, hex(taken.esr)) == (SYNC, hex(ec << 26 | il | iss))
    assert (taken.elr - address(routine), taken.retired, taken.spsr) == (at, retired, state)


# Exceptions


@pytest.mark.parametrize(("routine", "at", "il"), [("a32_call", 4, IL), ("t32_call", 2, 0)], ids=["a32", "t32"])
def test_a_call_is_past_its_instruction(el0: El0, routine: str, at: int, il: int) -> None:
    check(el0.call(routine), routine, ec=0x11, iss=0x12, at=at, retired=1, il=il)


EXCEPTION_CYCLES = 100
"""What an exception takes in virtual time."""


@pytest.mark.parametrize("hz", [0, 1_000_000_000], ids=["host", "virtual"])
@pytest.mark.parametrize("routine", ["a32_call", "t32_call"])
def test_an_exception_return_to_a_single_call_comes_back(hz: int, routine: str) -> None:
    el0 = El0(hz=hz)
    el0.routine(routine)
    left = el0.core.run_until(1000) if hz else el0.core.run(1000)
    assert (left, el0.taken().retired) == (Exit.HVC, 1)
    assert not hz or el0.core.time == el0.count + EXCEPTION_CYCLES


@BOTH
def test_an_undefined_instruction_does_not_retire(el0: El0, instruction_set: str) -> None:
    routine = f"{instruction_set}_undefined"
    check(el0.call(routine), routine, ec=0, iss=0, at=0, retired=0)


@pytest.mark.parametrize("routine", ["a32_swp", "a32_swpb"])
def test_armv8_has_no_swap(el0: El0, routine: str) -> None:
    check(el0.call(routine, r0=DATA), routine, ec=0, iss=0, at=0, retired=0)


@BOTH
def test_a_breakpoint_instruction(el0: El0, instruction_set: str) -> None:
    routine, il = f"{instruction_set}_breakpoint", IL if instruction_set == "a32" else 0
    check(el0.call(routine), routine, ec=0x38, iss=0x12, at=0, retired=1, il=il)


@BOTH
def test_a_register_of_el1_is_undefined(el0: El0, instruction_set: str) -> None:
    routine = f"{instruction_set}_system_register"
    check(el0.call(routine), routine, ec=0, iss=0, at=0, retired=0)


@BOTH
def test_endianness_changes_unless_el1_forbids_it(el0: El0, instruction_set: str) -> None:
    routine = f"{instruction_set}_set_endianness"
    assert el0.call(routine).spsr & 1 << 9
    check(el0.call(routine, sctlr=SCTLR | 1 << 8), routine, ec=0, iss=0, at=0, retired=0)


@pytest.mark.parametrize(
    ("state", "code", "before", "flags"),
    [
        (A32, words(0xE1A00000, 0xE5903000), 1, 0),  # LDR r3, [r0]
        (A32, words(0xE1A00000, 0x15903000), 1, 0),  # LDRNE
        (T32, halves(0xBF00, 0xF8D0, 0x3000), 1, 0),
        (T32, halves(0xBF00, 0x4600, 0xBF18, 0x6803), 3, 0),  # IT NE
        (T32, halves(0xBF0C, 0x6803, 0x6803), 2, 0),  # ITE EQ: the second
    ],
)
@pytest.mark.parametrize("store", [False, True])
def test_a_data_abort(el0: El0, *, state: int, code: bytes, before: int, flags: int, store: bool) -> None:
    if store:  # of the same addressing
        turned = {0xE5903000: 0xE5803000, 0x15903000: 0x15803000}
        narrow = {0x6803: 0x6003, 0xF8D0: 0xF8C0}
        size, table = (4, turned) if state == A32 else (2, narrow)
        units = [int.from_bytes(code[n : n + size], "little") for n in range(0, len(code), size)]
        code = b"".join(table.get(unit, unit).to_bytes(size, "little") for unit in units)
    taken = el0.go(state, code, r0=UNMAPPED + 4, flags=flags)
    assert (taken.vector, hex(taken.esr), taken.far) == (SYNC, hex(0x24 << 26 | IL | store << 6 | 7), UNMAPPED + 4)
    last = 4 if state == A32 or code[-4:-2] in (halves(0xF8D0), halves(0xF8C0)) else 2
    assert (taken.elr, taken.retired) == (CODE + len(code) - last, before)


def test_the_it_state_of_an_aborted_instruction_is_saved(el0: El0) -> None:
    """ITTE NE; NOP; LDR: the base condition and what is left of the mask, in SPSR[15:10,26:25]."""
    taken = el0.go(T32, halves(0xBF1A, 0xBF00, 0x6803, 0xBF00), r0=UNMAPPED)
    it = taken.spsr >> 10 & 0x3F
    it = it << 2 | taken.spsr >> 25 & 3
    assert (hex(it), taken.retired) == (hex(0x14), 2)
    resumed = El0()
    resumed.memory.load(CODE, halves(0xBF1A, 0xBF00, 0x4608, 0x4611, 0xDF00))  # ...; MOV r0, r1; MOV r1, r2; SVC
    resumed.enter(T32, b"", CODE + 4, flags=taken.spsr & 0x0600_FC00, r1=5, r2=7)
    assert resumed.finish().r[:2] == (5, 5)


@pytest.mark.parametrize(
    ("state", "code", "at", "far"),
    [
        (A32, words(0xE1A00000), UNMAPPED - 4, UNMAPPED),
        (T32, halves(0xBF00), UNMAPPED - 2, UNMAPPED),
        (T32, halves(0xBF00, 0xF102), UNMAPPED - 4, UNMAPPED),  # its second half is not there
    ],
)
def test_a_prefetch_abort(el0: El0, state: int, code: bytes, at: int, far: int) -> None:
    taken = el0.go(state, code, at)
    assert (taken.vector, hex(taken.esr), hex(taken.far)) == (SYNC, hex(0x20 << 26 | IL | 7), hex(far))
    assert (hex(taken.elr), taken.retired) == (hex(UNMAPPED - 2 if len(code) == 4 and state == T32 else UNMAPPED), 1)


@BOTH
def test_an_exclusive_that_is_not_aligned_faults(el0: El0, instruction_set: str) -> None:
    taken = el0.call(f"{instruction_set}_ldrex", r0=DATA + 2)
    assert (hex(taken.esr), taken.far, taken.retired) == (hex(0x24 << 26 | IL | 0x21), DATA + 2, 0)


@BOTH
@pytest.mark.parametrize("name", ["ldrd", "ldm", "stm"])
def test_several_words_must_be_aligned(el0: El0, instruction_set: str, name: str) -> None:
    taken = el0.call(f"{instruction_set}_{name}", r0=DATA + 2)
    assert (hex(taken.esr), taken.far) == (hex(0x24 << 26 | IL | (name == "stm") << 6 | 0x21), DATA + 2)
    assert (taken.elr, taken.retired) == (address(f"{instruction_set}_{name}"), 0)
    assert el0.call(f"{instruction_set}_{name}", r0=DATA + 4).retired == 2


@pytest.mark.parametrize("routine", ["a32_ldr", "a32_ldrh", "t32_ldr_narrow", "t32_str"])
def test_one_word_need_not_be(el0: El0, routine: str) -> None:
    assert el0.call(routine, r0=DATA + 1).retired == 2


# Hints


@pytest.mark.parametrize("routine", ["a32_wfe", "t32_wfe", "t32_wfe_wide", "a32_yield", "t32_yield", "t32_yield_wide"])
@pytest.mark.parametrize("hz", [0, 1_000_000_000], ids=["host", "virtual"])
def test_who_waits_for_another_leaves_the_core_to_it(routine: str, hz: int) -> None:
    el0 = El0(hz=hz)
    el0.routine(routine)
    left = el0.core.run_until(1000, True) if hz else el0.core.run(1000)
    width = 2 if routine.startswith("t32") and not routine.endswith("wide") else 4
    assert (left, el0.core.pc - address(routine)) == (Exit.BUDGET, width)
    assert el0.finish().retired == 2


@BOTH
@pytest.mark.parametrize("waits", [True, False])
def test_a_hint_has_a_condition(el0: El0, instruction_set: str, waits: bool) -> None:
    routine = f"{instruction_set}_conditional_wfe"
    el0.routine(routine, spsr=(T32 if instruction_set == "t32" else A32) | waits << 30)
    if waits:
        assert el0.core.run(1000) == Exit.BUDGET
        assert el0.core.pc == address(routine) + (6 if instruction_set == "t32" else 8)
    taken = el0.finish()
    assert (taken.retired, taken.r[3]) == ((5, int(waits)) if instruction_set == "t32" else (4, 0))


def test_half_words_that_look_like_a_hint_are_none(el0: El0) -> None:
    taken = el0.go(T32, halves(0xF8D0, 0xBF10, 0xBF00, 0xDF00), r0=DATA)  # LDR.W r11, [r0, #0xF10]
    assert taken.retired == 3


@BOTH
def test_waiting_for_an_interrupt(el0: El0, instruction_set: str) -> None:
    routine = f"{instruction_set}_wfi"
    el0.routine(routine)
    assert el0.core.run(1000) == Exit.WFI
    assert el0.finish().retired == 2
    trapped = el0.call(routine, sctlr=SCTLR & ~(1 << 16))
    il = 0 if instruction_set == "t32" else IL
    check(trapped, routine, ec=1, iss=0x1E << 20, at=0, retired=0, il=il)


def test_an_interrupt_comes_between_instructions_and_leaves_none_out(el0: El0) -> None:
    el0.routine("a32_spin", r1=1)
    core = el0.core
    assert core.run(5000) == Exit.BUDGET
    core.ich[ICH_HCR], core.ich[ICH_VMCR] = HCR_EN, 0xF8 << VMCR_VPMR_SHIFT | VMCR_VENG1
    core.ich[0] = 40 | 0xA0 << LR_PRIORITY_SHIFT | LR_GROUP | LR_PENDING
    taken = el0.finish()
    assert taken.vector == IRQ
    begun = {address("a32_spin"): 0, address("a32_spin") + 8: 1, address("a32_spin") + 4: 7}[taken.elr]
    calls = (taken.retired - begun) // 8 + (begun == 7)  # BLX; CMP, ITEE, three, BX; B
    assert ((taken.retired - begun) % 8, taken.r[2], taken.r[4]) == (0, 2 * calls, 3 * calls)
    assert bool(taken.spsr & 0x20) == (begun == 1)


# What the hypervisor sees

DESCRIBED = [  # routine, SAS, SSE, SRT, store, narrow
    ("a32_ldrb", 0, 0, 3, False, False),
    ("a32_ldrsb", 0, 1, 3, False, False),
    ("a32_ldrh", 1, 0, 3, False, False),
    ("a32_ldrsh", 1, 1, 3, False, False),
    ("a32_ldr", 2, 0, 3, False, False),
    ("a32_ldr_offset", 2, 0, 14, False, False),
    ("a32_ldr_register", 2, 0, 12, False, False),
    ("a32_strb", 0, 0, 1, True, False),
    ("a32_strh", 1, 0, 1, True, False),
    ("a32_str", 2, 0, 1, True, False),
    ("t32_ldrb_narrow", 0, 0, 3, False, True),
    ("t32_ldrh_narrow", 1, 0, 3, False, True),
    ("t32_ldr_narrow", 2, 0, 3, False, True),
    ("t32_str_narrow", 2, 0, 1, True, True),
    ("t32_strb_narrow", 0, 0, 1, True, True),
    ("t32_ldrb", 0, 0, 3, False, False),
    ("t32_ldrsh", 1, 1, 3, False, False),
    ("t32_ldr", 2, 0, 3, False, False),
    ("t32_str", 2, 0, 1, True, False),
]
ACQUIRE_RELEASE = [("a32_lda", 3, False), ("a32_stl", 1, True)]
NOT_DESCRIBED = ["ldr_post", "str_pre", "ldrd", "ldm", "stm", "ldrex", "vldr", "vld1"]


@pytest.mark.parametrize(("routine", "sas", "sse", "srt", "store", "narrow"), DESCRIBED)
def test_the_syndrome_of_a_stage_2_abort(
    el0: El0, *, routine: str, sas: int, sse: int, srt: int, store: bool, narrow: bool
) -> None:
    el0.routine(routine, r0=NOWHERE, r1=0x1234_5678)
    assert el0.core.run(1000) == Exit.DATA_ABORT
    offset = 16 if routine.endswith("offset") else 0
    esr = 0x24 << 26 | (0 if narrow else IL) | 1 << 24 | sas << 22 | sse << 21 | srt << 16 | store << 6 | 7
    found = tuple(map(hex, (el0.core.exit[EXIT_ESR], el0.core.exit[EXIT_FAR], el0.core.exit[EXIT_IPA])))
    assert found == (hex(esr), hex(NOWHERE + offset), hex(NOWHERE + offset))
    assert el0.core.pc == address(routine)
    assert el0.core.x[1] == 0x1234_5678


@pytest.mark.parametrize(("routine", "srt", "store"), ACQUIRE_RELEASE)
def test_the_syndrome_of_an_acquire_or_release(el0: El0, routine: str, srt: int, store: bool) -> None:
    el0.routine(routine, r0=NOWHERE)
    assert el0.core.run(1000) == Exit.DATA_ABORT
    assert hex(el0.core.exit[EXIT_ESR]) == hex(
        0x24 << 26 | IL | 1 << 24 | 2 << 22 | srt << 16 | 1 << 14 | store << 6 | 7
    )


@BOTH
@pytest.mark.parametrize("name", NOT_DESCRIBED)
def test_a_stage_2_abort_without_a_syndrome(el0: El0, instruction_set: str, name: str) -> None:
    el0.routine(f"{instruction_set}_{name}", r0=NOWHERE)
    assert el0.core.run(1000) == Exit.DATA_ABORT
    assert hex(el0.core.exit[EXIT_ESR] & ~0x40) == hex(0x24 << 26 | IL | 7)
    assert el0.core.pc == address(f"{instruction_set}_{name}")


@pytest.mark.parametrize(
    ("routine", "r"),
    [("a32_ldr", 3), ("t32_ldr", 3), ("t32_ldr_narrow", 3), ("t32_ldrb_narrow", 3), ("a32_ldr_register", 12)],
)
def test_an_emulated_load_goes_on_behind_it(routine: str, r: int) -> None:
    el0 = El0()
    el0.core.emulate(((NOWHERE, 0x1000),), lambda _ipa, _size: 0x5A, lambda *_: False, [])
    taken = el0.call(routine, r0=NOWHERE)
    assert (taken.vector, taken.esr >> 26, taken.retired, taken.r[r]) == (SYNC, 0x11, 2, 0x5A)


@pytest.mark.parametrize(
    ("routine", "size"), [("a32_str", 4), ("a32_strh", 2), ("t32_str_narrow", 4), ("t32_strb_narrow", 1)]
)
def test_an_emulated_store_goes_on_behind_it(routine: str, size: int) -> None:
    el0 = El0()
    seen: list[tuple[int, int, int]] = []

    def store(ipa: int, width: int, value: int) -> bool:
        seen.append((ipa, width, value))
        return True

    el0.core.emulate(((NOWHERE, 0x1000),), lambda *_: None, store, [])
    taken = el0.call(routine, r0=NOWHERE, r1=0x1234_5678)
    assert (taken.esr >> 26, taken.retired) == (0x11, 2)
    assert seen == [(NOWHERE, size, 0x1234_5678 & (1 << 8 * size) - 1)]


def test_the_hypervisor_may_change_a_register(el0: El0) -> None:
    """As it does when a load is answered by another CPU's hypervisor."""
    el0.routine("a32_ldr", r0=NOWHERE)
    assert el0.core.run(1000) == Exit.DATA_ABORT
    el0.core.x[3], el0.core.pc = 0xABCD, el0.core.pc + 4
    taken = el0.finish()
    assert (taken.r[3], taken.r[0], taken.esr >> 26) == (0xABCD, NOWHERE, 0x11)


# CP15


@BOTH
@pytest.mark.parametrize(
    ("name", "granted", "ec", "iss"),
    [  # CV, COND always; Opc2, Opc1, CRn, Rt, CRm, read; MRRC: Opc1, Rt2, Rt, CRm, read
        ("counter", EL0VCTEN, 4, 0x1E << 20 | 1 << 16 | 4 << 10 | 3 << 5 | 14 << 1 | 1),
        ("physical_counter", EL0PCTEN, 4, 0x1E << 20 | 4 << 10 | 3 << 5 | 14 << 1 | 1),
        ("frequency", EL0VCTEN, 3, 0x1E << 20 | 14 << 10 | 3 << 5 | 1),
        ("timer_control", EL0VTEN, 3, 0x1E << 20 | 1 << 17 | 14 << 10 | 3 << 5 | 3 << 1 | 1),
    ],
)
def test_what_el1_has_not_granted_of_the_timer_is_trapped(
    el0: El0, *, instruction_set: str, name: str, granted: int, ec: int, iss: int
) -> None:
    routine = f"{instruction_set}_{name}"
    check(el0.call(routine), routine, ec=ec, iss=iss, at=0, retired=0)
    taken = el0.call(routine, cntkctl=granted)
    assert (taken.esr >> 26, taken.retired) == (0x11, 2)


@BOTH
def test_the_counter_is_that_of_the_machine(instruction_set: str) -> None:
    el0 = El0(hz=1_000_000_000)
    for name in ("counter", "physical_counter"):
        el0.core.skip_to(el0.core.time + (1 << 40))
        el0.routine(f"{instruction_set}_{name}", cntkctl=EL0PCTEN | EL0VCTEN)
        assert el0.core.run_until(1 << 60) == Exit.HVC
        r = el0.taken().r
        now = (el0.core.time - EXCEPTION_CYCLES) // 16
        assert now - 2 <= r[3] | r[4] << 32 <= now


@BOTH
def test_a_timer_that_is_set_through_cp15_fires(instruction_set: str) -> None:
    el0 = El0(hz=1_000_000_000)
    core = el0.core
    el0.routine(f"{instruction_set}_set_timer_value", r1=1000, cntkctl=EL0VTEN)
    assert core.run_until(1 << 40) == Exit.HVC
    began = core.time - EXCEPTION_CYCLES
    core.x[1], core.x[15], core.pc = 1, address(f"{instruction_set}_set_timer_control"), ENTRY
    assert core.run_until(1 << 40) == Exit.HVC
    assert core.alarm() // 16 == began // 16 + 1000 or core.alarm() // 16 == began // 16 + 999
    core.skip_to(core.alarm())
    assert core.run_until(1 << 40) == Exit.INTERRUPT
    assert core.exit[EXIT_INTID] == 27


@BOTH
def test_the_compare_value_has_64_bits(el0: El0, instruction_set: str) -> None:
    core = el0.core
    el0.call(f"{instruction_set}_set_timer_compare", r1=0x89AB_CDEF, r2=0x0123_4567, cntkctl=EL0VTEN)
    core.x[15], core.pc = address(f"{instruction_set}_timer_compare"), ENTRY
    assert core.run(1000) == Exit.HVC
    assert el0.taken().r[3:5] == (0x89AB_CDEF, 0x0123_4567)


@BOTH
def test_the_cycle_counter_goes_through_cp15(instruction_set: str) -> None:
    """In 32 and in 64 bits; what EL1 has not granted is trapped."""
    el0 = El0(hz=1_000_000_000)
    core = el0.core
    for name, ec in (("cycles", 3), ("all_cycles", 4)):
        assert el0.call(f"{instruction_set}_{name}").ec == ec
    enable = words(0xD53B9C03, 0xD2800023, 0xD51B9C03, 0xD2B00003, 0xD51B9C23, 0xD4000002)
    el0.memory.load(DATA - 0x18_0000, enable)  # PMCR.E, PMCNTENSET; in EL1's half
    for name in ("cycles", "all_cycles"):
        el0.routine(f"{instruction_set}_{name}", pmuserenr=1)
        core.pc = DATA - 0x18_0000
        assert core.run_until(core.time + 1000) == Exit.HVC
        core.skip_to(core.time + (1 << 33))
        core.pc = ENTRY
        assert core.run_until(core.time + 1000) == Exit.HVC
        r = el0.taken().r
        cycles = r[3] | r[4] << 32
        whole = cycles if name == "all_cycles" else cycles + (1 << 33)
        assert 1 << 33 <= whole < (1 << 33) + 100


@BOTH
def test_a_marker_for_the_trace(instruction_set: str) -> None:
    """DBGDTRTXint, as DBGDTR_EL0 in AArch64."""
    el0 = El0(hz=1_000_000_000, records=True)
    assert el0.call(f"{instruction_set}_mark", r1=0x1234).ec == 0x11
    [(records, _, _)] = el0.core.take_records(True)
    assert (14, 0x1234) in [(kind, b) for _, kind, _, _, b, _ in struct.iter_unpack("<QHHIQQ", records)]


@BOTH
@pytest.mark.parametrize("name", ["barrier_isb", "barrier_dsb", "barrier_dmb"])
def test_cp15_barriers_are_there_unless_el1_forbids_them(el0: El0, instruction_set: str, name: str) -> None:
    routine = f"{instruction_set}_{name}"
    assert el0.call(routine).retired == 2
    check(el0.call(routine, sctlr=SCTLR & ~0x20), routine, ec=0, iss=0, at=0, retired=0)
