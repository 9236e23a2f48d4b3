"""Items of random programs that take no trap by themselves, but where a load or store meets one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from random import Random
from typing import Final

from tests.core.memory import MASK
from tests.core.riscv import asm
from tests.core.riscv.asm import S10, S11, ZERO
from tests.core.riscv.layout import COUNT, DATA, HUGE, PAGES, USERS

SP, DATA_AT, PAGE_AT, USER_AT = 2, 8, 9, 18  # registers that mostly are pointers
KEPT: Final = (ZERO, SP, DATA_AT, PAGE_AT, USER_AT, S10, S11)
FREE: Final = tuple(n for n in range(1, 32) if n not in KEPT)
PLACES: Final = (1, 5, 6, 7)
"""What may have an address in the code, or in the frame. No store is from there: it would need a FENCE.I behind it."""
BASES: Final = tuple(n for n in FREE if n not in PLACES)

_SINGLES: Final = (0, 0x8000_0000, 0x3F80_0000, 0x7F80_0000, 0xFF80_0000, 0x7FC0_0000, 0x7F80_0001, 1, 0x007F_FFFF)
_SINGLES2: Final = (
    0x7F7F_FFFF,
    0x0080_0000,
    0x4F00_0000,
    0xCF00_0000,
    0x5F00_0000,
    0xBF80_0000,
    0x3F00_0000,
    0xFFFF_FFFF,
)
_DOUBLES: Final = (0, 1 << 63, 0x3FF0 << 48, 0x7FF0 << 48, 0xFFF0 << 48, 0x7FF8 << 48, 0x7FF0 << 48 | 1, 1)
_DOUBLES2: Final = (0x7FEF_FFFF_FFFF_FFFF, 0x10 << 48, 0x41E0 << 48, 0x43E0 << 48, 0x36A0 << 48, 0xBFE0 << 48, MASK)


def _signed(value: int, bits: int) -> int:
    return (value & (1 << bits) - 1) - (1 << bits if value >> bits - 1 & 1 else 0)


class PlainItems(ABC):
    """What items are made of, and those that are for one hart as for another."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.levels = self.random.choice((0, 3, 3, 3, 4, 5))
        self.asid = self.satp = 0
        self.vas: list[int] = []
        """What the program maps, and where the entries are."""
        self.places: list[int] = []

    # Values

    def bits(self, count: int) -> int:
        return self.random.getrandbits(count)

    def free(self) -> int:
        return self.random.choice(FREE)

    def any(self) -> int:
        return self.bits(5)

    def small(self) -> int:
        """A free register that compressed instructions can name."""
        return self.random.randrange(10, 16)

    def value(self) -> int:
        random = self.random
        return random.choice(
            (self.bits(random.choice((3, 12, 32, 64))), MASK - self.bits(random.choice((3, 31, 63))), 1 << self.bits(6))
        )

    def float_value(self) -> int:
        random = self.random
        kind = random.randrange(8)
        if kind < 3:
            return 0xFFFF_FFFF << 32 | random.choice((*_SINGLES, *_SINGLES2, self.bits(32)))
        if kind == 3:
            return 0xFFFF_FFFF << 32 | (0x3F80_0000 + self.bits(26)) ^ self.bits(1) << 31
        if kind < 6:
            return random.choice((*_DOUBLES, *_DOUBLES2))
        return ((0x3FF0 << 48) + self.bits(58)) ^ self.bits(1) << 63 if kind == 6 else self.bits(64)

    def li(self, rd: int, value: int) -> bytes:
        """Any constant: from the code behind."""
        data = (value & MASK).to_bytes(8, "little")
        return asm.word(rd << 7 | 0x17) + asm.ld(rd, rd, 12) + asm.jal(ZERO, 12) + data

    def page(self) -> int:
        """An address in what the program maps: a page, a superpage, or nothing."""
        random = self.random
        kind = random.randrange(10)
        if kind < 7:
            va = PAGES + 0x1000 * random.randrange(COUNT)
        elif kind < 9:
            va = PAGES + 0x20_0000 * random.randrange(1, 4) + DATA - 0x8000_0000 + 0x1000 * random.randrange(4)
        else:
            va = HUGE + DATA - 0x8000_0000
        return va + random.choice((0, 8, 0xFF8, 0xFFC, 0xFFE, 0xFFF, self.bits(12)))

    # Items

    def integer(self) -> bytes:
        random, rd, rs1, rs2 = self.random, self.free(), self.any(), self.any()
        kind = random.randrange(8)
        if kind < 3:
            opcode = random.choice((0x33, 0x3B))
            function = random.choice(
                ((0, 0), (0, 0x20), (1, 0), (2, 0), (3, 0), (4, 0), (5, 0), (5, 0x20), (6, 0), (7, 0))
            )
            return asm.word(function[1] << 25 | rs2 << 20 | rs1 << 15 | function[0] << 12 | rd << 7 | opcode)
        if kind < 5:
            return asm.word(
                1 << 25 | rs2 << 20 | rs1 << 15 | self.bits(3) << 12 | rd << 7 | random.choice((0x33, 0x3B))
            )
        if kind < 7:
            return asm.word(
                self.bits(12) << 20 | rs1 << 15 | self.bits(3) << 12 | rd << 7 | random.choice((0x13, 0x1B))
            )
        return asm.lui(rd, self.bits(20))

    def short(self) -> bytes:
        """A compressed instruction, or what is reserved among them; no jump, and none of the kept registers."""
        while True:
            half = self.bits(16)
            quadrant, function, rd = half & 3, half >> 13, half >> 7 & 31
            if quadrant == 3:
                continue
            if quadrant == 0:
                if half >> 2 & 7 in (0, 1) and function < 4:
                    continue
                return asm.half(half)
            if quadrant == 1 and (
                function > 4 or (function == 4 and rd & 7 in (0, 1)) or (function < 4 and rd in KEPT[1:])
            ):
                continue
            if quadrant == 2 and ((function == 4 and not half >> 2 & 31) or (function < 5 and rd in KEPT[1:])):
                continue
            return asm.half(half)

    def floating(self) -> bytes:
        random = self.random
        rounding = random.choice((0, 1, 2, 3, 4, 7, 7, 7, self.bits(3)))
        form = random.choice((0, 0, 0, 1, 1, 1, self.bits(2)))
        rd, rs1, rs2, rs3 = self.bits(3), self.bits(3), self.bits(3), self.bits(3)
        if random.randrange(4) == 0:
            opcode = random.choice((0x43, 0x47, 0x4B, 0x4F))
            return asm.word(rs3 << 27 | form << 25 | rs2 << 20 | rs1 << 15 | rounding << 12 | rd << 7 | opcode)
        function = random.choice((0, 1, 2, 3, 4, 5, 8, 11, 20, 24, 26, 28, 30))
        if function in (4, 5, 20):
            rounding = random.choice((0, 1, 2, self.bits(3)))
        if function == 8:
            rs2 = form ^ 1 if form < 2 else rs2
        if function == 11:
            rs2 = 0
        if function in (24, 26):
            rs2 = random.randrange(4)
        if function in (28, 30):
            rs2, rounding = 0, random.choice((0, 1) if function == 28 else (0,))
        if random.randrange(20) == 0:
            rs2, rounding = self.bits(5), self.bits(3)
        if function in (20, 24, 28):
            rd = self.free()
        if function in (26, 30):
            rs1 = self.any()
        return asm.word(function << 27 | form << 25 | rs2 << 20 | rs1 << 15 | rounding << 12 | rd << 7 | 0x53)

    def base(self) -> int:
        return self.random.choice((SP, SP, DATA_AT, DATA_AT, PAGE_AT, PAGE_AT, USER_AT, self.random.choice(BASES)))

    def memory_access(self) -> bytes:
        random, base, offset = self.random, self.base(), _signed(self.bits(12) >> self.random.choice((0, 8)), 12)
        if random.randrange(2):
            return asm.word((offset & 0xFFF) << 20 | base << 15 | self.bits(3) << 12 | self.free() << 7 | 0x03)
        function = random.randrange(5) if random.randrange(8) == 0 else random.randrange(4)
        return asm._s(0x23, function, self.any(), base, offset)

    def float_access(self) -> bytes:
        random, base, offset = self.random, self.base(), _signed(self.bits(12), 12)
        size = random.choice((2, 3))
        if random.randrange(2):
            return asm.word((offset & 0xFFF) << 20 | base << 15 | size << 12 | self.bits(3) << 7 | 0x07)
        return asm._s(0x27, size, self.bits(3), base, offset)

    def pointer(self) -> bytes:
        random = self.random
        register = random.choice((SP, DATA_AT, PAGE_AT, USER_AT))
        if register == PAGE_AT:
            return self.li(register, self.page())
        at = DATA + random.choice((self.bits(14), 0xFF8, 0xFFF, 0x1FFC, 0x3FFE))
        return self.li(register, at + (USERS if register == USER_AT else 0))

    def atomic_pointer(self, misaligned: bool) -> bytes:
        random = self.random
        at = random.choice((DATA + (self.bits(14) & ~7), self.page() & ~7, DATA + USERS + (self.bits(14) & ~7)))
        return self.li(10, at + (random.randrange(8) if misaligned else random.choice((0, 0, 4))))

    def atomic(self) -> bytes:
        random = self.random
        size = random.choice(("w", "d"))
        code = self.atomic_pointer(random.randrange(6) == 0)
        if size == "d" and random.randrange(8):
            code += asm.andi(10, 10, -8 & 0xFFF)
        for _ in range(random.randint(1, 3)):
            operation = random.choice(("add", "swap", "xor", "or", "and", "min", "max", "minu", "maxu"))
            code += asm.amo(
                operation, size, random.choice(FREE[8:]), self.any(), 10, aq=bool(self.bits(1)), rl=bool(self.bits(1))
            )
        return code

    def reserved(self) -> bytes:
        """LR, something or nothing, and SC."""
        random = self.random
        size = random.choice(("w", "d"))
        code = (
            self.atomic_pointer(False)
            + asm.andi(10, 10, -8 & 0xFFF)
            + asm.addi(11, 10, random.choice((8, 4, -8 & 0xFFF)))
        )
        code += asm.amo("lr", size, 12, ZERO, 10, aq=bool(self.bits(1)))
        between: Sequence[Callable[[], bytes]] = (
            lambda: b"",
            lambda: b"",
            self.integer,
            lambda: asm.store(size, random.choice((12, 13)), random.choice((10, 11))),
            lambda: asm.amo("add", size, 14, 13, 10),
            lambda: asm.EBREAK,
            lambda: asm.amo("sc", size, 14, 13, 10),
            lambda: asm.amo("lr", size, 14, ZERO, 11),
            self.wild,
        )
        code += random.choice(between)()
        other = size if random.randrange(4) else "w"
        return code + asm.amo(
            "sc", other, 15, random.choice((12, 13)), 10 if random.randrange(6) else 11, rl=bool(self.bits(1))
        )

    def plain(self) -> bytes:
        return self.random.choice((self.integer, self.short, self.floating))()

    def branch(self) -> bytes:
        random = self.random
        inside = b"".join(self.plain() for _ in range(random.randint(1, 5)))
        kind = random.randrange(5)
        if kind == 0:
            return asm.c_j(2 + len(inside)) + inside
        if kind == 1:
            return asm.c_bnez(self.small(), 2 + len(inside)) + inside
        if kind == 2:
            return asm.jal(random.choice(PLACES), 4 + len(inside)) + inside
        if kind == 3:
            return asm._branch(random.choice((0, 1, 4, 5, 6, 7)), self.any(), self.any(), 4 + len(inside)) + inside
        # A loop
        start = asm.addi(S10, ZERO, random.randint(1, 12))
        return start + inside + asm.addi(S10, S10, 0xFFF) + asm.bne(S10, ZERO, -len(inside) - 4)

    @abstractmethod
    def wild(self) -> bytes: ...
