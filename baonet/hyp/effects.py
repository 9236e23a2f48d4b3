"""What a pcpu asks of the world around it: the outbox entries of ``Pcpu.effects``.

The actor drains the list in order after every call into the pcpu, emulated accesses included, and performs each.
"""

from __future__ import annotations

from enum import Enum
from typing import final

from baonet.hyp.messages import HypMessage
from baonet.hyp.report import Report
from baonet.machine.dataclass import dataclass


class OffCause(Enum):
    """Why a VM went off."""

    SYSTEM_OFF = "system off"


@final
@dataclass(slots=True)
class Send:
    """Deliver ``message`` to another pcpu. Messages to one pcpu arrive in the order they were sent."""

    pcpu: int
    message: HypMessage

    def __init__(self, pcpu: int, message: HypMessage) -> None:  # a frozen one takes as long to make as to deliver
        self.pcpu = pcpu
        self.message = message


@final
@dataclass(frozen=True, slots=True)
class Park:
    """The guest did what Bao answers with an endless loop: this vcpu never runs again, other VMs go on."""

    report: Report


@final
@dataclass(frozen=True, slots=True)
class VmOff:
    """The VM has switched itself off: stop all its pcpus."""

    vm: int
    cause: OffCause


@final
@dataclass(frozen=True, slots=True)
class VmReset:
    """The VM wants to start anew: stop all its pcpus, load its memory again, then call ``reset_vm`` on each."""

    vm: int


@final
@dataclass(frozen=True, slots=True)
class Warn:
    """A line that Bao prints after ``BAO WARNING: ``."""

    text: str


@final
@dataclass(frozen=True, slots=True)
class Info:
    """A line that Bao prints after ``BAO INFO: ``."""

    text: str


Effect = Send | Park | VmOff | VmReset | Warn | Info
