"""Loads and stores of pages that displace each other from the library's TLB, whose entries change places and back."""

from __future__ import annotations

import pytest

from tests.core.el0 import A32, CODE, DATA, El0, words

OTHER = DATA + 0x8000 - 0x10_0000
"""As far from a page of the data's as a multiple of what the TLB has entries for at first."""
SIZES = {
    "ldrb, strb": (1, 0xE5D0_2000, 0xE5C1_2000),
    "ldrh, strh": (2, 0xE1D0_20B0, 0xE1C1_20B0),
    "ldr, str": (4, 0xE590_2000, 0xE581_2000),
    "ldrd, strd": (8, 0xE1C0_20D0, 0xE1C1_20F0),
    "vldr, vstr": (8, 0xED90_0B00, 0xED81_0B00),
}
"""Of r0 and r1."""
PATTERN = bytes(range(0x81, 0x81 + 64))
SVC = 0xEF00_0000
STEP = 0xE280_0000, 0xE281_1000  # ADD r0, r0, #0; ADD r1, r1, #0


@pytest.mark.parametrize("hz", [0, 1_000_000_000], ids=["host", "virtual"])
@pytest.mark.parametrize("name", SIZES)
def test_what_is_loaded_and_stored(name: str, hz: int) -> None:
    el0, (size, load, store) = El0(hz=hz), SIZES[name]
    memory = el0.memory
    memory.load(DATA + 0x8000, PATTERN)
    code = [load, store, *(each | size for each in STEP)] * (64 // size)
    assert CODE + 4 * len(code) < OTHER
    el0.go(A32, words(*code, SVC), r0=DATA + 0x8000, r1=OTHER)
    at = OTHER - memory.base
    assert memory.ram[at : at + 72] == PATTERN + bytes(8)
