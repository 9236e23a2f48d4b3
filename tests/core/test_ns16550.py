"""The UART, National Semiconductor's 16550A: its registers as QEMU's board has them, its interrupts and FIFOs, and that
the cores which share it see one device, whatever they do with it in turn.

What is expected of registers was read on QEMU's virt machine of RISC-V.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baonet.core import _node
from baonet.machine import UARTS
from tests.core.bench import UART, UART_INTID, Memory
from tests.core.bench_uart import Uart
from tests.core.memory import VmMemory
from tests.core.ns16550 import (
    BI,
    BREAK,
    CLEAR_RX,
    CLEAR_TX,
    DLAB,
    DLL,
    DLM,
    DR,
    DTR,
    EMPTY,
    FCR,
    FIFOS,
    FULL,
    IER,
    IIR,
    LCR,
    LINE,
    LOOP,
    LSR,
    MCR,
    MODEM,
    MSR,
    NONE,
    OE,
    OUT1,
    OUT2,
    RBR,
    RDI,
    RECEIVED,
    REGISTERS,
    RLSI,
    RTS,
    SCR,
    THR,
    THRE,
    THRI,
    TIMEOUT,
    Sharing,
)
from tests.core.uarts import GuestUart
from tests.examples import examples


@pytest.fixture
def uart() -> Uart:
    return Uart(Memory(kind="16550"))


def registers(uart: Uart, base: int = 0) -> dict[str, int]:
    plain = {"ier": IER, "iir": IIR, "lcr": LCR, "mcr": MCR, "lsr": LSR, "msr": MSR, "scr": SCR}
    found = {name: uart.read(base + offset) for name, offset in plain.items()}
    uart.write(base + LCR, DLAB)
    return found | {"dll": uart.read(base + DLL), "dlm": uart.read(base + DLM)}


def test_every_kind_of_uart_can_be_mapped(uart: Uart) -> None:
    for n, kind in enumerate(UARTS, 1):
        assert uart.core.map_uart(kind, UART + 0x1000 * n, bytearray(_node.UART_STATE_SIZE), 0, 34) == n
    with pytest.raises(ValueError, match="there is no UART of kind '8250'"):
        uart.core.map_uart("8250", UART + 0x8000, bytearray(_node.UART_STATE_SIZE), 0, 34)


def test_reset_values(uart: Uart) -> None:
    expected = {"ier": 0, "iir": 1, "lcr": 0, "mcr": OUT2, "lsr": EMPTY, "msr": 0xB0, "scr": 0, "dll": 0x0C, "dlm": 0}
    assert registers(uart) == expected


def test_the_console_is_as_the_firmware_leaves_it() -> None:
    """OpenSBI, in front of Bao."""
    uart = Uart(Memory(kind="16550"))
    uart.core.map_uart("16550", UART + 0x1000, bytearray(_node.UART_STATE_SIZE), 0, UART_INTID, True)
    expected = {"ier": 0, "iir": 0xC1, "lcr": 3, "mcr": 0, "lsr": EMPTY, "msr": 0xB0, "scr": 0, "dll": 2, "dlm": 0}
    assert registers(uart, 0x1000) == expected


@pytest.mark.parametrize(("offset", "bits"), [(IER, 0x0F), (LCR, 0xFF), (MCR, 0x1F), (SCR, 0xFF)])
def test_registers_have_their_widths(uart: Uart, offset: int, bits: int) -> None:
    uart.write(offset, 0xFF)
    assert uart.read(offset) == bits
    uart.write(offset, 0)
    assert uart.read(offset) == 0


def test_the_divisor_is_behind_dlab(uart: Uart) -> None:
    uart.write(LCR, DLAB)
    uart.write(DLL, 0x34)
    uart.write(DLM, 0x12)
    assert [uart.read(DLL), uart.read(DLM)] == [0x34, 0x12]
    uart.write(LCR, 0)
    assert [uart.read(RBR), uart.read(IER)] == [0, 0]
    assert uart.core.take_output() == []


def test_what_cannot_be_written_is_not(uart: Uart) -> None:
    for offset in (LSR, MSR):
        before = uart.read(offset)
        uart.write(offset, ~before & 0xFF)
        assert uart.read(offset) == before


def test_a_wider_load_gives_one_register(uart: Uart) -> None:
    uart.write(SCR, 0x5A)
    uart.write(LCR, 0x1B)
    uart.write(MCR, 0x03)
    assert [uart.read(MCR, 4), uart.read(MSR, 2), uart.read(SCR)] == [0x03, 0xB0, 0x5A]


def test_a_wider_store_writes_one_register(uart: Uart) -> None:
    uart.write(SCR, 0x5A)
    uart.write(MCR, 0x11223301, 4)
    assert [uart.read(MCR), uart.read(SCR)] == [0x01, 0x5A]
    uart.write(MSR, 0x3412, 2)
    assert uart.read(SCR) == 0x5A
    uart.write(THR, 0x44434241, 4)
    assert uart.core.take_output() == [(0, 0, b"A")]


def test_a_double_word_is_two_words(uart: Uart) -> None:
    """Which the library makes of it: the registers at its address and 4 behind it."""
    uart.write(MCR, 0x03)
    uart.type(b"a")
    assert uart.read(RBR, 8) == 0x03_0000_0061
    uart.write(THR, 0x44434241_34333231, 8)
    assert [uart.read(MCR), uart.core.take_output()] == [0x01, [(0, 0, b"1")]]


def test_what_is_sent_comes_out_with_its_position(uart: Uart) -> None:
    for byte in b"hello":
        uart.write(THR, byte)
        assert uart.read(LSR) == EMPTY
    assert uart.core.take_output() == [(0, 0, b"hello")]
    uart.write(THR, ord("!"))
    assert uart.core.take_output() == [(0, 5, b"!")]


def test_input_is_read_in_order(uart: Uart) -> None:
    uart.write(FCR, FIFOS)
    assert uart.type(b"abc") == 3
    assert uart.read(LSR) == EMPTY | DR
    assert [uart.read(RBR) for _ in range(3)] == list(b"abc")
    assert uart.read(LSR) == EMPTY
    assert uart.read(RBR) == 0


def test_no_more_input_than_there_is_room_for(uart: Uart) -> None:
    assert uart.type(bytes(range(256)) * 300) == FULL
    assert uart.type(b"x") == 0
    assert uart.type(BREAK) == 0
    assert uart.read(RBR) == 0
    assert uart.type(b"xy") == 1


def test_what_holds_the_line_up_is_told(uart: Uart) -> None:
    assert uart.core.uarts() == [(0, 0, 0)]
    uart.write(IER, RDI | THRI)
    uart.type(b"three")
    assert uart.core.uarts() == [(RDI | THRI, RDI | THRI, 5)]
    uart.write(IER, RDI)
    uart.read(RBR)
    assert uart.core.uarts() == [(RDI, RDI, 4)]


@pytest.mark.parametrize(("trigger", "level"), [(0, 1), (1, 4), (2, 8), (3, 14)])
def test_the_trigger_level_tells_the_interrupts_of_input_apart(uart: Uart, trigger: int, level: int) -> None:
    """Too few for it have been there for the character timeout, as they take no time to come."""
    uart.write(FCR, FIFOS | trigger << 6)
    uart.write(IER, RDI)
    for n in range(1, 17):
        uart.type(b"x")
        assert uart.read(IIR) == 0xC0 | (RECEIVED if n >= level else TIMEOUT)
    assert uart.line() == 1 << 1 | 1
    for n in range(15, 0, -1):
        uart.read(RBR)
        assert uart.read(IIR) == 0xC0 | (RECEIVED if n >= level else TIMEOUT)
    assert uart.line() is None
    uart.read(RBR)
    assert uart.read(IIR) == 0xC0 | NONE
    assert uart.line() == 2 << 1


def test_without_fifos_there_is_one_register_and_no_timeout(uart: Uart) -> None:
    uart.write(IER, RDI)
    uart.type(b"ab")
    assert [uart.read(IIR), uart.read(RBR), uart.read(LSR)] == [RECEIVED, ord("a"), EMPTY | DR]
    assert [uart.read(RBR), uart.read(IIR), uart.read(LSR)] == [ord("b"), NONE, EMPTY]


def test_the_interrupt_of_output_is_told_once(uart: Uart) -> None:
    uart.write(IER, THRI)
    assert uart.line() == 1 << 1 | 1
    assert uart.read(IIR) == THRE
    assert uart.line() == 2 << 1
    assert uart.read(IIR) == NONE
    uart.write(THR, 0x41)
    assert uart.line() == 3 << 1 | 1
    uart.write(THR, 0x42)
    assert uart.line() is None, "it has been empty since"
    assert [uart.read(IIR), uart.read(IIR)] == [THRE, NONE]
    uart.write(IER, THRI)
    assert uart.read(IIR) == NONE, "it was enabled before"
    uart.write(IER, 0)
    uart.write(IER, THRI)
    assert uart.read(IIR) == THRE, "enabled anew"
    uart.write(FCR, CLEAR_TX)
    assert [uart.read(IIR), uart.read(IIR)] == [THRE, NONE]


def test_another_interrupt_does_not_take_that_of_output_away(uart: Uart) -> None:
    uart.write(IER, THRI | RDI)
    uart.type(b"x")
    assert [uart.read(IIR), uart.read(IIR), uart.read(RBR)] == [RECEIVED, RECEIVED, ord("x")]
    assert [uart.read(IIR), uart.read(IIR)] == [THRE, NONE]


def test_interrupts_come_by_their_priority(uart: Uart) -> None:
    """PC16550D, table III; the modem's lines move in loopback."""
    uart.write(MCR, LOOP)
    uart.read(MSR)
    uart.write(IER, 0xF)
    uart.write(THR, 0x41)
    uart.write(THR, 0x42)
    uart.write(MCR, LOOP | RTS)
    assert [uart.read(IIR), uart.read(LSR)] == [LINE, EMPTY | DR | OE]
    assert [uart.read(IIR), uart.read(RBR)] == [RECEIVED, 0x42]
    assert uart.read(IIR) == THRE
    assert [uart.read(IIR), uart.read(MSR)] == [MODEM, 0x11]
    assert uart.read(IIR) == NONE


def test_loopback_connects_the_modems_lines(uart: Uart) -> None:
    for bit, line in ((RTS, 0x10), (DTR, 0x20), (OUT1, 0x40), (OUT2, 0x80)):
        uart.write(MCR, LOOP | bit)
        assert uart.read(MSR) & 0xF0 == line
    uart.write(MCR, LOOP | 0xF)
    uart.read(MSR)
    uart.write(MCR, LOOP)
    assert uart.read(MSR) == 0x0F, "all have changed, RI has ended"
    uart.write(MCR, LOOP | OUT1)
    assert uart.read(MSR) == 0x40, "that RI begins is not told"


def test_loopback_receives_what_is_sent(uart: Uart) -> None:
    """As Linux finds out whether there is a UART, and what came from outside waits meanwhile."""
    uart.write(FCR, FIFOS)
    uart.type(bytes(range(20)))
    uart.write(MCR, LOOP)
    uart.write(FCR, FIFOS | CLEAR_RX)
    assert uart.read(LSR) == EMPTY
    for n in range(17):
        uart.write(THR, 0x60 + n)
    assert uart.read(LSR) == EMPTY | DR | OE
    assert [uart.read(RBR) for _ in range(17)] == [*range(0x60, 0x70), 0]
    uart.write(THR, 0x41)
    uart.write(MCR, 0)
    assert [uart.read(RBR) for _ in range(6)] == [0x41, 16, 17, 18, 19, 0]
    assert uart.core.take_output() == []


def test_clearing_the_receiver_drops_what_has_come(uart: Uart) -> None:
    uart.write(FCR, FIFOS)
    uart.type(bytes(range(40)))
    uart.write(FCR, FIFOS | CLEAR_RX)
    assert uart.read(RBR) == 16
    uart.write(FCR, 0)
    assert uart.read(RBR) == 33, "another depth clears it too"


def test_a_break_is_told_when_it_is_next(uart: Uart) -> None:
    uart.write(FCR, FIFOS)
    uart.write(IER, RLSI)
    uart.type(b"a")
    uart.type(BREAK)
    uart.type(b"b")
    assert [uart.read(LSR), uart.line()] == [EMPTY | DR, None]
    assert uart.read(RBR) == ord("a")
    assert uart.line() == 1 << 1 | 1
    assert [uart.read(IIR), uart.read(LSR), uart.read(LSR)] == [0xC0 | LINE, EMPTY | DR | BI, EMPTY | DR]
    assert uart.line() == 2 << 1
    assert [uart.read(RBR), uart.read(LSR), uart.read(RBR)] == [0, EMPTY | DR, ord("b")]
    assert uart.line() is None


def test_two_cores_have_one_device() -> None:
    memory = Memory(cores=2, kind="16550")
    first, second = Uart(memory, 0), Uart(memory, 1)
    for uart, byte in zip((first, first, second, first, second, second), b"abcdef", strict=True):
        uart.write(THR, byte)
    assert first.core.take_output() == [(0, 0, b"ab"), (0, 3, b"d")]
    assert second.core.take_output() == [(0, 2, b"c"), (0, 4, b"ef")]
    first.write(IER, RDI)
    first.type(b"x")
    assert first.line() == 1 << 1 | 1
    assert second.read(RBR) == ord("x")
    assert [first.line(), second.line()] == [None, 2 << 1]


@settings(max_examples=examples(50))
@given(st.binary(min_size=80, max_size=80))
def test_whatever_another_process_leaves_there_an_access_ends(state: bytes) -> None:
    """All processes of a VM can write to it, and a file that was saved may be damaged."""
    memory = Memory(kind="16550")
    memory.uart[4:84] = state  # behind the lock
    uart = Uart(memory)
    for offset in REGISTERS:
        assert 0 <= uart.read(offset) < 1 << 32
        uart.write(offset, 0x5A)
        uart.told.clear()
    uart.type(b"x")


class ArmSharing(Sharing):
    def make(self) -> tuple[VmMemory, Sequence[GuestUart]]:
        memory = Memory(2, "16550")
        return memory, [Uart(memory, n) for n in range(2)]


TestSharing = ArmSharing.TestCase
TestSharing.settings = settings(max_examples=25, stateful_step_count=40, deadline=None)
