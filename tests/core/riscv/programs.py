"""Random programs of RV64GC, of many instructions each, that end: what any hart makes of one can be compared.

A program is what is in memory before it. Its code is in items, and those in groups: S11 always has the address of the
next group, where one goes on whose trap leads nowhere else. The page ``FRAME`` (``frame.S``) loads its registers, takes
its traps and writes them down, and stores its registers when it ends.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Final, NamedTuple

from tests.core.memory import MASK
from tests.core.riscv import asm, frame_code
from tests.core.riscv.asm import S10, S11, ZERO
from tests.core.riscv.bench import A, D, G, R, Tables, U, V, W, X, entry

BASE: Final = 0x8001_0000
CODE, CODE_SIZE = BASE, 0x4000
FRAME: Final = BASE + 0x4000
LOG: Final = FRAME + 0x1000
DATA, DATA_SIZE = LOG + 0x1000, 0x4000
TABLES: Final = DATA + DATA_SIZE + 0x1000  # no store from a pointer into the data reaches them
SIZE: Final = 0x1_4000
USERS: Final = 0x4000_0000  # from an address in S mode to the one that U mode has for the same
PAGES: Final = 0x5000_0000  # whose entries the program changes
COUNT: Final = 8
HUGE: Final = 0x1_4000_0000  # 1 GiB

# In LOG: as frame.S has them
X_AT, F_AT, FCSR_AT, STATUS_AT, SATP_AT, START_AT, SAVED_AT, NEXT_AT = (
    0,
    0x100,
    0x200,
    0x208,
    0x210,
    0x218,
    0x220,
    0x280,
)
END_X, END_F, END_CSRS, TRAPS = 0x300, 0x400, 0x500, 0x600
END_NAMES: Final = (
    *("sstatus", "fcsr", "scause", "sepc", "stval", "stvec", "scounteren", "senvcfg", "satp", "sie", "sip", "stimecmp"),
)
STATUS: Final = 0xC6122  # what of it is a guest's business

SP, DATA_AT, PAGE_AT, USER_AT = 2, 8, 9, 18  # registers that mostly are pointers
_KEPT: Final = (ZERO, SP, DATA_AT, PAGE_AT, USER_AT, S10, S11)
_FREE: Final = tuple(n for n in range(1, 32) if n not in _KEPT)
_PLACES: Final = (1, 5, 6, 7)
"""What may have an address in the code, or in the frame. No store is from there: it would need a FENCE.I behind it."""
_BASES: Final = tuple(n for n in _FREE if n not in _PLACES)

_CSRS: Final = (
    *(asm.SSTATUS, asm.SSTATUS, asm.SEPC, asm.SCAUSE, asm.STVAL, asm.SCOUNTEREN, asm.SENVCFG, asm.SIP, asm.SIE),
    *(asm.FFLAGS, asm.FRM, asm.FCSR, asm.FCSR),
)
_READ: Final = (asm.SSCRATCH, asm.STVEC, asm.SATP)
"""These the frame needs."""

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


class Program(NamedTuple):
    seed: int
    memory: bytes  # from BASE on

    @property
    def satp(self) -> int:
        return int.from_bytes(self.memory[LOG - BASE + SATP_AT :][:8], "little")


class Image:
    """The memory of a program while it is made, as Tables wants it."""

    def __init__(self) -> None:
        self.ram = bytearray(SIZE)

    def load(self, address: int, data: bytes) -> None:
        self.ram[address - BASE : address - BASE + len(data)] = data

    def write(self, address: int, *values: int) -> None:
        self.load(address, b"".join((value & MASK).to_bytes(8, "little") for value in values))

    def read(self, address: int) -> int:
        return int.from_bytes(self.ram[address - BASE : address - BASE + 8], "little")


def _signed(value: int, bits: int) -> int:
    return (value & (1 << bits) - 1) - (1 << bits if value >> bits - 1 & 1 else 0)


class Maker:
    """One program from one seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.random = Random(seed)
        self.image = Image()
        self.levels = self.random.choice((0, 3, 3, 3, 4, 5))
        self.places: list[int] = []

    # Values

    def bits(self, count: int) -> int:
        return self.random.getrandbits(count)

    def free(self) -> int:
        return self.random.choice(_FREE)

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
                function > 4 or (function == 4 and rd & 7 in (0, 1)) or (function < 4 and rd in _KEPT[1:])
            ):
                continue
            if quadrant == 2 and ((function == 4 and not half >> 2 & 31) or (function < 5 and rd in _KEPT[1:])):
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
        return self.random.choice((SP, SP, DATA_AT, DATA_AT, PAGE_AT, PAGE_AT, USER_AT, self.random.choice(_BASES)))

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
                operation, size, random.choice(_FREE[8:]), self.any(), 10, aq=bool(self.bits(1)), rl=bool(self.bits(1))
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
            return asm.jal(random.choice(_PLACES), 4 + len(inside)) + inside
        if kind == 3:
            return asm._branch(random.choice((0, 1, 4, 5, 6, 7)), self.any(), self.any(), 4 + len(inside)) + inside
        # A loop
        start = asm.addi(S10, ZERO, random.randint(1, 12))
        return start + inside + asm.addi(S10, S10, 0xFFF) + asm.bne(S10, ZERO, -len(inside) - 4)

    def csr(self) -> bytes:
        random = self.random
        function = random.choice((1, 2, 3, 5, 6, 7))
        if random.randrange(8) == 0:
            return asm.csrrs(random.choice(_PLACES), random.choice(_READ), ZERO)
        number, source = random.choice(_CSRS), self.any()
        if number == asm.SIE:
            return asm.csrrw(self.free(), number, ZERO)  # none comes by itself
        if number == asm.SCOUNTEREN:  # of 32 bits, which QEMU 7.2 has as 64
            function |= 4
        if number == asm.SIP and function >= 4:  # others of its bits are in places of M mode's there
            source &= 2
        if number == asm.SEPC:  # whose lowest bit is 0 here alone
            if function < 4:
                return self.li(10, self.value() & ~1) + asm._i(0x73, function, random.choice(_PLACES), 10, number)
            source &= ~1
        rd = random.choice(_PLACES) if number == asm.SEPC else self.free()
        code = asm._i(0x73, function, rd, source, number)
        if number in (asm.SSTATUS, asm.SIP) and (function < 4 or random.randrange(2)):
            bits = random.choice((1 << 18, 1 << 19, 1 << 13, 3 << 13, 1 << 8, 1 << 5, 2, self.value()))
            bits &= STATUS if number == asm.SSTATUS else 2  # UXL is another hart's to change
            code = self.li(10, bits) + asm._i(0x73, random.choice((2, 3)), rd, 10, number)
        if number == asm.SSTATUS:  # of which XS and SD are the host's
            code += self.li(11, STATUS) + asm._r(0x33, (7, 0), rd, rd, 11)
        return code

    def float_on(self) -> bytes:
        code = self.li(10, self.random.choice((1, 2, 3)) << 13) + asm.csrrs(ZERO, asm.SSTATUS, 10)
        return code + asm.csrrw(self.free(), asm.FCSR, self.random.choice((ZERO, 10, self.any())))

    def privilege(self) -> bytes:
        bits = self.random.choice((1 << 18, 1 << 19, 3 << 18))
        return self.li(10, bits) + asm._i(0x73, self.random.choice((2, 3)), ZERO, 10, asm.SSTATUS)

    def target(self) -> int:
        """An entry for a page of the program's: mostly one that leads somewhere."""
        random = self.random
        pa = random.choice((*(DATA + 0x1000 * n for n in range(4)),) * 3 + (0x3000_0000, BASE - 0x1000))
        bits = random.choice((R | W | X, R | W, R | X, R, X, R | W | X | U, R | W | U, X | U, self.bits(8) & ~(A | D)))
        value = entry(pa, bits | A | D | (G if random.randrange(4) == 0 else 0))
        odd = random.randrange(24)
        if odd == 0:
            value ^= 1 << random.randrange(61, 64)
        elif odd == 1:
            value ^= V
        elif odd == 2:
            value = self.bits(62) & ~_IGNORED | A | D
        elif odd == 3:
            value |= random.choice((1, 2)) << 61
        elif odd == 4:
            value |= 1 << 63
        if value >> 63:  # 64 KiB, and so of the frame's
            value &= ~(W | X)
        return value

    def big_target(self, level: int) -> int:
        """Of a superpage, which is at times not aligned."""
        random = self.random
        value = entry(0x8000_0000, R | W | A | D | random.choice((0, X, U, X | U, G)))
        odd = random.randrange(8)
        if odd == 0:
            value ^= 1 << random.randrange(10, 10 + 9 * level)
        elif odd == 1:
            value ^= random.choice((V, R | W, R, W, 1 << 63, 1 << 61))
        return value

    def tables(self) -> bytes:
        """Change an entry, fence it, and use it."""
        random = self.random
        if not self.places:
            return self.integer()
        which = random.randrange(len(self.places))
        va = self.vas[which]
        value = self.target() if which < COUNT else self.big_target(1 if which < COUNT + 3 else 2)
        within = 0 if which < COUNT else DATA - 0x8000_0000 + 0x1000 * random.randrange(4)
        used = va + within + random.choice((0, 0xFF8, 0xFFD, self.bits(12)))
        code = self.li(PAGE_AT, used) + self.li(10, value) + self.li(11, self.places[which])
        if random.randrange(2):
            code += asm.load("b", 12, PAGE_AT)
        code += asm.sd(10, 11)
        fenced = va + random.choice((within, within, self.bits(12))) if which < COUNT else used
        code += self.li(10, fenced) + asm.addi(11, ZERO, random.choice((0, self.asid)))
        code += asm.sfence_vma(random.choice((ZERO, 10)), random.choice((ZERO, 11)))
        return code + random.choice((self.memory_access, self.use, self.use))()

    def use(self) -> bytes:
        random = self.random
        kind = random.randrange(4)
        if kind == 0:
            return asm.load(random.choice(("b", "h", "w", "d", "bu")), self.free(), PAGE_AT)
        if kind == 1:
            return asm.store(random.choice(("b", "h", "w", "d")), self.any(), PAGE_AT)
        if kind == 2:
            return asm.ld(self.free(), PAGE_AT) + asm.sd(self.any(), PAGE_AT, random.choice((0, 4, 7)))
        return self.routine()

    def routine(self) -> bytes:
        """Write a few instructions to where the program has data, and call them by whatever page leads there."""
        random = self.random
        body = b"".join(random.choice((self.integer, self.floating))() for _ in range(random.randint(0, 4)))
        body += random.choice((b"", asm.C_NOP))
        body += random.choice((asm.C_RET, asm.C_RET, asm.C_RET, asm.jalr(ZERO, 1)))
        page, start = (
            random.randrange(4),
            random.choice((0, 0x800, 0x1000 - len(body), 0x1002 - len(body), 0xFFE, 0xFFA)),
        )
        start &= ~1
        code = b""
        if page == 3:
            start = min(start, 0x1000 - len(body)) & ~1
        at = DATA + 0x1000 * page + start
        for n in range(0, len(body), 2):
            code += self.li(11, at + n) + asm.li(10, int.from_bytes(body[n : n + 2], "little")) + asm.store("h", 10, 11)
        code += asm.fence_i()
        way = random.randrange(4)
        if way == 0:
            to = at
        elif way == 1:
            to = at + USERS
        elif way == 2:
            to = PAGES + 0x1000 * random.randrange(COUNT) + start
        else:
            to = PAGES + 0x20_0000 + at - 0x8000_0000
        # QEMU 7.2 lets S mode fetch from a page of U mode's that it has loaded from before, with SUM
        code += random.choice((asm.sfence_vma(), self.li(10, 1 << 18) + asm.csrrc(ZERO, asm.SSTATUS, 10)))
        return code + self.li(11, to) + asm.jalr(1, 11, random.choice((0, 0, 1)))

    def trap(self) -> bytes:
        random = self.random
        return random.choice(
            (
                asm.EBREAK,
                asm.C_EBREAK,
                asm.ECALL,
                asm.ECALL,
                asm.ECALL,
                asm.half(0),
                asm.word(0xFFFF_FFFF),
                self.wild(),
                self.wild(),
            )
        )

    def wild(self) -> bytes:
        """Any word of 32 bits that neither jumps, nor waits, nor takes from the frame what it needs."""
        random = self.random
        while True:
            word = self.bits(32) | 3
            if random.randrange(2):
                word = word & ~0x7F | random.choice(
                    (0x73, 0x2F, 0x0F, 0x53, 0x07, 0x27, 0x03, 0x23, 0x33, 0x3B, 0x13, 0x1B)
                )
            opcode, function, rd, number = word & 0x7F, word >> 12 & 7, word >> 7 & 31, word >> 20
            if opcode in (0x63, 0x67, 0x6F) or rd in _KEPT[1:]:
                continue
            if opcode & 0x1F == 0x1F:  # longer than 32 bits
                continue
            if opcode in (0x23, 0x27, 0x2F) and word >> 15 & 31 in (*_PLACES, S11):
                continue
            if opcode == 0x17:
                continue
            if opcode == 0x0F and function == 2:  # cache blocks, that not every hart has
                continue
            if opcode == 0x73:
                if not function and random.randrange(2):
                    word = random.choice((0x3020_0073, 0x1020_0073, 0x1200_0073, 0x1600_0073, 0x6200_0073, 0x7B20_0073))
                    if word == 0x1020_0073:
                        return self.back()
                    return asm.word(word)
                if not function and number == 0x105:
                    continue
                if function & 3 and number in _UNCLEAR:  # or that csr() has
                    continue
            return asm.word(word)

    def back(self) -> bytes:
        """SRET, to the next instruction, with whatever else it does."""
        at = asm.word(7 << 7 | 0x17) + asm.addi(7, 7, 20) + asm.andi(7, 7, 0xFFE)
        return at + asm.csrw(asm.SEPC, 7) + asm.SRET

    def to_user(self) -> bytes:
        """SRET to U mode, at the address that it has."""
        if not self.levels:
            clear = self.li(10, 1 << 8) + asm.csrrc(ZERO, asm.SSTATUS, 10)
            return clear + self.back()
        code = self.li(10, 1 << 8) + asm.csrrc(ZERO, asm.SSTATUS, 10)
        middle = self.li(11, USERS)
        at = asm.word(7 << 7 | 0x17) + asm.addi(7, 7, 24) + asm._r(0x33, (6, 0), 7, 7, 11) + asm.andi(7, 7, 0xFFE)
        return code + middle + at + asm.csrw(asm.SEPC, 7) + asm.SRET

    def jump(self) -> bytes:
        """To where nothing is, most times."""
        random = self.random
        to = random.choice(
            (PAGES + 0x7000 * 2, 0x3000_0000, 1 << random.randrange(36, 64), 0x1000, FRAME + USERS, LOG + USERS + 2)
        )
        return self.li(11, to + random.choice((0, 0, 1, 2, 3))) + asm.jalr(random.choice((ZERO, 1, 5)), 11)

    def space(self) -> bytes:
        """SATP: modes that are not there, another ASID, no translation and back."""
        random = self.random
        if not self.levels:
            return self.li(10, random.choice((1, 2, 7, 11, 12, 15)) << 60 | self.bits(44)) + asm.csrrw(12, asm.SATP, 10)
        kind = random.randrange(4)
        if kind == 0:
            return self.li(10, random.choice((1, 2, 7, 11, 12, 15)) << 60 | self.bits(44)) + asm.csrrw(12, asm.SATP, 10)
        if kind == 1:
            return self.li(10, self.satp | self.bits(16) << 44) + asm.csrrw(12, asm.SATP, 10)
        inside = b"".join(self.plain() for _ in range(2)) + self.memory_access()
        code = asm.csrrw(12, asm.SATP, ZERO) + asm.sfence_vma() + inside
        return (
            self.li(10, self.satp)
            + asm.addi(10, 10, 0)
            + code
            + self.li(10, self.satp)
            + asm.csrrw(12, asm.SATP, 10)
            + asm.sfence_vma()
        )

    def interrupt(self) -> bytes:
        """A software interrupt, by itself."""
        code = asm.csrwi(asm.SIE, 2) + asm.csrsi(asm.SIP, 2)
        code += b"".join(self.plain() for _ in range(self.random.randint(0, 2)))
        code += asm.csrsi(asm.SSTATUS, 2) + b"".join(self.plain() for _ in range(2)) + asm.csrci(asm.SSTATUS, 2)
        return code + asm.csrci(asm.SIP, 2) + asm.csrwi(asm.SIE, 0)

    def waiting(self) -> bytes:
        """WFI, with an interrupt that is pending and may not come."""
        return (
            asm.csrci(asm.SSTATUS, 2)
            + asm.csrwi(asm.SIE, 2)
            + asm.csrsi(asm.SIP, 2)
            + asm.WFI
            + asm.csrci(asm.SIP, 2)
            + asm.csrwi(asm.SIE, 0)
        )

    def timer(self) -> bytes:
        return asm.csrw(asm.STIMECMP, ZERO) + asm.addi(10, ZERO, 0xFFF) + asm.csrw(asm.STIMECMP, 10)

    def order(self) -> bytes:
        return self.random.choice(
            (asm.fence_i(), asm.fence(), asm.PAUSE, asm.word(self.bits(12) << 20 | 0x0F), asm.word(0x8330_000F))
        )

    # All of it

    def item(self) -> bytes:
        weights = (
            (self.integer, 20),
            (self.short, 16),
            (self.floating, 30),
            (self.memory_access, 14),
            (self.float_access, 6),
            (self.pointer, 6),
            (self.atomic, 5),
            (self.reserved, 4),
            (self.branch, 8),
            (self.csr, 8),
            (self.float_on, 4),
            (self.privilege, 3),
            (self.tables, 12),
            (self.use, 3),
            (self.trap, 5),
            (self.to_user, 3),
            (self.back, 1),
            (self.jump, 2),
            (self.space, 1),
            (self.interrupt, 1),
            (self.waiting, 1),
            (self.timer, 1),
            (self.order, 2),
        )
        make = self.random.choices([each for each, _ in weights], [weight for _, weight in weights])[0]
        return make()

    def code(self, start: int) -> bytes:
        limit = CODE + CODE_SIZE - 0x400 - start
        wanted = self.random.randint(40, 160)
        result = b""
        while wanted > 0 and len(result) < limit:
            items = [self.item() for _ in range(self.random.randint(1, 6))]
            wanted -= len(items)
            group = b"".join(items)
            if len(result) + len(group) > limit:
                break
            result += asm.word(S11 << 7 | 0x17) + self.near(len(group)) + group
        at = start + len(result)
        result += asm.word(S11 << 7 | 0x17) + asm.ECALL  # from U mode, it leads to S mode
        distance = FRAME + frame_code.ENTRY["leave"] - at - 8
        result += asm.word((distance + 0x800 >> 12 & 0xFFFFF) << 12 | S11 << 7 | 0x17)
        return result + asm.jalr(ZERO, S11, distance & 0xFFF)

    def near(self, length: int) -> bytes:
        """S11, from its AUIPC on, to behind the group."""
        steps = next(n for n in range(1, 9) if length + 4 + 4 * n <= n * 0x7FC)
        left, code = length + 4 + 4 * steps, b""
        for _ in range(steps):
            code += asm.addi(S11, S11, step := min(left, 0x7FC))
            left -= step
        return code

    def make(self) -> Program:
        random, image = self.random, self.image
        image.load(FRAME, frame_code.CODE[: frame_code.ENTRY["monitor"]])
        image.load(DATA, b"".join(self.filler() for _ in range(DATA_SIZE // 2)))
        self.asid = random.choice((0, 0, 1, self.bits(16)))
        self.satp = 0
        if self.levels:
            self.map()
        start = CODE + (random.choice((0, 0xE00, 0xFFE, 0xFF0, self.bits(12))) & ~1)
        image.load(start, self.code(start))
        image.write(LOG + X_AT, *(self.value() for _ in range(32)))
        for register, pointer in (
            (SP, DATA + 0x800),
            (DATA_AT, DATA + 0xFF8),
            (PAGE_AT, PAGES + 0x800),
            (USER_AT, DATA + USERS + 0x1800),
        ):
            image.write(LOG + X_AT + 8 * register, pointer)
        image.write(LOG + F_AT, *(self.float_value() for _ in range(32)))
        image.write(LOG + FCSR_AT, self.bits(8) if random.randrange(3) else 0)
        image.write(LOG + STATUS_AT, 0x100 | random.choice((1, 2, 3)) << 13 | self.bits(2) << 18)
        image.write(LOG + SATP_AT, self.satp)
        image.write(LOG + START_AT, start)
        return Program(self.seed, bytes(image.ram))

    def filler(self) -> bytes:
        """Data, which when it is run is neither a jump nor a store, wherever that begins, and comes to an end."""
        rd = self.random.choice(_BASES)
        return asm.half(
            self.bits(2) << 13 | self.bits(1) << 12 | rd << 7 | self.bits(5) << 2 | 1 if self.bits(3) else 0x9002
        )

    def map(self) -> None:
        tables = Tables(self.image, self.levels, TABLES)
        for page in range(0, SIZE, 0x1000):
            at = BASE + page
            tables.map(at, at, R | W | X | A | D)
            if at < FRAME or DATA <= at < TABLES:
                tables.map(at + USERS, at, R | W | X | U | A | D)
        self.vas = [PAGES + 0x1000 * n for n in range(COUNT)]
        self.places = [tables.map(va, DATA + 0x1000 * (n % 4), R | W | X | A | D) for n, va in enumerate(self.vas)]
        for n in range(1, 4):
            self.vas.append(PAGES + 0x20_0000 * n)
            self.places.append(tables.place(self.vas[-1], 1))
        self.vas.append(HUGE)
        self.places.append(tables.place(HUGE, 2))
        self.satp = tables.satp | self.asid << 44


_UNCLEAR: Final = frozenset(
    (asm.SCOUNTEREN, asm.SEPC, asm.SSTATUS, asm.SIP, asm.STVEC, asm.SSCRATCH, asm.SATP, asm.SIE, asm.STIMECMP, asm.TIME)
)


_IGNORED: Final = 0x7F << 54  # and both of PBMT
"""Reserved bits of an entry: QEMU 7.2 with Svpbmt and Svnapot does not look at them."""


def program(seed: int) -> Program:
    return Maker(seed).make()
