"""What the report of a parked vcpu has of an Armv8 CPU: syndromes decoded, registers named."""

from __future__ import annotations

from typing import final

from baonet.hyp.armv8.disassembler import disassemble
from baonet.hyp.armv8.execution_state import instruction_set, named_registers
from baonet.hyp.report import Report
from baonet.machine.dataclass import dataclass

_CLASSES = {
    0x00: "unknown reason (an undefined instruction, or one that EL2 does not allow)",
    0x01: "WFI or WFE",
    0x03: "MCR or MRC access to CP15",
    0x04: "MCRR or MRRC access to CP15",
    0x05: "MCR or MRC access to CP14",
    0x06: "LDC or STC access to CP14",
    0x07: "access to SVE, SIMD or floating point",
    0x0C: "MRRC access to CP14",
    0x0E: "illegal execution state",
    0x11: "SVC from AArch32",
    0x12: "HVC from AArch32",
    0x13: "SMC from AArch32",
    0x15: "SVC",
    0x16: "HVC",
    0x17: "SMC",
    0x18: "MSR, MRS or system instruction",
    0x19: "access to SVE",
    0x20: "instruction abort",
    0x21: "instruction abort, at its own level",
    0x22: "PC alignment fault",
    0x24: "data abort",
    0x25: "data abort, at its own level",
    0x26: "SP alignment fault",
    0x28: "floating-point exception, AArch32",
    0x2C: "floating-point exception",
    0x2F: "SError",
    0x30: "breakpoint",
    0x31: "breakpoint, at its own level",
    0x32: "software step",
    0x33: "software step, at its own level",
    0x34: "watchpoint",
    0x35: "watchpoint, at its own level",
    0x38: "BKPT from AArch32",
    0x3C: "BRK",
}
_ADDRESSED = frozenset((0x20, 0x22, 0x24, 0x34))
_REGISTERS = {
    "S3_0_C12_C11_5": "ICC_SGI1R_EL1",
    "S3_0_C12_C11_6": "ICC_ASGI1R_EL1",
    "S3_0_C12_C11_7": "ICC_SGI0R_EL1",
}
_FAULTS = {
    0x00: "address size fault",
    0x04: "translation fault",
    0x08: "access flag fault",
    0x0C: "permission fault",
}
_FAULTS_BY_CODE = {
    0x10: "synchronous external abort",
    0x21: "alignment fault",
    0x30: "TLB conflict abort",
    0x31: "unsupported atomic hardware update",
    0x34: "IMPLEMENTATION DEFINED fault (lockdown)",
    0x35: "IMPLEMENTATION DEFINED fault (unsupported exclusive or atomic access)",
}


def exception_class(esr: int) -> int:
    """ESR_ELx.EC."""
    return esr >> 26 & 0x3F


def _fault_status(code: int) -> str:
    kind = _FAULTS.get(code & 0x3C)
    return f"{kind}, level {code & 3}" if kind is not None else _FAULTS_BY_CODE.get(code, f"fault status {code:#04x}")


def has_address(esr: int) -> bool:
    """Whether this exception class sets FAR_EL2."""
    return exception_class(esr) in _ADDRESSED


def _register(op0: int, op1: int, crn: int, crm: int, op2: int) -> str:
    name = f"S{op0 & 3}_{op1 & 7}_C{crn & 15}_C{crm & 15}_{op2 & 7}"
    return _REGISTERS.get(name, name)


def describe_register(encoding: int) -> str:
    """The name of a system register given as op0<<14|op1<<11|crn<<7|crm<<3|op2."""
    return _register(encoding >> 14, encoding >> 11, encoding >> 7, encoding >> 3, encoding)


def decode_syndrome(esr: int) -> tuple[tuple[str, str], ...]:
    """ESR_ELx field by field, as (name, meaning); the ISS of aborts and of system register traps (Arm DDI0487, D24)."""
    ec, iss = exception_class(esr), esr & 0x1FF_FFFF
    fields = [("EC", f"{ec:#04x} {_CLASSES.get(ec, 'reserved')}"), ("IL", "32-bit" if esr >> 25 & 1 else "16-bit")]
    if ec in (0x24, 0x25):
        valid = bool(iss >> 24 & 1)
        fields.append(("ISV", str(int(valid))))
        if valid:
            fields.append(("SAS", f"{8 << (iss >> 22 & 3)} bits"))
            fields.append(("SSE", str(iss >> 21 & 1)))
            fields.append(("SRT", f"{'x' if iss >> 15 & 1 else 'w'}{iss >> 16 & 0x1F}"))
        fields.append(("FnV", str(iss >> 10 & 1)))
        fields.append(("WnR", "write" if iss >> 6 & 1 else "read"))
        fields.append(("DFSC", _fault_status(iss & 0x3F)))
    elif ec in (0x20, 0x21):
        fields.append(("FnV", str(iss >> 10 & 1)))
        fields.append(("IFSC", _fault_status(iss & 0x3F)))
    elif ec == 0x18:
        fields.append(("register", _register(iss >> 20, iss >> 14, iss >> 10, iss >> 1, iss >> 17)))
        fields.append(("Rt", f"x{iss >> 5 & 0x1F}"))
        fields.append(("direction", "read" if iss & 1 else "write"))
    else:
        fields.append(("ISS", f"{iss:#x}"))
    return tuple(fields)


def syndrome_text(esr: int) -> str:
    """An ESR_ELx with its meaning, in one line."""
    return f"{esr:#010x}: " + ", ".join(f"{name} {meaning}" for name, meaning in decode_syndrome(esr))


@final
@dataclass(frozen=True, slots=True)
class Armv8Report(Report):
    """``far`` is the guest's virtual address and ``ipa`` the guest-physical one, where the trap has them (else 0; an
    ``ipa`` of all ones is not known). ``esr`` is 0 when the core knows no more than the register that was written.
    ``registers`` are x0 to x30, ``pstate`` is what SPSR_EL2 would have. The registers of EL1 tell of the last exception
    that the guest took itself, if it took any: often what led to this.
    """

    far: int
    ipa: int
    esr: int
    registers: tuple[int, ...]
    pstate: int
    esr_el1: int
    elr_el1: int
    spsr_el1: int
    vbar_el1: int

    @property
    def syndrome(self) -> tuple[tuple[str, str], ...]:
        """ESR_EL2 decoded."""
        return decode_syndrome(self.esr)

    def lines(self) -> list[str]:
        """The report as text; a higher floor adds the instruction at ``pc``."""
        lines = [
            *Report.lines(self),
            f"pc {self.pc:#018x}  far {self.far:#018x}  ipa {self.ipa:#018x}  pstate {self.pstate:#010x}"
            f" ({instruction_set(self.pstate).value})",
        ]
        if self.esr:
            lines.append(f"esr {syndrome_text(self.esr)}")
        registers = named_registers(self.registers, self.pstate)
        rows = (registers[first : first + 4] for first in range(0, len(registers), 4))
        lines += ["  ".join(f"{name:>3} {value}" for name, value in row) for row in rows]
        elr, vbar = f"{self.elr_el1:#018x}", f"{self.vbar_el1:#018x}"
        lines.append(f"EL1: vbar_el1 {vbar}  elr_el1 {elr}  spsr_el1 {self.spsr_el1:#010x}")
        lines.append(f"EL1: esr_el1 {syndrome_text(self.esr_el1) if self.esr_el1 else '0x00000000'}")
        return lines

    def instruction(self, code: bytes) -> str:
        return disassemble(code, self.pc, instruction_set(self.pstate))
