"""One physical CPU: its core, its hypervisor, and what its guest may do now.

It begins with what the agent says (``obey``), goes on by stays in the guest (``run``, ``left``) and by messages
of other pcpus (``hear``), and ends with its ``last_words``. Who drives it decides when each of these comes: the time of
the host (``baonet.actors.pcpu``) or turns (``baonet.actors.seat``). It knows neither, nor where others are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from typing import Final, Protocol, final

from baonet.actors.counters import counters
from baonet.actors.notices import Notices
from baonet.actors.telling import told
from baonet.actors.uart_input import UartInput
from baonet.core.architecture import ERRAND_TARGETS, Errands
from baonet.core.cpu import Core, uarts
from baonet.hyp import effects as fx
from baonet.hyp import wings
from baonet.hyp.answers import Notification
from baonet.hyp.condition import doing
from baonet.hyp.cpu import Stay
from baonet.hyp.messages import HypMessage, IpcNotify
from baonet.hyp.pcpu import Pcpu
from baonet.hyp.vcpu import State
from baonet.hyp.vmm import Plan
from baonet.machine.saved import Saved, StateForm
from baonet.trace.records import Kind, VcpuState
from baonet.wire import messages as wire
from baonet.wire.codec import kept, was_kept
from baonet.wire.messages import Control


class Activity(Enum):
    """What the guest of a pcpu does: ``baonet.hyp.vcpu.State``, and two more that the hypervisor does not know.

    RUNNING: it can be entered. WAITING: it is in WFI, and STANDBY: it has suspended itself, until ``rouse``. PAUSED,
    POWERDOWN, PARKED, OFF: a message may change that. CRASHED: an injected fault has stopped the CPU; only a reset
    changes that.
    """

    RUNNING = "running"
    WAITING = "waiting"
    STANDBY = "standby"
    PAUSED = "paused"
    POWERDOWN = "powerdown"
    PARKED = "parked"
    OFF = "off"
    CRASHED = "crashed"

    @property
    def recorded(self) -> VcpuState:
        """As what a trace has it."""
        return _RECORDED[self]


_RUNNING: Final = Activity.RUNNING  # to look up a member of an enumeration costs as much as a call
_WAITING: Final = Activity.WAITING
_STATE_RUNNING: Final = State.RUNNING
_WFI: Final = int(Stay.WFI)
_KICKED: Final = int(Stay.KICKED)
_ACTIVITY: Final = {state: Activity[state.name] for state in State}
_RECORDED: Final = {
    **{activity: VcpuState[state.name] for state, activity in _ACTIVITY.items()},
    Activity.WAITING: VcpuState.RUNNING,
    Activity.CRASHED: VcpuState.OFF,
}

_FORM: Final = StateForm(
    "a pcpu",
    1,
    hypervisor=dict,
    core=dict,
    activity=str,
    sent=int,
    received=int,
    notices=list,
    input=list,
)


class Outside(Protocol):
    """What drives a pcpu, and takes what it says, in order."""

    def say(self, message: Control) -> None:
        """To the agent."""

    def send(self, pcpu: int, message: HypMessage) -> None:
        """To another pcpu. ``Body.sent`` counts it already."""


Order = wire.Start | wire.Halt | wire.Reset | wire.ConsoleInput | wire.ConsoleBreak


@final
class Body:
    """The pcpu ``pcpu`` of ``plan``, on its core. Raises ValueError for one that no VM wants.

    ``input``: what was typed and the UART had no room for; ``feed`` tries again. ``sent``, ``received``: messages to
    and from other pcpus. ``served``: the last stay ended because the hypervisor has asked for something while it
    emulated an access.
    """

    def __init__(self, plan: Plan, pcpu: int, core: Core, outside: Outside) -> None:
        self.pcpu = pcpu
        self.core = core
        self.hypervisor = made = Pcpu(plan, pcpu, core, wings.of(plan.machine))
        core.emulate(made.windows, made.read_emulated, made.write_emulated, made.effects)
        core.answer(made.wing.answers)
        self.vm = made.vcpu.config
        self.activity = Activity.POWERDOWN
        self.sent = self.received = 0
        self.served = False
        self._outside = outside
        self._uarts = uarts(plan.machine, self.vm)
        self._notices = Notices(pcpu)
        self.input = UartInput(core)

    # What the agent says

    def obey(self, order: Order) -> None:
        match order:
            case wire.Start():
                self.hypervisor.start()
            case wire.Halt():
                self.hypervisor.halt()
            case wire.Reset():
                if self.activity is Activity.CRASHED:
                    self.activity = Activity.OFF
                self._taken(self.input.clear())
                self.hypervisor.reset_vm()
            case wire.ConsoleInput(_, data):
                if data:
                    self.input.add(data)
                self.feed()
            case wire.ConsoleBreak():
                self.input.add(b"")
                self.feed()
        self._settle()

    def feed(self) -> None:
        """Give waiting console input to the UART, as much as it takes."""
        self._taken(self.input.feed() if self._uarts else self.input.clear())
        while (reason := self.core.take_event()) >= 0:
            self.hypervisor.on_exit(reason)
        self._settle()

    def _taken(self, size: int) -> None:
        if size:
            self._outside.say(wire.InputTaken(self.vm.index, size))

    # What other pcpus say

    def hear(self, source: int, message: HypMessage) -> None:
        self.received += 1
        self.hypervisor.message(source, message)
        self._settle()

    # What its core may do in the hypervisor's place: ``Core.run_errands``

    def errands(self) -> tuple[Notification, ...]:
        return tuple(each for each in self.hypervisor.wing.notifications if len(each.targets) <= ERRAND_TARGETS)

    def expects(self, shmem: int, event: int) -> tuple[int, int, int] | None:
        return self.hypervisor.expects(IpcNotify(shmem, event))

    def caught_up(self, done: Errands) -> int:
        """Be as if what the core has done (``Core.take_back``) had been done here. Returns how many messages came."""
        waiting, _, self.sent, told, heard, exits, _, held = done
        came = heard + (held is not None)
        self.received += came
        self.hypervisor.caught_up(exits, told, heard, None if held is None else IpcNotify(held[3], held[4]))
        self.activity = _WAITING if waiting else _RUNNING
        self.core.caught_up()
        return came

    # The guest

    def run(self, run: Callable[[int], int], budget: int, most: int) -> int:
        """Stay in the guest, at most ``most`` times, until it leaves for another reason than the hypervisor's work, or
        that has stopped it. Returns why it left last. ``run`` enters it, as its core does.
        """
        hypervisor, vcpu = self.hypervisor, self.hypervisor.vcpu
        on_exit, effects = hypervisor.on_exit, hypervisor.effects
        kicked, running = _KICKED, _STATE_RUNNING
        reason: int = kicked
        for _ in range(most):
            reason = run(budget)
            if reason <= kicked:
                self._left(reason)
                break
            on_exit(reason)
            if effects or vcpu.state is not running:
                self._settle()
                if self.activity is not _RUNNING:
                    break
        return reason

    def left(self, reason: int) -> None:
        """The guest was entered by somebody else, and left."""
        if reason <= _KICKED:
            self._left(reason)
        else:
            self.hypervisor.on_exit(reason)
            self._settle()

    def _left(self, reason: int) -> None:
        """The guest was left for nothing that the hypervisor has to do with."""
        self.served = False
        if self.hypervisor.effects:
            self.served = True
            self._perform()
        if reason == _WFI and not self.core.wakes():
            self.activity = _WAITING

    def rouse(self) -> None:
        """An interrupt ends a wait, or somebody who looks after the guest: it may end without a reason."""
        if self.activity is _WAITING:
            self.activity = _RUNNING
        elif self.activity is Activity.STANDBY:
            self.hypervisor.wake()
            self._settle()

    def crash(self) -> None:
        """It never runs again, in this life of its VM."""
        self._become(Activity.CRASHED)

    def tell_storm(self) -> None:
        """Once in a guest's life, when it does little but take exceptions or interrupts."""
        if (found := self.core.storm()) is not None:
            taken, instructions, interrupts = found
            text = self.hypervisor.wing.storm(taken, instructions, interrupts=interrupts)
            self._outside.say(wire.Notice(self.pcpu, "WARNING", text))

    def _settle(self) -> None:
        """After anything that the hypervisor did."""
        if self.hypervisor.effects:
            self._perform()
        state, activity = self.hypervisor.vcpu.state, self.activity
        if state is _STATE_RUNNING:  # as nearly always, and this is asked after each exit
            if activity is _RUNNING:
                return
            if activity is _WAITING:
                if self.core.wakes():
                    self.activity = _RUNNING
                return
        if activity is not Activity.CRASHED:
            self._become(_ACTIVITY[state])

    def _become(self, activity: Activity) -> None:
        before, self.activity = self.activity, activity
        if activity.recorded is not before.recorded:
            self.core.note(Kind.STATE, activity.recorded, 0, 0)

    def _perform(self) -> None:
        """Do what the hypervisor asked, in order."""
        effects, outside = self.hypervisor.effects, self._outside
        for effect in effects:
            if type(effect) is fx.Send:
                self.sent += 1
                outside.send(effect.pcpu, effect.message)
            elif isinstance(effect, fx.Warn | fx.Info):
                self.tell(effect)
            else:
                outside.say(told(self.core, effect))
        effects.clear()

    def tell(self, notice: fx.Warn | fx.Info) -> None:
        """What Bao would print, or what is said of its peers."""
        if (message := self._notices.tell(notice)) is not None:
            self._outside.say(message)

    # What comes of it

    def output(self, pieces: Iterable[tuple[int, int, bytes]]) -> list[wire.ConsoleOutput]:
        """What the guest has printed, as ``Core.take_output`` gave it."""
        vm, uarts = self.vm.index, self._uarts
        return [wire.ConsoleOutput(vm, uarts[uart], position, data) for uart, position, data in pieces]

    def last_words(self) -> Iterator[Control]:
        """What is left to say at the end, whatever the guest does, behind its output."""
        yield from self._notices.rest()
        waiting, crashed = self.activity is Activity.WAITING, self.activity is Activity.CRASHED
        does = doing(self.hypervisor.vcpu, waiting=waiting, crashed=crashed)
        yield wire.Examined(self.hypervisor.wing.examine(does))

    def registers(self) -> dict[str, int]:
        """Of the vcpu, while its guest does not run, by the names that the architecture gives them."""
        return self.hypervisor.wing.registers()

    def statistics(self) -> dict[str, int]:
        """Counters of the core, of the hypervisor and of messages."""
        return counters(self.core, self.hypervisor, self.sent, self.received)

    # As data

    def save(self) -> Saved:
        """Its state, the core's and the hypervisor's. Raises ValueError amid what it does."""
        return _FORM.save(
            hypervisor=self.hypervisor.save(kept),
            core=self.core.save(),
            activity=self.activity.name,
            sent=self.sent,
            received=self.received,
            notices=self._notices.save(),
            input=self.input.save(),
        )

    def load(self, data: object) -> None:
        """Be as one was that has been saved, in a machine from the same file with the memory that was saved with it.

        Raises ValueError for what is not its state, or of another version.
        """
        fields = _FORM.load(data)
        if fields["activity"] not in Activity.__members__:
            raise _FORM.damaged(f"its guest is {fields['activity']!r:.40}")
        self.activity = Activity[fields["activity"]]
        self.sent, self.received = fields["sent"], fields["received"]
        with _FORM.reading():
            self._notices.load(fields["notices"])
            self.input.load(fields["input"])
        self.hypervisor.load(fields["hypervisor"], was_kept)
        self.core.load(fields["core"])
