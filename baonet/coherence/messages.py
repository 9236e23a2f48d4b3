"""What a node and a page's home tell each other.

Between two nodes messages are FIFO and each comes once; nothing is known about the order of those from different nodes.
A message that ``carries`` has the page's bytes with it, as they are when it is sent, and its receiver has them in place
before it takes the message. A home is a node as others are: it says the same to itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final, NamedTuple, final

Page = int
NodeNumber = int


class Right(IntEnum):
    """What the pcpus of a node may do with a page."""

    NONE = 0
    READ = 1
    WRITE = 2


class Age(NamedTuple):
    """When an instruction first had to wait for a page: the smaller is the older, and no two are the same.

    ``moment`` counts as Lamport's clocks do, so what a node asks for later is younger than all that it has heard of.
    """

    moment: int
    node: NodeNumber


YOUNGEST: Final = Age(1 << 63, 0)
"""Of what no instruction waits for."""


@final
@dataclass(frozen=True, slots=True)
class Ask:
    """To the home: an instruction waits for this right to the page. Again, for one that is older than was said."""

    page: Page
    right: Right
    age: Age


@final
@dataclass(frozen=True, slots=True)
class Grant:
    """From the home: the node has the right. It ``carries`` unless the node has the current bytes already."""

    page: Page
    right: Right
    carries: bool


@final
@dataclass(frozen=True, slots=True)
class Recall:
    """From the home: keep no more than ``right``, because an instruction of ``age`` waits.

    To a node that has no more it is void: what it had has been returned on the way.
    """

    page: Page
    right: Right
    age: Age


@final
@dataclass(frozen=True, slots=True)
class Returned:
    """To the home: the node has no more than ``right`` now, recalled or not. It ``carries`` what was written."""

    page: Page
    right: Right
    carries: bool


@final
@dataclass(frozen=True, slots=True)
class Gone:
    """From the home: who might have written to the page was lost, and with it what the page holds."""

    page: Page


ToHome = Ask | Returned
FromHome = Grant | Recall | Gone


class CoherenceError(Exception):
    """A node has said what it cannot say; nothing that it says is to be taken any more."""
