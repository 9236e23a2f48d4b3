"""How many records of which kind each pcpu has, without looking at each of them."""

from __future__ import annotations

from collections import Counter
from typing import final

from baonet.machine.dataclass import dataclass
from baonet.trace.reader import Progress, TraceReader
from baonet.trace.records import RECORD

_KIND = 8  # where it is in a record


@final
@dataclass(frozen=True, slots=True)
class Counts:
    """``by_kind`` has (pcpu, kind); ``first`` and ``last`` are the times of the first and the last record, in ticks."""

    by_kind: Counter[tuple[int, int]]
    first: int
    last: int

    @property
    def total(self) -> int:
        return self.by_kind.total()


def count(trace: TraceReader, progress: Progress) -> Counts:
    """Raises TraceError. ``progress`` gets the number of chunks."""
    by_kind: Counter[tuple[int, int]] = Counter()
    first: int | None = None
    last = 0
    for done, (pcpu, records) in enumerate(trace.all(), 1):
        low, high = records[_KIND :: RECORD.size], records[_KIND + 1 :: RECORD.size]
        kinds = Counter(low) if not any(high) else Counter(a | b << 8 for a, b in zip(low, high, strict=True))
        for kind, number in kinds.items():
            by_kind[pcpu, kind] += number
        begin = RECORD.unpack_from(records)[0]
        first = begin if first is None else min(first, begin)
        last = max(last, RECORD.unpack_from(records, len(records) - RECORD.size)[0])
        progress(done, trace.chunks)
    return Counts(by_kind, first or 0, last)
