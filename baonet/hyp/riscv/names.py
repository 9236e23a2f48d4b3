"""RISC-V's words: calls of SBI, registers of the interrupt controller, interrupts, exceptions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, final

from baonet.hyp.riscv import sbi_codes as sbi
from baonet.hyp.riscv.cpu import LOCAL, MESSAGES, SOFTWARE, TIMER, RiscvExit
from baonet.hyp.riscv.report import cause_name

_EXTENSIONS: Final[Mapping[int, str]] = {
    sbi.LEGACY_PUTCHAR: "legacy console putchar",
    sbi.LEGACY_GETCHAR: "legacy console getchar",
    sbi.LEGACY_SHUTDOWN: "legacy shutdown",
    sbi.BASE: "SBI base",
    sbi.TIME: "SBI set timer",
    sbi.IPI: "SBI send IPI",
    sbi.RFENCE: "SBI remote fence",
    sbi.HSM: "SBI hart state",
    sbi.SRST: "SBI system reset",
    sbi.DBCN: "SBI debug console",
    sbi.BAO: "hypercall",
}
"""By a7 of ECALL."""
_LOCAL: Final = {LOCAL + SOFTWARE: "software interrupt", LOCAL + TIMER: "timer"}

# First offset, name, bytes of each register that has a number (0: it has none).
_PLIC: Final = ((0x0, "PRIORITY", 4), (0x1000, "PENDING", 4), (0x1080, "", 0))
_PLIC_ENABLE: Final = 0x2000
_PLIC_CONTEXTS: Final = 0x20_0000
_CONTEXT: Final = {0: "THRESHOLD", 4: "CLAIM"}
_APLIC: Final = (
    (0x0, "DOMAINCFG", 0),
    (0x4, "SOURCECFG", 4),
    (0x1000, "", 0),
    (0x1C00, "SETIP", 4),
    (0x1C80, "", 0),
    (0x1CDC, "SETIPNUM", 0),
    (0x1D00, "IN_CLRIP", 4),
    (0x1D80, "", 0),
    (0x1DDC, "CLRIPNUM", 0),
    (0x1E00, "SETIE", 4),
    (0x1E80, "", 0),
    (0x1EDC, "SETIENUM", 0),
    (0x1F00, "CLRIE", 4),
    (0x1F80, "", 0),
    (0x1FDC, "CLRIENUM", 0),
    (0x2000, "SETIPNUM_LE", 0),
    (0x2004, "SETIPNUM_BE", 0),
    (0x3000, "GENMSI", 0),
    (0x3004, "TARGET", 4),
    (0x4000, "", 0),
)
_APLIC_IDC: Final = 0x4000
_APLIC_SIZE: Final = 0x8000
_IDC: Final = {0x00: "IDELIVERY", 0x04: "IFORCE", 0x08: "ITHRESHOLD", 0x18: "TOPI", 0x1C: "CLAIMI"}
_FILE: Final = {0: "SETEIPNUM_LE", 4: "SETEIPNUM_BE"}
_FILE_SIZE: Final = 0x1000


def _in(table: tuple[tuple[int, str, int], ...], frame: str, offset: int) -> str:
    for first, name, size in reversed(table):
        if offset >= first:
            if not name or (not size and offset >= first + 4):
                break
            # SOURCECFG and TARGET begin with source 1
            return f"{frame}_{name}{(offset - first) // size + (name in ('SOURCECFG', 'TARGET')) if size else ''}"
    return f"{frame}+{offset:#x}"


def _plic(offset: int) -> str:
    if offset >= _PLIC_CONTEXTS:
        context, register = divmod(offset - _PLIC_CONTEXTS, 0x1000)
        return f"PLIC_{_CONTEXT[register]} of context {context}" if register in _CONTEXT else f"PLIC+{offset:#x}"
    if offset >= _PLIC_ENABLE:
        context, register = divmod(offset - _PLIC_ENABLE, 0x80)
        return f"PLIC_ENABLE{register // 4} of context {context}"
    return _in(_PLIC, "PLIC", offset)


def _aplic(offset: int) -> str:
    if offset < _APLIC_IDC:
        return _in(_APLIC, "APLIC", offset)
    hart, register = divmod(offset - _APLIC_IDC, 0x20)
    return f"APLIC_{_IDC[register]} of hart {hart}" if register in _IDC else f"APLIC+{offset:#x}"


@final
class RiscvNames:
    """Of a VM a trace tells of its interrupt controller: the IPA ``plic``, or ``aplic`` and perhaps ``imsic``."""

    vm_part = "irqc"
    interrupt_bits = 0xFFF
    interrupt_key = "interrupt"
    ipi = "IPI"
    details: Mapping[int, str] = {
        RiscvExit.ECALL: "a7",
        RiscvExit.TRAP: "cause",
        RiscvExit.FAULT: "error",
    }
    reset = "SBI SRST"

    def vm(self, part: Mapping[str, int]) -> str:
        return ", ".join(f"{name.upper()} {base:#x}" for name, base in part.items())

    def register(self, part: Mapping[str, int], vcpus: int, address: int) -> str | None:
        plic, aplic, imsic = part.get("plic"), part.get("aplic"), part.get("imsic")
        if plic is not None and 0 <= address - plic < _PLIC_CONTEXTS + 0x1000 * 2 * vcpus:
            return _plic(address - plic)
        if aplic is not None and 0 <= address - aplic < _APLIC_SIZE:
            return _aplic(address - aplic)
        if imsic is not None and 0 <= address - imsic < _FILE_SIZE * vcpus:
            hart, register = divmod(address - imsic, _FILE_SIZE)
            return f"IMSIC_{_FILE[register]} of hart {hart}" if register in _FILE else f"IMSIC+{address - imsic:#x}"
        return None

    def interrupt(self, number: int) -> str:
        if number >= MESSAGES:
            return f"message {number - MESSAGES}"
        return _LOCAL.get(number, str(number))

    def exit(self, reason: int, detail: int, place: Callable[[int], str]) -> str | None:
        match reason:
            case RiscvExit.ECALL:
                return f"ECALL {_EXTENSIONS.get(detail) or f'{detail:#x}'}"
            case RiscvExit.TRAP:
                return f"trap: {cause_name(detail)}"
            case RiscvExit.INTERRUPT:
                return "interrupt of the hypervisor's timer"
            case RiscvExit.LINE:
                return f"line {detail & self.interrupt_bits}"
            case RiscvExit.FAULT:
                return f"fault of the emulator: error {detail}"
            case _:
                return None
