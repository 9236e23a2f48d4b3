"""What guests tell with markers: round trips, throughput, numbers of their own.

A guest marks with an instruction of its architecture (docs/studies.md). Of the value, bits 39:32 are what it is: 1 the
begin and 2 the end of something, with its id in bits 31:0; 3 a number that the guest has measured, in bits 31:0, with
the id in bits 63:40. Any other value is the guest's own business.
"""

from __future__ import annotations

from typing import final

from baonet.study.metrics.base import Key, Measured, TracedRun
from baonet.trace.order import Row
from baonet.trace.records import Kind

BEGIN, END, NUMBER = 1, 2, 3
_LOW = (1 << 32) - 1


def decode(value: int) -> tuple[int, int, int] | None:
    """(BEGIN | END | NUMBER, id, number) of a marker; None when it is none of these."""
    what = value >> 32 & 0xFF
    if what == NUMBER:
        return what, value >> 40, value & _LOW
    if what in (BEGIN, END) and value >> 40 == 0:
        return what, value & _LOW, 0
    return None


@final
class _Spans:
    """Pairs each end with the begin of the same VM and id: a thread may end on another vCPU than it began on."""

    def __init__(self, measured: Measured) -> None:
        self._measured = measured
        self.open: dict[tuple[str, int], int] = {}

    def begin(self, vm: str, identity: int, time: int) -> None:
        self._measured.note("begins without an end", (vm, identity) in self.open)
        self.open[vm, identity] = time

    def end(self, vm: str, identity: int, time: int) -> int | None:
        began = self.open.pop((vm, identity), None)
        self._measured.note("ends without a begin", began is None)
        return None if began is None else time - began


@final
class RoundTrip:
    """The time from begin to end of each id. Keys are (vm, id)."""

    kinds = frozenset({Kind.MARK})

    def __init__(self, run: TracedRun) -> None:
        self._run = run
        self._measured = Measured("ns")
        self._spans = _Spans(self._measured)

    def take(self, record: Row) -> None:
        time, _, pcpu, _, value, _ = record
        mark = decode(value)
        if mark is None:
            return
        vm, identity = self._run.vm(pcpu), mark[1]
        if mark[0] == BEGIN:
            self._spans.begin(vm, identity, time)
        elif mark[0] == END and (ticks := self._spans.end(vm, identity, time)) is not None:
            self._measured.add((vm, str(identity)), self._run.ns(ticks))

    def finish(self, end: int) -> Measured:
        self._measured.note("begins without an end", len(self._spans.open))
        return self._measured


@final
class Throughput:
    """Bytes per second between begin and end: the numbers of the same VM and id that come between are bytes.

    Keys are (vm, id). A guest that tries several message sizes in one run uses the size as id.
    """

    kinds = frozenset({Kind.MARK})

    def __init__(self, run: TracedRun) -> None:
        self._run = run
        self._measured = Measured("B/s")
        self._spans = _Spans(self._measured)
        self._bytes: dict[tuple[str, int], int] = {}

    def take(self, record: Row) -> None:
        time, _, pcpu, _, value, _ = record
        mark = decode(value)
        if mark is None:
            return
        what, identity, number = mark
        vm = self._run.vm(pcpu)
        if what == BEGIN:
            self._spans.begin(vm, identity, time)
            self._bytes[vm, identity] = 0
        elif what == NUMBER:
            if (vm, identity) in self._bytes:
                self._bytes[vm, identity] += number
        else:
            ticks = self._spans.end(vm, identity, time)
            moved = self._bytes.pop((vm, identity), 0)
            if ticks and moved:
                self._measured.add((vm, str(identity)), self._run.rate.per_second(moved, ticks))

    def finish(self, end: int) -> Measured:
        self._measured.note("begins without an end", len(self._spans.open))
        return self._measured


@final
class Numbers:
    """The numbers that guests have measured themselves. Keys are (vm, id)."""

    kinds = frozenset({Kind.MARK})

    def __init__(self, run: TracedRun, unit: str = "") -> None:
        self._run = run
        self._measured = Measured(unit)

    def take(self, record: Row) -> None:
        _, _, pcpu, _, value, _ = record
        mark = decode(value)
        if mark is not None and mark[0] == NUMBER:
            key: Key = (self._run.vm(pcpu), str(mark[1]))
            self._measured.add(key, mark[2])

    def finish(self, end: int) -> Measured:
        return self._measured
