"""What the time of a machine is made of."""

from __future__ import annotations

from enum import Enum
from functools import cache
from typing import Final

from baonet.machine.dataclass import dataclass
from baonet.machine.faults import MessageKind
from baonet.machine.rate import HOST, Rate

_rate: Final = cache(Rate)  # a machine has one, of which all that has to do with time asks


class ClockMode(Enum):
    HOST = "host"
    VIRTUAL = "virtual"


@dataclass(frozen=True, slots=True)
class Latency:
    """From the moment that a message is sent to the moment that it is due, in nanoseconds, by what it is.

    ``ipi``: between pcpus of a VM; ``ipc``: a notification between VMs; ``spi``: a device's interrupt; ``console``:
    from the script or the keyboard to the UART.
    """

    ipi: int = 500
    ipc: int = 1000
    spi: int = 500
    console: int = 0


@dataclass(frozen=True, slots=True)
class Clock:
    """``mhz``: cycles per microsecond of a pcpu in virtual time; ``window`` and ``slice`` in nanoseconds.

    Without a memory system an instruction takes a cycle. Host time uses nothing but the mode.
    """

    mode: ClockMode = ClockMode.VIRTUAL
    mhz: int = 1000
    window: int = 10_000
    slice: int = 1_000
    latency: Latency = Latency()

    @property
    def cycles(self) -> Rate:
        """Of a pcpu in virtual time."""
        return _rate(self.mhz * 1_000_000)

    @property
    def rate(self) -> Rate:
        """What the time of this run's records counts: cycles, or the host's nanoseconds."""
        return self.cycles if self.mode is ClockMode.VIRTUAL else HOST

    def latencies(self) -> dict[MessageKind, int]:
        """Of messages between pcpus, in cycles."""
        cycles, given = self.cycles, self.latency
        return {
            MessageKind.IPI: cycles.ticks(given.ipi),
            MessageKind.IPC: cycles.ticks(given.ipc),
            MessageKind.SPI: cycles.ticks(given.spi),
        }
