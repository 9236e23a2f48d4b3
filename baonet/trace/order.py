"""The records of all pcpus in the order of time, at one time in that of the pcpus' numbers.

Within a pcpu a trace is in order, and its records of the same time stay as they are. A chunk of each pcpu is in memory;
what lies before the end of all of them is sorted at once, which costs less than taking the next record each time.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from itertools import chain
from operator import itemgetter
from typing import TypeAlias, final

from baonet.trace.reader import TraceReader
from baonet.trace.records import RECORD

Row: TypeAlias = tuple[int, int, int, int, int, int]
"""time, kind, pcpu, a, b, c: what ``baonet.trace.records`` says of them."""
_TIME = itemgetter(0)


@final
class _Lane:
    """What is still to come of one pcpu; ``more`` when not all of it is in ``rows``."""

    __slots__ = ("_chunks", "_next", "rows")

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._next = next(chunks, None)
        self.rows: list[Row] = []
        self.load()

    @property
    def more(self) -> bool:
        return self._next is not None

    def load(self) -> None:
        if self._next is not None:
            self.rows.extend(RECORD.iter_unpack(self._next))
            self._next = next(self._chunks, None)

    def take(self, before: int) -> list[Row]:
        cut = bisect_left(self.rows, before, key=_TIME)
        taken = self.rows[:cut]
        del self.rows[:cut]
        return taken


def batches(trace: TraceReader) -> Iterator[list[Row]]:
    """The same as ``rows``, many at a time. A chunk of only one time makes its pcpu's next one come beside it."""
    lanes = [_Lane(trace.of(pcpu)) for pcpu in trace.pcpus]
    while unfinished := [lane for lane in lanes if lane.more]:
        before = min(lane.rows[-1][0] for lane in unfinished)
        batch = list(chain.from_iterable(lane.take(before) for lane in lanes))
        if batch:
            batch.sort(key=_TIME)  # stable, so at one time the lower pcpu stays in front
            yield batch
        for lane in unfinished:
            if lane.rows[-1][0] <= before:
                lane.load()
    rest = list(chain.from_iterable(lane.rows for lane in lanes))
    if rest:
        rest.sort(key=_TIME)
        yield rest


def rows(trace: TraceReader) -> Iterator[Row]:
    """Every record, by (time, pcpu)."""
    return chain.from_iterable(batches(trace))
