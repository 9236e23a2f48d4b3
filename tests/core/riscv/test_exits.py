"""Emulated windows, and why a RISC-V core leaves its guest."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from baonet.hyp.riscv import cpu
from baonet.hyp.riscv.cpu import RiscvExit
from tests.core.memory import MASK
from tests.core.riscv import asm
from tests.core.riscv.asm import A0, A1, A2, A3, C_NOP, ECALL, NOP, ZERO
from tests.core.riscv.bench import CLOCKS, UART, Hart

clocks = pytest.mark.parametrize("clock", CLOCKS)
WINDOW = 0x0C00_0000
VALUE = 0x8877_6655_FFEE_DDCC


class Window:
    """Answers loads with a value and remembers stores; None: it does not want to."""

    def __init__(self, hart: Hart, answer: int | None = VALUE, *, accepts: bool = True) -> None:
        self.answer, self.accepts = answer, accepts
        self.reads: list[tuple[int, int]] = []
        self.writes: list[tuple[int, int, int]] = []
        self.outbox: list[int] = []
        hart.core.emulate(((WINDOW, 0x1000), (WINDOW + 0x20_0000, 0x1000)), self.read, self.write, self.outbox)

    def read(self, ipa: int, size: int) -> int | None:
        self.reads.append((ipa, size))
        return self.answer

    def write(self, ipa: int, size: int, value: int) -> bool:
        self.writes.append((ipa, size, value))
        return self.accepts


class Load(NamedTuple):
    name: str
    instruction: bytes
    size: int


LOADS = (
    *(
        Load(f"l{size}", asm.load(size, A0, A1, 4 if size != "d" else 8), 1 << "bhwd".index(size[0]))
        for size in ("b", "h", "w", "d", "bu", "hu", "wu")
    ),
    Load("c.lw", asm.c_lw(A0, A1), 4),
)
STORES = (
    *(Load(f"s{size}", asm.store(size, A0, A1, 8), 1 << "bhwd".index(size)) for size in "bhwd"),
    Load("c.sw", asm.c_sw(A0, A1), 4),
)
UNDECODED = {
    "c.ld": asm.c_ld(A0, A1),
    "c.sd": asm.c_sd(A0, A1),
    "flw": asm.flw(1, A1),
    "fsd": asm.fsd(1, A1),
    "lr.w": asm.amo("lr", "w", A0, ZERO, A1),
    "amoadd.w": asm.amo("add", "w", A0, A2, A1),
}


@clocks
@pytest.mark.parametrize("load", LOADS, ids=lambda load: load.name)
def test_a_load_is_answered_as_it_is(clock: str, load: Load) -> None:
    """Bao puts the whole value into the register: it is not sign-extended, nor cut off."""
    hart = Hart(clock)
    window = Window(hart)
    assert hart.go(C_NOP, load.instruction, C_NOP, ECALL, a1=WINDOW) == RiscvExit.ECALL
    offset = 0 if load.name.startswith("c.") else 8 if load.name == "ld" else 4
    assert window.reads == [(WINDOW + offset, load.size)]
    assert hex(hart.core.x[A0]) == hex(VALUE)
    assert hart.count == 4


@clocks
@pytest.mark.parametrize("store", STORES, ids=lambda store: store.name)
def test_a_store(clock: str, store: Load) -> None:
    """Of the whole register, whatever is stored of it; the size tells."""
    hart = Hart(clock)
    window = Window(hart)
    assert hart.go(C_NOP, store.instruction, C_NOP, ECALL, a1=WINDOW, a0=VALUE) == RiscvExit.ECALL
    offset = 0 if store.name.startswith("c.") else 8
    assert [each[:2] for each in window.writes] == [(WINDOW + offset, store.size)]
    mask = (1 << 8 * store.size) - 1
    assert window.writes[0][2] & mask == VALUE & mask
    assert hart.count == 4


@clocks
def test_a_load_into_x0_is_asked_for(clock: str) -> None:
    hart = Hart(clock)
    window = Window(hart)
    assert hart.go(asm.load("w", ZERO, A1), asm.add(A0, ZERO, ZERO), ECALL, a1=WINDOW) == RiscvExit.ECALL
    assert window.reads == [(WINDOW, 4)]
    assert hart.core.x[A0] == 0


@clocks
@pytest.mark.parametrize("name", UNDECODED)
def test_what_bao_does_not_decode_is_a_trap(clock: str, name: str) -> None:
    hart = Hart(clock)
    window = Window(hart)
    assert hart.go(C_NOP, UNDECODED[name], ECALL, a1=WINDOW) == RiscvExit.TRAP
    assert (window.reads, window.writes) == ([], [])
    loads = name in ("c.ld", "flw", "lr.w")
    assert hart.trap[:4] == (cpu.LOAD_GUEST_PAGE if loads else cpu.STORE_GUEST_PAGE, hart.at + 2, WINDOW, WINDOW)
    assert hart.count == 1


@clocks
def test_what_the_window_does_not_want_is_a_trap(clock: str) -> None:
    hart = Hart(clock)
    window = Window(hart, None, accepts=False)
    assert hart.go(NOP, asm.load("w", A0, A1), ECALL, a1=WINDOW + 4, a0=3) == RiscvExit.TRAP
    assert hart.trap[:4] == (cpu.LOAD_GUEST_PAGE, hart.at + 4, WINDOW + 4, WINDOW + 4)
    assert hart.trap.instruction == int.from_bytes(asm.load("w", A0, A1), "little")
    assert (hart.core.x[A0], hart.count) == (3, 1)
    assert hart.go(NOP, asm.store("w", A0, A1), ECALL, a1=WINDOW + 4) == RiscvExit.TRAP
    assert hart.trap[:4] == (cpu.STORE_GUEST_PAGE, hart.at + 4, WINDOW + 4, WINDOW + 4)
    assert (len(window.reads), len(window.writes)) == (1, 1)


@clocks
def test_what_is_left_in_the_outbox_ends_the_stay(clock: str) -> None:
    """Behind the instruction, which is done."""
    hart = Hart(clock)
    window = Window(hart)
    hart.enter(asm.store("w", A0, A1), asm.c_addi(A2, 1), ECALL, a1=WINDOW, a2=0)
    window.outbox.append(1)
    assert RiscvExit(hart.step(1000)) == RiscvExit.KICKED
    assert len(window.writes) == 1
    window.outbox.clear()
    assert hart.stay() == RiscvExit.ECALL
    assert (len(window.writes), hart.core.x[A2], hart.count) == (1, 1, 3)


@clocks
def test_what_a_callback_raises_is_raised(clock: str) -> None:
    hart = Hart(clock)

    def read(ipa: int, size: int) -> int:
        raise ZeroDivisionError

    hart.core.emulate(((WINDOW, 0x1000),), read, lambda *_: True, [])
    hart.enter(C_NOP, asm.load("w", A0, A1), ECALL, a1=WINDOW)
    with pytest.raises(ZeroDivisionError):
        hart.step(1000)
    assert hart.core.pc == hart.at + 2


@clocks
@pytest.mark.parametrize("levels", [0, 3])
def test_every_access_of_a_loop_is_made_once(clock: str, levels: int) -> None:
    hart = Hart(clock, levels=levels)
    if levels:
        hart.tables.map(WINDOW, WINDOW)
    window = Window(hart, 1)
    body = (asm.load("w", A0, A1), asm.add(A2, A2, A0), asm.c_sw(A2, A1), asm.c_addi(A3, -1))
    code = (*body, asm.bne(A3, ZERO, -sum(map(len, body))), ECALL)
    assert hart.go(*code, a1=WINDOW, a3=500, a2=0) == RiscvExit.ECALL
    assert len(window.reads) == 500
    assert [value & 0xFFFF_FFFF for _, _, value in window.writes] == list(range(1, 501))
    assert hart.count == 500 * 5 + 1


@clocks
def test_a_call_is_behind_the_instruction_and_leaves_all_registers(clock: str) -> None:
    hart = Hart(clock)
    registers = {f"a{n}": MASK - n for n in range(8)}
    assert hart.go(C_NOP, ECALL, asm.c_addi(A0, 1), ECALL, user=False, **registers) == RiscvExit.ECALL
    assert hart.core.pc == hart.at + 6
    assert [hart.core.x[A0 + n] for n in range(8)] == list(registers.values())
    hart.core.x[A0], hart.core.x[A1] = 10, 20
    assert hart.stay() == RiscvExit.ECALL
    assert (hart.core.x[A0], hart.core.x[A1], hart.count) == (11, 20, 4)


@clocks
def test_unassigned_memory_is_an_access_fault(clock: str) -> None:
    """In a window that the VM has, where no device answers."""
    hart = Hart(clock)
    hart.core.map_unassigned(UART + 0x1000, 0x1000)
    for code, cause in ((asm.load("w", A0, A1), cpu.LOAD_ACCESS), (asm.store("w", A0, A1), cpu.STORE_ACCESS)):
        assert hart.go(C_NOP, code, ECALL, a1=UART + 0x1004) == RiscvExit.TRAP
        assert hart.trap[:3] == (cause, hart.at + 2, UART + 0x1004)
        assert hart.count == 1
