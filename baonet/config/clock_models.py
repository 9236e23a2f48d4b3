"""What a user writes about time."""

from __future__ import annotations

from baonet.document.kinds import Choice
from baonet.document.models import MappingOf, Model, optional
from baonet.document.values import duration, whole
from baonet.machine import Clock, Latency
from baonet.machine.dataclass import dataclass

_LATENCY = duration(0, 1_000_000_000)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class LatencyModel(Model):
    """How long a message is on its way in virtual time: never less; virtual-time.md says how much longer at most."""

    ipi: int = optional(_LATENCY, "Between the CPUs of one VM.", Latency().ipi)
    ipc: int = optional(_LATENCY, "A notification from one VM to another.", Latency().ipc)
    spi: int = optional(_LATENCY, "A device's interrupt, to the CPU that it is routed to.", Latency().spi)
    console: int = optional(_LATENCY, "Input to a VM's console, to the UART.", Latency().console)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ClockModel(Model):
    """How time passes for the guests."""

    mode: str = optional(
        Choice(("host", "virtual")),
        "`virtual`: each CPU's time is the instructions that it has retired, and jumps while it waits, so that a run "
        "is a function of this file and its input, whatever the host does. `host`: timers follow the host's clock and "
        "CPUs run freely in parallel; the other fields mean nothing then.",
        Clock().mode.value,
    )
    mhz: int = optional(
        whole("number", 1, 100_000),
        "The CPUs' clock: cycles in a microsecond. An instruction takes one; with a `memory_system` its `cpi`, and "
        "what it waits for memory.",
        Clock().mhz,
    )
    window: int = optional(
        duration(100, 1_000_000_000),
        "How long CPUs run at the same time, at most, before they wait for each other. A message to a CPU that is "
        "busy, and ahead, is that late at most: a short window is more exact, a long one is faster.",
        Clock().window,
    )
    slice: int = optional(
        duration(100, 1_000_000_000),
        "How long a CPU goes on alone that needs what another has of the memory that they share, or that waits for "
        "another, before all go on at the same time again; and how long they do so at first, after that. One "
        "that is longer than the window counts as one that is as long.",
        Clock().slice,
    )
    latency: LatencyModel | None = optional(MappingOf(LatencyModel), "How long messages are on their way.", None)
