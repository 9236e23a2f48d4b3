"""What a report says of a UART that holds an interrupt up which is not the VM's."""

from __future__ import annotations

import pytest

from baonet.hyp.lines import LineCondition
from baonet.machine import UARTS


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (
            LineCondition("uart0", "pl011", 33, "", 0x50, 1),
            "UART uart0 holds interrupt 33 up (UARTMIS: RX, RT, 1 character to read); but no VM has interrupt 33: "
            "add it to the 'interrupts' of the device",
        ),
        (
            LineCondition("uart1", "pl011", 40, "rtos", 0x20, 0),
            "UART uart1 holds interrupt 40 up (UARTMIS: TX); but it is VM 'rtos' that has interrupt 40",
        ),
        (
            LineCondition("uart0", "16550", 10, "rtos", 0x3, 12),
            "UART uart0 holds interrupt 10 up (enabled in IER: RDA, THRE, 12 characters to read); "
            "but it is VM 'rtos' that has interrupt 10",
        ),
    ],
)
def test_words_for_a_line_that_is_up(line: LineCondition, words: str) -> None:
    assert line.text() == words


@pytest.mark.parametrize("kind", UARTS)
def test_every_kind_has_words_for_all_that_it_can_have(kind: str) -> None:
    """An interrupt without a name would be a colon with nothing behind it."""
    bits = range(4, 11) if kind == "pl011" else range(4)
    said = {LineCondition("uart0", kind, 10, "", 1 << bit, 0).text() for bit in bits}
    assert len(said) == len(bits)
    assert not any(": )" in each for each in said)
