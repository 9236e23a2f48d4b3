"""What the lead of a run says to the nodes that run its machine, and they to it.

What the lead's agent and the actors of a node say to each other is in ``ToActor`` and ``FromActor``, as it would be on
a channel of one host. A node's number is its place among those of the run.
"""

from __future__ import annotations

from typing import final

from baonet.machine.dataclass import dataclass


@final
@dataclass(frozen=True, slots=True)
class Introduction:
    """The first message of a node.

    ``version`` is baonet's, ``engine`` and ``library`` are digests: nodes that differ in any of them would not run the
    same machine. ``memory`` in bytes that guests can have there, ``load`` in thousandths. ``ticket``: what the node was
    given to join this lead with, or nothing if the lead calls it.
    """

    protocol: int
    version: str
    engine: str
    library: str
    name: str
    cores: int
    memory: int
    load: int
    ticket: bytes


@final
@dataclass(frozen=True, slots=True)
class Image:
    """A file that a VM has bytes of: ``sha256`` of all of it, as a hexadecimal number, and its size in bytes."""

    sha256: str
    size: int


@final
@dataclass(frozen=True, slots=True)
class Enlist:
    """The node is to run its part of a machine. Answered by ``Listening``, and then by ``ImagesWanted``.

    ``machine``: the digest of what the lead sends as ``Chunk`` first. ``images``: those of VMs whose memory the node
    has. ``nodes``: the node of each pcpu, -1 for none. ``placement``, ``threads`` (0: as many as it has cores),
    ``tracing``: as of ``baonet run``. ``token``: what nodes of this run know each other by. ``heartbeat``: milliseconds
    after which who says nothing is lost.
    """

    index: int
    nodes: tuple[int, ...]
    machine: Image
    images: tuple[Image, ...]
    placement: str
    threads: int
    tracing: bool
    token: bytes
    heartbeat: int


@final
@dataclass(frozen=True, slots=True)
class Resume:
    """Before ``Enlist``: the machine goes on from where it was saved. ``state``: the digest of what comes as ``Chunk``
    behind the machine and its images, the node's part of that.
    """

    state: Image


@final
@dataclass(frozen=True, slots=True)
class Listening:
    """The node takes the lead's heartbeat at this port of the address at which the lead reaches it."""

    port: int


@final
@dataclass(frozen=True, slots=True)
class ImagesWanted:
    """The images that the node does not have. ``Chunk`` follow, in this order; then it answers with ``Placed``."""

    images: tuple[str, ...]


@final
@dataclass(frozen=True, slots=True)
class Chunk:
    """The next bytes of what is being sent."""

    data: bytes


@final
@dataclass(frozen=True, slots=True)
class Placed:
    """The node has everything; other nodes reach it at this port of the address at which the lead does."""

    port: int


@final
@dataclass(frozen=True, slots=True)
class Peer:
    """Another node to which this one has a stream."""

    node: int
    host: str
    port: int


@final
@dataclass(frozen=True, slots=True)
class Meet:
    """Who has the rest of what is split: dial those with a lower number, and expect the others. Answered by ``Met``."""

    peers: tuple[Peer, ...]


@final
@dataclass(frozen=True, slots=True)
class Met:
    """The streams are there, and the actors wait for their agent. ``weakness``: of the guests' confinement, or none."""

    weakness: str | None


@final
@dataclass(frozen=True, slots=True)
class ToActor:
    """A message of the agent to an actor of the node."""

    address: int
    message: bytes


@final
@dataclass(frozen=True, slots=True)
class FromActor:
    """Messages of an actor of the node to the agent."""

    address: int
    messages: tuple[bytes, ...]


@final
@dataclass(frozen=True, slots=True)
class Took:
    """The agent has taken so many bytes of what an actor has said: there is room for more."""

    address: int
    size: int


@final
@dataclass(frozen=True, slots=True)
class ActorBroke:
    """The channel of an actor is of no use any more, and why."""

    address: int
    why: str


@final
@dataclass(frozen=True, slots=True)
class ActorEnded:
    """An actor's process has ended, and all that it said was said before; ``why`` and ``words`` as for ``Died``."""

    address: int
    why: str | None
    words: str


@final
@dataclass(frozen=True, slots=True)
class Lost:
    """The stream to another node is of no use any more. ``wrong``: what came that cannot be; empty if it has ended."""

    node: int
    wrong: str


@final
@dataclass(frozen=True, slots=True)
class Slay:
    """Kill an actor's process."""

    address: int


@final
@dataclass(frozen=True, slots=True)
class Reload:
    """Give a VM its memory as at the start. Answered by ``Reloaded``."""

    vm: int


@final
@dataclass(frozen=True, slots=True)
class Reloaded:
    """``why`` it could not be, None if it was."""

    vm: int
    why: str | None


@final
@dataclass(frozen=True, slots=True)
class Read:
    """Bytes of a VM's memory are wanted, while the machine stands. Answered by ``Bytes``."""

    vm: int
    address: int
    size: int


@final
@dataclass(frozen=True, slots=True)
class Bytes:
    """What was wanted, or none. ``pages``: guest addresses of those that are not here, ``nodes``: who has each."""

    data: bytes
    pages: tuple[int, ...]
    nodes: tuple[int, ...]


@final
@dataclass(frozen=True, slots=True)
class Write:
    """Put bytes into a VM's memory, while the machine stands. Answered by ``Bytes`` of none."""

    vm: int
    address: int
    data: bytes


@final
@dataclass(frozen=True, slots=True)
class Survey:
    """Which pages of a segment are not zero, from ``page`` on, while the machine stands? Answered by ``Surveyed``.

    ``segment``: as saved memory names it. ``owners``: the table of its pages' owners is meant.
    """

    segment: str
    owners: bool
    page: int


@final
@dataclass(frozen=True, slots=True)
class Surveyed:
    """``here``: those that are not zero. ``there``: those whose bytes are elsewhere, ``nodes``: who has each.

    All pages before ``next`` have been looked at; -1: there are no more. ``owned``: the segment has a table of owners.
    """

    here: tuple[int, ...]
    there: tuple[int, ...]
    nodes: tuple[int, ...]
    next: int
    owned: bool


@final
@dataclass(frozen=True, slots=True)
class Gather:
    """The bytes of some pages are wanted, one after the other. Answered by ``Bytes``."""

    segment: str
    owners: bool
    pages: tuple[int, ...]


@final
@dataclass(frozen=True, slots=True)
class HotPage:
    """A page that has come to a node ``times``: of which segment of the machine, and which of its pages."""

    segment: int
    page: int
    times: int


@final
@dataclass(frozen=True, slots=True)
class HomeClock:
    """By how many nanoseconds the clock of an island's home is ahead of the node's, and what that may be wrong by.

    ``drift``: nanoseconds that it grows by in a second. Under the host's clock.
    """

    island: int
    offset: int
    drift: int
    error: int


@final
@dataclass(frozen=True, slots=True)
class Traffic:
    """What has gone between a node and others, when its last actor has ended.

    ``pages`` that came, ``given`` to others, ``orders`` to cores of other nodes, and ``bytes`` that it sent them.
    """

    pages: int
    given: int
    orders: int
    bytes: int
    hottest: tuple[HotPage, ...]
    clocks: tuple[HomeClock, ...]


@final
@dataclass(frozen=True, slots=True)
class Refused:
    """Why the node, or the lead, does not go on. The last message."""

    why: str


@final
@dataclass(frozen=True, slots=True)
class Beat:
    """Whoever says it lives."""


ClusterMessage = (
    Introduction
    | Resume
    | Enlist
    | Listening
    | ImagesWanted
    | Chunk
    | Placed
    | Meet
    | Met
    | ToActor
    | FromActor
    | Took
    | ActorBroke
    | ActorEnded
    | Lost
    | Slay
    | Reload
    | Reloaded
    | Read
    | Bytes
    | Write
    | Survey
    | Surveyed
    | Gather
    | Traffic
    | Refused
    | Beat
)
