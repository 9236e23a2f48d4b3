"""A32 and T32 at EL0: encodings that are none, alignment, tables of bytes, single step, SCTLR_EL1 and the monitors."""

from __future__ import annotations

import struct

import pytest

from tests.core.el0 import A32, CODE, DATA, SCTLR, T32, UNMAPPED, El0, Taken, halves, words

SYNC = 0x600  # from a lower exception level in AArch32 state (Arm ARM D1.10.2)
IL = 1 << 25
WRITE = 1 << 6
ALIGNMENT = 0x24 << 26 | IL | 0x21
UNDEFINED = IL
SVC = {A32: words(0xEF00_0000), T32: halves(0xDF00)}
SCTLR_A, ITD, SED = 1 << 1, 1 << 7, 1 << 8
NOP = {A32: words(0xE1A0_0000), T32: halves(0xBF00)}


@pytest.fixture(scope="module")
def el0() -> El0:
    return El0()


def wide(word: int) -> bytes:
    return halves(word >> 16, word & 0xFFFF)


def go(el0: El0, state: int, code: bytes, **values: int) -> Taken:
    """It ends with an SVC, of which a wide T32 instruction of the end would be in the middle."""
    return el0.go(state, NOP[state] + code + SVC[state] + NOP[state] * 2, **values)


# Encodings that a CPU does not have, and the library's decoder takes for something

NO_INSTRUCTIONS = {
    "vmul, size 2": (A32, words(0xF329_1D10)),
    "vmul, size 3": (A32, words(0xF366_ED54)),
    "vqdmull, U": (A32, words(0xF3D2_2D80)),
    "sha1h, no Q": (A32, words(0xF3F9_A2A6)),
    "ldc p14, c6, [r5, #-8]!": (A32, words(0xED35_6E02)),
    "stc p15": (A32, words(0xEC80_0F09)),
    "ldc2l p15": (A32, words(0xFCFE_7F2E)),
    "swp": (A32, words(0xE10B_C09D)),
    "t32 vmul, size 2": (T32, wide(0xFF29_1D10)),
    "t32 vqdmull, U": (T32, wide(0xFFD2_2D80)),
    "t32 sha1h, no Q": (T32, wide(0xFFF9_A2A6)),
    "t32 ldc p14": (T32, wide(0xED32_8E01)),
    "str.w at the pc": (T32, wide(0xF8CF_A83B)),
    "strh.w at the pc": (T32, wide(0xF82F_4ED7)),
    "strb at the pc, pre-index": (T32, wide(0xF80F_2C1C)),
}


@pytest.mark.parametrize("name", NO_INSTRUCTIONS)
def test_no_instruction_is_undefined(el0: El0, name: str) -> None:
    state, code = NO_INSTRUCTIONS[name]
    taken = go(el0, state, code, r2=DATA, r5=DATA, r11=DATA)
    assert (taken.vector, hex(taken.esr)) == (SYNC, hex(UNDEFINED))
    assert (taken.elr, taken.retired) == (CODE + len(NOP[state]), 1)
    assert taken.r[5] == DATA


def test_no_instruction_across_the_end_of_a_page(el0: El0) -> None:
    at = UNMAPPED - 0x1000 - 4
    taken = el0.go(T32, halves(0xBF00) + wide(0xF8CF_A83B), at)
    assert (hex(taken.esr), taken.elr, taken.retired) == (hex(UNDEFINED), at + 2, 1)


def test_a_load_at_the_pc_is_one(el0: El0) -> None:
    taken = go(el0, T32, wide(0xF8DF_3004))  # LDR.W r3, [pc, #4]
    assert taken.retired == 3


# Alignment (Arm ARM E2.6.2), as a power of 2, and whether it is a store

ALIGNED = {
    "vldr d0": (A32, words(0xED90_0B00), 2, False),
    "vldmia {d0-d1}": (A32, words(0xEC90_0B04), 2, False),
    "vstr s0": (A32, words(0xED80_0A00), 2, True),
    "vstr d0": (A32, words(0xED80_0B00), 2, True),
    "lda": (A32, words(0xE190_1C9F), 2, False),
    "stlh": (A32, words(0xE1E0_FC91), 1, True),
    "vld1.8 {d0}, [r0:64]": (A32, words(0xF420_071F), 3, False),
    "vld1.8 {d0-d1}, [r0:128]": (A32, words(0xF420_0A2F), 4, False),
    "vld1.8 {d0-d3}, [r0:256]": (A32, words(0xF420_023F), 5, False),
    "vst1.8 {d0}, [r0:64]": (A32, words(0xF400_071F), 3, True),
    "vld1.16 {d0[1]}, [r0:16]": (A32, words(0xF4A0_045F), 1, False),
    "vld1.32 {d0[0]}, [r0:32]": (A32, words(0xF4A0_083F), 2, False),
    "vld2.8 {d0[1], d1[1]}, [r0:16]": (A32, words(0xF4A0_013F), 1, False),
    "vld4.32 {d0[0], ..}, [r0:128]": (A32, words(0xF4A0_0B2F), 4, False),
    "vld1.16 {d0[]}, [r0:16]": (A32, words(0xF4A0_0C5F), 1, False),
    "vld2.32 {d0[], d1[]}, [r0:64]": (A32, words(0xF4A0_0D9F), 3, False),
    "vld4.32 {d0[], ..}, [r0:128]": (A32, words(0xF4A0_0FDF), 4, False),
    "t32 vldr d0": (T32, wide(0xED90_0B00), 2, False),
    "t32 lda": (T32, wide(0xE8D0_1FAF), 2, False),
    "t32 stlh": (T32, wide(0xE8C0_1F9F), 1, True),
    "t32 vld1.8 {d0-d3}, [r0:256]": (T32, wide(0xF920_023F), 5, False),
}


@pytest.mark.parametrize("name", ALIGNED)
def test_what_asks_for_alignment_has_it(el0: El0, name: str) -> None:
    state, code, alignment, store = ALIGNED[name]
    wrong, right = DATA + 0x40 + (1 << alignment >> 1), DATA + 0x40 + (1 << alignment)
    taken = go(el0, state, code, r0=wrong)
    assert (hex(taken.esr), hex(taken.far), taken.retired) == (hex(ALIGNMENT | store << 6), hex(wrong), 1)
    assert go(el0, state, code, r0=right).retired == 3


ANYWHERE = {
    "ldr": (A32, words(0xE590_1000), 2),
    "ldrh": (A32, words(0xE1D0_10B0), 1),
    "str": (A32, words(0xE580_1000), 2),
    "vld1.16 {d0}": (A32, words(0xF420_074F), 1),
    "vld1.32 {d0[0]}": (A32, words(0xF4A0_080F), 2),
    "t32 ldr": (T32, halves(0x6801), 2),
    "t32 strh": (T32, halves(0x8001), 1),
}


@pytest.mark.parametrize("name", ANYWHERE)
def test_all_else_if_sctlr_says_so(el0: El0, name: str) -> None:
    state, code, alignment = ANYWHERE[name]
    wrong = DATA + 0x40 + (1 << alignment >> 1)
    for sctlr in (SCTLR & ~(ITD | SED), SCTLR & ~(ITD | SED) | SCTLR_A):
        taken = go(el0, state, code, r0=wrong, sctlr=sctlr)
        if sctlr & SCTLR_A:
            assert (hex(taken.esr & ~WRITE), hex(taken.far)) == (hex(ALIGNMENT), hex(wrong))
        else:
            assert taken.retired == 3
        assert go(el0, state, code, r0=DATA + 0x40, sctlr=sctlr).retired == 3


# Tables of bytes


@pytest.mark.parametrize("state", [A32, T32], ids=["a32", "t32"])
@pytest.mark.parametrize(("first", "count"), [(9, 1), (9, 2), (9, 3), (9, 4), (8, 3), (8, 4), (28, 4)])
@pytest.mark.parametrize("extend", [False, True], ids=["vtbl", "vtbx"])
def test_a_table_of_several_registers(el0: El0, state: int, first: int, count: int, *, extend: bool) -> None:
    """VTBL and VTBX of D25 by D27; an index beyond the table gives 0, or leaves the byte."""
    index = bytes([0, 7, 8, 15, 16, 31, 32, 255] if first % 2 else [31, 23, 24, 9, 8, 1, 40, 2])
    if first == 28:  # the last is D31
        index = bytes([0, 9, 18, 27, 31, 5, 200, 13])
    table, before = bytes(range(0x40, 0x60)), bytes(range(0xA0, 0xA8))
    el0.memory.write(DATA, *struct.unpack("<6Q", table + index + before))
    vd, vn = first & 15, first >> 4
    load = 0xEC90_0B00 | vn << 22 | vd << 12 | 2 * count  # VLDMIA r0, {..}
    lookup = 0xF3F0_9800 | first % 16 << 16 | (count - 1) << 8 | vn << 7 | extend << 6 | 0x2B
    code = [load, 0xEDD0_BB08, 0xEDD0_9B0A, lookup, 0xEDC0_9B0C]  # VLDR d27, d25; VTBL or VTBX; VSTR d25
    if state == A32:
        text = words(*code)
    else:
        code[3] |= 0x0C00_0000  # as T32 has it
        text = b"".join(wide(word) for word in code)
    go(el0, state, text, r0=DATA)
    answer = bytes(table[i] if i < 8 * count else before[n] if extend else 0 for n, i in enumerate(index))
    assert struct.pack("<Q", el0.memory.read(DATA + 48)).hex() == answer.hex()


# Fixed-point numbers


@pytest.mark.parametrize("state", [A32, T32], ids=["a32", "t32"])
@pytest.mark.parametrize("unsigned", [False, True], ids=["s32", "u32"])
def test_a_fixed_point_number_is_rounded_to_nearest_in_every_mode(el0: El0, state: int, *, unsigned: bool) -> None:
    """VCVT.F32.S32 and .U32 with 13 bits of fraction, which the library rounds as FPSCR says; VCVT of an integer is."""
    convert, of_integer = 0xEEBA_0AE9 | unsigned << 16, 0xEEB8_0A40 | (not unsigned) << 7
    for value in ((1 << 25) + 1, (1 << 25) + 3, (1 << 32) - 1):
        number = value if unsigned or value < 1 << 31 else value - (1 << 32)
        nearest = struct.pack("<f", number / 8192)
        for mode in range(4):
            text = b"".join(
                words(word) if state == A32 else wide(word)
                for word in (0xEEE1_1A10, 0xEE00_0A10, convert, 0xEE10_2A10, 0xEEF1_3A10)  # VMSR, VMOV; VMOV, VMRS
            )
            taken = go(el0, state, text, r0=value, r1=mode << 22)
            assert struct.pack("<I", taken.r[2]) == nearest
            assert taken.r[3] == mode << 22 | (number != struct.unpack("<f", nearest)[0] * 8192) << 4
    up = b"".join(
        words(word) if state == A32 else wide(word) for word in (0xEEE1_1A10, 0xEE00_0A10, of_integer, 0xEE10_2A10)
    )
    taken = go(el0, state, up, r0=(1 << 25) + 1, r1=1 << 22)
    assert struct.unpack("<f", struct.pack("<I", taken.r[2]))[0] == (1 << 25) + 4


# SCTLR_EL1


@pytest.mark.parametrize("state", [A32, T32], ids=["a32", "t32"])
def test_itd_leaves_fetches_as_they_are(el0: El0, state: int) -> None:
    code = words(0xE3A0_3005) if state == A32 else halves(0x2305)  # MOV r3, #5
    taken = go(el0, state, code, sctlr=SCTLR & ~SED | ITD)
    assert (taken.ec, taken.r[3], taken.retired) == (0x11, 5, 3)


@pytest.mark.parametrize("big", [False, True], ids=["le", "be"])
@pytest.mark.parametrize("state", [A32, T32], ids=["a32", "t32"])
def test_setend_may_be_forbidden_even_where_it_changes_nothing(el0: El0, state: int, *, big: bool) -> None:
    code = words(0xF101_0000 | big << 9) if state == A32 else halves(0xB650 | big << 3)
    assert go(el0, state, code).ec == 0x11
    assert hex(go(el0, state, code, sctlr=SCTLR & ~ITD | SED).esr) == hex(UNDEFINED)
    assert go(el0, state, code).ec == 0x11


# Floating point that CPACR_EL1 traps


@pytest.mark.parametrize("routine", ["a32_floating_point", "t32_floating_point"])
@pytest.mark.parametrize("fpen", range(4))
def test_floating_point_may_be_trapped(el0: El0, routine: str, fpen: int) -> None:
    taken = el0.call(routine, cpacr=fpen << 20)
    if fpen == 3:
        assert (taken.ec, taken.retired) == (0x11, 2)
    else:
        assert (taken.vector, hex(taken.esr), taken.retired) == (SYNC, hex(0x1FE0_0000), 0)


# PSTATE and the PC


@pytest.mark.parametrize("state", [A32, T32], ids=["a32", "t32"])
def test_a_return_to_the_illegal_state(el0: El0, state: int) -> None:
    taken = go(el0, state, NOP[state], flags=1 << 20)
    assert (taken.vector, hex(taken.esr), taken.retired) == (SYNC, hex(0x0E << 26 | IL), 0)
    assert (taken.elr, hex(taken.spsr)) == (CODE, hex(state | 1 << 20))
    assert go(el0, state, NOP[state]).retired == 3


@pytest.mark.parametrize("target", [CODE + 0x202, UNMAPPED + 2], ids=["mapped", "unmapped"])
def test_a_misaligned_pc(el0: El0, target: int) -> None:
    """It comes before what is wrong with the fetch (Arm ARM D1.3.5)."""
    taken = el0.go(A32, words(0xE12F_FF10), r0=target)  # BX r0
    assert (taken.vector, hex(taken.esr), hex(taken.far)) == (SYNC, hex(0x22 << 26 | IL), hex(target))
    assert (hex(taken.elr), taken.retired) == (hex(target), 1)


SS = 1 << 21
STEP = 0x32 << 26 | IL | 0x22
STEP_VALID, STEP_EXCLUSIVE = 1 << 24, 1 << 6


@pytest.mark.parametrize("state", [A32, T32], ids=["a32", "t32"])
@pytest.mark.parametrize("at", [CODE, CODE + 0x20])  # what is before CODE is not EL0's
def test_a_single_step(el0: El0, state: int, at: int) -> None:
    """One instruction, then the exception behind it; a step that is pending comes before any."""
    one = NOP[state] * 4
    taken = el0.go(state, one, at, flags=SS, mdscr=1, oslar=0)
    assert (taken.vector, hex(taken.esr)) == (SYNC, hex(STEP | STEP_VALID))
    assert (taken.elr - at, hex(taken.spsr), taken.retired) == (len(NOP[state]), hex(state), 1)
    taken = el0.go(state, one, at, mdscr=1, oslar=0)
    assert (hex(taken.esr), taken.elr, taken.retired) == (hex(STEP), at, 0)


@pytest.mark.parametrize("state", [A32, T32], ids=["a32", "t32"])
def test_a_stepped_call_and_a_stepped_fault(el0: El0, state: int) -> None:
    taken = el0.go(state, SVC[state], flags=SS, mdscr=1, oslar=0)
    assert (taken.ec, hex(taken.spsr), taken.retired) == (0x11, hex(state), 1)
    load = words(0xE590_1000) if state == A32 else halves(0x6801)
    taken = el0.go(state, load, flags=SS, mdscr=1, oslar=0, r0=UNMAPPED)
    assert (taken.ec, hex(taken.spsr), taken.retired) == (0x24, hex(state | SS), 0)


def test_the_os_lock_stops_steps(el0: El0) -> None:
    assert go(el0, A32, NOP[A32], flags=SS, mdscr=1, oslar=1).retired == 3


# The performance monitors


def test_the_performance_monitors_are_those_of_el1(el0: El0) -> None:
    """PMEVTYPER<n> = SW_INCR, PMCNTENSET, PMCR.E, PMSWINC twice; PMEVCNTR<n> by its number and by PMSELR."""
    for n, write_type, read_count in ((0, 0xEE0E_1F1C, 0xEE1E_3F18), (5, 0xEE0E_1FBC, 0xEE1E_3FB8)):
        code = [
            0xE3A0_1000,  # MOV r1, #0
            write_type,  # MCR p15, 0, r1, c14, c12, n
            0xE3A0_1000 | n,
            0xEE09_1FBC,  # PMSELR = r1
            0xE3A0_2000 | 1 << n,
            0xEE09_2F3C,  # PMCNTENSET = r2
            0xE3A0_1003,
            0xEE09_1F1C,  # PMCR = E, P
            0xEE09_2F9C,  # PMSWINC = r2
            0xEE09_2F9C,
            read_count,
            0xEE19_4F5D,  # r4 = PMXEVCNTR
        ]
        taken = go(el0, A32, words(*code), pmuserenr=1)
        assert (taken.ec, taken.r[3], taken.r[4]) == (0x11, 2, 2)


@pytest.mark.parametrize("read", [0xEE1E_3F18, 0xEE1E_3FB8, 0xEE19_3F5D], ids=["0", "5", "selected"])
def test_event_counters_may_be_read_alone(el0: El0, read: int) -> None:
    """PMUSERENR_EL0.ER (Arm ARM D17.5.17)."""
    assert go(el0, A32, words(read), pmuserenr=8).ec == 0x11
    assert go(el0, A32, words(read), pmuserenr=0).ec == 3
    assert go(el0, A32, words(read & ~(1 << 20)), pmuserenr=8).ec == 3


@pytest.mark.parametrize("code", [(A32, words(0xED80_0B00)), (T32, wide(0xED80_0B00))], ids=["a32", "t32"])
def test_a_store_of_which_each_half_is_aligned_goes_across_pages(el0: El0, code: tuple[int, bytes]) -> None:
    """VSTR d0, [r0]: words are what is asked for, and the whole is in two pages."""
    assert go(el0, *code, r0=DATA + 0x1000 - 4).retired == 3
