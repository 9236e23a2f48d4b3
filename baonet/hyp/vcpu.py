"""One vcpu on its pcpu: its place in the plan, its CPU, and whether its guest may run.

What the parts of a pcpu (calls, IPC, accesses) share, and nothing else: each takes the vcpu, changes its state, answers
its guest and sends through it.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final, final

from baonet.hyp.cpu import Cpu
from baonet.hyp.effects import Effect, Park, Send
from baonet.hyp.messages import HypMessage
from baonet.hyp.report import Report
from baonet.hyp.vmm import Plan
from baonet.machine.saved import Saved, StateForm

if TYPE_CHECKING:
    from baonet.hyp.architecture import Wing

MASK64 = 0xFFFF_FFFF_FFFF_FFFF

_FORM: Final = StateForm(
    "a vcpu",
    1,
    state=str,
    started=bool,
    resume=list | None,
    waiting=str | None,
    target_register=int,
    asked=int,
)


class State(Enum):
    """What the actor may do with the guest.

    RUNNING: run it. STANDBY: wait, as in WFI, for a message or a physical interrupt (a timer), then call ``wake``.
    PAUSED: a question is under way; wait for a message, nothing else matters. POWERDOWN: off, wait for a message.
    PARKED: Bao spins in an endless loop; the guest is dead, messages are still served. OFF: its VM is off.
    """

    RUNNING = "running"
    STANDBY = "standby"
    PAUSED = "paused"
    POWERDOWN = "powerdown"
    PARKED = "parked"
    OFF = "off"


class Waiting(Enum):
    """What the answer to a paused vcpu's question completes."""

    CALL = "call"
    LOAD = "load"
    STORE = "store"


@final
class Vcpu:
    """The vcpu that pcpu ``pcpu`` of the plan runs. Raises ValueError for a pcpu that no VM wants.

    ``wing`` is the architecture's part of it, which whoever makes both puts there. ``started``: in this life of the VM
    the vcpu was on before.
    """

    __slots__ = (
        "asked",
        "config",
        "cpu",
        "effects",
        "home",
        "id",
        "pcpu",
        "plan",
        "resume",
        "sent",
        "started",
        "state",
        "target_register",
        "vm",
        "waiting",
        "wing",
    )

    def __init__(self, plan: Plan, pcpu: int, cpu: Cpu, effects: list[Effect]) -> None:
        self.wing: Wing
        assignment = plan.pcpus[pcpu]
        if assignment is None:
            raise ValueError(f"pcpu {pcpu} is powered down: no VM wants it")
        self.plan = plan
        self.pcpu = pcpu
        self.cpu = cpu
        self.effects = effects
        self.id = assignment.vcpu
        self.vm = plan.vms[assignment.vm]
        self.config = self.vm.config
        self.home = self.vm.master
        self.state = State.POWERDOWN
        self.started = False
        self.resume: tuple[int, int] | None = None
        self.waiting: Waiting | None = None
        self.target_register = 0
        self.asked = 0
        self.sent: dict[type, int] = {}

    @property
    def is_home(self) -> bool:
        """Whether what the VM's vcpus share lives on this pcpu."""
        return self.pcpu == self.home

    def send(self, pcpu: int, message: HypMessage) -> None:
        kind = type(message)
        self.sent[kind] = self.sent.get(kind, 0) + 1
        self.effects.append(Send(pcpu, message))

    def enter(self, entry: int, context: int) -> None:
        """Start the guest in the architecture's entry state.

        A CPU that was on before and has not lost its power, as the platform cannot take it away, keeps what Bao does
        not reset.
        """
        if self.started and not self.plan.machine.platform.powerdown:
            self.cpu.restart(entry, context)
        else:
            self.wing.enter(entry, context)
        self.started = True
        self.waiting = self.resume = None
        self.state = State.RUNNING

    def pause(self, waiting: Waiting, register: int = 31) -> None:
        """Stop the guest until the answer comes to a question that was just sent."""
        self.asked += 1
        self.waiting = waiting
        self.target_register = register
        self.state = State.PAUSED

    def suspend(self, resume: tuple[int, int] | None) -> None:
        """Wait for an interrupt; then go on, or with ``resume`` start again at (entry, context).

        With an interrupt that the guest has already it does not wait, else that wake-up would be lost.
        """
        self.resume = resume
        self.state = State.STANDBY
        if self.wing.waits():
            self.wake()

    def wake(self) -> None:
        """An interrupt has ended CPU_SUSPEND. Nothing happens in any other state."""
        if self.state is State.STANDBY:
            self.state = State.RUNNING
            if self.resume is not None:
                self.enter(*self.resume)

    def stop(self, state: State) -> None:
        """The guest does not run until something starts it anew."""
        self.waiting = self.resume = None
        self.state = state

    def park(self, report: Report) -> None:
        """Do what Bao does with a trap that it does not expect: never run this guest again. Tell why."""
        self.stop(State.PARKED)
        self.effects.append(Park(report))

    def save(self) -> Saved:
        """What it does and waits for. What its messages were is counted by kinds, which the pcpu knows."""
        return _FORM.save(
            state=self.state.value,
            started=self.started,
            resume=None if self.resume is None else list(self.resume),
            waiting=None if self.waiting is None else self.waiting.value,
            target_register=self.target_register,
            asked=self.asked,
        )

    def load(self, data: object) -> None:
        """Be as one was that has been saved. Raises StateError for what is not its state."""
        fields = _FORM.load(data)
        self.started, self.asked = fields["started"], fields["asked"]
        self.target_register = fields["target_register"]
        self.state = State(fields["state"])
        self.waiting = None if fields["waiting"] is None else Waiting(fields["waiting"])
        self.resume = None
        if fields["resume"] is not None:
            entry, context = fields["resume"]
            self.resume = entry, context
