"""Random programs of RV64GC, of many instructions each, that end: what any hart makes of one can be compared.

A program is what is in memory before it. Its code is in items, and those in groups: S11 always has the address of the
next group, where one goes on whose trap leads nowhere else. The page ``FRAME`` (``frame.S``) loads its registers, takes
its traps and writes them down, and stores its registers when it ends.
"""

from __future__ import annotations

from tests.core.riscv import asm, frame_code
from tests.core.riscv.asm import S11, ZERO
from tests.core.riscv.bench import A, D, R, Tables, U, W, X
from tests.core.riscv.layout import (
    BASE,
    CODE,
    CODE_SIZE,
    COUNT,
    DATA,
    DATA_SIZE,
    F_AT,
    FCSR_AT,
    FRAME,
    HUGE,
    LOG,
    PAGES,
    SATP_AT,
    SIZE,
    START_AT,
    STATUS_AT,
    TABLES,
    USERS,
    X_AT,
    Image,
    Program,
)
from tests.core.riscv.plain_items import BASES, DATA_AT, PAGE_AT, SP, USER_AT
from tests.core.riscv.trap_items import TrapItems


class Maker(TrapItems):
    """One program from one seed."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.seed = seed
        self.image = Image()

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
        rd = self.random.choice(BASES)
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


def program(seed: int) -> Program:
    return Maker(seed).make()
