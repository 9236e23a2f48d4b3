"""What records are called where people read them: exits by their reason, accesses by the register.

A name depends on a few fields of a record only, so there are few of them in a trace of millions, and each is made once.
The guest decides about some of these fields; when it has been too inventive, the rest get a name that says less.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, final

from baonet.trace.head import Header, TracedVm
from baonet.trace.order import Row
from baonet.trace.records import ACCESS_WRITE, SEQUENCE_SHIFT, FaultKind, InterruptSource, Kind, VcpuState
from baonet.wire import messages

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


def message(number: int) -> str:
    """The name of a message's type."""
    known = messages.kind(number)
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
        self._exits = {reason.value: reason.name.lower() for reason in header.architecture.exits}
        self._own = header.architecture.names
        self._sources = {each.value: each.name.lower() for each in InterruptSource}
        self._sources[InterruptSource.CPU] = self._own.ipi.lower()
        self._names: dict[tuple[str, int, int, int], str] = {}

    def of(self, row: Row) -> str:
        """What happened, in a few words: ``interrupt 84``, ``store uart0+0x30``."""
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
                return f"{'store' if a & ACCESS_WRITE else 'load'} {self._place(vm, detail)}"
            case Kind.RAISED:
                return f"{self._interrupt(a)} raised by {self._sources.get(detail) or f'source {detail}'}"
            case Kind.PENDING | Kind.DELIVERED | Kind.ACKNOWLEDGED | Kind.ENDED:
                return f"{self._interrupt(a)} {kind(number)}"
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
        told = self._own.exit(reason, detail, lambda address: self._place(vm, address))
        return told or self._exits.get(reason) or f"exit {reason}"

    def _interrupt(self, a: int) -> str:
        return self._own.interrupt(a & self._own.interrupt_bits)

    def _place(self, vm: TracedVm | None, address: int) -> str:
        """The register or the device at an address of a VM, or the page that it is in."""
        if vm is not None:
            register = self._own.register(vm.arch, len(vm.pcpus), address)
            if register is not None:
                return register
            for region in vm.regions:
                if region.kind == "device" and 0 <= address - region.base < region.size:
                    return f"{region.name}+{address - region.base:#x}"
        return f"{address & ~0xFFF:#x}"


_STATES = frozenset(VcpuState)
_FAULTS = frozenset(FaultKind)
