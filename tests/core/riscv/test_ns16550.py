"""The 16550A as RISC-V's guests reach it: byte by byte, by wider accesses, and shared by two harts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, final

import pytest
from hypothesis import settings

from baonet.hyp.riscv.cpu import EXIT_NUMBER, EXIT_VALUE, LOAD_ACCESS, STORE_ACCESS, RiscvExit
from tests.core.memory import VmMemory
from tests.core.ns16550 import DR, EMPTY, IER, IIR, LSR, MCR, MSR, RBR, RDI, RECEIVED, SCR, THR, Sharing
from tests.core.riscv import asm
from tests.core.riscv.bench import CLOCKS, CODE, UART, UART_INTERRUPT, Hart, Memory
from tests.core.uarts import GuestUart, held

_PLACE: Final = 64  # bytes of code for an access
_NAMES: Final = {1: "b", 2: "h", 4: "w", 8: "d"}
_LOADS: Final = {1: "bu", 2: "hu", 4: "wu", 8: "d"}


@final
class Uart(GuestUart):
    def __init__(self, memory: Memory | None = None, index: int = 0, clock: str = "host") -> None:
        self.hart = Hart(clock, memory=memory, index=index)
        super().__init__(self.hart.core, 1)
        for number, size in enumerate(_LOADS):
            self.hart.load(CODE + _PLACE * number, asm.load(_LOADS[size], asm.A1, asm.A0), asm.ECALL)
            self.hart.load(CODE + _PLACE * (number + 4), asm.store(_NAMES[size], asm.A1, asm.A0), asm.ECALL)

    def hear(self, reason: int) -> None:
        assert reason == RiscvExit.LINE
        assert self.core.exit[EXIT_NUMBER] == UART_INTERRUPT
        self.told.append(self.core.exit[EXIT_VALUE])

    def read(self, offset: int, size: int = 0) -> int:
        return self._access([*_LOADS].index(size or self.size), offset, 0)

    def write(self, offset: int, value: int, size: int = 0) -> None:
        self._access(4 + [*_LOADS].index(size or self.size), offset, value)

    def _access(self, routine: int, offset: int, value: int) -> int:
        self.core.x[asm.A0], self.core.x[asm.A1] = UART + offset, value
        self.core.pc = CODE + _PLACE * routine
        while (reason := self.hart.stay()) != RiscvExit.ECALL:
            self.hear(reason)
        return self.core.x[asm.A1]


@pytest.mark.parametrize("before", [0, 3])
def test_a_guest_that_is_called_waits_for_nobody_who_has_the_device(before: int) -> None:
    """Who has it may be stopped, and of another VM. The access is done once, later, and counted once."""
    memory = Memory()
    hart = Hart("host", memory=memory)
    hart.enter(*[asm.C_NOP] * before, asm.store("b", asm.A1, asm.A0), asm.C_NOP, asm.ECALL, a0=UART + THR, a1=ord("!"))
    with held(memory):
        seen = {(int(hart.core.run(1 << 40)), hart.core.pc - hart.at, hart.count) for _ in range(5)}
        assert seen <= {(RiscvExit.KICKED, 0, 0), (RiscvExit.BUDGET, 2 * before, before)}
        assert hart.core.take_output() == []
    assert hart.stay() == RiscvExit.ECALL
    assert (hart.core.take_output(), hart.count) == ([(0, 0, b"!")], before + 3)


@pytest.fixture(params=CLOCKS)
def uart(request: pytest.FixtureRequest) -> Uart:
    return Uart(clock=request.param)


def test_what_is_sent_and_what_is_typed(uart: Uart) -> None:
    uart.write(IER, RDI)
    uart.write(THR, ord("!"))
    assert uart.core.take_output() == [(0, 0, b"!")]
    uart.type(b"x")
    assert uart.line() == 1 << 1 | 1
    assert [uart.read(IIR), uart.read(LSR), uart.read(RBR)] == [RECEIVED, EMPTY | DR, ord("x")]
    assert uart.line() == 2 << 1


def test_a_wider_access_is_of_one_register(uart: Uart) -> None:
    uart.write(SCR, 0x5A)
    uart.write(MCR, 0x11223301, 4)
    uart.write(MSR, 0x3412, 2)
    assert [uart.read(MCR, 4), uart.read(MSR, 2), uart.read(SCR)] == [0x01, 0xB0, 0x5A]


def test_a_double_word_is_two_words(uart: Uart) -> None:
    uart.type(b"a")
    uart.write(THR, 0x44434241_34333231, 8)
    assert uart.read(RBR, 8) == 0x01_0000_0061
    assert uart.core.take_output() == [(0, 0, b"1")]


@pytest.mark.parametrize("offset", [8, 0x100, 0xFFF])
@pytest.mark.parametrize("clock", CLOCKS)
def test_a_register_that_it_has_not(clock: str, offset: int) -> None:
    hart = Hart(clock)
    for code, cause in ((asm.load("b", asm.A1, asm.A0), LOAD_ACCESS), (asm.store("b", asm.A1, asm.A0), STORE_ACCESS)):
        assert hart.go(code, asm.ECALL, a0=UART + offset) == RiscvExit.TRAP
        assert (hart.trap.cause, hart.trap.tval) == (cause, UART + offset)
        assert hart.count == 0


class RiscvSharing(Sharing):
    def make(self) -> tuple[VmMemory, Sequence[GuestUart]]:
        memory = Memory(2)
        return memory, [Uart(memory, n) for n in range(2)]


TestSharing = RiscvSharing.TestCase
TestSharing.settings = settings(max_examples=25, stateful_step_count=40, deadline=None)
