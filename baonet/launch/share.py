"""What of a machine is on a node, where several have parts of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import _socket

    from baonet.memory.rings import RingMemory


class Share(Protocol):
    """What of a machine is on this node: ``nodes`` is that of each pcpu.

    ``epoch``: the host's monotonic time, in nanoseconds, at which the counters of this node's cores are 0. ``relay``
    gets the far end of a channel between an actor here and one on another node. ``caller``: a descriptor that the
    processes keep; ``forget`` is called in each of them first. ``carry``: what pcpus here say to those of other nodes
    is in these rings, and what those say is put into them. ``ended``: the process of a pcpu has, which is lost.
    """

    @property
    def nodes(self) -> Sequence[int]: ...
    @property
    def epoch(self) -> int: ...
    @property
    def caller(self) -> int: ...
    def has(self, pcpu: int) -> bool: ...
    def relay(self, address: int, peer: int, end: _socket.socket) -> None: ...
    def forget(self) -> None: ...
    def carry(self, rings: RingMemory) -> None: ...
    def ended(self, pcpu: int) -> None: ...
