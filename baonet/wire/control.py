"""What the node agent says to those who run pcpus, and they to it."""

from __future__ import annotations

from typing import final

from baonet.hyp.condition import VcpuCondition
from baonet.hyp.report import Report
from baonet.machine.dataclass import dataclass

AGENT = -1
"""The address of the node agent; pcpus have their own numbers."""


@final
@dataclass(frozen=True, slots=True)
class Hello:
    """A pcpu is there, or a crew for its conductor. The first message; a ``version`` that is not ours ends the run."""

    version: int
    pcpu: int


@final
@dataclass(frozen=True, slots=True)
class Start:
    """The agent lets a pcpu enter its guest. Answered by ``Running``."""


@final
@dataclass(frozen=True, slots=True)
class Running:
    """The pcpu has been told ``Start`` or ``Reset``, and its guest can run."""


@final
@dataclass(frozen=True, slots=True)
class Stop:
    """The agent ends a pcpu. It answers with what it has recorded since, ``Digest``, ``Examined``, ``Statistics`` and
    ``Stopped``.
    """


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
    """Second half of a VM's reset, when its memory has been loaded again: start anew. Answered by ``Running``."""


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
    """Bytes for the first UART of ``vm``: to the VM's master pcpu, or to the conductor of its island."""

    vm: int
    data: bytes


@final
@dataclass(frozen=True, slots=True)
class ConsoleBreak:
    """A break for the first UART of ``vm``; goes where ``ConsoleInput`` goes."""

    vm: int


@final
@dataclass(frozen=True, slots=True)
class InputTaken:
    """The UART of ``vm`` has taken so much input, a break counted as one byte, or a reset has dropped it.

    So whoever types can wait for a guest that does not read.
    """

    vm: int
    size: int


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
    """The agent asks for ``Statistics`` now. All that the guest printed before comes before the answer."""


@final
@dataclass(frozen=True, slots=True)
class Statistics:
    """Counters of a pcpu since its start."""

    pcpu: int
    counters: dict[str, int]


@final
@dataclass(frozen=True, slots=True)
class Examined:
    """How the vcpu of a pcpu is, where the run ends."""

    condition: VcpuCondition


@final
@dataclass(frozen=True, slots=True)
class Freeze:
    """Stay out of the guest until ``Thaw``, and let what peers say wait. Answered by ``Frozen``, each time.

    All else goes on, so a VM may start anew.
    """


@final
@dataclass(frozen=True, slots=True)
class Frozen:
    """The pcpu is out of its guest, and its console output so far has been sent."""


@final
@dataclass(frozen=True, slots=True)
class Thaw:
    """The pcpu may enter its guest again, for which the time since ``Freeze`` has not been.

    ``stood``: nanoseconds by which the machine's time falls behind the host's, the same for all of its pcpus.
    """

    stood: int


@final
@dataclass(frozen=True, slots=True)
class RegistersRequest:
    """The agent asks for the ``Registers`` of a pcpu whose guest does not run now."""

    pcpu: int


@final
@dataclass(frozen=True, slots=True)
class Registers:
    """Registers of the vcpu that the pcpu has, by the names that its architecture gives them."""

    pcpu: int
    values: dict[str, int]


@final
@dataclass(frozen=True, slots=True)
class StateRequest:
    """The agent asks what all pcpus of an island have come to, which stand at a horizon.

    Answered by ``PcpuState`` of each, after all that they have printed and recorded before.
    """


@final
@dataclass(frozen=True, slots=True)
class PcpuState:
    """What a pcpu has come to: the next bytes of it; ``more`` follow. That of the lowest has its island's in it."""

    pcpu: int
    data: bytes
    more: bool


@final
@dataclass(frozen=True, slots=True)
class Stopped:
    """The last message of a pcpu."""

    pcpu: int


@final
@dataclass(frozen=True, slots=True)
class TraceChunk:
    """Trace records of a pcpu (``baonet.trace.records``); the host's time in nanoseconds when they began and ended."""

    pcpu: int
    records: bytes
    begin: int
    end: int


@final
@dataclass(frozen=True, slots=True)
class Digest:
    """Of all records of a pcpu: the last link of their chain, 32 bytes. Before ``Stopped``, in virtual time."""

    pcpu: int
    digest: bytes


@final
@dataclass(frozen=True, slots=True)
class Horizon:
    """The agent lets the conductor of an island go on until the cycle ``until``. Answered by ``Reached``."""

    until: int


@final
@dataclass(frozen=True, slots=True)
class Reached:
    """Nobody in the island has anything to do before the horizon.

    ``next`` is when somebody has, -1 when nobody ever has; ``latest`` how far the farthest clock has come.
    """

    next: int
    latest: int


@final
@dataclass(frozen=True, slots=True)
class Delivered:
    """Of an island at its end: messages delivered when they were due, later, and how many cycles late at most.

    ``time``: how far its farthest clock has come, also when it ends on the way to a horizon.
    """

    time: int
    exact: int
    late: int
    latest: int


@final
@dataclass(frozen=True, slots=True)
class CacheOwner:
    """What a VM, or the hypervisor below all of them, has asked of a second-level cache and of the way to memory.

    ``missed``: its misses by who had driven the line out, the owners in their order, and last those of lines that had
    not been there before.
    """

    counts: dict[str, int]
    missed: tuple[int, ...]


@final
@dataclass(frozen=True, slots=True)
class MissedPage:
    """A page of physical memory, by its address, and how often lines of it were missed."""

    address: int
    misses: int


@final
@dataclass(frozen=True, slots=True)
class SharedCache:
    """Of an island at its end, for each cluster whose memory takes time: what its VMs did to each other in its cache.

    ``owners``: its VMs in the order of their numbers, and the hypervisor. ``channel``: counts of the way to memory.
    ``pages``: those that were missed most.
    """

    cluster: int
    owners: tuple[CacheOwner, ...]
    channel: dict[str, int]
    pages: tuple[MissedPage, ...]


@final
@dataclass(frozen=True, slots=True)
class Typed:
    """Console input for ``vm`` came while the machine ran, and was given the time ``at``: nanoseconds, virtual.

    No bytes are a break.
    """

    vm: int
    at: int
    data: bytes


Control = (
    Hello
    | Start
    | Running
    | Stop
    | Halt
    | Halted
    | Reset
    | ConsoleOutput
    | ConsoleInput
    | ConsoleBreak
    | InputTaken
    | Parked
    | VmOff
    | VmReset
    | Notice
    | Failure
    | StatisticsRequest
    | Statistics
    | Examined
    | Freeze
    | Frozen
    | Thaw
    | RegistersRequest
    | Registers
    | StateRequest
    | PcpuState
    | Stopped
    | TraceChunk
    | Digest
    | Horizon
    | Reached
    | Delivered
    | SharedCache
    | Typed
)
