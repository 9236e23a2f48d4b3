"""An access that was refused a page has not happened for the model of the memory system: who gets each page only when
he has asked for it comes to the same, in what is counted and in time, as who had all of them before.
"""

from __future__ import annotations

from typing import Any

import pytest

from baonet.core.armv8.engine import native
from baonet.hyp.armv8.cpu import Exit
from tests.core import modelled
from tests.core.bench import RAM, SIZE, Memory
from tests.core.el0 import A32, DATA, T32, TABLES, El0, halves, words
from tests.core.modelled import AF, BLOCK, CACHED, CACHES, DEVICE, MMU, core, counts
from tests.core.owners import Owners
from tests.core.virtual import HVC, NOP

BIG_ENDIAN = 1 << 25
GIGABYTES = (DEVICE | AF | BLOCK, RAM | CACHED | AF | BLOCK)
OWN, OTHER = 1, 2
ATTRIBUTES_OF_DEVICES = 1 << 2
SECOND = DATA + 0x1000
A64 = {
    "ldr x0, [x1]": 0xF940_0020,
    "str x0, [x1]": 0xF900_0020,
    "ldp x3, x4, [x1]": 0xA940_1023,
    "stp x3, x4, [x1]": 0xA900_1023,
    "ldp q3, q4, [x1]": 0xAD40_1023,
    "stp q3, q4, [x1]": 0xAD00_1023,
    "ldr q0, [x1]": 0x3DC0_0020,
    "ld4 {v0.16b-v3.16b}, [x1]": 0x4C40_0020,
    "st4 {v0.4s-v3.4s}, [x1]": 0x4C00_0820,
    "ld1 {v0.2d-v3.2d}, [x1]": 0x4C40_2C20,
    "dc zva, x1": 0xD50B_7421,
}
A32_WORDS = {
    "ldm r1, {r2-r7}": 0xE891_00FC,
    "stm r1, {r2-r7}": 0xE881_00FC,
    "ldmdb r8, {r2-r7}": 0xE918_00FC,
    "ldrd r2, r3, [r1]": 0xE1C1_20D0,
    "strd r2, r3, [r1]": 0xE1C1_20F0,
    "ldr r2, [r1]": 0xE591_2000,
    "vldm r1, {d0-d3}": 0xEC91_0B08,
    "vld1.8 {d0-d3}, [r1]": 0xF421_020F,
    "vst4.8 {d0-d3}, [r1]": 0xF401_000F,
}
T32_HALVES = {
    "ldm r1, {r2-r7}": (0xC9FC,),
    "stmia r1!, {r2-r7}": (0xC1FC,),
    "ldm.w r1, {r2-r9}": (0xE891, 0x03FC),
    "strd r2, r3, [r1]": (0xE9C1, 0x2300),
}


def finish(made: native.Core, owners: Owners, ask: bool) -> tuple[Any, ...]:
    """To its end. ``ask``: only what it is refused is given to it."""
    for page in range(RAM, RAM + SIZE, 0x1000):
        owners.give(page, OTHER if ask else OWN)
    refused = 0
    while (reason := made.run_until(made.time + 100_000, False, True)) != Exit.HVC:
        assert reason == Exit.BUDGET
        assert made.blocked
        refused += 1
        owners.give(RAM + made.blocked[1] * 0x1000, OWN)
    assert bool(refused) == ask
    return counts(made), made.time, list(made.x)


def a64(code: tuple[int, ...], sctlr: int, at: int, ask: bool) -> tuple[Any, ...]:
    owners, memory = Owners(), Memory()
    made = core(NOP, *code, HVC, memory=memory, owners=owners, sctlr=sctlr)
    if sctlr & BIG_ENDIAN:  # tables too
        memory.write(modelled.TABLES, *(int.from_bytes(each.to_bytes(8, "little"), "big") for each in GIGABYTES))
    made.x[1] = at
    return finish(made, owners, ask)


@pytest.mark.parametrize("word", A64.values(), ids=list(A64))
@pytest.mark.parametrize("sctlr", [MMU | CACHES, MMU | CACHES | BIG_ENDIAN], ids=["le", "be"])
def test_of_a64(word: int, sctlr: int) -> None:
    at = SECOND - (0 if word == A64["dc zva, x1"] else 8)
    assert a64((word, NOP, word), sctlr, at, True) == a64((word, NOP, word), sctlr, at, False)


@pytest.mark.parametrize("name", ["ldr x0, [x1]", "ldp x3, x4, [x1]", "stp x3, x4, [x1]"])
def test_of_a64_without_caches(name: str) -> None:
    """With stage 1 off, where code is not cached either."""
    code = (A64[name], NOP, A64[name])
    assert a64(code, 0, SECOND - 8, True) == a64(code, 0, SECOND - 8, False)


def of_el0(state: int, code: bytes, ask: bool, *, device: bool = False) -> tuple[Any, ...]:
    owners = Owners()
    made = El0(hz=1_000_000_000, owners=owners)
    made.core.model_memory(1, 1, {})
    for page in (DATA, SECOND) if device else ():
        entry = TABLES + 0x2000 + (page - RAM - 0x20_0000) // 0x1000 * 8
        made.memory.write(entry, made.memory.read(entry) | ATTRIBUTES_OF_DEVICES)
    made.enter(state, code, r1=SECOND - 8, r8=SECOND + 8)
    return finish(made.core, owners, ask)


def a32(word: int, ask: bool, *, device: bool) -> tuple[Any, ...]:
    code = words(0xE1A0_0000, word, 0xE1A0_0000, word, 0xEF00_0000)  # and SVC
    return of_el0(A32, code, ask, device=device)


@pytest.mark.parametrize("word", A32_WORDS.values(), ids=list(A32_WORDS))
def test_of_a32(word: int) -> None:
    assert a32(word, True, device=False) == a32(word, False, device=False)


@pytest.mark.parametrize("name", [name for name in A32_WORDS if not name.startswith("v")])
def test_of_a32_on_a_device(name: str) -> None:
    assert a32(A32_WORDS[name], True, device=True) == a32(A32_WORDS[name], False, device=True)


@pytest.mark.parametrize("instruction", T32_HALVES.values(), ids=list(T32_HALVES))
def test_of_t32(instruction: tuple[int, ...]) -> None:
    code = halves(0xBF00, *instruction, 0xBF00, 0xDF00)
    assert of_el0(T32, code, True) == of_el0(T32, code, False)


def test_a_refusal_takes_back_no_more_than_its_instruction_has_told() -> None:
    """It is the last of a loop that is refused, at its first access, and has told of others before."""
    ldm, add, subs, bne = 0xE891_00FC, 0xE281_1018, 0xE259_9001, 0x1AFF_FFFB  # add r1, r1, #24; subs r9, r9, #1
    code = words(0xE3A0_9008, ldm, add, subs, bne, 0xEF00_0000)
    made, _, _ = of_el0(A32, code, True)
    assert made["loads"] == 8 * 6
