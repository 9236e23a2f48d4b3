"""What the hypervisor does for a guest with its VM's RAM and its console."""

from __future__ import annotations

import pytest

from tests.core.bench import RAM, Bench
from tests.core.bench_uart import Uart
from tests.core.test_pl011 import DR, FR, IMSC, RT, RX, RXFE


def test_what_the_hypervisor_prints_comes_between_what_the_guest_does() -> None:
    uart = Uart()
    uart.write(DR, ord("a"))
    uart.core.put_output(b"bc")
    uart.write(DR, ord("d"))
    assert b"".join(data for _, _, data in uart.core.take_output()) == b"abcd"
    uart.core.put_output(b"e" * 40000)
    pieces = uart.core.take_output()
    assert pieces[0][1] == 4
    assert b"".join(data for _, _, data in pieces) == b"e" * 40000


def test_what_the_hypervisor_reads_the_guest_does_not() -> None:
    uart = Uart()
    uart.write(IMSC, RX | RT)
    uart.type(b"xyz")
    line = uart.line()
    assert line is not None
    assert line & 1
    assert uart.core.take_input(2) == b"xy"
    assert uart.read(DR) == ord("z")
    uart.core.put_break(0)
    uart.type(b"!")
    assert uart.core.take_input(8) == b"!"
    assert uart.read(FR) & RXFE
    assert uart.core.take_input(8) == b""


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
