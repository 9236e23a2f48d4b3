"""The instruction at the PC of a report."""

from __future__ import annotations

from baonet.hyp.armv8.execution_state import InstructionSet, instruction_set
from baonet.hyp.armv8.report import Armv8Report


def instruction(report: Armv8Report, code: bytes) -> str:
    """One line; ``code``: the bytes there, none where nothing is mapped."""
    import capstone  # noqa: PLC0415 - only a report needs it, and it takes as long to load as all else here

    architecture, mode = {
        InstructionSet.A64: (capstone.CS_ARCH_ARM64, capstone.CS_MODE_ARM),
        InstructionSet.A32: (capstone.CS_ARCH_ARM, capstone.CS_MODE_ARM | capstone.CS_MODE_V8),
        InstructionSet.T32: (capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | capstone.CS_MODE_V8),
    }[instruction_set(report.pstate)]
    for found in capstone.Cs(architecture, mode).disasm(code, report.pc, 1):
        return f"=> {found.address:#x}: {found.mnemonic} {found.op_str}"
    return f"=> {report.pc:#x}: {code[:4].hex(' ') or 'nothing is mapped there'}"
