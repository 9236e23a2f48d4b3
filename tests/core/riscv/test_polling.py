"""Loops of RV64 that wait for the counter."""

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baonet.hyp.riscv.cpu import RiscvExit
from tests.core import polling
from tests.core.polling import compare
from tests.core.riscv import asm
from tests.core.riscv.asm import A0, ECALL, NOP, PAUSE, S0, S2, SP, T0, TIME, ZERO
from tests.core.riscv.bench import DATA, HZ, TICK, Hart

STACK: Final = DATA + 0x100
CONSTANTS: Final = (16, 17, 28, 29, 30, 31)
WRITTEN: Final = (9, 11, 12, 13, 14, 15, 5, 6, 7)
NEAR: Final = WRITTEN[:6]  # what compressed instructions have
PLENTY: Final = 1 << 63


class Guest:
    def __init__(self, code: bytes, registers: dict[int, int], ticks: int = 0, data: bytes = b"") -> None:
        self.hart = Hart("virtual")
        self.hart.memory.load(DATA, data)
        self.hart.enter(code)
        self.core = self.hart.core
        for number, value in registers.items():
            self.core.x[number] = value
        if ticks:
            self.core.skip_to(ticks * TICK)

    def seen(self) -> tuple[object, ...]:
        core = self.core
        return (
            core.time,
            core.pc,
            list(core.x),
            core.state(),
            self.hart.count,
            self.hart.memory.ram[0x20_0000:0x20_0200],
        )


@st.composite
def operations(draw: st.DrawFn, fresh: list[int]) -> bytes:
    """One that computes something, mostly of what was computed in this iteration."""

    def register() -> int:
        return draw(st.sampled_from([*fresh, *fresh, *CONSTANTS, *draw(st.sampled_from(((), WRITTEN)))]))

    def near() -> int:
        return draw(st.sampled_from([each for each in fresh if 8 < each < 16] or [9])) - 8

    to, a, b, bits = draw(st.sampled_from(WRITTEN)), register(), register(), draw(st.integers(0, 63))
    short, other, any_bits = draw(st.sampled_from(NEAR)) - 8, near(), draw(st.integers(0, 0xFFF))
    offset = draw(st.integers(0, 7)) * 8
    opcode = draw(st.sampled_from((0x33, 0x3B)))
    narrow = opcode == 0x3B
    function = draw(st.sampled_from((0, 1, 5) if narrow else range(8)))
    divides = draw(st.sampled_from((0, 5) if narrow else (0, 3, 5)))
    subtracts = draw(st.booleans()) << 30 if function in {0, 5} else 0
    amount = bits & (31 if narrow else 63)
    immediate = amount | subtracts >> 20 if function in {1, 5} else any_bits
    if function == 1:
        immediate = amount
    half_bits = (bits >> 5 & 1) << 12 | (bits & 31) << 2
    size = draw(st.integers(0, 3))
    kinds: dict[str, tuple[bytes, int]] = {
        "register": (asm.word(opcode | function << 12 | a << 15 | b << 20 | to << 7 | subtracts), to),
        "immediate": (asm.word(opcode - 0x20 | function << 12 | a << 15 | immediate << 20 | to << 7), to),
        "product": (asm.word(opcode | divides << 12 | a << 15 | b << 20 | to << 7 | 1 << 25), to),
        "lui": (asm.lui(to, any_bits), to),
        "auipc": (asm.word(any_bits << 12 | to << 7 | 0x17), to),
        "load": (asm.load(draw(st.sampled_from(("b", "h", "w", "d", "bu", "hu", "wu"))), to, S2, offset), to),
        "store": (asm.store("bhwd"[size], a, S2, offset), 0),
        "branch": (asm.word(0x463 | draw(st.sampled_from((0, 1, 4, 5, 6, 7))) << 12 | a << 15 | b << 20) + NOP, 0),
        "fence": (asm.fence(), 0),
        "c.addi": (asm.c_addi(to, bits), to),
        "c.addiw": (asm.half(0x2001 | to << 7 | half_bits), to),
        "c.li": (asm.c_li(to, bits), to),
        "c.lui": (asm.half(0x6001 | to << 7 | (half_bits or 4)), to),
        "c.slli": (asm.half(0x0002 | to << 7 | half_bits), to),
        "c.shift or mask": (asm.half(0x8001 | draw(st.integers(0, 2)) << 10 | short << 7 | half_bits), short + 8),
        "c.two": (asm.half(0x8C01 | draw(st.integers(0, 3)) << 5 | short << 7 | other << 2), short + 8),
        "c.two words": (asm.half(0x9C01 | draw(st.integers(0, 1)) << 5 | short << 7 | other << 2), short + 8),
        "c.mv": (asm.c_mv(to, a), to),
        "c.add": (asm.half(0x9002 | to << 7 | a << 2), to),
        "c.addi4spn": (asm.half(0x0000 | (any_bits & 0xFF or 1) << 5 | short << 2), short + 8),
        "c.addi16sp": (asm.half(0x6141) + asm.half(0x713D), SP),
        "c.ld": (asm.c_ld(short + 8, S0, offset), short + 8),
        "c.lw": (asm.half(0x4000 | offset // 8 << 10 | short << 2), short + 8),
        "c.sd": (asm.c_sd(other + 8, S0, offset), 0),
        "c.sw": (asm.half(0xC000 | offset // 8 << 10 | other << 2), 0),
        "c.ldsp": (asm.half(0x6002 | to << 7 | (offset & 24) << 2 | (offset & 32) << 7), to),
        "c.lwsp": (asm.half(0x4002 | to << 7 | (offset & 28) << 2 | (offset & 32) << 7), to),
        "c.sdsp": (asm.half(0xE002 | offset << 7 | a << 2), 0),
        "c.swsp": (asm.half(0xC002 | offset << 7 | a << 2), 0),
    }
    code, written = kinds[draw(st.sampled_from(sorted(kinds)))]
    if written not in {0, SP}:
        fresh.append(written)
    return code


@st.composite
def loops(draw: st.DrawFn) -> bytes:
    fresh: list[int] = []
    before = b"".join(draw(operations(fresh)) for _ in range(draw(st.integers(0, 1))))
    fresh = [A0, A0]
    body = b"".join(draw(operations(fresh)) for _ in range(draw(st.integers(0, 4))))
    compared = draw(st.permutations((draw(st.sampled_from(fresh)), draw(st.sampled_from(CONSTANTS)))))
    leaves = asm.word(0x463 | draw(st.sampled_from((0, 1, 4, 5, 6, 7))) << 12 | compared[0] << 15 | compared[1] << 20)
    wait = before + asm.csrr(A0, TIME) + body + leaves
    return wait + asm.jal(ZERO, -len(wait)) + ECALL


BEGINS: Final = st.one_of(
    st.integers(1, 500),
    st.sampled_from((16, 31, 32)).flatmap(lambda bits: st.integers((1 << bits) - 30, (1 << bits) + 2)),
)


@given(loops(), BEGINS, st.lists(st.integers(0, (1 << 64) - 1), min_size=6, max_size=6), st.data())
@settings(max_examples=60)
def test_iterations_that_are_left_out_leave_no_trace(
    code: bytes, begin: int, numbers: list[int], data: st.DataObject
) -> None:
    registers = dict(zip(WRITTEN, numbers, strict=False)) | {S0: DATA, S2: DATA, SP: STACK}
    for number in CONSTANTS:  # mostly such that something comes of comparing with them
        distance = data.draw(st.integers(-5, 45))
        registers[number] = data.draw(
            st.sampled_from((begin + distance, begin + distance, (1 << 64) - begin + distance, distance))
        )
        registers[number] %= 1 << 64
    content = data.draw(st.binary(min_size=64, max_size=64))
    stops = data.draw(st.lists(st.integers(200, 3_000), max_size=2))
    whole, stepped = (Guest(code, registers, begin, content) for _ in range(2))
    compare(whole, stepped, stops, RiscvExit.BUDGET)


FUNCTION: Final = asm.csrr(A0, TIME) + asm.c_sd(A0, S0) + asm.C_RET


@pytest.mark.parametrize(
    ("call", "kind"),
    [(asm.jal(1, 16), "a call"), (asm.jalr(1, 20), "a call by a register"), (asm.half(0x9A02) + asm.C_NOP, "c.jalr")],
)
def test_a_delay_takes_a_few_of_its_iterations(call: bytes, kind: str) -> None:
    code = call + asm.blt(A0, T0, -4) + ECALL + NOP + FUNCTION
    guest = Guest(code, {T0: 100_000, S0: DATA})
    guest.core.x[20] = guest.core.pc + 16
    assert guest.core.run_until(PLENTY) == RiscvExit.ECALL
    assert guest.core.x[A0] == 100_000, kind
    assert guest.core.time in range(100_000 * TICK, 100_000 * TICK + 30)
    assert guest.hart.count - polling.foreseen(guest) < 600, kind
    assert int.from_bytes(guest.hart.memory.ram[0x20_0000:0x20_0008], "little") == 100_000


def test_a_guest_that_others_wait_for_pauses_in_each_iteration() -> None:
    code = asm.csrr(A0, TIME) + PAUSE + asm.jal(ZERO, -8)
    alone, polite = (Guest(code, {}) for _ in range(2))
    assert alone.core.run_until(alone.core.time + 10_000) == RiscvExit.BUDGET
    assert polling.foreseen(alone) > 9_000
    for _ in range(30):
        assert polite.core.run_until(HZ, True) == RiscvExit.BUDGET
        assert polite.core.yielded
    assert polling.foreseen(polite) == 0
