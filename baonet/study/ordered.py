"""The records of some kinds, of all pcpus, in the order of time.

Records of the same time come in the order of their kinds, so that what is sent is sent before it arrives also where a
message takes no time. Within a pcpu they stay as they are. What nobody asks for is dropped before it is sorted.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator

from baonet.trace.order import Row
from baonet.trace.reader import TraceReader
from baonet.trace.records import RECORD


def records(trace: TraceReader, kinds: Collection[int]) -> Iterator[Row]:
    """Raises TraceError when the file changes meanwhile."""
    return heapq.merge(*(_of(trace, pcpu, frozenset(kinds)) for pcpu in trace.pcpus))


def _of(trace: TraceReader, pcpu: int, kinds: frozenset[int]) -> Iterator[Row]:
    for chunk in trace.of(pcpu):
        for record in RECORD.iter_unpack(chunk):
            if record[1] in kinds:
                yield record
