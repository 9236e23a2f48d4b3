"""Every message of the wire, in one file: what the node agent and its pcpus say to each other, and the numbers of all.

The messages between pcpus are the hypervisor's own (``baonet.hyp``). A message's number never changes its meaning;
a new meaning gets a new number, and ``VERSION`` grows when an old number goes. docs/protocol.md is made from this file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from baonet.hyp import messages as hyp
from baonet.hyp import vgic_messages as vgic
from baonet.hyp.report import Report

VERSION = 1
AGENT = -1
"""The address of the node agent; pcpus have their own numbers."""
GRACE = 2.0
"""Seconds that the agent waits for ``Stopped`` after ``Stop``, and a pcpu for the agent to take its last words."""


@final
@dataclass(frozen=True, slots=True)
class Hello:
    """A pcpu is there. First message to the agent; a ``version`` that is not the agent's ends the channel."""

    version: int
    pcpu: int


@final
@dataclass(frozen=True, slots=True)
class Start:
    """The agent lets a pcpu enter its guest."""


@final
@dataclass(frozen=True, slots=True)
class Stop:
    """The agent ends a pcpu. It answers with ``Statistics`` and ``Stopped``."""


@final
@dataclass(frozen=True, slots=True)
class Halt:
    """First half of a VM's reset: stay out of the guest. Answered by ``Halted``."""


@final
@dataclass(frozen=True, slots=True)
class Halted:
    """The pcpu is out of its guest, and its console output so far has been sent."""


@final
@dataclass(frozen=True, slots=True)
class Reset:
    """Second half of a VM's reset, when its memory has been loaded again: start anew."""


@final
@dataclass(frozen=True, slots=True)
class ConsoleOutput:
    """Bytes that a guest of ``vm`` sent to UART ``device`` (its place among the platform's devices).

    ``position`` is the place of the first byte among all that the UART ever sent.
    """

    vm: int
    device: int
    position: int
    data: bytes


@final
@dataclass(frozen=True, slots=True)
class ConsoleInput:
    """Bytes for the first UART of the receiver's VM; only to the VM's master pcpu."""

    data: bytes


@final
@dataclass(frozen=True, slots=True)
class Parked:
    """The guest of a pcpu did what Bao stops it for. ``code`` holds the instruction bytes at its PC, if readable."""

    report: Report
    code: bytes


@final
@dataclass(frozen=True, slots=True)
class VmOff:
    """The VM has switched itself off."""

    vm: int
    cause: str


@final
@dataclass(frozen=True, slots=True)
class VmReset:
    """The VM asks to start anew."""

    vm: int


@final
@dataclass(frozen=True, slots=True)
class Notice:
    """A line that Bao would print: ``level`` is INFO or WARNING."""

    pcpu: int
    level: str
    text: str


@final
@dataclass(frozen=True, slots=True)
class Failure:
    """The pcpu cannot go on: an error of baonet or of the host, not of the guest."""

    pcpu: int
    text: str


@final
@dataclass(frozen=True, slots=True)
class StatisticsRequest:
    """The agent asks for ``Statistics`` now."""


@final
@dataclass(frozen=True, slots=True)
class Statistics:
    """Counters of a pcpu since its start."""

    pcpu: int
    counters: dict[str, int]


@final
@dataclass(frozen=True, slots=True)
class Stopped:
    """The last message of a pcpu."""

    pcpu: int


Control = (
    Hello
    | Start
    | Stop
    | Halt
    | Halted
    | Reset
    | ConsoleOutput
    | ConsoleInput
    | Parked
    | VmOff
    | VmReset
    | Notice
    | Failure
    | StatisticsRequest
    | Statistics
    | Stopped
)
Message = Control | hyp.HypMessage

NUMBERS: dict[int, type] = {
    0: Hello,
    1: Start,
    2: Stop,
    3: Halt,
    4: Halted,
    5: Reset,
    6: ConsoleOutput,
    7: ConsoleInput,
    8: Parked,
    9: VmOff,
    10: VmReset,
    11: Notice,
    12: Failure,
    13: StatisticsRequest,
    14: Statistics,
    15: Stopped,
    32: hyp.PsciOn,
    33: hyp.PsciCpuOn,
    34: hyp.PsciAffinityInfo,
    35: hyp.PsciResult,
    36: hyp.PsciState,
    37: hyp.IpcNotify,
    38: hyp.VmBarrier,
    48: vgic.VgicUpdateEnable,
    49: vgic.VgicInject,
    50: vgic.VgicForward,
    51: vgic.VgicRecall,
    52: vgic.VgicRelease,
    53: vgic.VgicRead,
    54: vgic.VgicWrite,
    55: vgic.VgicResult,
    56: vgic.SpiLine,
}
"""Which number stands for which message, first in its array: 0 the agent's, 32 the hypervisor's, 48 the vGIC's."""
