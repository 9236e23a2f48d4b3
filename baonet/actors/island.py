"""Whose turn it is in virtual time: the order in which the pcpus of an island run, and when messages reach them.

An island is a set of VMs that share memory or a device, and so of pcpus that may have something to say to each other.
One of its pcpus runs at a time: what its guests do to memory is in one order, which is the same in every run, however
many processes carry them. Islands have nothing to say to each other and run in parallel.

The rule. The pcpu goes first whose next moment is the earliest, the lower number on a tie. It runs to the end of its
window (windows are a grid over time), or further, up to the window in which anybody else has something to do; a message
that it sends brings its end back to the end of the window that it is in. A message reaches its receiver when it is due,
if its clock has not passed that moment yet, and else at once: late, by less than a window and
what the receiver was at when its own ended (a block, a cost, a stall).

Pure: no clock, no I/O. All times are cycles.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, final

from baonet.machine.saved import Saved, StateForm, row
from baonet.wire.codec import dump, load
from baonet.wire.control import AGENT, Control
from baonet.wire.turns import NEVER, Crash, Delivery, FaultNote, Post, Stall, Turn, Turned


@final
@dataclass(slots=True)
class Deliveries:
    """How many messages were delivered when they were due, how many late, and the latest of these, in cycles."""

    exact: int = 0
    late: int = 0
    latest: int = 0


MAILBOX: Final = 1 << 17
"""Messages that may wait for a pcpu, at its conductor or with itself until they are due."""

_FORM: Final = StateForm("an island", 1, pcpus=list, control=int, deliveries=list)


class MailboxFullError(Exception):
    """More wait for a pcpu: as none may be lost, its island ends."""

    def __init__(self, pcpu: int) -> None:
        super().__init__(
            f"more than {MAILBOX} messages wait for pcpu {pcpu}: its VMs send faster than clock.latency and "
            "clock.window let them arrive"
        )


Interference = Callable[[int, Post], Iterable[tuple[int, FaultNote | None]]]
"""What becomes of a post of a pcpu: the times at which it is delivered, and with NEVER what the trace says of it."""


def undisturbed(source: int, post: Post) -> Iterable[tuple[int, FaultNote | None]]:
    return ((post.due, None),)


@final
class Island:
    """The pcpus ``pcpus`` with windows of ``window`` cycles. ``interfere`` may change what becomes of a message."""

    def __init__(self, pcpus: Sequence[int], window: int, interfere: Interference = undisturbed) -> None:
        self.pcpus = tuple(sorted(pcpus))
        self.deliveries = Deliveries()
        self._window = window
        self._interfere = interfere
        self._index = {pcpu: index for index, pcpu in enumerate(self.pcpus)}
        self._clocks = [0 for _ in self.pcpus]
        self._next = [NEVER for _ in self.pcpus]
        self._gone = [False for _ in self.pcpus]
        self._inboxes: list[list[Delivery]] = [[] for _ in self.pcpus]
        self._control = 0

    @property
    def next(self) -> int:
        """The earliest moment at which somebody has something to do, NEVER if nobody has."""
        return min(self._next)

    @property
    def latest(self) -> int:
        """The clock that has come farthest."""
        return max(self._clocks)

    @property
    def open_end(self) -> int:
        """The end of the window of the clock that has come farthest.

        What comes from outside is due then at the earliest: no turn so far would have been another one had it been
        known before, so a run in which it is known from the start is the same.
        """
        return (self.latest // self._window + 1) * self._window

    def end_of_window(self, moment: int) -> int:
        """The first end of a window at or after ``moment``. A horizon there changes nothing in the order of turns."""
        return -(-moment // self._window) * self._window

    def clock(self, pcpu: int) -> int:
        return self._clocks[self._index[pcpu]]

    def pick(self, horizon: int) -> Turn | None:
        """Who goes on now, and until when, before ``horizon``; None when nobody has anything to do before it.

        One that is the end of a window leaves the order as it would be without it.
        """
        moments = self._next
        first = min(moments)
        if first >= horizon:
            return None
        index = moments.index(first)
        moments[index] = NEVER
        others = min(moments)
        moments[index] = first
        window = self._window
        end = (first // window + 1) * window
        until = min(max(end, others // window * window), horizon)
        inbox: tuple[Delivery, ...] = ()
        if self._inboxes[index]:
            inbox = tuple(self._inboxes[index])
            self._inboxes[index].clear()
        return Turn(self.pcpus[index], until, end if others < end else 0, inbox)

    def done(self, turned: Turned) -> None:
        """What the one that was picked has done."""
        pcpu = turned.pcpu
        index = self._index[pcpu]
        self._clocks[index] = turned.time
        if self._gone[index]:
            self._next[index] = NEVER
        else:
            told = min((delivery.due for delivery in self._inboxes[index]), default=NEVER)  # since it was picked
            self._next[index] = max(min(turned.next, told), turned.time)
        self.post(pcpu, turned.posts)

    def post(self, pcpu: int, posts: Iterable[Post]) -> None:
        """What a pcpu sends: of a turn that is over, or goes on."""
        for post in posts:
            if post.target in self._index:
                for due, note in self._interfere(pcpu, post):
                    if note is not None:
                        self._put(post.target, Delivery(min(due, post.due), pcpu, post.sequence, note))
                    if due != NEVER:
                        self._deliver(post.target, Delivery(due, pcpu, post.sequence, post.message))

    def tell(self, pcpu: int, message: Control | Stall | Crash | FaultNote, due: int) -> None:
        """Something that comes from no pcpu: input, the start or the reset of a VM, a fault."""
        self._control += 1
        self._put(pcpu, Delivery(due, AGENT, self._control, message))

    def remove(self, pcpus: Iterable[int]) -> None:
        """These never run again."""
        for pcpu in pcpus:
            index = self._index[pcpu]
            self._gone[index] = True
            self._next[index] = NEVER
            self._inboxes[index].clear()

    def _deliver(self, target: int, delivery: Delivery) -> None:
        index = self._index[target]
        if self._gone[index]:
            return
        late = self._clocks[index] - delivery.due
        if late > 0:
            self.deliveries.late += 1
            self.deliveries.latest = max(self.deliveries.latest, late)
        else:
            self.deliveries.exact += 1
        self._put(target, delivery)

    def _put(self, target: int, delivery: Delivery) -> None:
        index = self._index[target]
        if self._gone[index]:
            return
        if len(self._inboxes[index]) >= MAILBOX:
            raise MailboxFullError(target)
        self._inboxes[index].append(delivery)
        self._next[index] = min(self._next[index], max(delivery.due, self._clocks[index]))

    def save(self) -> Saved:
        """Its state between two turns; what interferes is saved by whoever has it."""
        counted = self.deliveries
        return _FORM.save(
            pcpus=[
                [pcpu, self._clocks[index], self._next[index], self._gone[index], [*map(dump, self._inboxes[index])]]
                for pcpu, index in self._index.items()
            ],
            control=self._control,
            deliveries=[counted.exact, counted.late, counted.latest],
        )

    def load(self, data: object) -> None:
        """Be as one was that has been saved. Raises StateError for what is not its state."""
        fields = _FORM.load(data)
        with _FORM.reading():
            if [each[0] for each in fields["pcpus"]] != list(self.pcpus):
                raise _FORM.damaged("it has other pcpus: load it into the machine that it was saved from")
            for index, each in enumerate(fields["pcpus"]):
                _, clock, next_, gone, inbox = row(each, int, int, int, bool, list)
                self._clocks[index], self._next[index], self._gone[index] = clock, next_, gone
                self._inboxes[index] = [load(Delivery, values) for values in inbox]
            self.deliveries = Deliveries(*row(fields["deliveries"], int, int, int))
        self._control = fields["control"]
