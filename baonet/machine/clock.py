"""What the time of a machine is made of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


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
    """``mhz``: instructions per microsecond of a pcpu in virtual time; ``window`` in nanoseconds.

    Host time uses nothing but the mode.
    """

    mode: ClockMode = ClockMode.VIRTUAL
    mhz: int = 1000
    window: int = 10_000
    latency: Latency = Latency()
