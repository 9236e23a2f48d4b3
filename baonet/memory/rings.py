"""The rings of a node's pcpus: one for each that may say something to another, in memory that these two have.

They are one memfd. What the pcpus of one VM may be told is together in it, by sender, so a process maps its VM's part
and a row of each other one's; what goes from one VM to another a third has not. A page is there when its ring is first
used. Of two of which one is on another node the node's courier has the ends of that one.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Final, final

from baonet.machine.dataclass import dataclass

_PAGE: Final = mmap.PAGESIZE


@final
@dataclass(frozen=True, slots=True)
class Ends:
    """What a pcpu has: for each peer the buffers of the ring that comes from it and of the one that goes there, and the
    place in each. ``lost``: a byte for each pcpu, to be read.
    """

    rings: Mapping[int, tuple[mmap.mmap, int, mmap.mmap, int]]
    lost: memoryview


@final
@dataclass(frozen=True, slots=True)
class Pair:
    """Two pcpus of which ``far`` is on another node: where in the memory of rings the one that comes from there is, and
    the one that goes there.
    """

    here: int
    far: int
    come: int
    go: int


@final
class RingMemory:
    """``groups``: the pcpus of each VM. ``peers``: those that a pcpu may talk with, which is mutual, if it has any. Of
    pcpus on other nodes, ``far``, no two talk with each other here.

    ``size`` is a ring's, whole pages. Raises OSError when the host refuses.
    """

    def __init__(
        self,
        groups: Sequence[tuple[int, ...]],
        peers: Mapping[int, Set[int]],
        size: int,
        far: Set[int] = frozenset(),
    ) -> None:
        self._far = far
        self._groups = groups
        self._peers = peers
        self._size = size
        self._group = {pcpu: number for number, pcpus in enumerate(groups) for pcpu in pcpus}
        self._pcpus = max(self._group, default=0) + 1
        self._senders = [sorted(set(pcpus).union(*(peers[each] for each in pcpus))) for pcpus in groups]
        end = -(-self._pcpus // _PAGE) * _PAGE
        self._parts = []
        for senders, pcpus in zip(self._senders, groups, strict=True):
            self._parts.append(end)
            end += len(senders) * len(pcpus) * size
        self._descriptor = os.memfd_create("baonet:rings", os.MFD_CLOEXEC)
        os.ftruncate(self._descriptor, end)
        self._lost = mmap.mmap(self._descriptor, self._pcpus)

    def lose(self, pcpu: int) -> None:
        """Its process has ended: nothing comes of it, and nothing is taken there."""
        self._lost[pcpu] = 1

    def ends(self, pcpu: int) -> Ends:
        """In the process of the pcpu: map what it needs, and nothing else for good."""
        self._lost.close()
        group = self._group[pcpu]
        own = self._map(group, 0, len(self._senders[group]))
        rows = {group: (own, self._row(group, pcpu))}
        found = {}
        for peer in sorted(self._peers[pcpu]):
            other = self._group[peer]
            if other not in rows:
                rows[other] = (self._map(other, self._senders[other].index(pcpu), 1), 0)
            part, row = rows[other]
            come = self._row(group, peer) + self._column(pcpu)
            found[peer] = (own, come, part, row + self._column(peer))
        lost = memoryview(mmap.mmap(self._descriptor, self._pcpus, prot=mmap.PROT_READ))
        return Ends(found, lost)

    def pairs(self) -> Iterator[Pair]:
        """By the numbers of those on other nodes, and then of those here."""
        for far in sorted(self._far):
            for here in sorted(self._peers[far]):
                come = self._parts[self._group[here]] + self._row(self._group[here], far) + self._column(here)
                go = self._parts[self._group[far]] + self._row(self._group[far], here) + self._column(far)
                yield Pair(here, far, come, go)

    def whole(self) -> mmap.mmap:
        """All of it, for the courier, which is in no process of guests. First a byte for each pcpu: it is lost."""
        return mmap.mmap(self._descriptor, 0)

    def _map(self, group: int, first: int, count: int) -> mmap.mmap:
        """Of the part of a VM: the rings of ``count`` senders."""
        row = len(self._groups[group]) * self._size
        return mmap.mmap(self._descriptor, count * row, offset=self._parts[group] + first * row)

    def _row(self, group: int, sender: int) -> int:
        return self._senders[group].index(sender) * len(self._groups[group]) * self._size

    def _column(self, receiver: int) -> int:
        return self._groups[self._group[receiver]].index(receiver) * self._size

    def close(self) -> None:
        """The mappings live on for whoever still has them."""
        self._lost.close()
        os.close(self._descriptor)
