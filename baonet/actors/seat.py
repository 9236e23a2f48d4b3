"""A pcpu in virtual time: what has come for it until it is due, and what its hypervisor does when it is asked.

Its clock is the core's. It goes on with the guest's instructions and with what the hypervisor's work costs; where the
guest waits it jumps to the next timer or message, so what comes for a waiting pcpu comes at its very moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from heapq import heappop, heappush
from operator import itemgetter
from typing import Final, final

from baonet.actors.body import Activity, Body
from baonet.actors.island import MAILBOX, MailboxFullError
from baonet.core.cpu import Core, interrupt_exits
from baonet.hyp.cpu import Stay
from baonet.hyp.messages import HypMessage, IpcNotify
from baonet.hyp.vmm import Plan
from baonet.machine import MessageKind
from baonet.machine.saved import Saved, StateForm, row
from baonet.trace.records import SEQUENCE_SHIFT, FaultKind, Kind
from baonet.wire import messages as wire
from baonet.wire.codec import dump, load
from baonet.wire.messages import AGENT, NUMBER, TRAVELS, Control
from baonet.wire.turns import NEVER, Crash, Delivery, FaultNote, Post, Stall, Turn, Turned

_RETRY: Final = 1_000_000
"""Cycles after which input that the UART had no room for is tried again."""
BULK: Final = 1024
"""Messages to send or to say with which a turn is not over, but handed over."""
_RUNNING: Final = Activity.RUNNING
_WAITING: Final = Activity.WAITING
_KICKED: Final = int(Stay.KICKED)

_in_order: Final = itemgetter(0, 1, 2, 3)

_FORM: Final = StateForm(
    "a pcpu in virtual time",
    2,
    body=dict,
    inbox=list,
    came=int,
    channels=list,
    interrupted=bool,
)


@final
class Seat:
    """``latency`` is in cycles."""

    def __init__(self, plan: Plan, pcpu: int, core: Core, latency: Mapping[MessageKind, int]) -> None:
        self.pcpu = pcpu
        self.core = core
        self.body = Body(plan, pcpu, core, self)
        self._latency = latency
        self._interrupt, self._relayed = interrupt_exits(plan.machine, self.body.vm)
        self._inbox: list[tuple[int, int, int, int, Delivery]] = []
        self._came = 0
        self._channels: dict[int, int] = {}
        self._interrupted = False  # one interrupt is for all messages before the guest goes on: Bao empties its queue
        self._posts: list[Post] = []
        self._said: list[Control] = []
        self._lends = False

    def run_errands(self) -> None:
        """From now on the core does what it can in its hypervisor's place. Of who conducts the island."""
        fact = TRAVELS[IpcNotify]
        self.core.run_errands(
            self.body.errands(),
            fact.number,
            self._latency[fact.latency],
            self._relayed if fact.own else self._interrupt,
            self.body.expects,
            self._take_back,
        )
        self._lends = True

    def _lend(self) -> None:
        """Nothing waits but what the core knows, and its guest runs, or waits in WFI."""
        activity = self.body.activity
        if not self._inbox and (activity is _RUNNING or activity is _WAITING):
            self.core.lend(activity is _WAITING, self._interrupted, self.body.sent, self._channels)

    def _take_back(self) -> None:
        """Be as if what the core has done had been done here, and have what has come for this pcpu."""
        taken = self.core.take_back()
        if taken is None:
            return
        queue, done = taken
        if done is not None:
            _, self._interrupted, _, _, _, _, channels, _ = done
            for pcpu, due in channels:
                self._channels[pcpu] = max(self._channels.get(pcpu, 0), due)
            self._came += self.body.caught_up(done)
        for due, source, sequence, shmem, event in queue:
            self._put(Delivery(due, source, sequence, IpcNotify(shmem, event)))

    def deliver(self, inbox: Iterable[Delivery]) -> None:
        """What has come, to be taken when it is due. Whether that is too much is for a turn to say.

        To be saved all is given to who never has a turn again, and that ends nothing.
        """
        for delivery in inbox:
            self._put(delivery)

    def turn(self, turn: Turn) -> Turned:
        """Do what is to be done before the guest goes on, or up to ``turn.moment``."""
        if self._lends:
            self._take_back()
        if turn.inbox:
            self.deliver(turn.inbox)
        if len(self._inbox) > MAILBOX:
            raise MailboxFullError(self.pcpu)
        if turn.reason >= 0:
            self._interrupted = False
            self.body.left(turn.reason)
            if turn.reason <= _KICKED:
                self.body.tell_storm()
        next_ = self._settle(turn.moment)
        posts: tuple[Post, ...] = ()
        if self._posts:
            posts = tuple(self._posts)
            self._posts.clear()
        running, said = self.body.activity is _RUNNING, self.collect()
        if self._lends and next_ is not None:
            self._lend()
        return Turned(self.pcpu, self.core.time, running, next_ or 0, posts, said, next_ is None)

    def collect(self) -> tuple[Control, ...]:
        """What is to be said. The guest's output comes first, so that a report comes after its last words."""
        if not self._said and not self.core.has_output:
            return ()
        said = (*self.body.output(self.core.take_output()), *self._said)
        self._said.clear()
        return said

    def _put(self, delivery: Delivery) -> None:
        """In the order of time, sender and number; what is the same in all of them, in the order of coming."""
        self._came += 1
        heappush(self._inbox, (delivery.due, delivery.source, delivery.sequence, self._came, delivery))

    def _settle(self, until: int) -> int | None:
        """When there is something to do next; None when so much has come of it that it must be taken first."""
        core, body, inbox = self.core, self.body, self._inbox
        while True:
            if len(self._posts) >= BULK or len(self._said) >= BULK:
                return None
            now = core.time
            if inbox and inbox[0][0] <= now:
                self._take(heappop(inbox)[4])
                continue
            due = inbox[0][0] if inbox else NEVER
            if body.activity is _RUNNING:
                return due
            moment = min(due, self._alarm())
            if moment > until:
                return moment
            core.skip_to(moment)
            self._interrupted = False
            if moment < due:
                body.rouse()

    def _alarm(self) -> int:
        """When a timer's interrupt ends the wait; the core takes it when it runs."""
        if self.body.activity not in (Activity.WAITING, Activity.STANDBY):
            return NEVER
        alarm = self.core.alarm()
        return max(alarm, self.core.time) if alarm >= 0 else NEVER

    def _take(self, delivery: Delivery) -> None:
        message = delivery.message
        self.core.tell_time()
        if delivery.source == AGENT or isinstance(message, FaultNote):
            self._undergo(message)
            return
        number = NUMBER[type(message)]
        self.core.note(Kind.ARRIVED, number, delivery.source | delivery.sequence << SEQUENCE_SHIFT, delivery.due)
        fact = TRAVELS[type(message)]
        if not self._interrupted and fact.interrupts:
            self._interrupted = True
            self.core.pay(self._relayed if fact.own else self._interrupt)
        self.body.hear(delivery.source, message)  # type: ignore[arg-type]

    def _undergo(self, message: object) -> None:
        """What no pcpu has sent."""
        core, body = self.core, self.body
        match message:
            case wire.Start() | wire.Halt() | wire.Reset():
                body.obey(message)
            case wire.ConsoleInput() | wire.ConsoleBreak():
                body.obey(message)
                if body.input:
                    self._put(Delivery(core.time + _RETRY, AGENT, 0, wire.ConsoleInput(body.vm.index, b"")))
            case FaultNote(rule, kind, detail):
                core.note(Kind.FAULT, rule, kind, detail)
            case Stall(rule, cycles):
                core.note(Kind.FAULT, rule, FaultKind.STALL, cycles)
                core.skip_to(core.time + cycles)
            case Crash(rule):
                core.note(Kind.FAULT, rule, FaultKind.CRASH, 0)
                body.crash()
                self.say(wire.Notice(self.pcpu, "WARNING", f"crashed, as faults[{rule}] says"))
            case _:
                raise ValueError(f"pcpu {self.pcpu} does not understand {type(message).__name__} in virtual time")

    def say(self, message: Control) -> None:
        self._said.append(message)

    def send(self, pcpu: int, message: HypMessage) -> None:
        """A channel between two pcpus is FIFO, whatever latencies its messages have."""
        now = self.core.visible
        fact = TRAVELS[type(message)]
        due = max(now + self._latency[fact.latency_of(message)], self._channels.get(pcpu, 0))
        self._channels[pcpu] = due
        sent = self.body.sent
        self._posts.append(Post(pcpu, now, due, sent, message))
        self.core.note(Kind.SENT, fact.number, pcpu | sent << SEQUENCE_SHIFT, due)

    def last_words(self) -> Iterator[Control]:
        """What is left to say at the end, in the middle of a turn or not, beside what was recorded."""
        if self._lends:
            self._take_back()
        yield from self.collect()
        yield from self.body.last_words()
        yield wire.Statistics(self.pcpu, self.body.statistics() | {"cycles": self.core.time})

    def save(self) -> Saved:
        """Its state between two turns, or in the recess of one. Raises ValueError in one.

        It is put in order for that: it is the same whoever has carried messages, and whenever they were handed over.
        """
        if self._lends:
            self._take_back()
        if self._posts or self._said:
            raise ValueError(f"pcpu {self.pcpu} has not handed over what it says: save it after its turn")
        self._put_in_order()
        return _FORM.save(
            body=self.body.save(),
            inbox=[[came, dump(delivery)] for *_, came, delivery in self._inbox],
            came=self._came,
            channels=[[target, due] for target, due in self._channels.items()],
            interrupted=self._interrupted,
        )

    def _put_in_order(self) -> None:
        """When a message came counts among those that are the same in all else."""
        inbox = sorted(self._inbox, key=_in_order)
        self._inbox = [(*each[:3], came, each[4]) for came, each in enumerate(inbox, 1)]
        self._came = len(inbox)
        self._channels = dict(sorted(self._channels.items()))

    def load(self, data: object) -> None:
        """Be as one was that has been saved; as ``Body.load``."""
        fields = _FORM.load(data)
        self._inbox = []
        with _FORM.reading():
            for came, values in (row(each, int, list) for each in fields["inbox"]):
                delivery = load(Delivery, values)
                self._inbox.append((delivery.due, delivery.source, delivery.sequence, came, delivery))
            self._channels = dict(row(each, int, int) for each in fields["channels"])
        self._came, self._interrupted = fields["came"], fields["interrupted"]
        self.body.load(fields["body"])
