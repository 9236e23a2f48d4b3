"""What the hypervisor does for a guest with its VM's RAM and its console."""

from __future__ import annotations

import pytest

from baonet.hyp.armv8.cpu import EXIT_VALUE, Exit
from tests.core.bench import RAM, Bench, Memory
from tests.core.bench_uart import Uart

DATA = 0
"""Where every kind has its characters."""


@pytest.fixture(params=["pl011", "16550"])
def uart(request: pytest.FixtureRequest) -> Uart:
    return Uart(Memory(kind=request.param))


def test_what_the_hypervisor_prints_comes_between_what_the_guest_does(uart: Uart) -> None:
    uart.write(DATA, ord("a"))
    uart.core.put_output(b"bc")
    uart.write(DATA, ord("d"))
    assert b"".join(data for _, _, data in uart.core.take_output()) == b"abcd"
    uart.core.put_output(b"e" * 40000)
    pieces = uart.core.take_output()
    assert pieces[0][1] == 4
    assert b"".join(data for _, _, data in pieces) == b"e" * 40000


def test_what_the_hypervisor_reads_the_guest_does_not(uart: Uart) -> None:
    uart.type(b"xyz")
    assert uart.core.take_input(2) == b"xy"
    assert uart.read(DATA) == ord("z")
    uart.core.put_break(0)
    uart.type(b"!")
    assert uart.core.take_input(8) == b"!", "a break is none"
    assert uart.core.uarts()[0][2] == 0
    assert uart.core.take_input(8) == b""


def test_what_is_read_takes_the_line_down() -> None:
    uart = Uart(Memory(kind="16550"))
    uart.write(1, 1)
    uart.type(b"x")
    before = uart.line()
    uart.core.take_input(1)
    assert uart.core.take_event() == Exit.LINE
    assert (before, uart.core.exit[EXIT_VALUE]) == (1 << 1 | 1, 2 << 1)


def test_ram_across_pages() -> None:
    core = Bench().core
    place = RAM + 0x8FFE
    core.write_memory(place, b"hello")
    assert core.read_memory(place, 5) == b"hello"
    assert core.read_memory(place, 0) == b""


@pytest.mark.parametrize(("ipa", "size"), [(RAM - 2, 4), (0x1000, 1), (2**64 - 2, 4)])
def test_no_ram(ipa: int, size: int) -> None:
    core = Bench().core
    assert core.read_memory(ipa, size) is None
    with pytest.raises(ValueError, match="no RAM"):
        core.write_memory(ipa, bytes(size))
