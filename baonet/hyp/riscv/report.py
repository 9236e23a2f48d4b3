"""What the report of a parked vcpu has of a RISC-V hart: causes in words, registers named."""

from __future__ import annotations

from typing import Final, final

from baonet.hyp.report import Report
from baonet.hyp.riscv.cpu import (
    BREAKPOINT,
    ECALL_FROM_U,
    ECALL_FROM_VS,
    FETCH_ACCESS,
    FETCH_GUEST_PAGE,
    FETCH_MISALIGNED,
    FETCH_PAGE,
    ILLEGAL_INSTRUCTION,
    LOAD_ACCESS,
    LOAD_GUEST_PAGE,
    LOAD_MISALIGNED,
    LOAD_PAGE,
    STORE_ACCESS,
    STORE_GUEST_PAGE,
    STORE_MISALIGNED,
    STORE_PAGE,
    VIRTUAL_INSTRUCTION,
)
from baonet.hyp.riscv.disassembler import disassemble
from baonet.machine.dataclass import dataclass

_CAUSES: Final = {
    FETCH_MISALIGNED: "instruction address misaligned",
    FETCH_ACCESS: "instruction access fault",
    ILLEGAL_INSTRUCTION: "illegal instruction",
    BREAKPOINT: "breakpoint",
    LOAD_MISALIGNED: "load address misaligned",
    LOAD_ACCESS: "load access fault",
    STORE_MISALIGNED: "store or AMO address misaligned",
    STORE_ACCESS: "store or AMO access fault",
    ECALL_FROM_U: "environment call from U mode",
    ECALL_FROM_VS: "environment call from VS mode",
    FETCH_PAGE: "instruction page fault",
    LOAD_PAGE: "load page fault",
    STORE_PAGE: "store or AMO page fault",
    FETCH_GUEST_PAGE: "instruction guest-page fault",
    LOAD_GUEST_PAGE: "load guest-page fault",
    VIRTUAL_INSTRUCTION: "virtual instruction",
    STORE_GUEST_PAGE: "store or AMO guest-page fault",
}
_INSTRUCTIONS: Final = (ILLEGAL_INSTRUCTION, VIRTUAL_INSTRUCTION)
"""Their stval is what the instruction was."""
_NO_VALUE: Final = (ECALL_FROM_U, ECALL_FROM_VS)

REGISTERS: Final = (
    *("zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1"),
    *(f"a{n}" for n in range(8)),
    *(f"s{n}" for n in range(2, 12)),
    *(f"t{n}" for n in range(3, 7)),
)
"""Names of x0 to x31 in the calling convention."""


def cause_name(cause: int) -> str:
    """What an exception's scause says."""
    return _CAUSES.get(cause, "reserved")


def cause_text(cause: int) -> str:
    return f"{cause}: {cause_name(cause)}"


def exception_text(cause: int, value: int) -> str:
    """An exception that the guest has taken itself, with its stval where that says something."""
    if cause in _NO_VALUE:
        return cause_text(cause)
    return f"{cause_text(cause)}, {'instruction' if cause in _INSTRUCTIONS else 'stval'} {value:#x}"


def mode(privilege: int) -> str:
    """The mode of a guest, as it calls it itself: its S is the architecture's VS."""
    return "S mode" if privilege else "U mode"


@final
@dataclass(frozen=True, slots=True)
class RiscvReport(Report):
    """``cause`` and ``value`` are scause and stval of the trap; ``ipa`` is the guest-physical address of a guest page
    fault, else 0. ``code``: the instruction, 16 or 32 bits, 0 if it could not be fetched. ``registers`` are x0 to x31.
    ``privilege``: 1 if the guest was in S mode. The other registers are those of the guest's supervisor; sepc, scause
    and stval tell of the last exception or interrupt that it took itself: often what led to this.
    """

    cause: int
    value: int
    ipa: int
    code: int
    registers: tuple[int, ...]
    privilege: int
    sstatus: int
    stvec: int
    sepc: int
    scause: int
    stval: int
    satp: int

    def lines(self) -> list[str]:
        lines = [
            *Report.lines(self),
            f"pc {self.pc:#018x}  stval {self.value:#018x}  ipa {self.ipa:#018x}  {mode(self.privilege)}",
            f"scause {cause_text(self.cause)}",
        ]
        registers = [f"{name:>4} {value:#018x}" for name, value in zip(REGISTERS, self.registers, strict=False)]
        lines += ["  ".join(registers[first : first + 4]) for first in range(0, len(registers), 4)]
        lines.append(f"S: sstatus {self.sstatus:#018x}  stvec {self.stvec:#018x}  satp {self.satp:#018x}")
        lines.append(f"S: sepc {self.sepc:#018x}  scause {self.scause:#x}  stval {self.stval:#018x}")
        return lines

    def instruction(self, code: bytes) -> str:
        return disassemble(code, self.pc)
