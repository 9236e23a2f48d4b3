"""What metrics have in common: the record, what is known about the run, and what they give."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol, TypeAlias, final, runtime_checkable

from baonet.hyp.architecture import Architecture
from baonet.machine import Rate
from baonet.machine.dataclass import dataclass, field
from baonet.study.reservoir import Reservoir
from baonet.trace.memory import CacheCounts
from baonet.trace.order import Row

Key: TypeAlias = tuple[str, ...]
"""What a number belongs to, from the general to the particular: ("ping", "pong"), ("linux", "27", "timer")."""

NOBODY = "-"
"""The VM of a pcpu that has none."""


@final
@dataclass(frozen=True, slots=True)
class TracedRun:
    """What a trace's header tells.

    ``rate`` is that of the records' time, ``vms`` the name of each pcpu's VM, ``architecture`` what its exits and
    interrupts are, ``access`` what an emulated load or store costs, in ticks: it is in the time of the records behind
    it, and in no record of its own. ``statistics`` of each pcpu and ``caches`` of each cluster are of its footer.
    """

    rate: Rate
    vms: Mapping[int, str]
    architecture: Architecture
    access: int = 0
    statistics: Mapping[int, Mapping[str, int]] = field(default_factory=dict)
    caches: Mapping[int, CacheCounts] = field(default_factory=dict)

    def vm(self, pcpu: int) -> str:
        return self.vms.get(pcpu, NOBODY)

    def ns(self, ticks: int) -> float:
        """Ticks as nanoseconds; exact up to 2**53 ns, 104 days."""
        return self.rate.exact_ns(ticks)


@final
@dataclass(slots=True)
class Measured:
    """What one metric found in one run.

    ``samples`` are distributions, ``values`` single numbers; both in ``unit``. ``notes`` counts what a reader must
    know to judge them, such as begins without an end.
    """

    unit: str
    samples: dict[Key, Reservoir] = field(default_factory=dict)
    values: dict[Key, float] = field(default_factory=dict)
    notes: dict[str, int] = field(default_factory=dict)

    def add(self, key: Key, sample: float) -> None:
        reservoir = self.samples.get(key)
        if reservoir is None:
            reservoir = self.samples[key] = Reservoir()
        reservoir.add(sample)

    def note(self, text: str, count: int) -> None:
        """Count something that must be said; nothing is said of what never happened."""
        if count:
            self.notes[text] = self.notes.get(text, 0) + count


class Metric(Protocol):
    """What is found of a run."""

    def finish(self, end: int) -> Measured:
        """``end`` is the time at which the run ended."""


@runtime_checkable
class RecordsMetric(Metric, Protocol):
    """One that needs the records of a trace. ``kinds`` are those that ``take`` is called with, in the order of time."""

    @property
    def kinds(self) -> frozenset[int]: ...

    def take(self, record: Row) -> None: ...


def kinds_for(metrics: Iterable[Metric]) -> frozenset[int]:
    """The kinds of records that any of these needs."""
    return frozenset(kind for each in metrics if isinstance(each, RecordsMetric) for kind in each.kinds)
