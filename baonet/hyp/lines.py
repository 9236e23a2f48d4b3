"""The lines of devices that hold an interrupt up which is not the VM's: what a condition tells of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final, final

from baonet.hyp.cpu import Cpu
from baonet.hyp.vcpu import Vcpu
from baonet.machine import uarts
from baonet.machine.dataclass import dataclass

_Sources = tuple[str, tuple[tuple[int, str], ...]]
"""Where a kind of UART has its interrupts, and what each bit of ``Cpu.uarts`` is."""

_SOURCES: Final[Mapping[str, _Sources]] = MappingProxyType(
    {
        # DDI 0183G, 3.3.12
        "pl011": ("UARTMIS", ((4, "RX"), (5, "TX"), (6, "RT"), (7, "FE"), (8, "PE"), (9, "BE"), (10, "OE"))),
        # PC16550D, 8.6
        "16550": ("enabled in IER", ((0, "RDA"), (1, "THRE"), (2, "RLS"), (3, "MSR"))),
    }
)


@final
@dataclass(frozen=True, slots=True)
class LineCondition:
    """A UART whose interrupt line is up and whose interrupt the VM does not have. ``owner``: the VM that has it, or "".

    ``sources``: what holds it up, in the bits of the ``kind``. ``waiting``: characters that nobody has read.
    """

    device: str
    kind: str
    interrupt: int
    owner: str
    sources: int
    waiting: int

    def text(self) -> str:
        where, names = _SOURCES[self.kind]
        sources = ", ".join(name for bit, name in names if self.sources >> bit & 1)
        characters = f", {self.waiting} character{'s' if self.waiting > 1 else ''} to read" if self.waiting else ""
        text = f"UART {self.device} holds interrupt {self.interrupt} up ({where}: {sources}{characters})"
        if self.owner:
            return f"{text}; but it is VM '{self.owner}' that has interrupt {self.interrupt}"
        return f"{text}; but no VM has interrupt {self.interrupt}: add it to the 'interrupts' of the device"


def lines_up(vcpu: Vcpu, cpu: Cpu) -> Iterator[LineCondition]:
    machine, vm = vcpu.plan.machine, vcpu.config
    for (_, device), (pending, enabled, waiting) in zip(uarts(machine.platform, vm), cpu.uarts(), strict=True):
        number, sources = device.interrupt, pending & enabled
        if sources and number and number not in vm.interrupts:
            owner = next((other.name for other in machine.vms if number in other.interrupts), "")
            yield LineCondition(device.name, device.kind, number, owner, sources, waiting)
