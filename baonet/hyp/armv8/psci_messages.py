"""What the pcpus of a VM tell each other about the power of its vcpus (Bao's ``psci.c``).

Bao keeps the power states in memory that all pcpus of the VM share; here the VM's master pcpu is home to them.
"""

from __future__ import annotations

from enum import IntEnum
from typing import final

from baonet.hyp.messages import HypMessage
from baonet.machine.dataclass import dataclass


class PowerState(IntEnum):
    """Of a vcpu, as AFFINITY_INFO tells it (Arm DEN0022, 5.7)."""

    ON = 0
    OFF = 1
    ON_PENDING = 2


@final
@dataclass(frozen=True, slots=True)
class PsciOn(HypMessage):
    """The home tells an OFF vcpu's pcpu to start it at ``entry`` with x0 = ``context`` (Bao: PSCI_MSG_ON)."""

    entry: int
    context: int


@final
@dataclass(frozen=True, slots=True)
class PsciCpuOn(HypMessage):
    """A vcpu asks its VM's home for CPU_ON of the vcpu with affinity ``target``. Answered by ``PsciResult``."""

    target: int
    entry: int
    context: int


@final
@dataclass(frozen=True, slots=True)
class PsciAffinityInfo(HypMessage):
    """A vcpu asks its VM's home for the power state of ``target``. Answered by ``PsciResult``."""

    target: int
    level: int


@final
@dataclass(frozen=True, slots=True)
class PsciResult(HypMessage):
    """The home's answer: what the asking vcpu gets in x0 (a signed PSCI return code)."""

    value: int


@final
@dataclass(frozen=True, slots=True)
class PsciState(HypMessage):
    """A vcpu's pcpu tells the home that its vcpu has started or gone off."""

    vcpu: int
    state: PowerState
