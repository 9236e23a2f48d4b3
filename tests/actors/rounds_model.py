"""The rule by which the pcpus of an island go on, in plain Python: what core/native/rounds.c is to do.

It has all guests of an island run one after the other in this process, and so knows of no thread, no other process and
no time of the host. docs/virtual-time.md has the rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, Protocol, final

from baonet.actors.island import DONE
from baonet.hyp.cpu import Stay

NEVER: Final = 1 << 62


class Status(IntEnum):
    GONE = 0
    ASLEEP = 1
    READY = 2
    BLOCKED = 3
    YIELDED = 4
    CALLS = 5


class Phase(IntEnum):
    NONE = 0
    BEGIN = 1
    PARALLEL = 2
    SERIAL = 3


@dataclass(frozen=True, slots=True)
class Order:
    """``frozen``: others go on at the same time. ``patient``: who yields waits to the limit."""

    limit: int
    frozen: bool
    polite: bool
    patient: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """``fought``: blocked for a page that another has. ``out``: the hypervisor is to be asked."""

    clock: int
    reason: int
    blocked: bool
    fought: bool
    yielded: bool
    out: bool
    printed: bool = False


class Guest(Protocol):
    """What a member has run."""

    def stay(self, order: Order) -> Outcome: ...


class CoreGuest:
    """A core that has the interface of ``baonet.core.architecture.Core``.

    ``effects`` is the outbox of its hypervisor. A storm can be taken from a core once: ``storm`` keeps it for the
    hypervisor.
    """

    def __init__(self, core: Any, effects: Sequence[Any]) -> None:
        self.core = core
        self.effects = effects
        self.told: Any = None

    def enter(self, order: Order) -> int:
        """One stay; why it ended."""
        reason: int = self.core.run_until(order.limit, order.polite, order.frozen, order.frozen)
        return reason

    def stay(self, order: Order) -> Outcome:
        core = self.core
        while True:
            reason = self.enter(order)
            need = core.blocked
            out = need is None and self._is_out(reason)
            if core.time >= order.limit or out or need is not None or core.yielded:
                break  # else the host has interrupted it
        if core.yielded and not out and order.patient and core.time < order.limit:
            core.skip_to(order.limit)
        return Outcome(core.time, reason, need is not None, bool(need), core.yielded, out, core.has_output)

    def _is_out(self, reason: int) -> bool:
        self.told = self.told or self.core.storm()
        return reason == Stay.WFI or reason > Stay.KICKED or bool(self.effects) or self.told is not None

    def storm(self) -> Any:
        told, self.told = self.told, None
        return told or self.core.storm()


@final
@dataclass(slots=True)
class Member:
    """As ``struct member`` (core/native/rounds.h)."""

    guest: Guest
    status: Status = Status.ASLEEP
    clock: int = 0
    next: int = NEVER
    attention: int = NEVER
    reason: int = -1
    served: bool = False
    printed: bool = False
    going: bool = False


@final
class ModelRounds:
    """``baonet.actors.island.Rounds`` of guests by pcpu. ``window`` and ``slice_`` are cycles.

    ``recess`` is called before each stay of a guest, when it can be saved. ``weaver`` is the engine's ``Rounds`` of the
    same guests, if their memory takes time: it goes nowhere, but puts in order what they did in a window.
    """

    def __init__(
        self,
        guests: Iterable[Guest],
        window: int,
        slice_: int,
        recess: Callable[[], object] = lambda: None,
        weaver: Any = None,
    ) -> None:
        self._recess = recess
        self._weaver = weaver
        self._members = [Member(guest) for guest in guests]
        self._window, self._slice = window, slice_
        self._length = min(slice_, window)
        self._fought = False
        self._phase = Phase.NONE
        self._edge = 0
        self._alone: Member | None = None

    # The rule

    def go(self, until: int) -> int:
        while True:
            match self._phase:
                case Phase.NONE:
                    if not self._begin_round(until):
                        return DONE
                    self._phase = Phase.BEGIN
                case Phase.BEGIN:
                    self._begin_phase()
                    self._phase = Phase.PARALLEL
                case Phase.PARALLEL:
                    self._run_phase()
                    self._phase = Phase.SERIAL
                case Phase.SERIAL:
                    stopped = [
                        each for each in self._taking_part() if each.status is not Status.READY and not each.served
                    ]
                    if not stopped:
                        self._phase = Phase.BEGIN if self._taking_part() else Phase.NONE
                        continue
                    first = min(stopped, key=lambda member: member.next)  # the lower number first on a tie
                    if first.status in (Status.CALLS, Status.ASLEEP):
                        return next(index for index, each in enumerate(self._members) if each is first)
                    self._run_slice(first)

    def _taking_part(self) -> list[Member]:
        return [member for member in self._members if member.next < self._edge]

    def _end_of_round(self, begin: int) -> int:
        return min(begin + self._length, (begin // self._window + 1) * self._window)

    def _weave(self, now: int) -> None:
        """Who was charged too little for what it did in a window has its clock go on when that ends."""
        for index, each in enumerate(self._members):
            self._weaver.asleep(index, each.clock, NEVER)
        assert self._weaver.go(now) == DONE
        for index, each in enumerate(self._members):
            each.clock = self._weaver.clock(index)
            each.next = max(each.next, each.clock)

    def _begin_round(self, until: int) -> bool:
        if self._weaver is not None:
            self._weave(min(self.next, until))
        one = min(self._members, key=lambda member: member.next)
        first, second = one.next, min((each.next for each in self._members if each is not one), default=NEVER)
        if first >= until:
            return False
        longer = min(self._length + self._length // 16 + 1, self._window)
        self._length = min(self._slice, self._window) if self._fought else longer
        self._fought = False
        self._edge = self._end_of_round(first)
        self._alone = None
        if second >= self._edge:
            self._alone = one
        if self._alone is not None and self._weaver is None:
            self._edge = max(self._edge, min(second // self._window * self._window, until))
        return True

    def _begin_phase(self) -> None:
        for member in self._members:
            member.served = member.going = False
        those = self._taking_part()
        self._alone = those[0] if len(those) == 1 else None
        for member in those:
            if member.status is Status.READY and member.attention <= member.clock:
                member.status = Status.CALLS
            member.going = member.status is Status.READY

    def _run_phase(self) -> None:
        """All at the same time, which nobody can tell from one after the other."""
        beside = self._alone is None
        for member in self._members:
            if member.going:
                self._stay(member, Order(min(self._edge, member.attention), beside, beside))

    def _run_slice(self, member: Member) -> None:
        limit = min(self._edge, member.clock + self._slice, member.attention)
        self._stay(member, Order(limit, frozen=False, polite=True, patient=True))
        member.going = False
        member.served = member.status is not Status.CALLS

    def _stay(self, member: Member, order: Order) -> None:
        self._recess()
        outcome = member.guest.stay(order)
        member.clock = member.next = outcome.clock
        member.reason = outcome.reason
        member.printed = outcome.printed
        if outcome.blocked:
            member.status = Status.BLOCKED
        elif outcome.out:
            member.status = Status.CALLS
        elif outcome.yielded and not order.patient:
            member.status = Status.YIELDED
        else:
            member.status = Status.CALLS if member.clock >= member.attention else Status.READY
        member.going = member.status is Status.READY and member.clock < order.limit
        self._fought |= member.status is Status.YIELDED or outcome.fought

    # What the island says

    def take(self, member: int) -> tuple[int, int]:
        taken = self._members[member]
        reason, taken.reason = taken.reason, -1
        return reason, taken.next

    def ready(self, member: int, clock: int, attention: int) -> None:
        self._set(self._members[member], Status.READY, clock, clock, attention)

    def asleep(self, member: int, clock: int, until: int) -> None:
        self._set(self._members[member], Status.ASLEEP, clock, max(clock, until), NEVER)

    def _set(self, member: Member, status: Status, clock: int, next_: int, attention: int) -> None:
        if member.status is not Status.GONE:
            member.status, member.clock, member.next, member.attention = status, clock, next_, attention
            member.printed = False

    def take_delivered(self) -> tuple[int, int, int]:
        """It runs no errands."""
        return 0, 0, 0

    def take_printed(self) -> list[int]:
        found = [index for index, member in enumerate(self._members) if member.printed]
        for index in found:
            self._members[index].printed = False
        return found

    def gone(self, member: int) -> None:
        self._members[member].status = Status.GONE
        self._members[member].printed = False
        self._members[member].next = NEVER

    def call(self, member: int) -> None:
        called = self._members[member]
        if called.status is not Status.GONE:
            called.status, called.next = Status.CALLS, called.clock

    def tell(self, member: int, due: int) -> None:
        told, alone = self._members[member], self._alone
        if told.status is Status.GONE:
            return
        if told.status is not Status.ASLEEP:
            told.attention = min(told.attention, due)
            self._fought |= due < told.clock
            return
        due = max(due, told.clock)
        told.next = min(told.next, due)
        if self._phase is not Phase.NONE and alone is not None and told is not alone and due < self._edge:
            self._edge = min(self._edge, self._end_of_round(alone.clock))

    def bring(  # noqa: PLR0917 - as the native one is
        self, member: int, due: int, source: int, sequence: int, shmem: int, event: int
    ) -> bool:
        return False

    # What it is asked

    def clock(self, member: int) -> int:
        return self._members[member].clock

    @property
    def next(self) -> int:
        return min(member.next for member in self._members)

    @property
    def latest(self) -> int:
        return max(member.clock for member in self._members)

    @property
    def standing(self) -> bool:
        return True

    def memory_counts(self) -> list[Any]:
        return [] if self._weaver is None else self._weaver.memory_counts()

    def save(self) -> list[Any]:
        """As the engine's."""
        members = [
            [*map(int, (each.status, each.clock, each.next, each.attention, each.reason, each.served, each.going))]
            for each in self._members
        ]
        alone = next((index for index, each in enumerate(self._members) if each is self._alone), -1)
        return [int(self._phase), self._edge, self._length, int(self._fought), alone, members]

    def load(self, saved: list[Any]) -> None:
        phase, self._edge, self._length, fought, alone, members = saved
        self._phase, self._fought = Phase(phase), bool(fought)
        for member, (status, *times, reason, served, going) in zip(self._members, members, strict=True):
            member.status, member.reason = Status(status), reason
            member.clock, member.next, member.attention = times
            member.served, member.going = bool(served), bool(going)
        self._alone = None if alone < 0 else self._members[alone]
