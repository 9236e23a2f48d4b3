"""An instruction in the assembler's words, by Capstone."""

from __future__ import annotations


def disassemble(code: bytes, address: int) -> str:
    """The instruction of RV64GC that ``code`` begins with, which is at ``address``; empty when it begins with none."""
    import capstone  # noqa: PLC0415 - only a report needs it, and it takes as long to load as all else here

    mode = capstone.CS_MODE_RISCV64 | capstone.CS_MODE_RISCVC
    for found in capstone.Cs(capstone.CS_ARCH_RISCV, mode).disasm(code, address, 1):
        return f"{found.mnemonic} {found.op_str}".rstrip()
    return ""
