"""What records are called where people read them: exits by their reason, accesses by the register.

A name depends on a few fields of a record only, so there are few of them in a trace of millions, and each is made once.
The guest decides about some of these fields; when it has been too inventive, the rest get a name that says less.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, final

from baonet.hyp.armv8 import gic, psci, smccc
from baonet.hyp.armv8.cpu import Exit
from baonet.hyp.armv8.report import describe_register, exception_class
from baonet.trace.head import Header, TracedVm
from baonet.trace.order import Row
from baonet.trace.records import ACCESS_WRITE, SEQUENCE_SHIFT, FaultKind, InterruptSource, Kind, VcpuState
from baonet.wire.messages import NUMBERS

INTID: Final = 0x3FF
"""GICv2 SGIs have their source vcpu above it."""
PCPU: Final = (1 << SEQUENCE_SHIFT) - 1
_MOST = 4096
_ALL = (1 << 64) - 1
_DEPENDS: Final[Mapping[int, tuple[int, int]]] = {
    Kind.EXIT: (0, _ALL),
    Kind.ACCESS: (_ALL, 0),
    Kind.RAISED: (_ALL, 0),
    Kind.SENT: (PCPU, 0),
    Kind.ARRIVED: (PCPU, 0),
    Kind.FAULT: (_ALL, 0),
}
"""What of b or c a name depends on, besides a."""

CALLS: Final[Mapping[int, str]] = {
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

_TIMERS: Final = {27: " (virtual timer)", 30: " (physical timer)"}
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


def place(vm: TracedVm | None, ipa: int) -> str:
    """The register or the device at an address of a VM, or the page that it is in."""
    if vm is not None:
        distributor, redistributors = vm.gic.get("gicd"), vm.gic.get("gicr")
        if distributor is not None and 0 <= ipa - distributor < gic.GICD_SIZE:
            return _register("GICD", ipa - distributor)
        if redistributors is not None and 0 <= ipa - redistributors < gic.GICR_SIZE * len(vm.pcpus):
            offset = (ipa - redistributors) % gic.GICR_SIZE
            if offset >= gic.GICR_SGI_BASE:
                return _register("GICR", offset - gic.GICR_SGI_BASE)
            return _REDISTRIBUTOR.get(offset, f"GICR+{offset:#x}")
        for region in vm.regions:
            if region.kind == "device" and 0 <= ipa - region.base < region.size:
                return f"{region.name}+{ipa - region.base:#x}"
    return f"{ipa & ~0xFFF:#x}"


def interrupt(intid: int) -> str:
    """``SGI 3``, ``27 (virtual timer)``, ``84``."""
    return f"SGI {intid}" if intid < gic.SGIS else f"{intid}{_TIMERS.get(intid, '')}"


def message(number: int) -> str:
    """The name of a message's type."""
    known = NUMBERS.get(number)
    return known.__name__ if known is not None else f"message {number}"


def kind(number: int) -> str:
    """``exit``, ``access``; of a kind that is not known, its number."""
    return Kind(number).name.lower() if number in _KINDS else str(number)


_KINDS = frozenset(Kind)


@final
class Names:
    """Of one trace, whose header tells what each VM has where."""

    def __init__(self, header: Header) -> None:
        self._vms = header.by_pcpu()
        self._names: dict[tuple[str, int, int, int], str] = {}

    def of(self, row: Row) -> str:
        """What happened, in a few words: ``HVC PSCI_CPU_ON``, ``store GICD_CTLR``."""
        _, number, pcpu, a, b, c = row
        of_b, of_c = _DEPENDS.get(number, (0, 0))
        detail = b & of_b | c & of_c
        vm = self._vms.get(pcpu)
        key = vm.name if vm is not None else "", number, a, detail
        name = self._names.get(key)
        if name is None:
            if len(self._names) >= _MOST:
                return kind(number)
            name = self._names[key] = self._describe(vm, number, a, detail)
        return name

    def _describe(self, vm: TracedVm | None, number: int, a: int, detail: int) -> str:
        match number:
            case Kind.EXIT:
                return self._exit(vm, a, detail)
            case Kind.ACCESS:
                return f"{'store' if a & ACCESS_WRITE else 'load'} {place(vm, detail)}"
            case Kind.RAISED:
                source = InterruptSource(detail).name.lower() if detail in _SOURCES else f"source {detail}"
                return f"{interrupt(a & INTID)} raised by {source}"
            case Kind.PENDING | Kind.DELIVERED | Kind.ACKNOWLEDGED | Kind.ENDED:
                return f"{interrupt(a & INTID)} {kind(number)}"
            case Kind.SENT | Kind.ARRIVED:
                return f"{message(a)} {'to' if number == Kind.SENT else 'from'} pcpu {detail}"
            case Kind.STATE:
                return VcpuState(a).name.lower() if a in _STATES else f"state {a}"
            case Kind.FAULT:
                return f"{FaultKind(detail).name.lower() if detail in _FAULTS else f'fault {detail}'} (rule {a})"
            case Kind.CONSOLE | Kind.INPUT:
                return f"{kind(number)} of UART {a}"
            case _:
                return kind(number)

    def _exit(self, vm: TracedVm | None, reason: int, detail: int) -> str:
        match reason:
            case Exit.HVC | Exit.SMC:
                return f"{Exit(reason).name} {CALLS.get(detail) or f'{detail:#x}'}"
            case Exit.DATA_ABORT:
                return f"data abort {place(vm, detail)}"
            case Exit.SYSTEM_REGISTER:
                return f"access to {describe_register(detail)}"
            case Exit.INTERRUPT:
                return f"interrupt {interrupt(detail & INTID)}"
            case Exit.DEACTIVATED:
                return f"deactivated {interrupt(detail & INTID)}"
            case Exit.LINE:
                return f"line {detail & INTID}"
            case Exit.FAULT:
                return f"fault: {_CLASSES.get(exception_class(detail)) or f'class {exception_class(detail):#x}'}"
            case _:
                return Exit(reason).name.lower() if reason in _EXITS else f"exit {reason}"


_EXITS = frozenset(Exit)
_SOURCES = frozenset(InterruptSource)
_STATES = frozenset(VcpuState)
_FAULTS = frozenset(FaultKind)
