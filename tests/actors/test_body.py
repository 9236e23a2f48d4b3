"""One pcpu, whoever drives it: what each thing that happens to it makes of what its guest does."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import cast

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from baonet.actors.body import Activity, Body
from baonet.core.cpu import Core
from baonet.hyp.armv8 import psci
from baonet.hyp.armv8.cpu import Exit
from baonet.hyp.armv8.psci_messages import PsciOn, PsciResult
from baonet.hyp.messages import HypMessage, IpcNotify
from baonet.hyp.vcpu import State
from baonet.hyp.vmm import plan
from baonet.trace.records import Kind, VcpuState
from baonet.wire import messages as wire
from baonet.wire.messages import Control
from tests.actors.fake_core import FakeCore
from tests.examples import examples
from tests.hyp.machines import MAILBOX, machine, mailbox, vm

IPCS = (mailbox(52),)
PLAN = plan(machine(vm(0, 2, ipcs=IPCS), vm(1, ipcs=IPCS), shared_memory=(MAILBOX,)))
BUDGET, MOST = 1000, 8
NOTIFIED = IpcNotify(0, 0)


class Outside:
    """Hears what a pcpu says, in order."""

    def __init__(self) -> None:
        self.said: list[Control | tuple[int, HypMessage]] = []

    def say(self, message: Control) -> None:
        self.said.append(message)

    def send(self, pcpu: int, message: HypMessage) -> None:
        self.said.append((pcpu, message))


class Case:
    """The pcpu of vcpu 1 of a VM of two, or of vcpu 0."""

    def __init__(self, pcpu: int = 1) -> None:
        self.core = FakeCore()
        self.core.uart_states = [(0, 0, 0)]
        self.outside = Outside()
        self.body = Body(PLAN, pcpu, cast(Core, self.core), self.outside)
        self.body.obey(wire.Start())

    def run(self) -> int:
        return self.body.run(self.core.run, BUDGET, MOST)

    def on(self) -> None:
        self.body.hear(0, PsciOn(0x4000_0000, 7))

    def recorded(self) -> list[VcpuState]:
        return [VcpuState(a) for kind, a, _, _ in self.core.notes if kind == Kind.STATE]


def running(case: Case) -> None:
    case.on()


def waiting(case: Case) -> None:
    case.on()
    case.run()


def standby(case: Case) -> None:
    case.on()
    case.core.calls(psci.CPU_SUSPEND, 0)
    case.run()


def paused(case: Case) -> None:
    case.on()
    case.core.calls(psci.CPU_ON_64, 0, 0x4000_0000, 0)
    case.run()


def parked(case: Case) -> None:
    case.on()
    case.core.then(Exit.FAULT)
    case.run()


def off(case: Case) -> None:
    case.on()
    case.core.calls(psci.SYSTEM_OFF)
    case.run()


def crashed(case: Case) -> None:
    case.on()
    case.body.crash()


def nothing(case: Case) -> None: ...


STATES: dict[Activity, Callable[[Case], None]] = {
    Activity.POWERDOWN: nothing,
    Activity.RUNNING: running,
    Activity.WAITING: waiting,
    Activity.STANDBY: standby,
    Activity.PAUSED: paused,
    Activity.PARKED: parked,
    Activity.OFF: off,
    Activity.CRASHED: crashed,
}
HAPPENINGS: dict[str, Callable[[Case], None]] = {
    "notified": lambda case: case.body.hear(0, NOTIFIED),
    "on": Case.on,
    "result": lambda case: case.body.hear(0, PsciResult(0)),
    "roused": lambda case: case.body.rouse(),
    "halted": lambda case: case.body.obey(wire.Halt()),
    "crashed": lambda case: case.body.crash(),
    "typed": lambda case: case.body.obey(wire.ConsoleInput(0, b"x")),
}
A = Activity
AFTER: dict[str, dict[Activity, Activity]] = {
    "notified": {A.STANDBY: A.RUNNING},  # any message ends CPU_SUSPEND, as any IPI does
    "on": {A.POWERDOWN: A.RUNNING, A.STANDBY: A.RUNNING},
    "result": {A.PAUSED: A.RUNNING, A.STANDBY: A.RUNNING},
    "roused": {A.WAITING: A.RUNNING, A.STANDBY: A.RUNNING},
    "halted": {state: A.OFF for state in A if state is not A.CRASHED},
    "crashed": dict.fromkeys(A, A.CRASHED),
    "typed": {},
}
"""What another activity than before comes of; each that is not here stays."""


@pytest.mark.parametrize("happening", HAPPENINGS)
@pytest.mark.parametrize("state", STATES, ids=lambda state: state.name)
def test_what_happens_in_each_state(state: Activity, happening: str) -> None:
    case = Case()
    STATES[state](case)
    assert case.body.activity is state
    before = len(case.recorded())
    HAPPENINGS[happening](case)
    after = AFTER[happening].get(state, state)
    assert case.body.activity is after
    changes = [] if after.recorded is state.recorded else [after.recorded]
    assert case.recorded()[before:] == changes


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.name)
def test_a_reset_begins_a_new_life_whatever_was(state: Activity) -> None:
    """When the barriers of the others have come; here of the one other vcpu."""
    case = Case()
    STATES[state](case)
    case.outside.said.clear()
    case.body.obey(wire.Reset())
    assert _activity(case) is Activity.OFF
    [(target, barrier)] = cast(list[tuple[int, HypMessage]], case.outside.said)
    assert target == 0
    case.body.hear(0, barrier)
    assert _activity(case) is Activity.POWERDOWN
    case.on()
    assert _activity(case) is Activity.RUNNING


def _activity(case: Case) -> Activity:
    """Anew: what was seen before does not hold any more."""
    return case.body.activity


def test_vcpu_0_runs_from_the_start() -> None:
    case = Case(0)
    assert case.body.activity is Activity.RUNNING
    assert case.core.entries == [(PLAN.vms[0].config.entry, PLAN.vms[0].config.context)]
    assert case.recorded() == [VcpuState.RUNNING]


def test_a_guest_is_entered_again_while_it_leaves_for_the_hypervisor_alone() -> None:
    case = Case(0)
    for _ in range(3):
        case.core.calls(psci.VERSION)
    case.core.then(Exit.BUDGET)
    assert case.run() == Exit.BUDGET
    assert case.core.entered == 4
    assert case.body.activity is Activity.RUNNING


def test_and_at_most_so_often() -> None:
    case = Case(0)
    for _ in range(MOST + 1):
        case.core.calls(psci.VERSION)
    assert case.run() == Exit.HVC
    assert case.core.entered == MOST


def test_a_guest_that_was_stopped_is_not_entered_again() -> None:
    case = Case(0)
    case.core.calls(psci.SYSTEM_OFF)
    case.core.calls(psci.VERSION)
    case.run()
    assert case.core.entered == 1
    assert case.outside.said == [wire.VmOff(0, "system off")]


def test_what_the_hypervisor_asks_is_done_in_order() -> None:
    """To one that is told, to one that is sent, and again."""
    case = Case(0)
    case.core.calls(psci.CPU_ON_64, 1, 0x4000_0000, 0)
    case.core.calls(0x8400_001F)  # Bao says that it does not know it
    case.core.calls(psci.SYSTEM_RESET)
    case.run()
    sent, notice, reset = case.outside.said
    assert sent == (1, PsciOn(0x4000_0000, 0))
    assert isinstance(notice, wire.Notice)
    assert reset == wire.VmReset(0)
    assert (case.body.sent, case.body.received) == (1, 0)


def test_an_interrupt_that_is_there_ends_no_wait_that_has_not_begun() -> None:
    case = Case(0)
    case.core.pending = True
    assert case.run() == Exit.WFI
    assert case.body.activity is Activity.RUNNING


def test_a_message_that_brings_an_interrupt_ends_a_wait() -> None:
    case = Case(0)
    case.run()
    assert _activity(case) is Activity.WAITING
    case.body.hear(2, NOTIFIED)
    assert _activity(case) is Activity.WAITING, "its core masks it"
    case.core.pending = True
    case.body.hear(2, NOTIFIED)
    assert _activity(case) is Activity.RUNNING


def test_input_waits_for_the_uart_and_a_reset_drops_it() -> None:
    case = Case(0)
    case.core.room = 2
    case.body.obey(wire.ConsoleInput(0, b"abc"))
    case.body.obey(wire.ConsoleBreak(0))
    assert (case.core.taken, bool(case.body.input)) == (b"ab", True)
    case.core.room = 1
    case.body.feed()
    assert case.core.taken == b"abc"
    case.body.obey(wire.Reset())
    assert not case.body.input
    taken = [each.size for each in case.outside.said if isinstance(each, wire.InputTaken)]
    assert taken == [2, 1, 1]


def test_what_a_uart_does_meanwhile_the_hypervisor_hears() -> None:
    """The line of the UART goes up by input; the interrupt is VM 0's, whose master this is."""
    case = Case(0)
    case.run()
    case.core.lines.append((33, 1 << 1 | 1))
    case.core.pending = True
    case.body.obey(wire.ConsoleInput(0, b"x"))
    assert case.body.hypervisor.statistics().exits["LINE"] == 1
    assert case.body.activity is Activity.RUNNING


@pytest.mark.parametrize(
    ("state", "doing"),
    [(A.WAITING, "WAITING"), (A.CRASHED, "CRASHED"), (A.PARKED, "PARKED"), (A.STANDBY, "STANDBY"), (A.OFF, "OFF")],
)
def test_the_last_words_tell_what_the_guest_does(state: Activity, doing: str) -> None:
    case = Case()
    STATES[state](case)
    *_, examined = case.body.last_words()
    assert isinstance(examined, wire.Examined)
    assert examined.condition.doing.name == doing


class Life(RuleBasedStateMachine):
    """Anything may happen in any order."""

    @initialize(pcpu=st.integers(0, 2))
    def begin(self, pcpu: int) -> None:
        self.case = Case(pcpu)

    @rule(happening=st.sampled_from([*HAPPENINGS]))
    def happens(self, happening: str) -> None:
        HAPPENINGS[happening](self.case)

    @rule()
    def resets(self) -> None:
        self.case.body.obey(wire.Reset())

    @rule(source=st.integers(0, 2))
    def barrier(self, source: int) -> None:
        for each in list(self.case.outside.said):
            if isinstance(each, tuple) and each[0] == source != self.case.body.pcpu:
                self.case.outside.said.remove(each)
                self.case.body.hear(source, each[1])

    @rule(function=st.sampled_from([psci.CPU_SUSPEND, psci.CPU_OFF, psci.SYSTEM_OFF, psci.VERSION, psci.CPU_ON_64, 7]))
    def calls(self, function: int) -> None:
        if self.case.body.activity is Activity.RUNNING:
            self.case.core.calls(function, 1, 0x4000_0000)
            self.case.run()

    @rule(pending=st.booleans(), reason=st.sampled_from([Exit.WFI, Exit.BUDGET, Exit.KICKED, Exit.FAULT]))
    def leaves(self, pending: bool, reason: Exit) -> None:
        self.case.core.pending = pending
        if self.case.body.activity is Activity.RUNNING:
            self.case.body.left(reason)

    @invariant()
    def its_activity_is_the_hypervisors_word_or_more(self) -> None:
        if not hasattr(self, "case"):
            return
        body = self.case.body
        state, activity = body.hypervisor.vcpu.state, body.activity
        if activity is Activity.WAITING:
            assert state is State.RUNNING
        elif activity is not Activity.CRASHED:
            assert activity.name == state.name
        assert not body.hypervisor.effects, "all was done"
        recorded = self.case.recorded()
        assert all(one is not two for one, two in pairwise(recorded)), "only changes are told"
        assert activity.recorded is (recorded[-1] if recorded else VcpuState.POWERDOWN)


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=examples(60), stateful_step_count=40, deadline=None)
