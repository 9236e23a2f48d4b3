"""Accesses to emulated windows: the core knows where it found them, but no longer when the guest says so."""

from __future__ import annotations

from typing import Final

import pytest

from baonet.core.armv8.engine import native
from baonet.hyp.armv8.cpu import Exit
from tests.core import modelled
from tests.core.bench import FOR_EVER, RAM, Memory
from tests.core.modelled import AF, BLOCK, DEVICE, PAGE, TABLE, TABLES, TTBR0
from tests.core.virtual import HVC, ISB, NOP, write

WINDOW: Final = 0x0800_0000
FAR: Final = 0x20_0000
"""From where the page is first in the window to where it is then."""
SECOND, THIRD, OTHER, OTHER_SECOND = (TABLES - 0x1000 * n for n in range(1, 5))
LEAF: Final = DEVICE | AF

LDR, LDR_TOO, STR, STR_TABLE = 0xB940_0001, 0xB940_0005, 0xB900_0001, 0xF900_0043  # w1, w5 = [x0]; [x0] = w1; [x2] = x3
DSB: Final = 0xD503_3F9F
FORGETS: Final = {
    "tlbi vmalle1": (STR_TABLE, DSB, 0xD508_871F),
    "tlbi vae1": (STR_TABLE, DSB, 0xD508_8726),
    "tlbi vaae1": (STR_TABLE, DSB, 0xD508_8766),
    "tlbi aside1": (STR_TABLE, DSB, 0xD508_8746),
    "tlbi vmalle1is": (STR_TABLE, DSB, 0xD508_831F),
    "tlbi vae1is": (STR_TABLE, DSB, 0xD508_8326),
    "ttbr0": (write(TTBR0, 7),),
}


class Windows:
    """Its loads give the address that they are of."""

    def __init__(self, *code: int) -> None:
        self.memory = Memory()
        self.core: native.Core = modelled.core(*code, model=False, memory=self.memory, hz=0)
        self.memory.write(TABLES, SECOND | TABLE)
        self.memory.write(SECOND + 8 * (WINDOW >> 21), THIRD | TABLE)
        self.memory.write(THIRD, WINDOW | LEAF | PAGE)
        self.memory.write(OTHER, OTHER_SECOND | TABLE, RAM | AF | BLOCK)
        self.memory.write(OTHER_SECOND + 8 * (WINDOW >> 21), WINDOW + FAR | LEAF | BLOCK)
        self.stored: list[int] = []
        self.core.emulate(((WINDOW, 2 * FAR),), lambda ipa, size: ipa, self.store, [])
        for register, value in (
            (0, WINDOW + 8),
            (2, THIRD),
            (3, WINDOW + FAR | LEAF | PAGE),
            (6, WINDOW >> 12),
            (7, OTHER),
        ):
            self.core.x[register] = value

    def store(self, ipa: int, size: int, value: int) -> bool:
        self.stored.append(ipa)
        return True

    def run(self) -> None:
        assert self.core.run(FOR_EVER) == Exit.HVC


@pytest.mark.parametrize("forgets", FORGETS.values(), ids=list(FORGETS))
def test_a_page_that_is_mapped_elsewhere(forgets: tuple[int, ...]) -> None:
    guest = Windows(LDR, STR, LDR, *forgets, DSB, ISB, LDR_TOO, STR, HVC)
    guest.run()
    assert [guest.core.x[1], guest.core.x[5]] == [WINDOW + 8, WINDOW + FAR + 8]
    assert guest.stored == [WINDOW + 8, WINDOW + FAR + 8]


def test_a_page_that_is_mapped_elsewhere_while_the_guest_stands() -> None:
    guest = Windows(LDR, HVC, LDR_TOO, HVC)
    guest.run()
    guest.memory.write(THIRD, WINDOW + FAR | LEAF | PAGE)
    guest.run()
    assert [guest.core.x[1], guest.core.x[5]] == [WINDOW + 8, WINDOW + FAR + 8]


def test_a_page_that_may_only_be_read() -> None:
    """That it was read says nothing of a store, which is the guest's own fault."""
    guest = Windows(LDR, STR, HVC)
    guest.memory.write(THIRD, WINDOW | LEAF | PAGE | 2 << 6)
    guest.core.run(20)
    assert guest.core.x[1] == WINDOW + 8
    assert not guest.stored


def test_code_that_comes_where_other_code_was() -> None:
    """What was known of the place of an access in its block is known no more."""
    guest = Windows(NOP, NOP, NOP, LDR, HVC)
    retired = guest.core.statistics()["instructions"]
    for count in (3, 1, 2):
        code = (*modelled.PROLOGUE, *[NOP] * count, LDR, HVC)
        guest.memory.load(RAM, b"".join(word.to_bytes(4, "little") for word in code))
        registers = list(guest.core.x)
        guest.core.reset(RAM, 0)
        for number, value in enumerate(registers[:31]):
            guest.core.x[number] = value
        guest.core.x[1] = 0
        guest.run()
        assert guest.core.pc == RAM + 4 * len(code)
        assert guest.core.x[1] == WINDOW + 8
        now = guest.core.statistics()["instructions"]
        assert now - retired == len(code)  # type: ignore[operator]
        retired = now
