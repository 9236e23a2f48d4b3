"""The guest's page tables (privileged architecture, 10.3 to 10.6, Svpbmt, Svnapot): what is found, what faults."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baonet.hyp.riscv import cpu
from baonet.hyp.riscv.cpu import RiscvExit
from tests.core.memory import MASK
from tests.core.riscv import asm
from tests.core.riscv.asm import A0, A1, A2, A3, ECALL, NOP, SATP, SSTATUS, ZERO
from tests.core.riscv.bench import (
    CODE,
    DATA,
    KERNEL,
    RAM,
    TABLES,
    USER,
    A,
    D,
    G,
    Hart,
    R,
    Tables,
    Taken,
    U,
    V,
    W,
    X,
    entry,
)

SV39, SV48, SV57 = 3, 4, 5
modes = pytest.mark.parametrize("levels", [SV39, SV48, SV57], ids=["sv39", "sv48", "sv57"])
VA = 0x12_3456_7000  # of 39 bits
LOAD = (asm.ld(A0, A1), ECALL)
STORE = (asm.sd(A0, A1), ECALL)
SUM, MXR = asm.SSTATUS_SUM, asm.SSTATUS_MXR
OTHER = DATA + 0x1000


def load(hart: Hart, va: int) -> int | Taken:
    assert hart.go(*LOAD, a1=va) == RiscvExit.ECALL, hart.trap
    return hart.taken or hart.core.x[A0]


def store(hart: Hart, va: int, value: int) -> Taken | None:
    assert hart.go(*STORE, a1=va, a0=value) == RiscvExit.ECALL, hart.trap
    return hart.taken


def fetch(hart: Hart, va: int) -> Taken | None:
    """An ECALL there, or the handler's."""
    assert hart.go(asm.jalr(ZERO, A1), a1=va) == RiscvExit.ECALL, hart.trap
    return hart.taken


def allowed(hart: Hart, va: int) -> str:
    """Of r, w and x."""
    result = "r" if isinstance(load(hart, va), int) else ""
    result += "w" if store(hart, va, 0x73) is None else ""  # an ECALL's bytes
    return result + ("x" if fetch(hart, va) is None else "")


def forget(hart: Hart) -> None:
    hart.core.fence((0,), cpu.FENCE_VMA, 0, 0, 0)


@modes
@pytest.mark.parametrize("sign", [0, 1])
def test_an_address_of_the_full_width(levels: int, sign: int) -> None:
    hart = Hart(levels=levels)
    bits = 12 + 9 * levels
    va = (1 << bits - 1) - 0x1000 if not sign else MASK + 1 - (1 << bits - 1)
    hart.tables.map(va, DATA)
    hart.memory.write(DATA + 8, 77)
    assert load(hart, va + 8) == 77
    for beyond in (va ^ 1 << bits - 1, va ^ 1 << 63, va ^ 1 << bits):
        assert load(hart, beyond + 8) == Taken(cpu.LOAD_PAGE, hart.at, beyond + 8)
        assert store(hart, beyond + 8, 1) == Taken(cpu.STORE_PAGE, hart.at, beyond + 8)
        assert fetch(hart, beyond + 8) == Taken(cpu.FETCH_PAGE, beyond + 8, beyond + 8)


@modes
def test_superpages(levels: int) -> None:
    """One of each size, at an address of its own, leads to RAM; the offset in it is the address's."""
    hart = Hart(levels=levels)
    for level in range(1, levels):
        size = 1 << 12 + 9 * level
        va, pa = (5 << 30) + size if level < 3 else size, DATA & -size
        hart.tables.map(va, pa, level=level)
        hart.memory.write(DATA + 16, 1000 + level)
        assert load(hart, va + (DATA + 16 - pa)) == 1000 + level, level


@modes
def test_a_superpage_that_is_not_aligned_is_none(levels: int) -> None:
    hart = Hart(levels=levels)
    for level in range(1, levels):
        size = 1 << 12 + 9 * level
        va = size if level > 2 else 5 << 30
        place = hart.tables.map(va, RAM & -size, level=level)
        for bit in range(10, 10 + 9 * level):
            hart.memory.write(place, entry(RAM & -size) | 1 << bit)
            forget(hart)
            assert load(hart, va) == Taken(cpu.LOAD_PAGE, hart.at, va), (level, bit)
        hart.memory.write(place, 0)


@pytest.mark.parametrize("bits", range(32))
def test_permissions_of_a_page(bits: int) -> None:
    """Every combination of R, W, X, U and A (D is set), in S mode without SUM and MXR."""
    r, w, x, u, a = (bits >> n & 1 for n in range(5))
    hart = Hart(levels=SV39)
    value = V | D | (r and R) | (w and W) | (x and X) | (u and U) | (a and A)
    hart.memory.write(DATA, 0x73)
    hart.tables.map(VA, DATA, value)
    reserved, table = w and not r, not (r or w or x)
    readable = not (reserved or table or u or not a)
    expected = ("r" if readable and r else "") + ("w" if readable and w else "") + ("x" if readable and x else "")
    if table:
        hart.tables.map(VA, TABLES + 0xF_F000, value)  # where there is nothing: a table at the last level is none
    assert allowed(hart, VA) == expected


@pytest.mark.parametrize("bits", [U, A, D, U | A, A | D, G], ids=bin)
def test_what_a_pointer_to_a_table_must_not_have(bits: int) -> None:
    """U, A and D of one are reserved (10.4.1); G is not."""
    hart = Hart(levels=SV39)
    hart.tables.map(VA, DATA)
    place = hart.tables.place(VA, 1)
    hart.memory.write(place, hart.memory.read(place) | bits)
    forget(hart)
    if bits == G:
        assert load(hart, VA) == 0
    else:
        assert load(hart, VA) == Taken(cpu.LOAD_PAGE, hart.at, VA)


@pytest.mark.parametrize("bit", range(54, 64))
@pytest.mark.parametrize("level", [0, 1, 2])
def test_the_upper_bits_of_an_entry(bit: int, level: int) -> None:
    """54 to 60 are reserved, and N (63) with other numbers; of PBMT (61, 62) 1 and 2 say what changes nothing here."""
    hart = Hart(levels=SV39)
    pa = DATA if level == 0 else RAM
    va = VA & -(1 << 12 + 9 * level)
    place = hart.tables.map(va, pa, level=level)
    hart.memory.write(place, hart.memory.read(place) | 1 << bit)
    assert (load(hart, va) == Taken(cpu.LOAD_PAGE, hart.at, va)) == (bit not in (61, 62))


@pytest.mark.parametrize("bit", range(54, 64))
def test_the_upper_bits_of_a_pointer(bit: int) -> None:
    hart = Hart(levels=SV39)
    hart.tables.map(VA, DATA)
    place = hart.tables.place(VA, 1)
    hart.memory.write(place, hart.memory.read(place) | 1 << bit)
    assert load(hart, VA) == Taken(cpu.LOAD_PAGE, hart.at, VA)


def test_both_bits_of_the_memory_type_are_reserved() -> None:
    hart = Hart(levels=SV39)
    place = hart.tables.map(VA, DATA)
    hart.memory.write(place, entry(DATA) | 3 << 61)
    assert load(hart, VA) == Taken(cpu.LOAD_PAGE, hart.at, VA)


def test_a_page_of_64_kib() -> None:
    """Svnapot: sixteen entries that are the same, with 8 in the lowest bits of the number."""
    hart = Hart(levels=SV39)
    va = VA & ~0xFFFF
    for n in range(16):
        hart.memory.write(DATA + 0x1_0000 + 0x1000 * n, 100 + n)
        hart.memory.write(hart.tables.place(va + 0x1000 * n), entry(DATA + 0x1_8000) | 1 << 63)
    assert [load(hart, va + 0x1000 * n) for n in range(16)] == [100 + n for n in range(16)]
    for n in range(16):
        hart.memory.write(hart.tables.place(va + 0x1000 * n), entry(DATA) | 1 << 63)
    assert hart.go(asm.sfence_vma(A1), ECALL, a1=va + 0x3000) == RiscvExit.ECALL
    assert load(hart, va + 0xF000) == Taken(cpu.LOAD_PAGE, hart.at, va + 0xF000), "it stands for all of them"
    for low in (0, 1, 4, 9, 15):
        hart.memory.write(hart.tables.place(va), entry(DATA + 0x1000 * low) | 1 << 63)
        forget(hart)
        assert load(hart, va) == Taken(cpu.LOAD_PAGE, hart.at, va), low


# U mode, SUM and MXR


def test_sum_lets_s_mode_load_and_store_but_never_fetch() -> None:
    hart = Hart(levels=SV39)
    hart.tables.map(VA, DATA, USER)
    assert allowed(hart, VA) == ""
    for _ in range(3):
        hart.set(SSTATUS, SUM)
        assert allowed(hart, VA) == "rw"
        hart.set(SSTATUS, 0)
        assert allowed(hart, VA) == ""


def test_sum_changes_between_two_loads_of_one_page() -> None:
    hart = Hart(levels=SV39)
    hart.tables.map(VA, DATA, USER)
    hart.memory.write(DATA, 5)
    code = (asm.csrrs(ZERO, SSTATUS, A2), asm.ld(A0, A1), asm.csrrc(ZERO, SSTATUS, A2), asm.ld(A3, A1), ECALL)
    assert hart.go(*code, a1=VA, a2=SUM) == RiscvExit.ECALL
    assert hart.core.x[A0] == 5
    assert hart.taken == Taken(cpu.LOAD_PAGE, CODE + 12, VA)


def test_mxr_makes_what_is_executable_readable() -> None:
    hart = Hart(levels=SV39)
    hart.memory.write(DATA, 0x73)
    hart.tables.map(VA, DATA, X | A | D)
    assert allowed(hart, VA) == "x"
    hart.set(SSTATUS, MXR)
    assert allowed(hart, VA) == "rx"
    hart.set(SSTATUS, 0)
    assert allowed(hart, VA) == "x"


@pytest.mark.parametrize(("bits", "name"), [(USER, "rwx"), (KERNEL, ""), (X | A | U, "x"), (R | A | U, "r")])
def test_what_u_mode_may(bits: int, name: str) -> None:
    hart = Hart(levels=SV39)
    code = 0x10_0000
    hart.tables.map(code, OTHER, USER)
    hart.tables.map(VA, DATA, bits)
    hart.memory.write(DATA, 0x73)
    found = ""
    for n, (letter, instruction, cause) in enumerate(
        (
            ("r", asm.ld(A0, A1), cpu.LOAD_PAGE),
            ("w", asm.sd(A0, A1), cpu.STORE_PAGE),
            ("x", asm.jalr(ZERO, A1), cpu.FETCH_PAGE),
        )
    ):
        hart.load(OTHER + 16 * n, instruction, ECALL)
        hart.enter(at=code + 16 * n, user=True, a1=VA, a0=0x73)
        assert hart.stay() == RiscvExit.ECALL
        assert hart.taken is not None
        if hart.taken.cause == cpu.ECALL_FROM_U:
            found += letter
        else:
            assert hart.taken.cause == cause
            assert hart.taken.tval == VA
        hart.core.pc = CODE
        hart.set(SSTATUS, 0)
    assert found == name


# A and D (Bao leaves the update by hardware off)


def test_entries_are_never_written_to() -> None:
    hart = Hart(levels=SV39)
    for bits in (R | W | X, R | W | X | A, R | W | X | D, KERNEL):
        place = hart.tables.map(VA, DATA, bits)
        hart.memory.write(DATA, 0x73)
        forget(hart)
        can = allowed(hart, VA)
        assert can == ("" if not bits & A else "rwx" if bits & D else "rx")
        assert hart.memory.read(place) == entry(DATA, bits)


def test_a_page_that_was_read_is_not_writable_without_d() -> None:
    """The load has put it into the TLB; the store looks for itself."""
    hart = Hart(levels=SV39)
    hart.tables.map(VA, DATA, R | W | X | A)
    for _ in range(3):
        assert load(hart, VA) == 0
        assert store(hart, VA, 1) == Taken(cpu.STORE_PAGE, hart.at, VA)


# SATP


def test_modes_that_are_not_there_are_not_taken() -> None:
    """WARL: a write of another mode changes nothing (10.1.11)."""
    hart = Hart()
    tables = Tables(hart.memory)
    hart.set(SATP, tables.root >> 12)
    assert hart.get(SATP) in (tables.root >> 12, 0)
    for mode in (1, 2, 3, 4, 5, 6, 7, 11, 12, 15):
        before = hart.get(SATP)
        hart.set(SATP, mode << 60 | 0x1234)
        assert hart.get(SATP) == before, mode


@modes
def test_satp_is_what_was_written(levels: int) -> None:
    hart = Hart(levels=levels)
    value = hart.tables.satp
    assert hart.get(SATP) == value
    hart.set(SATP, value | 0xABCD << 44)
    assert hart.get(SATP) >> 60 == levels + 5
    assert hart.get(SATP) & (1 << 44) - 1 == value & (1 << 44) - 1


def test_without_translation_an_address_is_a_guest_physical_one() -> None:
    hart = Hart()
    hart.memory.write(DATA, 9)
    assert load(hart, DATA) == 9
    assert hart.go(*LOAD, a1=DATA | 1 << 60) == RiscvExit.TRAP
    assert hart.trap.cause == cpu.LOAD_GUEST_PAGE


def test_translation_is_turned_off_and_on() -> None:
    hart = Hart(levels=SV39)
    hart.tables.map(VA, DATA)
    hart.memory.write(DATA, 9)
    satp = hart.get(SATP)
    for _ in range(3):
        assert load(hart, VA) == 9
        hart.set(SATP, 0)
        assert hart.go(*LOAD, a1=VA) == RiscvExit.TRAP
        hart.set(SATP, satp)


def test_another_root_is_another_space() -> None:
    """With SFENCE.VMA after each write of SATP, as software that uses no ASIDs does it."""
    hart = Hart(levels=SV39)
    second = Tables(hart.memory, SV39, TABLES + 0x8_0000)
    second.map(RAM, RAM, level=1)
    second.map(RAM + 0x20_0000, RAM + 0x20_0000, level=1)
    hart.tables.map(VA, DATA)
    second.map(VA, OTHER)
    hart.memory.write(DATA, 1)
    hart.memory.write(OTHER, 2)
    for _ in range(4):
        hart.translate(second)
        assert load(hart, VA) == 2
        hart.translate(hart.tables)
        assert load(hart, VA) == 1


# SFENCE.VMA


@pytest.mark.parametrize("rs1", [ZERO, A1], ids=["everything", "an address"])
@pytest.mark.parametrize("rs2", [ZERO, A2], ids=["all", "an ASID"])
@pytest.mark.parametrize("offset", [0, 0xFF8])
def test_an_entry_that_was_changed(rs1: int, rs2: int, offset: int) -> None:
    hart = Hart(levels=SV39)
    place = hart.tables.map(VA, DATA)
    hart.memory.write(DATA + offset, 1)
    hart.memory.write(OTHER + offset, 2)
    code = (asm.ld(A0, A1), asm.sd(A3, asm.A4), asm.sfence_vma(rs1, rs2), asm.ld(A2, A1), ECALL)
    assert hart.go(*code, a1=VA + offset, a2=0, a3=entry(OTHER), a4=place) == RiscvExit.ECALL
    assert (hart.core.x[A0], hart.core.x[A2]) == (1, 2)


@pytest.mark.parametrize("level", [1, 2])
@pytest.mark.parametrize("other", [0, 0x1000, 0x15_5000, 0x1F_F000])
def test_an_address_in_a_superpage_stands_for_all_of_it(level: int, other: int) -> None:
    """Pages of it have been used one by one; the fence names an address of it that is not one of them."""
    hart = Hart(levels=SV39)
    size = 1 << 12 + 9 * level
    va = (VA & -size) + (0 if level == 1 else RAM & size - 1)
    place = hart.tables.map(va & -size, RAM & -size, level=level)
    used = [0x1000 * n for n in (1, 0x155, 0x1FE)]
    for offset in used:
        assert load(hart, va + offset) == hart.memory.read(RAM + offset)
    hart.memory.write(place, 0)
    assert hart.go(asm.sfence_vma(A1), ECALL, a1=va + other) == RiscvExit.ECALL
    for offset in used:
        assert load(hart, va + offset) == Taken(cpu.LOAD_PAGE, hart.at, va + offset)


def test_a_fence_of_a_page_after_it_was_split() -> None:
    """A superpage becomes a table of pages, of which the fence names each."""
    hart = Hart(levels=SV39)
    size = 1 << 21
    va = VA & -size
    hart.tables.map(va, RAM, level=1)
    assert load(hart, va + 0x20_0000 - 8) == 0
    assert load(hart, va + 0x10_0000) == hart.memory.read(RAM + 0x10_0000)
    table = TABLES + 0xF_0000
    hart.memory.write(table + 8 * 0x1FF, entry(DATA))
    hart.memory.write(DATA + 0xFF8, 3)
    hart.memory.write(hart.tables.place(va, 1), entry(table, 0))
    assert hart.go(asm.sfence_vma(A1), ECALL, a1=va + 0x1F_F000) == RiscvExit.ECALL
    assert load(hart, va + 0x20_0000 - 8) == 3


def test_code_that_another_mapping_leads_to() -> None:
    """What was translated at an address is not what runs there when that leads elsewhere."""
    hart = Hart(levels=SV39)
    place = hart.tables.map(VA, DATA)
    hart.load(DATA, asm.c_li(A0, 1), ECALL)
    hart.load(OTHER, asm.c_li(A0, 2), ECALL)
    for target in (DATA, OTHER) * 3:
        code = (asm.sd(A3, A2), asm.sfence_vma(A1), asm.jalr(ZERO, A1))
        assert hart.go(*code, a1=VA, a2=place, a3=entry(target)) == RiscvExit.ECALL
        assert hart.core.x[A0] == (1 if target == DATA else 2)


@given(st.data())
@settings(max_examples=60)
def test_a_fence_reaches_what_it_names(data: st.DataObject) -> None:
    """Some pages and superpages are used, changed and fenced in any order: what was fenced is what the tables say."""
    hart = Hart(levels=SV39)
    big = VA & -(1 << 21)
    pages = [big + (1 << 21) + 0x1000 * n for n in range(3)]
    target = dict.fromkeys(pages, 0)
    for n in range(4):
        hart.memory.write(DATA + 0x1000 * n, 10 + n)
    for page in pages:
        hart.tables.map(page, DATA)
    for _ in range(data.draw(st.integers(1, 12))):
        page = data.draw(st.sampled_from(pages))
        if data.draw(st.booleans()):
            assert load(hart, page) == 10 + target[page]
        else:
            target[page] = data.draw(st.integers(0, 3))
            hart.tables.map(page, DATA + 0x1000 * target[page])
            fence = asm.sfence_vma(A1) if data.draw(st.booleans()) else asm.sfence_vma()
            assert hart.go(fence, ECALL, a1=page + data.draw(st.integers(0, 0xFFF))) == RiscvExit.ECALL
    for page in pages:
        assert load(hart, page) == 10 + target[page]


@pytest.mark.parametrize("clock", ["host", "virtual"])
def test_what_the_hypervisor_asks_of_translation(clock: str) -> None:
    hart = Hart(clock, levels=SV39)
    hart.tables.map(VA, DATA, R | A)
    assert hart.go(NOP, ECALL) == RiscvExit.ECALL
    assert hart.core.translate(VA + 0x123) == DATA + 0x123
    assert hart.core.translate(VA + 0x123, True) is None
    assert hart.core.translate(VA + 0x1000) is None
    assert hart.core.translate(CODE, True) == CODE
    assert hart.core.code(CODE)[:8] == NOP + ECALL
    assert hart.core.code(VA) == b""
