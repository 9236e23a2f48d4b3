"""What the tests write their guests with is what the assembler makes of the same text."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.core.assemble import RISCV
from tests.core.riscv.asm import (
    A0,
    A1,
    A2,
    A3,
    A5,
    A7,
    C_EBREAK,
    C_NOP,
    C_RET,
    EBREAK,
    ECALL,
    NOP,
    PAUSE,
    RA,
    RET,
    S0,
    S1,
    S2,
    S11,
    SIE,
    SIP,
    SP,
    SRET,
    SSTATUS,
    STIMECMP,
    STOPI,
    STVEC,
    T6,
    WFI,
    ZERO,
    add,
    addi,
    amo,
    andi,
    beq,
    blt,
    bne,
    c_addi,
    c_bnez,
    c_j,
    c_ld,
    c_li,
    c_lw,
    c_mv,
    c_sd,
    c_sw,
    csrci,
    csrr,
    csrrc,
    csrrs,
    csrrw,
    csrsi,
    csrw,
    csrwi,
    fdiv_d,
    fence,
    fence_i,
    fld,
    flw,
    fmv_d_x,
    fmv_x_d,
    fsd,
    fsw,
    jal,
    jalr,
    ld,
    load,
    lui,
    sd,
    sfence_vma,
    slli,
    store,
)

SAME = {
    "addi a0, t6, -5": addi(A0, T6, -5),
    "andi a0, a1, 7": andi(A0, A1, 7),
    "slli s11, a1, 33": slli(S11, A1, 33),
    "add a0, a1, a2": add(A0, A1, A2),
    "lui s2, 0xfffff": lui(S2, 0xFFFFF),
    "lbu a0, -1(a1)": load("bu", A0, A1, -1),
    "sh a7, -30(sp)": store("h", A7, SP, -30),
    "ld a0, 2040(a1)": ld(A0, A1, 2040),
    "sd a0, -2048(a1)": sd(A0, A1, -2048),
    "fld fa0, 8(a1)": fld(10, A1, 8),
    "flw fa0, 8(a1)": flw(10, A1, 8),
    "fsd fa0, -8(a1)": fsd(10, A1, -8),
    "fsw fa0, -8(a1)": fsw(10, A1, -8),
    "fdiv.d fa0, fa1, fa2": fdiv_d(10, 11, 12),
    "fmv.d.x fa0, a1": fmv_d_x(10, A1),
    "fmv.x.d a0, fa1": fmv_x_d(A0, 11),
    "beq a0, a1, .-4094": beq(A0, A1, -4094),
    "bne a0, a1, .+2050": bne(A0, A1, 2050),
    "blt a0, a1, .+30": blt(A0, A1, 30),
    "jal ra, .-524290": jal(RA, -524290),
    "jal ra, .+526338": jal(RA, 526338),
    "jalr ra, -4(a1)": jalr(RA, A1, -4),
    "csrrw a0, stvec, a1": csrrw(A0, STVEC, A1),
    "csrrs a0, sie, a1": csrrs(A0, SIE, A1),
    "csrrc a0, sip, a1": csrrc(A0, SIP, A1),
    "csrr a0, 0xdb0": csrr(A0, STOPI),
    "csrw 0x14d, a1": csrw(STIMECMP, A1),
    "csrwi sstatus, 2": csrwi(SSTATUS, 2),
    "csrsi sstatus, 2": csrsi(SSTATUS, 2),
    "csrci sstatus, 2": csrci(SSTATUS, 2),
    "amoadd.w a0, a1, (a2)": amo("add", "w", A0, A1, A2),
    "amomaxu.d.aqrl a0, a1, (a2)": amo("maxu", "d", A0, A1, A2, aq=True, rl=True),
    "lr.d.aq a0, (a2)": amo("lr", "d", A0, ZERO, A2, aq=True),
    "sc.w.rl a0, a1, (a2)": amo("sc", "w", A0, A1, A2, rl=True),
    "fence": fence(),
    "fence.i": fence_i(),
    "sfence.vma a0, a1": sfence_vma(A0, A1),
    "ecall; ebreak; sret; wfi; nop; pause": ECALL + EBREAK + SRET + WFI + NOP + PAUSE,
    "ret": RET,
    "c.nop; c.ebreak; c.jr ra": C_NOP + C_EBREAK + C_RET,
    "c.addi a0, -3": c_addi(A0, -3),
    "c.li s11, -3": c_li(S11, -3),
    "c.mv a0, s11": c_mv(A0, S11),
    "c.ld a0, 248(a5)": c_ld(A0, A5, 248),
    "c.sd s0, 72(s1)": c_sd(S0, S1, 72),
    "c.lw a0, (a5)": c_lw(A0, A5),
    "c.sw a0, (a5)": c_sw(A0, A5),
    "c.j .-2030": c_j(-2030),
    "c.j .+666": c_j(666),
    "c.bnez a3, .-200": c_bnez(A3, -200),
    "c.bnez a3, .+86": c_bnez(A3, 86),
}
APART = 64


@pytest.mark.skipif(shutil.which(f"{RISCV.prefix}as") is None, reason="no assembler for RISC-V here")
def test_instructions_are_those_of_the_assembler(tmp_path: Path) -> None:
    lines = [".option norelax"]
    for n, text in enumerate(SAME):
        mode = "rvc" if text.startswith("c.") else "norvc"
        lines += [f".option {mode}", f".org {n * APART}", text.replace("; ", "\n")]
    lines = "\n".join(lines).replace("\npause", "\n.4byte 0x0100000f").splitlines()  # older assemblers have no PAUSE
    source, built, code = (tmp_path / f"same.{suffix}" for suffix in ("s", "o", "bin"))
    source.write_text("\n".join(lines) + "\n")
    subprocess.run([f"{RISCV.prefix}as", "-march=rv64gc", "-o", built, source], check=True)
    subprocess.run([f"{RISCV.prefix}objcopy", "-O", "binary", "-j", ".text", built, code], check=True)
    theirs = code.read_bytes()
    for n, (text, ours) in enumerate(SAME.items()):
        assert theirs[n * APART :][: len(ours)] == ours, text
