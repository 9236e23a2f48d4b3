"""Every message of the wire, and what there is to know of each: the agent's, the conductor's, the hypervisor's.

A message's number never changes its meaning; a new meaning gets a new number, and ``VERSION`` grows when an old message
goes or changes. docs/protocol.md is made from this file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, final

from baonet.hyp import messages as hyp
from baonet.hyp.wings import ARCHITECTURES
from baonet.wire import cluster
from baonet.wire.cluster import ClusterMessage
from baonet.wire.control import (
    AGENT,
    ConsoleBreak,
    ConsoleInput,
    ConsoleOutput,
    Control,
    Delivered,
    Digest,
    Examined,
    Failure,
    Freeze,
    Frozen,
    Halt,
    Halted,
    Hello,
    Horizon,
    InputTaken,
    Notice,
    Parked,
    PcpuState,
    Reached,
    Registers,
    RegistersRequest,
    Reset,
    Running,
    Start,
    StateRequest,
    Statistics,
    StatisticsRequest,
    Stop,
    Stopped,
    Thaw,
    TraceChunk,
    Typed,
    VmOff,
    VmReset,
)
from baonet.wire.roles import Role
from baonet.wire.turns import Collect, Collected, Crash, FaultNote, Mail, Stall, Turn, Turned, TurnMessage

__all__ = [
    "AGENT",
    "FACTS",
    "NUMBER",
    "NUMBERS",
    "TRAVELS",
    "VERSION",
    "Control",
    "Fact",
    "Message",
    "ConsoleBreak",
    "ConsoleInput",
    "ConsoleOutput",
    "Delivered",
    "Digest",
    "Examined",
    "Failure",
    "Freeze",
    "Frozen",
    "Halt",
    "Halted",
    "Hello",
    "Horizon",
    "InputTaken",
    "Notice",
    "Parked",
    "PcpuState",
    "Reached",
    "Registers",
    "RegistersRequest",
    "Reset",
    "Running",
    "Start",
    "StateRequest",
    "Statistics",
    "StatisticsRequest",
    "Stop",
    "Stopped",
    "Thaw",
    "TraceChunk",
    "Typed",
    "VmOff",
    "VmReset",
    "accepted",
]

VERSION: Final = 4

Message = Control | TurnMessage | hyp.HypMessage | ClusterMessage
Way = tuple[Role, Role]
"""From whom to whom."""

_FROM_AGENT: Final[tuple[Way, ...]] = ((Role.AGENT, Role.PCPU), (Role.AGENT, Role.CONDUCTOR))
_TO_ALL: Final = (*_FROM_AGENT, (Role.CONDUCTOR, Role.CREW))
_TO_AGENT: Final[tuple[Way, ...]] = ((Role.PCPU, Role.AGENT), (Role.CONDUCTOR, Role.AGENT))
_TOLD: Final = (*_TO_AGENT, (Role.CREW, Role.CONDUCTOR))
"""By a crew to its conductor, who passes it on or says it for all."""
_BETWEEN_PCPUS: Final[tuple[Way, ...]] = ((Role.PCPU, Role.PCPU),)


@final
@dataclass(frozen=True)
class Fact:
    """``ways``: on which channels it may come by itself; what a conductor's turns have in them has none of its own.

    ``travels``: how one between pcpus does in virtual time. ``record``: the architecture's own in this message, which
    has another number with that of another.
    """

    number: int
    kind: type
    ways: tuple[Way, ...]
    travels: hyp.MessageFact | None = None
    record: type | None = None

    def own(self, annotation: object) -> object:
        """The type of a field: where the message has what every architecture brings, this one's."""
        brought = isinstance(annotation, type) and self.record is not None and issubclass(self.record, annotation)
        return self.record if brought else annotation


_AGENTS: Final = (
    Fact(0, Hello, _TOLD),
    Fact(1, Start, _TO_ALL),
    Fact(2, Stop, _TO_ALL),
    Fact(3, Halt, _FROM_AGENT),
    Fact(4, Halted, ((Role.PCPU, Role.AGENT),)),
    Fact(5, Reset, _FROM_AGENT),
    Fact(6, ConsoleOutput, _TOLD),
    Fact(7, ConsoleInput, _FROM_AGENT),
    Fact(9, VmOff, _TOLD),
    Fact(10, VmReset, _TOLD),
    Fact(11, Notice, _TOLD),
    Fact(12, Failure, (*_TO_AGENT, (Role.CREW, Role.AGENT))),
    Fact(13, StatisticsRequest, ((Role.AGENT, Role.PCPU),)),
    Fact(14, Statistics, _TOLD),
    Fact(15, Stopped, _TOLD),
    Fact(16, TraceChunk, _TOLD),
    Fact(17, Digest, ((Role.CONDUCTOR, Role.AGENT), (Role.CREW, Role.CONDUCTOR))),
    Fact(18, Horizon, ((Role.AGENT, Role.CONDUCTOR),)),
    Fact(19, Reached, ((Role.CONDUCTOR, Role.AGENT),)),
    Fact(20, Delivered, ((Role.CONDUCTOR, Role.AGENT),)),
    Fact(21, Typed, ((Role.CONDUCTOR, Role.AGENT),)),
    Fact(22, ConsoleBreak, _FROM_AGENT),
    Fact(23, InputTaken, _TOLD),
    Fact(24, Turn, ((Role.CONDUCTOR, Role.CREW),)),
    Fact(25, Turned, ((Role.CREW, Role.CONDUCTOR),)),
    Fact(26, FaultNote, ()),
    Fact(27, Stall, ()),
    Fact(28, Crash, ()),
    Fact(29, Mail, ((Role.CONDUCTOR, Role.CREW),)),
    Fact(30, Collect, ((Role.CONDUCTOR, Role.CREW),)),
    Fact(31, Collected, ((Role.CREW, Role.CONDUCTOR),)),
    Fact(64, Running, _TOLD),
    Fact(66, Freeze, ((Role.AGENT, Role.PCPU),)),
    Fact(67, Frozen, ((Role.PCPU, Role.AGENT),)),
    Fact(68, Thaw, ((Role.AGENT, Role.PCPU),)),
    Fact(69, RegistersRequest, _TO_ALL),
    Fact(70, Registers, _TOLD),
    Fact(71, StateRequest, ((Role.AGENT, Role.CONDUCTOR), (Role.CONDUCTOR, Role.CREW))),
    Fact(80, PcpuState, ((Role.CONDUCTOR, Role.AGENT), (Role.CREW, Role.CONDUCTOR))),
)
_TO_NODE: Final[tuple[Way, ...]] = ((Role.LEAD, Role.NODE),)
_TO_LEAD: Final[tuple[Way, ...]] = ((Role.NODE, Role.LEAD),)
_CLUSTER: Final = (
    Fact(96, cluster.Introduction, _TO_LEAD),
    Fact(97, cluster.Enlist, _TO_NODE),
    Fact(117, cluster.Listening, _TO_LEAD),
    Fact(98, cluster.ImagesWanted, _TO_LEAD),
    Fact(99, cluster.Chunk, _TO_NODE),
    Fact(100, cluster.Placed, _TO_LEAD),
    Fact(101, cluster.Meet, _TO_NODE),
    Fact(102, cluster.Met, _TO_LEAD),
    Fact(103, cluster.ToActor, _TO_NODE),
    Fact(104, cluster.FromActor, _TO_LEAD),
    Fact(105, cluster.Took, _TO_NODE),
    Fact(106, cluster.ActorBroke, _TO_LEAD),
    Fact(107, cluster.ActorEnded, _TO_LEAD),
    Fact(108, cluster.Slay, _TO_NODE),
    Fact(109, cluster.Reload, _TO_NODE),
    Fact(110, cluster.Reloaded, _TO_LEAD),
    Fact(111, cluster.Read, _TO_NODE),
    Fact(112, cluster.Bytes, _TO_LEAD),
    Fact(113, cluster.Write, _TO_NODE),
    Fact(114, cluster.Refused, (*_TO_NODE, *_TO_LEAD)),
    Fact(116, cluster.Lost, _TO_LEAD),
    Fact(118, cluster.Traffic, _TO_LEAD),
    Fact(119, cluster.Resume, _TO_NODE),
    Fact(120, cluster.Survey, _TO_NODE),
    Fact(121, cluster.Surveyed, _TO_LEAD),
    Fact(122, cluster.Gather, _TO_NODE),
    Fact(115, cluster.Beat, (*_TO_NODE, *_TO_LEAD)),
)
_RECORDS: Final = tuple(
    fact
    for each in ARCHITECTURES.values()
    for fact in (
        Fact(each.report.number, Parked, _TOLD, record=each.report.kind),
        Fact(each.condition.number, Examined, _TOLD, record=each.condition.kind),
    )
)
_HYPERVISORS: Final = (*hyp.SHARED, *(fact for each in ARCHITECTURES.values() for fact in each.messages))
FACTS: Final = (
    *_AGENTS,
    *_RECORDS,
    *_CLUSTER,
    *(Fact(each.number, each.kind, _BETWEEN_PCPUS, each) for each in _HYPERVISORS),
)
"""Every message by its number, which is first in its array.

0, 64 and 80 the agent's, 24 and 72 the conductor's, 96 those between hosts, 32 the hypervisor's, 48 the vGIC's.
"""
NUMBERS: Final[dict[int, type]] = {fact.number: fact.kind for fact in FACTS}
NUMBER: Final[dict[type, int]] = {fact.record or fact.kind: fact.number for fact in FACTS}
"""By the type of a message, or that of the record in it."""
TRAVELS: Final[dict[type, hyp.MessageFact]] = {fact.kind: fact for fact in _HYPERVISORS}
"""Of each message between pcpus."""


def accepted(source: Role, target: Role) -> frozenset[type]:
    """What ``target`` takes from ``source``."""
    return frozenset(fact.kind for fact in FACTS if (source, target) in fact.ways)
