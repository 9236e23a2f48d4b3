"""How often: messages from VM to VM, and exits by reason."""

from __future__ import annotations

from collections import Counter
from typing import final

from baonet.study.metrics.base import Measured, TracedRun
from baonet.trace.names import message
from baonet.trace.order import Row
from baonet.trace.records import SEQUENCE_SHIFT, Kind

_PCPU = (1 << SEQUENCE_SHIFT) - 1


@final
class MessageMatrix:
    """Messages sent. Keys are (sending VM, receiving VM, message)."""

    kinds = frozenset({Kind.SENT})

    def __init__(self, run: TracedRun) -> None:
        self._run = run
        self._counts: Counter[tuple[int, int, int]] = Counter()

    def take(self, record: Row) -> None:
        _, _, pcpu, a, b, _ = record
        self._counts[pcpu, b & _PCPU, a] += 1

    def finish(self, end: int) -> Measured:
        measured = Measured("")
        for (sender, target, number), count in sorted(self._counts.items()):
            name = message(number)
            key = (self._run.vm(sender), self._run.vm(target), name)
            measured.values[key] = measured.values.get(key, 0) + count
        return measured


@final
class Exits:
    """Exits to the hypervisor, and emulated loads and stores that did not leave the guest. Keys are (vm, reason)."""

    kinds = frozenset({Kind.EXIT, Kind.WAIT, Kind.ACCESS})

    def __init__(self, run: TracedRun) -> None:
        self._run = run
        self._reasons = {reason.value: reason.name.lower().replace("_", " ") for reason in run.architecture.exits}
        self._counts: Counter[tuple[int, str]] = Counter()

    def take(self, record: Row) -> None:
        _, kind, pcpu, a, _, _ = record
        if kind == Kind.EXIT:
            reason = self._reasons.get(a, f"reason {a}")
        else:
            reason = "wfi" if kind == Kind.WAIT else "emulated access"
        self._counts[pcpu, reason] += 1

    def finish(self, end: int) -> Measured:
        measured = Measured("")
        for (pcpu, reason), count in sorted(self._counts.items()):
            key = (self._run.vm(pcpu), reason)
            measured.values[key] = measured.values.get(key, 0) + count
        return measured
