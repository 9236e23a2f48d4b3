"""How long an interrupt takes, stage by stage: raised, pending, delivered, acknowledged, ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, final

from baonet.machine.dataclass import dataclass
from baonet.study.metrics.base import Measured, TracedRun
from baonet.trace.order import Row
from baonet.trace.records import SEQUENCE_SHIFT, InterruptSource, Kind

_MOMENTS = {
    "raised to pending": (Kind.RAISED, Kind.PENDING),
    "pending to delivered": (Kind.PENDING, Kind.DELIVERED),
    "delivered to acknowledged": (Kind.DELIVERED, Kind.ACKNOWLEDGED),
    "acknowledged to ended": (Kind.ACKNOWLEDGED, Kind.ENDED),
    "raised to acknowledged": (Kind.RAISED, Kind.ACKNOWLEDGED),
}
TOTAL = "raised to acknowledged"
STAGES = tuple(stage for stage in _MOMENTS if stage != TOTAL)
"""In the order of time. An interrupt that bypasses the hypervisor has not all of them."""
_SOURCES: Final[Mapping[int, str]] = {
    InterruptSource.TIMER: "timer",
    InterruptSource.LINE: "device",
    InterruptSource.IPC: "IPC",
}
_PCPU = (1 << SEQUENCE_SHIFT) - 1


@final
@dataclass(slots=True)
class _Passage:
    """One interrupt on its way: the times of its moments, by record kind."""

    source: str
    times: dict[int, int]


@final
class InterruptLatency:
    """Keys are (vm, interrupt, source, stage).

    A private interrupt belongs to its pcpu, a shared one to its VM, wherever in it the guest takes it. When one is
    raised again before it is pending, the first time counts: that is how long the source has waited.

    The trace records *raised* when the hypervisor notes it, and that can be after its work has taken its time. Here an
    interrupt is raised by its cause: a timer's when it is due, a notification's when the message reaches the receiver,
    one that a vcpu sends when that left its guest to send it. So what the hypervisor takes lies between raised and
    pending.
    """

    kinds = frozenset(
        {
            Kind.RAISED,
            Kind.PENDING,
            Kind.DELIVERED,
            Kind.ACKNOWLEDGED,
            Kind.ENDED,
            Kind.ARRIVED,
            Kind.EXIT,
            Kind.ENTRY,
        }
    )

    def __init__(self, run: TracedRun, interrupts: frozenset[int] = frozenset()) -> None:
        """``interrupts`` are the numbers of those to measure; all if there are none."""
        self._run = run
        self._private, self._sent = run.architecture.private, run.architecture.sent
        self._bits = run.architecture.names.interrupt_bits
        self._sources = {**_SOURCES, InterruptSource.CPU: run.architecture.names.ipi}
        self._wanted = interrupts
        self._measured = Measured("ns")
        self._raised: dict[tuple[str | int, int], _Passage] = {}  # not pending yet
        self._coming: dict[tuple[str | int, int], _Passage] = {}  # not acknowledged yet
        self._active: dict[tuple[str | int, int], _Passage] = {}
        self._cause: dict[
            int, int
        ] = {}  # by pcpu: whose doing is what happens there now, a message's sender's or its own
        self._arrived: dict[int, int] = {}  # by pcpu: when the message was due that it is looking at
        self._left: dict[int, int] = {}  # by pcpu: when it left its guest, while it is in the hypervisor

    def take(self, record: Row) -> None:
        time, kind, pcpu, a, b, c = record
        if kind == Kind.ARRIVED:
            self._cause[pcpu] = b & _PCPU
            self._arrived[pcpu] = c or time
            return
        if kind == Kind.EXIT:
            self._left[pcpu] = time
            return
        if kind == Kind.ENTRY:
            self._left.pop(pcpu, None)
            return
        interrupt = a & self._bits
        if self._wanted and interrupt not in self._wanted:
            return
        home = (pcpu if interrupt in self._private else self._run.vm(pcpu), interrupt)
        if kind == Kind.RAISED:
            began = self._began(time, pcpu, b, c)
            life = _Passage(self._sources.get(b) or f"source {b}", {Kind.RAISED: began})
            if interrupt in self._sent:
                self._cause[pcpu] = pcpu
                self._raised[home] = life
            else:
                self._raised.setdefault(home, life)
        elif kind == Kind.PENDING:
            found = self._of_sent(pcpu, interrupt) if interrupt in self._sent else self._raised.pop(home, None)
            life = found or _Passage("software", {})
            if self._coming.setdefault(home, life) is life:
                life.times[Kind.PENDING] = time
        elif kind == Kind.DELIVERED:
            if (coming := self._coming.get(home)) is not None:
                coming.times.setdefault(Kind.DELIVERED, time)
        elif kind == Kind.ACKNOWLEDGED:
            if (taken := self._coming.pop(home, None) or self._raised.pop(home, None)) is not None:
                taken.times[Kind.ACKNOWLEDGED] = time
                self._active[home] = taken
                self._tell(pcpu, interrupt, taken, (*STAGES[:3], TOTAL))
        elif (ended := self._active.pop(home, None)) is not None:
            ended.times[Kind.ENDED] = time
            self._tell(pcpu, interrupt, ended, STAGES[3:])

    def _began(self, time: int, pcpu: int, source: int, due: int) -> int:
        """When the cause of an interrupt was there that is raised now."""
        if source == InterruptSource.TIMER:
            return due or time
        if source == InterruptSource.IPC:
            return self._arrived.pop(pcpu, time)
        return self._left.get(pcpu, time) if source == InterruptSource.CPU else time

    def _of_sent(self, pcpu: int, interrupt: int) -> _Passage | None:
        """It is raised at its sender, for several targets perhaps: each has a life that begins there."""
        sent = self._raised.get((self._cause.get(pcpu, pcpu), interrupt))
        return None if sent is None else _Passage(sent.source, dict(sent.times))

    def _tell(self, pcpu: int, interrupt: int, life: _Passage, stages: tuple[str, ...]) -> None:
        for stage in stages:
            begin, end = _MOMENTS[stage]
            if begin in life.times and end in life.times:
                key = (self._run.vm(pcpu), str(interrupt), life.source, stage)
                self._measured.add(key, self._run.ns(life.times[end] - life.times[begin]))

    def finish(self, end: int) -> Measured:
        self._measured.note("interrupts that were never acknowledged", len(self._coming))
        return self._measured
