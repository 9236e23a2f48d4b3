"""Faults that a study injects into messages: lost, late, doubled or overtaken, by rule, the same in every run.

Pure: no clock, no I/O. All times are cycles.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, final

from baonet.machine import Disturbance, Fault, MessageFault
from baonet.machine.saved import Saved, StateForm, row
from baonet.trace.records import FaultKind
from baonet.wire.messages import TRAVELS
from baonet.wire.turns import NEVER, FaultNote, Post

_KINDS: Final = {
    Disturbance.DROP: FaultKind.DROP.value,
    Disturbance.DELAY: FaultKind.DELAY.value,
    Disturbance.DUPLICATE: FaultKind.DUPLICATE.value,
    Disturbance.REORDER: FaultKind.REORDER.value,
}

_FORM: Final = StateForm("the faults of messages", 1, rules=list, floors=list)


@final
class _Rule:
    def __init__(self, number: int, fault: MessageFault, cycles: Callable[[int], int]) -> None:
        import random  # noqa: PLC0415 - few machines have such faults

        self.number = number
        self.fault = fault
        self.by = cycles(fault.by)
        self._after = cycles(fault.after)
        self._until = NEVER if fault.until is None else cycles(fault.until)
        self._left = fault.count
        self._random = random.Random(f"{fault.seed}/{number}")

    def chooses(self, source: int | None, target: int | None, post: Post) -> bool:
        fault = self.fault
        if not self._after <= post.time < self._until or self._left == 0:
            return False
        if TRAVELS[type(post.message)].latency_of(post.message) is not fault.message:
            return False
        if fault.source not in (None, source) or fault.target not in (None, target):
            return False
        if self._random.random() >= fault.probability:
            return False
        if self._left is not None:
            self._left -= 1
        return True

    def save(self) -> list[Any]:
        version, chance, gauss = self._random.getstate()
        return [self._left, version, list(chance), gauss]

    def load(self, saved: list[Any]) -> None:
        self._left, version, chance, gauss = row(saved, int | None, int, list, float | None)
        self._random.setstate((version, tuple(chance), gauss))


@final
class MessageFaults:
    """The rules of ``faults`` that are for messages. ``vms``: the VM of a pcpu; ``cycles`` converts nanoseconds."""

    def __init__(self, faults: Iterable[Fault], vms: Mapping[int, int], cycles: Callable[[int], int]) -> None:
        self._vms = vms
        self._rules = [_Rule(n, fault, cycles) for n, fault in enumerate(faults) if isinstance(fault, MessageFault)]
        self._floors: dict[tuple[int, int], int] = {}

    def interfere(self, source: int, post: Post) -> list[tuple[int, FaultNote | None]]:
        """When a message of ``source`` is delivered, as ``island.Interference`` wants it. The first rule has it."""
        channel = (source, post.target)
        floor = self._floors.get(channel, 0)
        moment = max(post.due, floor)
        for rule in self._rules:
            if not rule.chooses(self._vms.get(source), self._vms.get(post.target), post):
                continue
            note = FaultNote(rule.number, _KINDS[rule.fault.kind], post.sequence)
            late = max(post.due + rule.by, floor)  # not behind the floor by as much: a line is longer, not narrower
            match rule.fault.kind:
                case Disturbance.DROP:
                    return [(NEVER, note)]
                case Disturbance.DUPLICATE:
                    return [(NEVER, note), (moment, None), (moment, None)]
                case Disturbance.DELAY:
                    self._floors[channel] = late
            return [(NEVER, note), (late, None)]
        return [(moment, None)]

    def save(self) -> Saved:
        """How often each rule may still be used, its chance, and what of a channel must not be overtaken."""
        return _FORM.save(
            rules=[rule.save() for rule in self._rules],
            floors=[[source, target, due] for (source, target), due in self._floors.items()],
        )

    def load(self, data: object) -> None:
        """Be as those of another were, from the same file. Raises StateError for what is not their state."""
        fields = _FORM.load(data)
        if len(fields["rules"]) != len(self._rules):
            raise _FORM.damaged(f"{len(fields['rules'])} rules, where there are {len(self._rules)}")
        with _FORM.reading():
            for rule, saved in zip(self._rules, fields["rules"], strict=True):
                rule.load(saved)
            floors = [row(each, int, int, int) for each in fields["floors"]]
            self._floors = {(source, target): due for source, target, due in floors}
