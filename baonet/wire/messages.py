"""Every message of the wire, and what there is to know of each: the agent's, the conductor's, the hypervisor's.

A message's number never changes its meaning; a new meaning gets a new number, and ``VERSION`` grows when an old message
goes or changes. docs/protocol.md is made from this file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar, final

from baonet.hyp import messages as hyp
from baonet.hyp.wings import ARCHITECTURES
from baonet.machine.dataclass import dataclass
from baonet.wire.control import (
    AGENT,
    CacheOwner,
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
    MissedPage,
    Notice,
    Parked,
    PcpuState,
    Reached,
    Registers,
    RegistersRequest,
    Reset,
    Running,
    SharedCache,
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

if TYPE_CHECKING:
    from baonet.wire.cluster import ClusterMessage

__all__ = [
    "AGENT",
    "FACT",
    "NUMBER",
    "TRAVELS",
    "VERSION",
    "CacheOwner",
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
    "MissedPage",
    "Notice",
    "Parked",
    "PcpuState",
    "Reached",
    "Registers",
    "RegistersRequest",
    "Reset",
    "Running",
    "SharedCache",
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
    "every",
    "kind",
    "speak",
]

VERSION: Final = 5

Message: TypeAlias = "Control | TurnMessage | hyp.HypMessage | ClusterMessage"
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
    Fact(84, SharedCache, ((Role.CONDUCTOR, Role.AGENT),)),
)
_TO_NODE: Final[tuple[Way, ...]] = ((Role.LEAD, Role.NODE),)
_TO_LEAD: Final[tuple[Way, ...]] = ((Role.NODE, Role.LEAD),)
_HOSTS: Final = "hosts"


def _between_hosts() -> Iterable[Fact]:
    from baonet.wire import cluster  # noqa: PLC0415 - most machines are on one host

    return (
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


def _of_architecture(name: str) -> Iterable[Fact]:
    wing = ARCHITECTURES[name]
    yield Fact(wing.report.number, Parked, _TOLD, record=wing.report.kind)
    yield Fact(wing.condition.number, Examined, _TOLD, record=wing.condition.kind)
    yield from _between_pcpus(wing.messages)


def _between_pcpus(facts: Iterable[hyp.MessageFact]) -> Iterable[Fact]:
    return (Fact(each.number, each.kind, _BETWEEN_PCPUS, each) for each in facts)


_unknown: Final[dict[str, Callable[[], Iterable[Fact]]]] = {
    _HOSTS: _between_hosts,
    **{name: partial(_of_architecture, name) for name in ARCHITECTURES},
}
"""What this process has had nothing to do with yet: it is loaded when it does, as it takes a while."""
_V = TypeVar("_V")


class _ByType(dict[type, _V]):
    """Who asks for another than those that are known has all of them loaded; then KeyError is raised."""

    def __missing__(self, key: type) -> _V:
        every()
        if key not in self:
            raise KeyError(key)
        return self[key]


FACT: Final[dict[int, Fact]] = {}
"""The messages that this process knows by their numbers, which are first in their arrays: those of every machine;
of one architecture by ``speak``; between hosts when a channel is made for them. One that is confined can load none.

0, 64 and 80 the agent's, 24 and 72 the conductor's, 96 those between hosts, 32 the hypervisor's, 48 the vGIC's.
"""
NUMBER: Final = _ByType[int]()
"""By the type of a message, or that of the record in it."""
TRAVELS: Final = _ByType[hyp.MessageFact]()
"""Of each message between pcpus."""


def _know(facts: Iterable[Fact]) -> None:
    for fact in facts:
        FACT[fact.number] = fact
        NUMBER[fact.record or fact.kind] = fact.number
        if fact.travels is not None:
            TRAVELS[fact.kind] = fact.travels


def _load(part: str) -> None:
    if part in _unknown:
        _know(_unknown[part]())
        _unknown.pop(part, None)


def every() -> tuple[Fact, ...]:
    """All that there are."""
    for part in tuple(_unknown):
        _load(part)
    return tuple(FACT.values())


def kind(number: int) -> type | None:
    """Of whatever machine; None if no message has the number."""
    if number not in FACT:
        every()
    found = FACT.get(number)
    return None if found is None else found.kind


def speak(architecture: str) -> None:
    """From now on this process knows the messages of machines of it; to be called before channels are made."""
    _load(architecture)


def accepted(source: Role, target: Role) -> frozenset[type]:
    """What ``target`` takes from ``source``."""
    if Role.NODE in (source, target):
        _load(_HOSTS)
    return frozenset(fact.kind for fact in FACT.values() if (source, target) in fact.ways)


_know((*_AGENTS, *_between_pcpus(hyp.SHARED)))
