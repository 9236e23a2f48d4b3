"""A load or store of several accesses that may not have the second of its pages yet, and goes on when it may."""

from __future__ import annotations

import mmap

import pytest

from baonet.core import _node
from baonet.core.armv8.engine import native
from baonet.hyp.armv8.cpu import Exit
from tests.core import virtual
from tests.core.bench import RAM, UART, Memory
from tests.core.el0 import A32, DATA, T32, El0, halves, words
from tests.core.owners import ENTRY, Owners
from tests.core.virtual import HVC, HZ, write

MINE, ANOTHERS = 1, 2
VALUE, THEIRS = 0x1111_2222_3333_4444, 0x99AA_BBCC_DDEE_FF00
CPACR = (3, 0, 1, 0, 2)
FILLED = [write(CPACR, 2), virtual.ISB, *(0x4E08_0C20 | n for n in range(4))]  # DUP Vn.2D, X1

STORES = {
    "stp x1, x1, [x0]": (0xA900_0401, 8),
    "stp x1, x1, [x0], #16": (0xA881_0401, 8),
    "stp x1, x1, [x0, #16]!": (0xA981_0401, 8),
    "stp w1, w1, [x0]": (0x2900_0401, 4),
    "stp q0, q0, [x0]": (0xAD00_0000, 16),
    "st1 {v0.2d}, [x0]": (0x4C00_7C00, 8),
    "st2 {v0.8b, v1.8b}, [x0]": (0x0C00_8000, 13),
    "st4 {v0.2d-v3.2d}, [x0]": (0x4C00_0C00, 40),
}
"""The instruction, and how many bytes of what it stores are in the first page."""
OF_32_BITS = {
    "strd r2, r3, [r0]": (A32, words(0xE1C0_20F0), 4),
    "stmia r0!, {r1-r3}": (A32, words(0xE8A0_000E), 8),
    "stmdb r4!, {r1-r3}": (A32, words(0xE924_000E), 8),
    "vstmia r0, {s0-s3}": (A32, words(0xEC80_0A04), 8),
    "t32 strd r2, r3, [r0]": (T32, halves(0xE9C0, 0x2300), 4),
    "t32 stmia r0!, {r1-r3}": (T32, halves(0xC00E), 8),
}


def stopped(core: native.Core, owners: Owners, boundary: int) -> None:
    """The core needs the page behind the boundary and has the one before."""
    owners.give(boundary - 1, MINE)
    owners.give(boundary, ANOTHERS)
    core.run_until(core.time + 1000, False, True)
    assert core.blocked == (0, (boundary - RAM) // 0x1000, True)


def others_store(memory: Memory, owners: Owners, boundary: int) -> None:
    """Before the boundary, where something has been stored."""
    assert memory.read(boundary - 8)
    memory.write(boundary - 8, THEIRS)
    owners.give(boundary - 1, ANOTHERS)


def check(memory: Memory, owners: Owners, boundary: int) -> None:
    assert memory.read(boundary - 8) == THEIRS, "what others have stored since stays"
    assert memory.read(boundary), "the rest is stored"
    assert (owners.owner(boundary - 1), owners.owner(boundary)) == (ANOTHERS, MINE)


@pytest.mark.parametrize("store", STORES)
def test_what_has_been_stored_is_not_stored_again(store: str) -> None:
    word, before = STORES[store]
    owners, memory, boundary = Owners(), Memory(), RAM + 0x2000
    core = virtual.core(*FILLED, word, word, HVC, memory=memory, owners=owners)
    first = boundary - before - (16 if store.endswith("!") else 0)
    core.x[0], core.x[1], core.x[2] = first, VALUE, 3 << 20
    stopped(core, owners, boundary)
    others_store(memory, owners, boundary)
    if "!" in store or "]," in store:  # the second has another address
        assert core.run_until(core.time + 1000) == Exit.HVC
        assert core.x[0] == first + 32
        check(memory, owners, boundary)
        return
    owners.give(boundary, MINE)
    core.run_until(core.time + 1000, False, True)
    assert core.blocked == (0, 1, True), "the next of the kind stores all"
    check(memory, owners, boundary)
    assert core.run_until(core.time + 1000) == Exit.HVC
    assert memory.read(boundary - 8) != THEIRS


@pytest.mark.parametrize("store", OF_32_BITS)
def test_nor_by_an_application_of_32_bits(store: str) -> None:
    state, code, before = OF_32_BITS[store]
    owners, boundary = Owners(), DATA + 0x1000
    el0 = El0(hz=HZ, owners=owners)
    end = words(0xEF00_0000) if state == A32 else halves(0xDF00)
    fill = words(0xEC42_1B10, 0xEC42_1B11) if "vst" in store else b""  # VMOV d0, r1, r2; VMOV d1, r1, r2
    first = boundary - before
    el0.enter(state, fill + code + end, r0=first, r1=0x1234, r2=0x5678, r3=0x9ABC, r4=first + 12)
    stopped(el0.core, owners, boundary)
    others_store(el0.memory, owners, boundary)
    taken = el0.finish()
    assert taken.vector == 0x600
    check(el0.memory, owners, boundary)


CMP_EQUAL, IT_EQ, STRD = halves(0x4289), halves(0xBF08), halves(0xE9C0, 0x2300)
LDREX, STREX = halves(0xE850, 0x4F00), halves(0xE840, 0x2300)  # r4, [r0]; r3, r2, [r0]
BEHIND = halves(0x297F, 0xE7FF, 0x2505, 0xDF00)  # CMP r1, #127; B to what follows; MOVS r5, #5; SVC


def test_an_it_block_ends_with_the_store() -> None:
    owners, boundary = Owners(), DATA + 0x1000
    el0 = El0(hz=HZ, owners=owners)
    el0.enter(T32, CMP_EQUAL + IT_EQ + STRD + BEHIND, r0=boundary - 4)
    stopped(el0.core, owners, boundary)
    assert el0.finish().r[5] == 5, "the next block is not in it"


def test_an_it_block_ends_with_a_store_exclusive_beside_a_watched_byte() -> None:
    el0 = El0()
    debug = {"mdscr": 1 << 15, "oslar": 0, "dbgwvr": DATA + 0x80, "dbgwcr": 0xFF << 5 | 3 << 3 | 2 << 1 | 1}
    taken = el0.go(T32, CMP_EQUAL + LDREX + IT_EQ + STREX + BEHIND, r0=DATA, r3=1, **debug)
    assert (taken.ec, taken.r[3], taken.r[5]) == (0x11, 0, 5), "the next block is not in it"


def test_a_store_that_reaches_into_a_device() -> None:
    """Which is refused when its first bytes are stored."""
    owners, boundary = Owners(), DATA + 0x1000
    el0 = El0(hz=HZ, owners=owners)
    of_uart = mmap.mmap(-1, ENTRY)
    el0.core.own(of_uart, 1)
    el0.map(boundary, UART)
    el0.enter(A32, words(0xE580_2000, 0xEF00_0000), r0=boundary - 2, r2=ord("A") << 16 | 0x1234)  # STR r2, [r0]; SVC
    owners.give(boundary - 1, MINE)
    _node.hand_over(owners.ledger, of_uart, 1, 0, ANOTHERS, 0)
    el0.core.run_until(el0.core.time + 1000, False, True)
    assert el0.core.blocked == (1, 0, True)
    others_store(el0.memory, owners, boundary)
    el0.finish()
    assert el0.memory.read(boundary - 8) == THEIRS, "what others have stored since stays"
    assert el0.core.take_output() == [(0, 0, b"A")]


def test_another_instruction_in_its_place_stores_all() -> None:
    """Somebody has patched it meanwhile."""
    owners, memory, boundary = Owners(), Memory(), RAM + 0x2000
    core = virtual.core(0xA900_0401, HVC, memory=memory, owners=owners)  # STP x1, x1, [x0]
    core.x[0], core.x[1] = boundary - 8, VALUE
    stopped(core, owners, boundary)
    others_store(memory, owners, boundary)
    memory.load(RAM, words(0xF900_0001))  # STR x1, [x0]
    owners.give(RAM, ANOTHERS)
    assert core.run_until(core.time + 1000) == Exit.HVC
    assert memory.read(boundary - 8) == VALUE


@pytest.mark.parametrize(
    ("state", "code"), [(A32, words(0xE1C0_00D0)), (T32, halves(0xE9D0, 0x0100))], ids=["a32", "t32"]
)
def test_a_load_of_two_registers_keeps_its_base(state: int, code: bytes) -> None:
    """LDRD r0, r1, [r0]."""
    owners, boundary = Owners(), DATA + 0x1000
    el0 = El0(hz=HZ, owners=owners)
    el0.memory.write(boundary - 8, 0x1111_1111_0000_0000, 0x2222_2222)
    el0.enter(state, code + (words(0xEF00_0000) if state == A32 else halves(0xDF00)), r0=boundary - 4)
    owners.give(boundary - 1, MINE)
    owners.give(boundary, ANOTHERS)
    el0.core.run_until(el0.core.time + 1000, False, True)
    assert el0.core.blocked
    taken = el0.finish()
    assert (taken.vector, taken.r[0], taken.r[1]) == (0x600, 0x1111_1111, 0x2222_2222)
