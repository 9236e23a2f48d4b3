"""Items of random programs that are about traps and what is a supervisor's: CSRs, page tables, modes, interrupts."""

from __future__ import annotations

from typing import Final

from tests.core.riscv import asm
from tests.core.riscv.asm import S11, ZERO
from tests.core.riscv.bench import A, D, G, R, U, V, W, X, entry
from tests.core.riscv.layout import BASE, COUNT, DATA, FRAME, LOG, PAGES, STATUS, USERS
from tests.core.riscv.plain_items import KEPT, PAGE_AT, PLACES, PlainItems

_CSRS: Final = (
    *(asm.SSTATUS, asm.SSTATUS, asm.SEPC, asm.SCAUSE, asm.STVAL, asm.SCOUNTEREN, asm.SENVCFG, asm.SIP, asm.SIE),
    *(asm.FFLAGS, asm.FRM, asm.FCSR, asm.FCSR),
)
_READ: Final = (asm.SSCRATCH, asm.STVEC, asm.SATP)
"""These the frame needs."""

_UNCLEAR: Final = frozenset(
    (asm.SCOUNTEREN, asm.SEPC, asm.SSTATUS, asm.SIP, asm.STVEC, asm.SSCRATCH, asm.SATP, asm.SIE, asm.STIMECMP, asm.TIME)
)


_IGNORED: Final = 0x7F << 54  # and both of PBMT
"""Reserved bits of an entry: QEMU 7.2 with Svpbmt and Svnapot does not look at them."""


class TrapItems(PlainItems):
    def csr(self) -> bytes:
        random = self.random
        function = random.choice((1, 2, 3, 5, 6, 7))
        if random.randrange(8) == 0:
            return asm.csrrs(random.choice(PLACES), random.choice(_READ), ZERO)
        number, source = random.choice(_CSRS), self.any()
        if number == asm.SIE:
            return asm.csrrw(self.free(), number, ZERO)  # none comes by itself
        if number == asm.SCOUNTEREN:  # of 32 bits, which QEMU 7.2 has as 64
            function |= 4
        if number == asm.SIP and function >= 4:  # others of its bits are in places of M mode's there
            source &= 2
        if number == asm.SEPC:  # whose lowest bit is 0 here alone
            if function < 4:
                return self.li(10, self.value() & ~1) + asm._i(0x73, function, random.choice(PLACES), 10, number)
            source &= ~1
        rd = random.choice(PLACES) if number == asm.SEPC else self.free()
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
            if opcode in (0x63, 0x67, 0x6F) or rd in KEPT[1:]:
                continue
            if opcode & 0x1F == 0x1F:  # longer than 32 bits
                continue
            if opcode in (0x23, 0x27, 0x2F) and word >> 15 & 31 in (*PLACES, S11):
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
