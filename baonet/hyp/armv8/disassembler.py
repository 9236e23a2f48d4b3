"""An instruction in the assembler's words, by Capstone."""

from __future__ import annotations

from baonet.hyp.armv8.execution_state import InstructionSet


def disassemble(code: bytes, address: int, instructions: InstructionSet) -> str:
    """The instruction that ``code`` begins with, which is at ``address``; empty when it begins with none."""
    import capstone  # noqa: PLC0415 - only a report needs it, and it takes as long to load as all else here

    architecture, mode = {
        InstructionSet.A64: (capstone.CS_ARCH_ARM64, capstone.CS_MODE_ARM),
        InstructionSet.A32: (capstone.CS_ARCH_ARM, capstone.CS_MODE_ARM | capstone.CS_MODE_V8),
        InstructionSet.T32: (capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | capstone.CS_MODE_V8),
    }[instructions]
    for found in capstone.Cs(architecture, mode).disasm(code, address, 1):
        return f"{found.mnemonic} {found.op_str}"
    return ""
