"""RISC-V instructions as bytes, under their assembler's names: what a test's guest runs is written beside it.

Operands are in the assembler's order, registers numbers (``A0``), distances in bytes from the instruction itself.
"""

from __future__ import annotations

from typing import Final

(ZERO, RA, SP, GP, TP, T0, T1, T2, S0, S1, A0, A1, A2, A3, A4, A5, A6, A7) = range(18)
(S2, S3, S4, S5, S6, S7, S8, S9, S10, S11, T3, T4, T5, T6) = range(18, 32)

# CSRs (privileged architecture, table 3; unprivileged, 9; AIA, table 2.1)
FFLAGS, FRM, FCSR = 0x001, 0x002, 0x003
SSTATUS, SIE, STVEC, SCOUNTEREN, SENVCFG = 0x100, 0x104, 0x105, 0x106, 0x10A
SSCRATCH, SEPC, SCAUSE, STVAL, SIP, STIMECMP = 0x140, 0x141, 0x142, 0x143, 0x144, 0x14D
SISELECT, SIREG, STOPEI, STOPI, SATP = 0x150, 0x151, 0x15C, 0xDB0, 0x180
CYCLE, TIME, INSTRET, HPMCOUNTER3 = 0xC00, 0xC01, 0xC02, 0xC03

SSTATUS_SIE, SSTATUS_SPIE, SSTATUS_SPP, SSTATUS_SUM, SSTATUS_MXR = 1 << 1, 1 << 5, 1 << 8, 1 << 18, 1 << 19


def word(value: int) -> bytes:
    return (value & 0xFFFF_FFFF).to_bytes(4, "little")


def half(value: int) -> bytes:
    return (value & 0xFFFF).to_bytes(2, "little")


def _i(opcode: int, funct3: int, rd: int, rs1: int, immediate: int) -> bytes:
    return word(immediate << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | opcode)


def _r(opcode: int, function: tuple[int, int], rd: int, rs1: int, rs2: int) -> bytes:
    """``function``: funct3 and funct7."""
    return word(function[1] << 25 | rs2 << 20 | rs1 << 15 | function[0] << 12 | rd << 7 | opcode)


def _s(opcode: int, funct3: int, rs2: int, rs1: int, offset: int) -> bytes:
    return word((offset >> 5 & 0x7F) << 25 | rs2 << 20 | rs1 << 15 | funct3 << 12 | (offset & 31) << 7 | opcode)


def addi(rd: int, rs1: int, immediate: int) -> bytes:
    return _i(0x13, 0, rd, rs1, immediate)


def andi(rd: int, rs1: int, immediate: int) -> bytes:
    return _i(0x13, 7, rd, rs1, immediate)


def slli(rd: int, rs1: int, amount: int) -> bytes:
    return _i(0x13, 1, rd, rs1, amount)


def add(rd: int, rs1: int, rs2: int) -> bytes:
    return _r(0x33, (0, 0), rd, rs1, rs2)


def lui(rd: int, upper: int) -> bytes:
    """``upper``: the 20 bits."""
    return word(upper << 12 | rd << 7 | 0x37)


def load(size: str, rd: int, rs1: int, offset: int = 0) -> bytes:
    """``size``: b, h, w, d, bu, hu, wu."""
    return _i(0x03, ("b", "h", "w", "d", "bu", "hu", "wu").index(size), rd, rs1, offset)


def store(size: str, rs2: int, rs1: int, offset: int = 0) -> bytes:
    return _s(0x23, ("b", "h", "w", "d").index(size), rs2, rs1, offset)


def ld(rd: int, rs1: int, offset: int = 0) -> bytes:
    return load("d", rd, rs1, offset)


def sd(rs2: int, rs1: int, offset: int = 0) -> bytes:
    return store("d", rs2, rs1, offset)


def sb(rs2: int, rs1: int, offset: int = 0) -> bytes:
    return store("b", rs2, rs1, offset)


def fld(rd: int, rs1: int, offset: int = 0) -> bytes:
    return _i(0x07, 3, rd, rs1, offset)


def flw(rd: int, rs1: int, offset: int = 0) -> bytes:
    return _i(0x07, 2, rd, rs1, offset)


def fsd(rs2: int, rs1: int, offset: int = 0) -> bytes:
    return _s(0x27, 3, rs2, rs1, offset)


def fsw(rs2: int, rs1: int, offset: int = 0) -> bytes:
    return _s(0x27, 2, rs2, rs1, offset)


def fdiv_d(rd: int, rs1: int, rs2: int) -> bytes:
    """With the rounding mode of FCSR."""
    return _r(0x53, (7, 0x0D), rd, rs1, rs2)


def fmv_d_x(rd: int, rs1: int) -> bytes:
    return _r(0x53, (0, 0x79), rd, rs1, 0)


def fmv_x_d(rd: int, rs1: int) -> bytes:
    return _r(0x53, (0, 0x71), rd, rs1, 0)


def _branch(funct3: int, rs1: int, rs2: int, distance: int) -> bytes:
    bits = (
        (distance >> 12 & 1) << 31
        | (distance >> 5 & 0x3F) << 25
        | (distance >> 1 & 15) << 8
        | (distance >> 11 & 1) << 7
    )
    return word(bits | rs2 << 20 | rs1 << 15 | funct3 << 12 | 0x63)


def beq(rs1: int, rs2: int, distance: int) -> bytes:
    return _branch(0, rs1, rs2, distance)


def bne(rs1: int, rs2: int, distance: int) -> bytes:
    return _branch(1, rs1, rs2, distance)


def blt(rs1: int, rs2: int, distance: int) -> bytes:
    return _branch(4, rs1, rs2, distance)


def jal(rd: int, distance: int) -> bytes:
    bits = (distance >> 20 & 1) << 31 | (distance >> 1 & 0x3FF) << 21 | (distance >> 11 & 1) << 20
    return word(bits | (distance >> 12 & 0xFF) << 12 | rd << 7 | 0x6F)


def jalr(rd: int, rs1: int, offset: int = 0) -> bytes:
    return _i(0x67, 0, rd, rs1, offset)


def csrrw(rd: int, csr: int, rs1: int) -> bytes:
    return _i(0x73, 1, rd, rs1, csr)


def csrrs(rd: int, csr: int, rs1: int) -> bytes:
    return _i(0x73, 2, rd, rs1, csr)


def csrrc(rd: int, csr: int, rs1: int) -> bytes:
    return _i(0x73, 3, rd, rs1, csr)


def csrr(rd: int, csr: int) -> bytes:
    return csrrs(rd, csr, ZERO)


def csrw(csr: int, rs1: int) -> bytes:
    return csrrw(ZERO, csr, rs1)


def csrwi(csr: int, value: int) -> bytes:
    return _i(0x73, 5, ZERO, value, csr)


def csrsi(csr: int, value: int) -> bytes:
    return _i(0x73, 6, ZERO, value, csr)


def csrci(csr: int, value: int) -> bytes:
    return _i(0x73, 7, ZERO, value, csr)


_AMO: Final = {
    "add": 0,
    "swap": 1,
    "lr": 2,
    "sc": 3,
    "xor": 4,
    "or": 8,
    "and": 12,
    "min": 16,
    "max": 20,
    "minu": 24,
    "maxu": 28,
}


def amo(operation: str, size: str, rd: int, rs2: int, rs1: int, *, aq: bool = False, rl: bool = False) -> bytes:
    """AMO<operation>, or LR (with ``rs2`` 0) and SC; ``size``: w or d."""
    return _r(0x2F, (2 if size == "w" else 3, _AMO[operation] << 2 | aq << 1 | rl), rd, rs1, rs2)


def fence() -> bytes:
    return word(0x0FF0_000F)


def mark(rs1: int) -> bytes:
    """A FENCE that orders nothing: its register is a marker in the trace."""
    return word(rs1 << 15 | 0x0F)


def fence_i() -> bytes:
    return word(0x0000_100F)


def sfence_vma(rs1: int = ZERO, rs2: int = ZERO) -> bytes:
    return _r(0x73, (0, 0x09), ZERO, rs1, rs2)


ECALL, EBREAK, SRET, WFI, NOP, PAUSE = (
    word(each) for each in (0x0000_0073, 0x0010_0073, 0x1020_0073, 0x1050_0073, 0x0000_0013, 0x0100_000F)
)
RET: Final = jalr(ZERO, RA)
LOOP: Final = jal(ZERO, 0)

# Compressed ones; those with a load or store, or two registers, have x8 to x15 alone.
C_NOP, C_EBREAK, C_RET = half(0x0001), half(0x9002), half(0x8082)


def c_addi(rd: int, immediate: int) -> bytes:
    return half(0x0001 | (immediate >> 5 & 1) << 12 | rd << 7 | (immediate & 31) << 2)


def c_li(rd: int, immediate: int) -> bytes:
    return half(0x4001 | (immediate >> 5 & 1) << 12 | rd << 7 | (immediate & 31) << 2)


def c_mv(rd: int, rs2: int) -> bytes:
    return half(0x8002 | rd << 7 | rs2 << 2)


def c_ld(rd: int, rs1: int, offset: int = 0) -> bytes:
    return half(0x6000 | (offset >> 3 & 7) << 10 | (rs1 - 8) << 7 | (offset >> 6 & 3) << 5 | (rd - 8) << 2)


def c_sd(rs2: int, rs1: int, offset: int = 0) -> bytes:
    return half(0xE000 | (offset >> 3 & 7) << 10 | (rs1 - 8) << 7 | (offset >> 6 & 3) << 5 | (rs2 - 8) << 2)


def c_lw(rd: int, rs1: int) -> bytes:
    return half(0x4000 | (rs1 - 8) << 7 | (rd - 8) << 2)


def c_sw(rs2: int, rs1: int) -> bytes:
    return half(0xC000 | (rs1 - 8) << 7 | (rs2 - 8) << 2)


def c_j(distance: int) -> bytes:
    bits = (
        (distance >> 11 & 1) << 12
        | (distance >> 4 & 1) << 11
        | (distance >> 8 & 3) << 9
        | (distance >> 10 & 1) << 8
        | (distance >> 6 & 1) << 7
        | (distance >> 7 & 1) << 6
        | (distance >> 1 & 7) << 3
        | (distance >> 5 & 1) << 2
    )
    return half(0xA001 | bits)


def c_bnez(rs1: int, distance: int) -> bytes:
    bits = (
        (distance >> 8 & 1) << 12
        | (distance >> 3 & 3) << 10
        | (distance >> 6 & 3) << 5
        | (distance >> 1 & 3) << 3
        | (distance >> 5 & 1) << 2
    )
    return half(0xE001 | bits | (rs1 - 8) << 7)


def li(rd: int, value: int) -> bytes:
    """A constant of 32 bits, sign-extended, always in two instructions."""
    return lui(rd, (value + 0x800 >> 12) & 0xFFFFF) + _i(0x1B, 0, rd, rd, value & 0xFFF)
