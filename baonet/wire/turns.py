"""Virtual time on the wire: what a conductor and the pcpus of its island say to each other.

A time is a cycle since the start of the machine (one retired instruction). ``NEVER`` stands for no time at all.
"""

from __future__ import annotations

from typing import Final, final

from baonet.hyp.messages import HypMessage
from baonet.machine.dataclass import dataclass
from baonet.wire.control import Control

NEVER: Final = 1 << 62


@final
@dataclass(frozen=True, slots=True)
class FaultNote:
    """A fault was injected into what the receiver would get: for its trace. Numbers as in a FAULT record."""

    rule: int
    kind: int
    detail: int


@final
@dataclass(frozen=True, slots=True)
class Stall:
    """The pcpu does nothing for so many cycles; ``rule`` is the number of the fault rule that says so."""

    rule: int
    cycles: int


@final
@dataclass(frozen=True, slots=True)
class Crash:
    """The pcpu never does anything again."""

    rule: int


@final
@dataclass(frozen=True, slots=True)
class Delivery:
    """A message on its way to a pcpu. ``sequence`` counts what ``source`` sent; the agent's are -1."""

    due: int
    source: int
    sequence: int
    message: HypMessage | Control | FaultNote | Stall | Crash


@final
@dataclass(frozen=True, slots=True)
class Post:
    """A message that a pcpu sent at ``time``; it is due at ``due``."""

    target: int
    time: int
    due: int
    sequence: int
    message: HypMessage


@final
@dataclass(slots=True)  # not frozen: there is one for every turn, and that takes a third of the time
class Turn:
    """The hypervisor of a pcpu is asked: why its guest was left since the last turn (-1: it has not been entered), and
    what has come for it. ``moment``: until when it may let time pass if it waits; what is due behind can wait.
    """

    pcpu: int
    moment: int
    reason: int
    inbox: tuple[Delivery, ...]


@final
@dataclass(slots=True)  # not frozen: there is one for every turn, and that takes a third of the time
class Turned:
    """What came of a turn: the pcpu's clock, whether its guest goes on, when it has to do something else, what it says.

    ``said`` is for the agent, and for the conductor where it concerns the life of a VM. ``more``: the turn is not over;
    so much has come of it that this must be taken first, and another turn, with nothing in it, goes on where this was.
    """

    pcpu: int
    time: int
    running: bool
    next: int
    posts: tuple[Post, ...]
    said: tuple[Control, ...]
    more: bool


@final
@dataclass(frozen=True, slots=True)
class Mail:
    """The first of what has come for a pcpu, where that is too much for one ``Turn``, which follows."""

    pcpu: int
    inbox: tuple[Delivery, ...]


@final
@dataclass(frozen=True, slots=True)
class Collect:
    """What the guest of a pcpu has printed is wanted, and its records, while it stands. Answered by ``Collected``."""

    pcpu: int


@final
@dataclass(frozen=True, slots=True)
class Collected:
    """``said``: in the order in which it was said."""

    pcpu: int
    said: tuple[Control, ...]


TurnMessage = Turn | Turned | Mail | Collect | Collected | FaultNote | Stall | Crash
