"""Everything that one pcpu tells another, apart from the vGIC's part, which ``vgic_messages`` holds.

The names are Bao's where Bao has the message (``psci.c``, ``ipc.c``); where Bao reads or writes shared state under a
lock, here the state has one home and a message asks the home. Channels between two pcpus are FIFO; nothing is known
about the order of messages from different senders. A pcpu that asks is paused until the answer comes, so it has at
most one question under way and answers need no number.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import final

from baonet.hyp.armv8.vgic_messages import VgicMessage


class PowerState(IntEnum):
    """Of a vcpu, as AFFINITY_INFO tells it (Arm DEN0022, 5.7)."""

    ON = 0
    OFF = 1
    ON_PENDING = 2


@final
@dataclass(frozen=True, slots=True)
class PsciOn:
    """The home tells an OFF vcpu's pcpu to start it at ``entry`` with x0 = ``context`` (Bao: PSCI_MSG_ON)."""

    entry: int
    context: int


@final
@dataclass(frozen=True, slots=True)
class PsciCpuOn:
    """A vcpu asks its VM's home for CPU_ON of the vcpu with affinity ``target``. Answered by ``PsciResult``."""

    target: int
    entry: int
    context: int


@final
@dataclass(frozen=True, slots=True)
class PsciAffinityInfo:
    """A vcpu asks its VM's home for the power state of ``target``. Answered by ``PsciResult``."""

    target: int
    level: int


@final
@dataclass(frozen=True, slots=True)
class PsciResult:
    """The home's answer: what the asking vcpu gets in x0 (a signed PSCI return code)."""

    value: int


@final
@dataclass(frozen=True, slots=True)
class PsciState:
    """A vcpu's pcpu tells the home that its vcpu has started or gone off."""

    vcpu: int
    state: PowerState


@final
@dataclass(frozen=True, slots=True)
class IpcNotify:
    """Event ``event`` of shared memory ``shmem``, to the master pcpu of a VM attached to it (Bao: IPC_NOTIFY)."""

    shmem: int
    event: int


@final
@dataclass(frozen=True, slots=True)
class VmBarrier:
    """While a VM is reset: all that the sender said in the VM's previous life has been said."""

    life: int


HypMessage = PsciOn | PsciCpuOn | PsciAffinityInfo | PsciResult | PsciState | IpcNotify | VmBarrier | VgicMessage
