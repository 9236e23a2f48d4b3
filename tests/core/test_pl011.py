"""The UART, Arm DDI 0183: its registers, its interrupt line, and that the cores which share it see one device."""

from __future__ import annotations

import pytest

from baonet.core import _node
from baonet.hyp.armv8.cpu import EXIT_INTID, EXIT_VALUE, Exit
from tests.core.bench import UART, UART_INTID, Memory, address, run
from tests.core.bench_uart import Uart
from tests.core.uarts import held

DR, FR, ILPR, IBRD, FBRD, LCR, CR, IFLS = 0x00, 0x18, 0x20, 0x24, 0x28, 0x2C, 0x30, 0x34
IMSC, RIS, MIS, ICR, DMACR, IDENTIFICATION = 0x38, 0x3C, 0x40, 0x44, 0x48, 0xFE0
RXFE, RXFF, TXFE = 0x10, 0x40, 0x80
FEN = 0x10
RX, TX, RT = 0x10, 0x20, 0x40


@pytest.fixture
def uart() -> Uart:
    return Uart()


def test_reset_values(uart: Uart) -> None:
    values = {FR: TXFE | RXFE, CR: 0x300, IFLS: 0x12}
    for offset in (DR, 0x04, FR, ILPR, IBRD, FBRD, LCR, CR, IFLS, IMSC, RIS, MIS, DMACR):
        assert uart.read(offset) == values.get(offset, 0), hex(offset)
    assert [uart.read(IDENTIFICATION + 4 * n) for n in range(8)] == [0x11, 0x10, 0x14, 0x00, 0x0D, 0xF0, 0x05, 0xB1]


@pytest.mark.parametrize(
    ("offset", "bits"),
    [(ILPR, 8), (IBRD, 16), (FBRD, 6), (LCR, 8), (CR, 16), (IFLS, 6), (IMSC, 11), (DMACR, 3)],
)
def test_registers_have_their_widths(uart: Uart, offset: int, bits: int) -> None:
    uart.write(offset, 0xFFFF_FFFF)
    assert uart.read(offset) == (1 << bits) - 1
    uart.write(offset, 0)
    assert uart.read(offset) == 0


def test_what_cannot_be_written_is_not(uart: Uart) -> None:
    for offset in (FR, RIS, MIS, IDENTIFICATION, 0x80):
        before = uart.read(offset)
        uart.write(offset, ~before & 0xFFFF_FFFF)
        assert uart.read(offset) == before


def test_the_console_is_as_bao_leaves_it() -> None:
    """After uart_init of Bao's driver, and after its banner."""
    uart = Uart()
    uart.core.map_uart("pl011", UART + 0x1000, bytearray(_node.UART_STATE_SIZE), 0, UART_INTID, True)
    values = {IBRD: 0xA, FBRD: 0x1A, LCR: 0x70, CR: 0x301, IFLS: 0x10, IMSC: RX | RT, RIS: TX, FR: TXFE | RXFE}
    for offset in (DR, FR, ILPR, IBRD, FBRD, LCR, CR, IFLS, IMSC, RIS, MIS, DMACR):
        assert uart.read(0x1000 + offset) == values.get(offset, 0), hex(offset)


def test_what_holds_the_line_up_is_told(uart: Uart) -> None:
    assert uart.core.uarts() == [(0, 0, 0)]
    uart.write(IMSC, RX)
    uart.type(b"three")
    assert uart.core.uarts() == [(RX | RT, RX, 5)]
    uart.read(DR)
    assert uart.core.uarts() == [(RX | RT, RX, 4)]


def test_what_is_sent_comes_out_with_its_position(uart: Uart) -> None:
    for byte in b"hello":
        uart.write(DR, byte, 1)
    assert uart.core.take_output() == [(0, 0, b"hello")]
    assert uart.core.take_output() == []
    uart.write(DR, 0x1234_5621)
    assert uart.core.take_output() == [(0, 5, b"!")]


def test_a_guest_that_is_called_waits_for_nobody_who_has_the_device() -> None:
    """Who has it may be stopped, and of another VM. The access is done once, later; what is typed waits."""
    memory = Memory()
    uart = Uart(memory)
    core = uart.bench.core
    core.x[0], core.x[1] = UART + DR, ord("!")
    core.pc = at = address("str_w")
    with held(memory):
        for _ in range(5):
            assert run(core) in (Exit.BUDGET, Exit.KICKED)
            assert (core.pc, core.take_output()) == (at, [])
        assert uart.type(b"x") == 0
    uart.finish()
    assert core.take_output() == [(0, 0, b"!")]
    assert uart.type(b"x") == 1


def test_more_than_is_collected_is_kept(uart: Uart) -> None:
    """Whatever a guest sends in one block, and however late it is collected."""
    times = 9_000
    for n, value in enumerate((UART, times, 0)):
        uart.core.x[n] = value
    uart.core.pc = address("send")
    uart.finish()
    pieces = uart.core.take_output()
    assert b"".join(piece for _, _, piece in pieces) == bytes(n & 0xFF for n in range(8 * times))
    positions = [position for _, position, _ in pieces]
    assert positions == [sum(len(piece) for _, _, piece in pieces[:n]) for n in range(len(pieces))]


def test_a_core_that_sends_a_lot_is_left_to_be_collected(uart: Uart) -> None:
    uart.core.x[0], uart.core.x[1], uart.core.pc = UART, 1 << 20, address("send")
    assert run(uart.bench.core) == Exit.KICKED
    assert 10_000 < sum(len(piece) for _, _, piece in uart.core.take_output()) < 30_000


def test_input_is_read_in_order(uart: Uart) -> None:
    uart.write(LCR, FEN)
    assert uart.type(b"abc") == 3
    assert uart.read(FR) == TXFE
    assert [uart.read(DR) for _ in range(3)] == list(b"abc")
    assert uart.read(FR) == TXFE | RXFE
    assert uart.read(DR) == 0


def test_a_full_fifo_says_so(uart: Uart) -> None:
    uart.write(LCR, FEN)
    uart.type(bytes(15))
    assert uart.read(FR) == TXFE
    uart.type(bytes(1))
    assert uart.read(FR) == TXFE | RXFF


def test_without_fifos_there_is_one_holding_register(uart: Uart) -> None:
    uart.type(b"ab")
    assert uart.read(FR) == TXFE | RXFF
    assert uart.read(DR) == ord("a")
    assert uart.read(FR) == TXFE | RXFF, "the next one has come"
    assert uart.read(DR) == ord("b")
    assert uart.read(FR) == TXFE | RXFE
    uart.type(b"cd")
    uart.write(LCR, FEN)
    assert uart.read(FR) == TXFE, "there is room again"
    assert [uart.read(DR), uart.read(DR)] == list(b"cd")


def test_no_more_input_than_there_is_room_for(uart: Uart) -> None:
    taken = uart.type(bytes(range(256)) * 300)
    assert taken == 65536
    assert uart.type(b"x") == 0
    assert uart.read(DR) == 0
    assert uart.type(b"xy") == 1


def test_the_interrupt_of_input(uart: Uart) -> None:
    uart.write(LCR, FEN)
    uart.write(IMSC, RX | RT)
    assert uart.line() is None
    uart.type(b"ab")
    assert uart.line() == 1 << 1 | 1
    assert uart.core.take_event() == -1
    assert uart.read(RIS) == uart.read(MIS) == RX | RT
    uart.read(DR)
    assert uart.line() is None, "one byte is left"
    uart.read(DR)
    assert uart.line() == 2 << 1 | 0
    assert (uart.read(RIS), uart.read(MIS)) == (0, 0)


def test_the_interrupt_of_input_is_cleared_without_a_read(uart: Uart) -> None:
    """DDI 0183G 2.8.1, 2.8.5: by a write of UARTICR, until more comes."""
    uart.write(LCR, FEN)
    uart.write(IMSC, RX)
    uart.type(b"a")
    assert uart.line() == 1 << 1 | 1
    uart.write(ICR, RX)
    assert uart.line() == 2 << 1 | 0
    assert (uart.read(RIS), uart.read(MIS)) == (RT, 0)
    uart.write(ICR, RT)
    assert uart.read(RIS) == 0
    assert uart.read(FR) == TXFE, "the byte is still there"
    assert uart.line() is None
    uart.type(b"b")
    assert uart.line() == 3 << 1 | 1
    assert uart.read(RIS) == RX | RT
    assert [uart.read(DR), uart.read(DR)] == list(b"ab")
    assert uart.line() == 4 << 1 | 0


@pytest.mark.parametrize(("control", "depth"), [(0, 1), (0x10, 16)])
def test_what_waits_for_room_interrupts_when_it_comes(uart: Uart, control: int, depth: int) -> None:
    uart.write(LCR, control)
    uart.type(bytes(range(depth + 2)))
    uart.write(ICR, 0x7FF)
    assert uart.read(RIS) == 0
    assert uart.read(DR) == 0
    assert uart.read(RIS) == RX | RT, "a read has made room for one of them"
    uart.write(ICR, 0x7FF)
    assert [uart.read(DR) for _ in range(depth + 1)] == list(range(1, depth + 2))
    assert uart.read(RIS) == 0


def test_the_interrupt_of_output(uart: Uart) -> None:
    assert uart.read(RIS) == 0
    uart.write(DR, 0x41)
    assert (uart.read(RIS), uart.read(MIS)) == (TX, 0)
    assert uart.line() is None
    uart.write(IMSC, TX)
    assert uart.line() == 1 << 1 | 1
    assert uart.read(MIS) == TX
    uart.write(ICR, RX)
    assert uart.line() is None
    uart.write(ICR, TX)
    assert uart.line() == 2 << 1 | 0
    assert uart.read(RIS) == 0
    uart.write(DR, 0x41)
    assert uart.line() == 3 << 1 | 1
    uart.write(IMSC, 0)
    assert uart.line() == 4 << 1 | 0


def test_a_change_of_the_line_ends_the_stay(uart: Uart) -> None:
    """Long before the budget is through."""
    core = uart.bench.core
    uart.write(IMSC, TX)
    core.x[0], core.x[1], core.pc = UART, 1 << 20, address("send")
    assert run(core) == Exit.LINE
    assert (core.exit[EXIT_INTID], core.exit[EXIT_VALUE]) == (UART_INTID, 1 << 1 | 1)
    assert sum(len(piece) for _, _, piece in core.take_output()) == 8


def test_two_cores_have_one_device() -> None:
    memory = Memory(cores=2)
    first, second = Uart(memory, 0), Uart(memory, 1)
    for uart, byte in zip((first, first, second, first, second, second), b"abcdef", strict=True):
        uart.write(DR, byte)
    assert first.core.take_output() == [(0, 0, b"ab"), (0, 3, b"d")]
    assert second.core.take_output() == [(0, 2, b"c"), (0, 4, b"ef")]
    first.write(IBRD, 39)
    assert second.read(IBRD) == 39
    first.type(b"xy")
    assert [second.read(DR), first.read(DR)] == list(b"xy")


def test_the_line_has_one_sequence_whoever_moves_it() -> None:
    """Each core tells of what it did itself; the number says which is later."""
    memory = Memory(cores=2)
    first, second = Uart(memory, 0), Uart(memory, 1)
    first.write(IMSC, RX)
    first.type(b"x")
    assert first.line() == 1 << 1 | 1
    second.read(DR)
    assert second.line() == 2 << 1
    assert first.line() is None
    second.type(b"y")
    assert second.line() == 3 << 1 | 1


def test_the_line_of_a_uart_whose_interrupt_another_vm_has() -> None:
    """Nothing is told of it."""
    uart = Uart()
    uart.core.map_uart("pl011", UART + 0x1000, Memory().uart, 0, 0)
    uart.write(0x1000 + IMSC, TX)
    uart.write(0x1000 + DR, 0x41)
    assert uart.read(0x1000 + MIS) == TX
    assert uart.line() is None
    assert uart.core.take_event() == -1
    assert uart.core.take_output() == [(1, 0, b"A")]


def test_what_is_refused(uart: Uart) -> None:
    with pytest.raises(IndexError):
        uart.core.put_input(1, b"x")
    with pytest.raises(ValueError, match="pages"):
        uart.core.map_uart("pl011", UART + 0x1004, uart.bench.memory.uart, 0, 34)
    with pytest.raises(ValueError, match="small"):
        uart.core.map_uart("pl011", UART + 0x1000, bytearray(_node.UART_STATE_SIZE - 1), 0, 34)


def test_as_many_uarts_as_a_machine_has(uart: Uart) -> None:
    for n in range(1, 100):
        assert uart.core.map_uart("pl011", UART + 0x1000 * n, bytearray(_node.UART_STATE_SIZE), 0, 33 + n) == n
    uart.write(99 * 0x1000 + DR, 0x41)
    uart.write(DR, 0x42)
    assert sorted(uart.core.take_output()) == [(0, 0, b"B"), (99, 0, b"A")]
    uart.write(99 * 0x1000 + IMSC, RX)
    assert uart.core.put_input(99, b"x") == 1
    assert uart.core.take_event() == Exit.LINE
    assert (uart.core.exit[EXIT_INTID], uart.core.exit[EXIT_VALUE]) == (33 + 99, 1 << 1 | 1)


def test_a_break_is_read_as_one_and_tells_by_interrupt() -> None:
    """DDI 0183, 3.3.1 (UARTDR.BE), 3.3.2 (UARTRSR), 3.3.11 (UARTRIS.BERIS)."""
    uart = Uart()
    error, break_ = 0x200, 0x400
    uart.write(LCR, FEN)
    uart.write(IMSC, RX | error)
    assert uart.core.put_input(0, b"a") == 1
    assert uart.core.put_break(0)
    uart.core.put_input(0, b"b")
    assert uart.read(MIS) == RX | error
    assert [uart.read(DR), uart.read(0x04)] == [0x61, 0]
    assert [uart.read(DR), uart.read(0x04)] == [break_, 4]
    uart.write(0x04, 0)
    assert uart.read(0x04) == 0
    assert [uart.read(DR), uart.read(0x04)] == [0x62, 0]
    assert uart.read(MIS) == error
    uart.write(ICR, error)
    assert uart.read(MIS) == 0


def test_a_break_waits_for_room_like_any_character(uart: Uart) -> None:
    uart.core.put_input(0, bytes(65536))
    assert not uart.core.put_break(0)
    uart.read(DR)
    assert uart.core.put_break(0)
