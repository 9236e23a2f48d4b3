"""A pcpu in virtual time: its core, its hypervisor and the messages that are due to it, going on a turn at a time.

Its clock is the core's. It goes on with the guest's instructions and with what the hypervisor's work costs; where the
guest waits it jumps to the next timer or message, so what comes for a waiting pcpu comes at its very moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from heapq import heappop, heappush
from typing import Final, final

from baonet.actors.counters import counters
from baonet.actors.examination import examined, storm_notice
from baonet.actors.hypervisor import hypervisor_on
from baonet.actors.island import MAILBOX, MailboxFullError
from baonet.actors.notices import Notices
from baonet.actors.recorder import VCPU_STATES
from baonet.actors.telling import told
from baonet.actors.uart_input import UartInput
from baonet.core.cpu import Core, interrupt_cost, uarts
from baonet.hyp import effects as fx
from baonet.hyp.cpu import Stay
from baonet.hyp.messages import HypMessage
from baonet.hyp.vcpu import State
from baonet.hyp.vmm import Plan
from baonet.machine import MessageKind
from baonet.trace.records import SEQUENCE_SHIFT, FaultKind, Kind
from baonet.wire import messages as wire
from baonet.wire.messages import AGENT, NUMBER, TRAVELS, Control
from baonet.wire.turns import NEVER, Crash, Delivery, FaultNote, Paused, Post, Stall, Turn, Turned

_RETRY: Final = 1_000_000
"""Cycles after which input that the UART had no room for is tried again."""
BULK: Final = 1024
"""Messages to send and to say with which a turn pauses; it does as well when a chunk of records is full."""
_STAYS: Final = 256
"""Stays in the guest with which a turn pauses: they end by exits, which cost the host."""


@final
class Seat:
    """``window`` and ``latency`` are in cycles."""

    def __init__(self, plan: Plan, pcpu: int, core: Core, window: int, latency: Mapping[MessageKind, int]) -> None:
        self.pcpu = pcpu
        self.core = core
        self.hypervisor = hypervisor_on(core, plan, pcpu)
        self._window = window
        self._latency = latency
        self._vm = self.hypervisor.vcpu.config
        self._uarts = uarts(plan.machine, self._vm)
        self._interrupt_cost = interrupt_cost(plan.machine, self._vm)
        self._inbox: list[tuple[int, int, int, int, Delivery]] = []
        self._came = 0
        self._notices = Notices(pcpu)
        self._input = UartInput(core)
        self._channels: dict[int, int] = {}
        self._sent = self._received = 0
        self._until = self._rest = self._stays = 0
        self._waiting = self._halted = self._crashed = False
        self._interrupted = False  # one interrupt is for all messages before the guest goes on: Bao empties its queue
        self._state = State.POWERDOWN
        self._posts: list[Post] = []
        self._said: list[Control] = []

    def deliver(self, inbox: Iterable[Delivery]) -> None:
        """What has come, to be taken when it is due."""
        for delivery in inbox:
            self._put(delivery)

    def turn(self, turn: Turn) -> Turned | Paused:
        """Go on until ``turn.until``, or until there is nothing to do before it.

        When so much has come of it that whoever asked must take that first, or it has cost the host so much that he
        should look around, it is ``Paused``, and ``resume`` goes on as if nothing had been: what is kept here has a
        bound, and where a turn ends does not depend on it.
        """
        self.deliver(turn.inbox)
        self._until, self._rest = turn.until, turn.rest
        return self.resume()

    def resume(self) -> Turned | Paused:
        """Go on with the turn that has paused, when the records have been drained."""
        self._stays = _STAYS
        next_ = self._go_on()
        self._collect_output()
        posts: tuple[Post, ...] = ()
        said: tuple[Control, ...] = ()
        if self._posts:
            posts = tuple(self._posts)
            self._posts.clear()
        if self._said:
            said = tuple(self._said)
            self._said.clear()
        if next_ is None:
            return Paused(self.pcpu, posts, said)
        return Turned(self.pcpu, self.core.time, next_, posts, said)

    def _put(self, delivery: Delivery) -> None:
        """In the order of time, sender and number; what is the same in all of them, in the order of coming."""
        self._came += 1
        if len(self._inbox) >= MAILBOX:
            raise MailboxFullError(self.pcpu)
        heappush(self._inbox, (delivery.due, delivery.source, delivery.sequence, self._came, delivery))

    def _go_on(self) -> int | None:
        """When there is something to do next; None when the turn pauses."""
        core, inbox, posts, said = self.core, self._inbox, self._posts, self._said
        while True:
            if core.has_records or len(posts) >= BULK or len(said) >= BULK:
                return None
            now = core.time
            if inbox and inbox[0][0] <= now:
                self._take(heappop(inbox)[4])
                continue
            due = inbox[0][0] if inbox else NEVER
            if self._waiting or self._state is not State.RUNNING:
                moment = min(due, self._alarm())
                if moment >= self._until:
                    return moment
                core.skip_to(moment)
                self._interrupted = False
                if moment < due:
                    self._ring()
            elif now >= self._until:
                return now
            elif self._stays == 0:
                return None
            else:
                self._stays -= 1
                self._run(min(due, self._until))

    def _alarm(self) -> int:
        if self._halted or self._state not in (State.RUNNING, State.STANDBY):
            return NEVER
        alarm = self.core.alarm()
        return max(alarm, self.core.time) if alarm >= 0 else NEVER

    def _ring(self) -> None:
        """The timer's interrupt ends a wait; the core takes it when it runs."""
        self._waiting = False
        if self._state is State.STANDBY:
            self.hypervisor.wake()
            self._settle()

    def _run(self, limit: int) -> None:
        """Stay in the guest once.

        One that yields (WFE, YIELD) waits for another pcpu, which cannot do anything before this turn is over: it has
        nothing to do in the rest of its window.
        """
        core = self.core
        self._interrupted = False
        reason = core.run_until(limit, self._rest > 0)
        if reason > Stay.KICKED:
            self.hypervisor.on_exit(reason)
            self._settle()
        elif reason == Stay.WFI:
            self._waiting = not core.wakes()
        else:
            asked = bool(self.hypervisor.effects)  # by an emulated access, which ended the stay
            if asked:
                self._perform()
            if core.yielded:
                core.skip_to(self._rest)
            elif not asked and core.time < limit:
                self._look_around()

    def _look_around(self) -> None:
        """The guest, or somebody of the host, has ended the stay before its time."""
        self._stays = 0
        if (notice := storm_notice(self.hypervisor, self.core)) is not None:
            self._said.append(notice)

    def _settle(self) -> None:
        """After anything that the hypervisor did."""
        if self.hypervisor.effects:
            self._perform()
        state = State.OFF if self._halted else self.hypervisor.vcpu.state
        if state is not self._state:
            self._state = state
            self._waiting = False
            self.core.note(Kind.STATE, VCPU_STATES[state], 0, 0)

    def _take(self, delivery: Delivery) -> None:
        message = delivery.message
        if delivery.source != AGENT and not isinstance(message, FaultNote):
            self._received += 1
            number = NUMBER[type(message)]
            self.core.note(Kind.ARRIVED, number, delivery.source | delivery.sequence << SEQUENCE_SHIFT, delivery.due)
            if not self._interrupted and TRAVELS[type(message)].interrupts:
                self._interrupted = True
                self.core.skip_to(self.core.time + self._interrupt_cost)
            self.hypervisor.message(delivery.source, message)  # type: ignore[arg-type]
        else:
            self._obey(message)
        self._settle()
        if self._waiting:
            self._waiting = not self.core.wakes()

    def _obey(self, message: object) -> None:
        match message:
            case wire.ConsoleInput(_, data):
                if data:
                    self._input.add(data)
                self._feed()
            case wire.ConsoleBreak():
                self._input.add(b"")
                self._feed()
            case wire.Start():
                self.hypervisor.start()
            case wire.Halt():
                self._halted = True
                self.hypervisor.halt()
            case wire.Reset():
                self._halted = self._crashed = False
                self._taken(self._input.clear())
                self.hypervisor.reset_vm()
            case FaultNote(rule, kind, detail):
                self.core.note(Kind.FAULT, rule, kind, detail)
            case Stall(rule, cycles):
                self.core.note(Kind.FAULT, rule, FaultKind.STALL, cycles)
                self.core.skip_to(self.core.time + cycles)
            case Crash(rule):
                self.core.note(Kind.FAULT, rule, FaultKind.CRASH, 0)
                self._halted = self._crashed = True
                self._said.append(wire.Notice(self.pcpu, "WARNING", f"crashed, as faults[{rule}] says"))
            case _:
                raise ValueError(f"pcpu {self.pcpu} does not understand {type(message).__name__} in virtual time")

    def _taken(self, size: int) -> None:
        if size:
            self._said.append(wire.InputTaken(self._vm.index, size))

    def _feed(self) -> None:
        """Give waiting console input to the UART, as much as it takes."""
        self._taken(self._input.feed() if self._uarts else self._input.clear())
        while (reason := self.core.take_event()) >= 0:
            self.hypervisor.on_exit(reason)
        if self._input:
            retry = Delivery(self.core.time + _RETRY, AGENT, 0, wire.ConsoleInput(self._vm.index, b""))
            self._put(retry)

    def _perform(self) -> None:
        """Do what the hypervisor asked, in order."""
        effects = self.hypervisor.effects
        for effect in effects:
            if type(effect) is fx.Send:
                self._send(effect.pcpu, effect.message)
            elif isinstance(effect, fx.Warn | fx.Info):
                if (notice := self._notices.tell(effect)) is not None:
                    self._said.append(notice)
            else:
                self._halted |= isinstance(effect, fx.VmOff | fx.VmReset)
                self._said.append(told(self.core, effect))
        effects.clear()

    def _send(self, target: int, message: HypMessage) -> None:
        """A channel between two pcpus is FIFO, whatever latencies its messages have."""
        now = self.core.time
        fact = TRAVELS[type(message)]
        due = max(now + self._latency[fact.latency_of(message)], self._channels.get(target, 0))
        self._channels[target] = due
        self._sent += 1
        self._posts.append(Post(target, now, due, self._sent, message))
        self.core.note(Kind.SENT, fact.number, target | self._sent << SEQUENCE_SHIFT, due)
        self._rest = (now // self._window + 1) * self._window
        self._until = min(self._until, self._rest)

    def _collect_output(self) -> None:
        """Before what a turn reports, so that a report comes after the guest's last words."""
        output = self.core.take_output()
        if output:
            said = [
                wire.ConsoleOutput(self._vm.index, self._uarts[uart], position, data) for uart, position, data in output
            ]
            self._said[:0] = said

    def last_words(self) -> Iterator[Control]:
        """What is left to say at the end, in the middle of a turn or not, beside what was recorded."""
        self._collect_output()
        yield from self._said
        yield from self._notices.rest()
        yield examined(self.hypervisor, self.core, waiting=self._waiting, crashed=self._crashed)
        yield wire.Statistics(self.pcpu, self.statistics())

    def statistics(self) -> dict[str, int]:
        return counters(self.core, self.hypervisor, self._sent, self._received) | {"cycles": self.core.time}
