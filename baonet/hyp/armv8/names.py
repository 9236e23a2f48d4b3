"""Armv8's words: calls, registers of the interrupt controller, exceptions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, final

from baonet.hyp.armv8 import gic, psci, smccc
from baonet.hyp.armv8.cpu import Exit
from baonet.hyp.armv8.report import describe_register, exception_class

_CALLS: Final[Mapping[int, str]] = {
    psci.VERSION: "PSCI_VERSION",
    psci.CPU_SUSPEND: "PSCI_CPU_SUSPEND",
    psci.CPU_SUSPEND_64: "PSCI_CPU_SUSPEND",
    psci.CPU_OFF: "PSCI_CPU_OFF",
    psci.CPU_ON: "PSCI_CPU_ON",
    psci.CPU_ON_64: "PSCI_CPU_ON",
    psci.AFFINITY_INFO: "PSCI_AFFINITY_INFO",
    psci.AFFINITY_INFO_64: "PSCI_AFFINITY_INFO",
    psci.MIGRATE_INFO_TYPE: "PSCI_MIGRATE_INFO_TYPE",
    psci.SYSTEM_OFF: "PSCI_SYSTEM_OFF",
    psci.SYSTEM_RESET: "PSCI_SYSTEM_RESET",
    psci.FEATURES: "PSCI_FEATURES",
    smccc.HYPERCALL_32 | smccc.HYPERCALL_IPC: "IPC",
    smccc.HYPERCALL_64 | smccc.HYPERCALL_IPC: "IPC",
    smccc.HYPERCALL_32 | smccc.HYPERCALL_REMIO: "REMIO",
    smccc.HYPERCALL_64 | smccc.HYPERCALL_REMIO: "REMIO",
}
"""Function ids in x0 of HVC and SMC."""

_OWN: Final = {23: " (performance monitors)", 27: " (virtual timer)", 30: " (physical timer)"}
_CLASSES: Final = {0x00: "undefined instruction", 0x20: "instruction abort", 0x24: "data abort"}

# First offset, name, bytes of each register that has a number (0: it has none).
_DISTRIBUTOR: Final = (
    (gic.GICD_CTLR, "CTLR", 0),
    (gic.GICD_TYPER, "TYPER", 0),
    (gic.GICD_IIDR, "IIDR", 0),
    (0x80, "IGROUPR", 4),
    (gic.GICD_ISENABLER, "ISENABLER", 4),
    (gic.GICD_ICENABLER, "ICENABLER", 4),
    (gic.GICD_ISPENDR, "ISPENDR", 4),
    (gic.GICD_ICPENDR, "ICPENDR", 4),
    (gic.GICD_ISACTIVER, "ISACTIVER", 4),
    (gic.GICD_ICACTIVER, "ICACTIVER", 4),
    (gic.GICD_IPRIORITYR, "IPRIORITYR", 4),
    (gic.GICD_ITARGETSR, "ITARGETSR", 4),
    (gic.GICD_ICFGR, "ICFGR", 4),
    (gic.GICD_SGIR, "SGIR", 0),
    (gic.GICD_SGIR + 4, "", 0),
    (gic.GICD_IROUTER, "IROUTER", 8),
    (gic.GICD_IROUTER + 8 * gic.MAX_INTERRUPTS, "", 0),
)
_REDISTRIBUTOR: Final = {gic.GICR_CTLR: "GICR_CTLR", gic.GICR_TYPER: "GICR_TYPER", 0x14: "GICR_WAKER"}


def _register(frame: str, offset: int) -> str:
    """Of the distributor, or of the second page of a redistributor, which begins like it."""
    for first, name, size in reversed(_DISTRIBUTOR):
        if offset >= first:
            if not name or (not size and offset >= first + 4):
                break
            return f"{frame}_{name}{(offset - first) // size if size else ''}"
    return f"{frame}+{offset:#x}"


@final
class Armv8Names:
    """Of a VM a trace tells of its GIC: ``version``, and the IPAs ``gicd`` and ``gicr`` or ``gicc``."""

    vm_part = "gic"
    interrupt_bits = 0x3FF
    """GICv2 SGIs have their source vcpu above them."""
    interrupt_key = "intid"
    ipi = "SGI"
    details: Mapping[int, str] = {
        Exit.HVC: "x0",
        Exit.SMC: "x0",
        Exit.DATA_ABORT: "ipa",
        Exit.SYSTEM_REGISTER: "register",
        Exit.FAULT: "esr",
    }
    reset = "PSCI SYSTEM_RESET"

    def vm(self, part: Mapping[str, int]) -> str:
        places = (f"{name.upper()} {base:#x}" for name, base in part.items() if name != "version")
        return f"GICv{part.get('version', '?')}, {', '.join(places)}"

    def register(self, part: Mapping[str, int], vcpus: int, address: int) -> str | None:
        distributor, redistributors = part.get("gicd"), part.get("gicr")
        if distributor is not None and 0 <= address - distributor < gic.GICD_SIZE:
            return _register("GICD", address - distributor)
        if redistributors is not None and 0 <= address - redistributors < gic.GICR_SIZE * vcpus:
            offset = (address - redistributors) % gic.GICR_SIZE
            if offset >= gic.GICR_SGI_BASE:
                return _register("GICR", offset - gic.GICR_SGI_BASE)
            return _REDISTRIBUTOR.get(offset, f"GICR+{offset:#x}")
        return None

    def interrupt(self, number: int) -> str:
        return f"SGI {number}" if number < gic.SGIS else f"{number}{_OWN.get(number, '')}"

    def exit(self, reason: int, detail: int, place: Callable[[int], str]) -> str | None:
        number = detail & self.interrupt_bits
        match reason:
            case Exit.HVC | Exit.SMC:
                return f"{Exit(reason).name} {_CALLS.get(detail) or f'{detail:#x}'}"
            case Exit.DATA_ABORT:
                return f"data abort {place(detail)}"
            case Exit.SYSTEM_REGISTER:
                return f"access to {describe_register(detail)}"
            case Exit.INTERRUPT:
                return f"interrupt {self.interrupt(number)}"
            case Exit.DEACTIVATED:
                return f"deactivated {self.interrupt(number)}"
            case Exit.LINE:
                return f"line {number}"
            case Exit.FAULT:
                return f"fault: {_CLASSES.get(exception_class(detail)) or f'class {exception_class(detail):#x}'}"
            case _:
                return None
