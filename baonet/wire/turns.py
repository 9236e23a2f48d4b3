"""Virtual time on the wire: what a conductor and the pcpus of its island say to each other.

A time is a cycle since the start of the machine (one retired instruction). ``NEVER`` stands for no time at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, final

from baonet.hyp.messages import HypMessage
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
    """The conductor lets a pcpu go on until ``until``, with what has come for it since its last turn.

    ``rest``: where a guest that yields (WFE, YIELD) goes on, as another pcpu has something to do before; 0: here.
    """

    pcpu: int
    until: int
    rest: int
    inbox: tuple[Delivery, ...]


@final
@dataclass(slots=True)  # not frozen: there is one for every turn, and that takes a third of the time
class Turned:
    """What came of a turn: the pcpu's clock, when it has something to do again if nothing comes, what it has to say.

    ``said`` is for the agent, and for the conductor where it concerns the life of a VM.
    """

    pcpu: int
    time: int
    next: int
    posts: tuple[Post, ...]
    said: tuple[Control, ...]


@final
@dataclass(frozen=True, slots=True)
class Mail:
    """The first of what has come for a pcpu, where that is too much for one ``Turn``, which follows."""

    pcpu: int
    inbox: tuple[Delivery, ...]


@final
@dataclass(frozen=True, slots=True)
class Recess:
    """A turn is not over, and in virtual time nothing has happened. Answered by ``Continue``.

    So much has come of it that this must be taken first, or its guest has done so much that costs the host that whoever
    gives the turns looks around.
    """

    pcpu: int
    posts: tuple[Post, ...]
    said: tuple[Control, ...]


@final
@dataclass(frozen=True, slots=True)
class Continue:
    """The turn goes on where it was."""

    pcpu: int


TurnMessage = Turn | Turned | Mail | Recess | Continue | FaultNote | Stall | Crash
