"""The pcpus of an island in virtual time: which of them has something to do next, and when messages reach them.

An island is a set of VMs that share memory or a device, and so of pcpus that may have something to say to each other.
Islands have nothing to say to each other. Who runs when is the engine's to decide (``Rounds``; core/native/rounds.c has
the rule). A message reaches its receiver when it is due, if its clock has not passed that moment yet, and else at once:
late, by less than a round and what the receiver was at when its own ended (a block, a cost, a stall).

Pure: no clock, no I/O. All times are cycles.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, final

from baonet.core.architecture import ClusterCounts, Rounds
from baonet.hyp.messages import IpcNotify
from baonet.machine.dataclass import dataclass
from baonet.machine.saved import Saved, StateForm, row
from baonet.wire.codec import dump, load
from baonet.wire.control import AGENT, Control, Halt, Reset
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

_FORM: Final = StateForm("an island", 2, pcpus=list, rounds=list, control=int, deliveries=list)


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


DONE: Final = -1
RECESS: Final = -2


@final
class Island:
    """The pcpus ``pcpus`` with windows of ``window`` cycles. ``interfere`` may change what becomes of a message."""

    def __init__(
        self, pcpus: Sequence[int], window: int, rounds: Rounds, interfere: Interference = undisturbed
    ) -> None:
        self.pcpus = tuple(sorted(pcpus))
        self._deliveries = Deliveries()
        self._window = window
        self._interfere = interfere
        self._index = {pcpu: index for index, pcpu in enumerate(self.pcpus)}
        self._rounds = rounds
        self._gone = [False for _ in self.pcpus]
        self._inboxes: list[list[Delivery]] = [[] for _ in self.pcpus]
        self._control = 0

    @property
    def next(self) -> int:
        """The earliest moment at which somebody has something to do, NEVER if nobody has."""
        return self._rounds.next

    @property
    def latest(self) -> int:
        """The clock that has come farthest."""
        return self._rounds.latest

    @property
    def deliveries(self) -> Deliveries:
        """So far."""
        counted = self._deliveries
        exact, late, latest = self._rounds.take_delivered()
        counted.exact += exact
        counted.late += late
        counted.latest = max(counted.latest, latest)
        return counted

    @property
    def standing(self) -> bool:
        """Whether no guest runs, in any process."""
        return self._rounds.standing

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
        return self._rounds.clock(self._index[pcpu])

    def memory_counts(self) -> list[ClusterCounts]:
        """Of its clusters whose memory takes time, in the order of their numbers."""
        return self._rounds.memory_counts()

    def take_printed(self) -> list[int]:
        """Pcpus whose guests have printed what nobody has asked them for."""
        return [self.pcpus[member] for member in self._rounds.take_printed()]

    def go(self, until: int) -> Turn | int:
        """Let all go on, until one of their hypervisors is to be asked: its turn. Else DONE or RECESS."""
        member = self._rounds.go(until)
        if member < 0:
            return member
        reason, moment = self._rounds.take(member)
        inbox: tuple[Delivery, ...] = ()
        if self._inboxes[member]:
            inbox = tuple(self._inboxes[member])
            self._inboxes[member].clear()
        return Turn(self.pcpus[member], moment, reason, inbox)

    def done(self, turned: Turned) -> None:
        """What the one whose turn it was has done. If there is more, its turn comes again before anybody goes on."""
        member = self._index[turned.pcpu]
        if not turned.more and not self._gone[member]:
            inbox = self._inboxes[member]
            next_ = (
                turned.next if not inbox else min(turned.next, *(delivery.due for delivery in inbox))
            )  # told meanwhile
            if turned.running:
                self._rounds.ready(member, turned.time, next_)
            else:
                self._rounds.asleep(member, turned.time, next_)
        if turned.posts:
            self._post(turned.pcpu, turned.posts)

    def halt(self, pcpus: Iterable[int], moment: int) -> None:
        """These stop where they are, and begin anew at ``moment``."""
        for pcpu in pcpus:
            self.tell(pcpu, Halt(), 0)
            self.tell(pcpu, Reset(), moment)
            self._rounds.call(self._index[pcpu])

    def _post(self, pcpu: int, posts: Iterable[Post]) -> None:
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
        """These never run again. What waits for them stays, as it does where it has been handed over."""
        for pcpu in pcpus:
            index = self._index[pcpu]
            self._gone[index] = True
            self._rounds.gone(index)

    def _deliver(self, target: int, delivery: Delivery) -> None:
        index = self._index[target]
        if self._gone[index]:
            return
        message = delivery.message
        if isinstance(message, IpcNotify) and self._rounds.bring(
            index, delivery.due, delivery.source, delivery.sequence, message.shmem, message.event
        ):
            return
        late = self._rounds.clock(index) - delivery.due
        if late > 0:
            self._deliveries.late += 1
            self._deliveries.latest = max(self._deliveries.latest, late)
        else:
            self._deliveries.exact += 1
        self._put(target, delivery)

    def _put(self, target: int, delivery: Delivery) -> None:
        index = self._index[target]
        if self._gone[index]:
            return
        if len(self._inboxes[index]) >= MAILBOX:
            raise MailboxFullError(target)
        self._inboxes[index].append(delivery)
        self._rounds.tell(index, delivery.due)

    def take_mail(self) -> Iterator[tuple[int, tuple[Delivery, ...]]]:
        """What waits for each pcpu's next turn, which may as well have it before."""
        for index, pcpu in enumerate(self.pcpus):
            if self._inboxes[index]:
                mail = tuple(self._inboxes[index])
                self._inboxes[index].clear()
                yield pcpu, mail

    def save(self) -> Saved:
        """Its state between two turns; what interferes is saved by whoever has it."""
        counted = self.deliveries
        return _FORM.save(
            pcpus=[
                [pcpu, self._gone[index], [*map(dump, self._inboxes[index])]] for pcpu, index in self._index.items()
            ],
            rounds=self._rounds.save(),
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
                _, gone, inbox = row(each, int, bool, list)
                self._gone[index] = gone
                self._inboxes[index] = [load(Delivery, values) for values in inbox]
            self._rounds.load(fields["rounds"])
            self._deliveries = Deliveries(*row(fields["deliveries"], int, int, int))
        self._control = fields["control"]
