"""How a vcpu is when a run ends that its guests did not end, as far as every architecture tells it.

An architecture's has its registers and what of its interrupts is pending besides.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Final

from baonet.hyp.vcpu import State, Vcpu, Waiting
from baonet.machine.dataclass import dataclass


class Doing(IntEnum):
    """What a vcpu does: ``State``, and whether a running guest waits for an interrupt or its pcpu has crashed."""

    RUNNING = 0
    WAITING = 1
    STANDBY = 2
    CALL = 3
    LOAD = 4
    STORE = 5
    POWERDOWN = 6
    PARKED = 7
    OFF = 8
    CRASHED = 9


STOPPED: Final = (Doing.POWERDOWN, Doing.PARKED, Doing.OFF)
"""Its guest is nowhere that there would be something to say of."""
_MOST: Final = 8
"""Interrupts that a line names."""
_QUESTIONS: Final = {Waiting.CALL: Doing.CALL, Waiting.LOAD: Doing.LOAD, Waiting.STORE: Doing.STORE}
_STATES: Final = {
    State.STANDBY: Doing.STANDBY,
    State.POWERDOWN: Doing.POWERDOWN,
    State.PARKED: Doing.PARKED,
    State.OFF: Doing.OFF,
}


@dataclass(frozen=True, slots=True)
class VcpuCondition(ABC):
    pcpu: int
    doing: Doing
    pc: int

    @abstractmethod
    def lines(self, symbol: Callable[[int], str]) -> list[str]:
        """The first line is a predicate. ``symbol``: the name of an address, with a space before it, or nothing."""


def doing(vcpu: Vcpu, *, waiting: bool, crashed: bool) -> Doing:
    """``waiting``: the running guest waits for an interrupt. ``crashed``: an injected fault stopped the CPU."""
    does = _STATES.get(vcpu.state, Doing.WAITING if waiting else Doing.RUNNING)
    if vcpu.state is State.PAUSED and vcpu.waiting is not None:
        does = _QUESTIONS[vcpu.waiting]
    return Doing.CRASHED if crashed and does not in STOPPED else does


def numbers(interrupts: Sequence[int]) -> str:
    """Some of them by their numbers, and how many more there are."""
    more = f" and {len(interrupts) - _MOST} more" if len(interrupts) > _MOST else ""
    return ", ".join(map(str, interrupts[:_MOST])) + more


def duration(nanoseconds: int) -> str:
    for unit, size in (("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1000)):
        if nanoseconds >= size:
            return f"{nanoseconds / size:.3f} {unit}"
    return f"{nanoseconds} ns"


def nanoseconds(ticks: int, frequency: int) -> int:
    """No more than 64 bits hold: a guest may set any value."""
    return max(-(1 << 62), min(ticks * 1_000_000_000 // frequency, 1 << 62))
