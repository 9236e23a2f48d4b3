"""What is saved of a machine's memory that several nodes have: what a node tells of its own, and what the lead asks.

The home of an island knows who has each page. It tells which of its own are not zero and which are elsewhere, and the
pages themselves are fetched from whoever has them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from baonet.cluster.asking import AskNode
from baonet.cluster.terms import ClusterError
from baonet.machine import PAGE_SIZE
from baonet.memory.node import NodeMemory
from baonet.memory.ownership import holder
from baonet.memory.segments import Segment
from baonet.wire import cluster
from baonet.wire.fields import ProtocolError

LOOKED_AT: Final = 1 << 14
"""Pages that are looked at for one answer."""
BATCH: Final = 128
"""Pages that one answer brings."""


def _meant(memory: NodeMemory, name: str, *, owners: bool) -> Segment:
    """Raises ProtocolError when it is not here."""
    try:
        segment, table = memory.segment(name)
    except KeyError:
        raise ProtocolError(f"asks for a segment {name!r:.80} that is not on this node") from None
    if not owners:
        return segment
    if table is None:
        raise ProtocolError(f"asks for the owners of {name!r:.80}, which has none")
    return table.entries


def surveyed(memory: NodeMemory, asked: cluster.Survey) -> cluster.Surveyed:
    """Raises ProtocolError for what is not here."""
    segment = _meant(memory, asked.segment, owners=asked.owners)
    _, table = memory.segment(asked.segment)
    count = segment.size // PAGE_SIZE
    end = min(count, asked.page + LOOKED_AT)
    there: dict[int, int] = {}
    if table is not None and not asked.owners:
        whole = memory.is_device(segment)
        holders = ((page, holder(table.entries, 0 if whole else page)) for page in range(asked.page, end))
        there = {page: node for page, node in holders if node is not None}
    here = tuple(page for page in segment.pages(asked.page, end) if page not in there)
    next_ = end if end < count else -1
    return cluster.Surveyed(here, tuple(there), tuple(there.values()), next_, table is not None)


def gathered(memory: NodeMemory, asked: cluster.Gather) -> bytes:
    """Raises ProtocolError for what is not here."""
    segment = _meant(memory, asked.segment, owners=asked.owners)
    if len(asked.pages) > BATCH or not all(0 <= page < segment.size // PAGE_SIZE for page in asked.pages):
        raise ProtocolError(f"asks for {len(asked.pages)} pages of {asked.segment!r:.80} that are not there")
    return b"".join(segment.read(page * PAGE_SIZE, PAGE_SIZE) for page in asked.pages)


def pages(ask: AskNode, home: int, name: str, *, owners: bool = False) -> tuple[dict[int, bytes], bool]:
    """Those of a segment that are not zero, by their numbers, and whether its pages have owners.

    Raises ClusterError when a node does not answer.
    """
    wanted: dict[int, list[int]] = {}
    owned, at = False, 0
    while at >= 0:
        told = ask(home, cluster.Survey(name, owners, at), cluster.Surveyed)
        wanted.setdefault(home, []).extend(told.here)
        for page, node in zip(told.there, told.nodes, strict=False):
            wanted.setdefault(node, []).append(page)
        owned = told.owned
        at = told.next if told.next > at else -1
    found: dict[int, bytes] = {}
    for node, numbers in wanted.items():
        for some in _batches(numbers):
            data = ask(node, cluster.Gather(name, owners, some), cluster.Bytes).data
            if len(data) != len(some) * PAGE_SIZE:
                raise ClusterError(f"node {node} has given {len(data)} bytes where {len(some)} pages are due")
            found |= {page: data[n * PAGE_SIZE : (n + 1) * PAGE_SIZE] for n, page in enumerate(some)}
    return found, owned


def _batches(numbers: list[int]) -> Iterator[tuple[int, ...]]:
    for start in range(0, len(numbers), BATCH):
        yield tuple(numbers[start : start + BATCH])
