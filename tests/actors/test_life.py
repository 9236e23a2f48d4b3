"""The life of a machine against actors that die, fall silent and lose messages at any step.

Whatever happens ends within a stated time, with the right status and words, and the VMs that it does not concern go on.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from baonet.actors.ending import Ending, VmState
from baonet.actors.life import FREEZING, GRACE, Conclude, Fail, Kill, Life, Load, Tell, Vital
from baonet.actors.phases import ENDING, PATIENCE, OutOfTurn, Phase, step
from baonet.hyp.armv8.report import Armv8Report
from baonet.wire.control import (
    Control,
    Freeze,
    Frozen,
    Halt,
    Halted,
    Hello,
    Parked,
    Reset,
    Running,
    Start,
    Stop,
    Stopped,
    Thaw,
    VmOff,
    VmReset,
)
from baonet.wire.messages import VERSION
from tests.examples import examples

BOUND = sum(PATIENCE.values()) + FREEZING
"""Seconds within which everything that is asked for has come, or whoever owes it has been given up."""
TICK = 0.5
ANSWERS: dict[type, Vital] = {Start: Running(), Reset: Running(), Halt: Halted()}


def report(vm: int, pcpu: int) -> Armv8Report:
    return Armv8Report(
        f"vm{vm}", vm, 0, pcpu, "reason", "explanation", 0x40000000, 0, 0, 0, tuple(range(31)), 0x3C5, 0, 0, 0, 0
    )


@dataclass
class Actor:
    """The other end: it goes by the same table. ``up`` is on the way to the agent, ``down`` from it."""

    address: int
    vm: int
    phase: Phase = Phase.SPAWNED
    alive: bool = True
    frozen: bool = False
    asked: VmOff | VmReset | None = None
    up: deque[Vital] = field(default_factory=deque)
    down: deque[Control] = field(default_factory=deque)

    def say(self, message: Vital) -> None:
        if not isinstance(message, Parked):
            self.phase = step(self.phase, message)
        if isinstance(message, VmOff | VmReset):
            self.asked = message
        self.up.append(message)

    def hear(self) -> None:
        """Raises OutOfTurn."""
        message = self.down.popleft()
        if isinstance(message, Freeze | Thaw):
            self.frozen = isinstance(message, Freeze)
            if self.frozen:
                self.up.append(Frozen())
            return
        self.phase = step(self.phase, message)
        if isinstance(message, Stop):
            self.say(Stopped(self.address))
        else:
            self.say(ANSWERS[type(message)])


class AnyLife(RuleBasedStateMachine):
    """Up to three VMs under the host's clock. ``hurt`` are the VMs that something happened to which may end them."""

    actors: dict[int, Actor]

    @initialize(
        sizes=st.lists(st.integers(1, 3), min_size=1, max_size=3),
        faults=st.integers(0, 3),
        warm=st.booleans(),
        user=st.booleans(),
    )
    def begin(self, sizes: list[int], faults: int, warm: bool, user: bool) -> None:
        """``faults``: how many deaths and losses at most. ``warm``: everybody runs already. ``user``: ends it."""
        self.faults, self.user = faults, user
        pcpus = iter(range(9))
        self.vms = [(f"vm{vm}", [next(pcpus) for _ in range(size)]) for vm, size in enumerate(sizes)]
        self.actors = {pcpu: Actor(pcpu, vm) for vm, (_, its) in enumerate(self.vms) for pcpu in its}
        self.life = Life(self.vms, {pcpu: (pcpu,) for pcpu in self.actors})
        self.hurt: set[int] = set()
        self.off: set[int] = set()
        self.failures: list[str] = []
        self.concluded: list[Ending] = []
        self.stopped = self.broken_image = self.stands = False
        if warm:
            self.settle(TICK)
            assert {actor.phase for actor in self.actors.values()} == {Phase.RUNNING}

    def perform(self) -> None:
        while self.life.effects:
            match self.life.effects.pop(0):
                case Tell(address, message):
                    assert self.actors[address].phase is not Phase.GONE
                    self.actors[address].down.append(message)
                case Kill(address):
                    self.end(self.actors[address])
                case Load(vm):
                    for pcpu in self.vms[vm][1]:
                        assert self.actors[pcpu].phase is Phase.HALTED, "loaded under a guest that runs"
                    self.life.loaded(vm, "no image" if self.broken_image else None)
                    if self.broken_image:
                        self.hurt.add(vm)
                case Fail(text):
                    self.failures.append(text)
                case Conclude(ending):
                    self.concluded.append(ending)

    def end(self, actor: Actor) -> None:
        actor.alive = False

    def hear(self, actor: Actor) -> None:
        """One that is told what it has no turn for, as something before was lost, ends."""
        try:
            actor.hear()
        except OutOfTurn:
            assert actor.vm in self.hurt
            self.end(actor)
            self.bury(actor)

    def remind_of(self, actor: Actor) -> None:
        """What it asked for has not come."""
        if actor.asked is not None and actor.phase is Phase.HALTING:
            actor.say(actor.asked)
            if isinstance(actor.asked, VmOff):
                self.off.add(actor.vm)

    def bury(self, actor: Actor) -> None:
        """All that it said is heard first."""
        while actor.up:
            self.life.said(actor.address, actor.up.popleft())
            self.perform()
        self.life.died(actor.address, "was killed by SIGKILL")
        self.perform()

    def chosen(self, number: int, *phases: Phase) -> Actor | None:
        found = [each for each in self.actors.values() if each.alive and each.phase in phases]
        return found[number % len(found)] if found else None

    # What happens

    @rule(number=st.integers(0, 8))
    def greet(self, number: int) -> None:
        if actor := self.chosen(number, Phase.SPAWNED):
            actor.say(Hello(VERSION, actor.address))

    @rule(number=st.integers(0, 8))
    def deliver_up(self, number: int) -> None:
        waiting = [each for each in self.actors.values() if each.up]
        if waiting:
            actor = waiting[number % len(waiting)]
            self.life.said(actor.address, actor.up.popleft())
            self.perform()

    @rule(number=st.integers(0, 8))
    def deliver_down(self, number: int) -> None:
        waiting = [each for each in self.actors.values() if each.down and each.alive]
        waiting = [each for each in waiting if each.phase is not Phase.SPAWNED]
        if waiting:
            self.hear(waiting[number % len(waiting)])

    @rule(number=st.integers(0, 8), what=st.sampled_from(["off", "reset", "park"]))
    def guest(self, number: int, what: str) -> None:
        if actor := self.chosen(number, Phase.RUNNING):
            messages: dict[str, Vital] = {
                "off": VmOff(actor.vm, "system_off"),
                "reset": VmReset(actor.vm),
                "park": Parked(report(actor.vm, actor.address), b""),
            }
            actor.say(messages[what])
            if what == "off":
                self.off.add(actor.vm)

    @rule(number=st.integers(0, 8))
    def remind(self, number: int) -> None:
        if actor := self.chosen(number, Phase.HALTING):
            self.remind_of(actor)

    @rule(number=st.integers(0, 8))
    def die(self, number: int) -> None:
        living = [each for each in self.actors.values() if each.alive]
        if living and self.faults:
            self.faults -= 1
            actor = living[number % len(living)]
            self.hurt.add(actor.vm)
            self.end(actor)
            self.bury(actor)

    @rule(number=st.integers(0, 8), upward=st.booleans())
    def lose(self, number: int, upward: bool) -> None:
        """A message never comes."""
        waiting = [each for each in self.actors.values() if (each.up if upward else each.down)]
        if waiting and self.faults:
            self.faults -= 1
            actor = waiting[number % len(waiting)]
            lost = (actor.up if upward else actor.down).popleft()
            if not isinstance(lost, VmOff | VmReset):
                self.hurt.add(actor.vm)
            elif isinstance(lost, VmOff) and not self.is_told_off(actor.vm):
                self.off.discard(actor.vm)  # it asks again, if another of its VM has not started that anew meanwhile

    def is_told_off(self, vm: int) -> bool:
        """Somebody has said that it is off, and that has been heard or will be."""
        said = [each for actor in self.actors.values() if actor.vm == vm for each in actor.up]
        return self.life.states[vm] is VmState.OFF or any(isinstance(each, VmOff) for each in said)

    @precondition(lambda self: self.faults)
    @rule()
    def lose_the_image(self) -> None:
        self.faults -= 1
        self.broken_image = True

    @rule()
    def all_arrives(self) -> None:
        self.settle(TICK)

    @rule(seconds=st.sampled_from([0.1, 1.0, 20.0]))
    def time_passes(self, seconds: float) -> None:
        before = {address for address in self.actors if self.life.phase(address) is Phase.GONE}
        self.life.passed(seconds)
        self.perform()
        for address, actor in self.actors.items():
            if self.life.phase(address) is Phase.GONE and address not in before:
                self.hurt.add(actor.vm)  # it was slow

    @rule(stands=st.booleans())
    def stand(self, stands: bool) -> None:
        if stands:
            self.life.freeze()
        else:
            self.life.thaw(0)
        self.stands = stands
        self.perform()

    @precondition(lambda self: self.user and not self.stopped)
    @rule()
    def stop(self) -> None:
        self.stopped = True
        self.life.stop()
        self.perform()

    # What holds

    @invariant()
    def all_who_answer_stand_when_it_is_said(self) -> None:
        if self.stands and self.life.frozen:
            for address, actor in self.actors.items():
                assert actor.frozen or not actor.alive or self.life.phase(address) in (*ENDING, Phase.GONE)

    @invariant()
    def a_dead_vm_was_hurt_and_all_of_it_is_dead(self) -> None:
        for vm, state in enumerate(self.life.states):
            if state is VmState.DEAD:
                assert vm in self.hurt
                assert any(f"VM 'vm{vm}'" in text for text in self.failures)
                assert not any(actor.alive for actor in self.actors.values() if actor.vm == vm)

    @invariant()
    def nobody_runs_in_a_vm_that_is_off(self) -> None:
        for actor in self.actors.values():
            if self.life.states[actor.vm] is VmState.OFF:
                assert self.life.phase(actor.address) in (Phase.STOPPING, Phase.STOPPED, Phase.GONE)

    def settle(self, seconds: float) -> None:
        """Nothing more goes wrong: everything that is on the way arrives, and time passes."""
        passed = 0.0
        while passed <= seconds:
            for actor in self.actors.values():
                if actor.alive and actor.phase is Phase.SPAWNED:
                    actor.say(Hello(VERSION, actor.address))
                while actor.down and actor.alive:
                    self.hear(actor)
                if actor.alive:
                    self.remind_of(actor)
                while actor.up:
                    self.life.said(actor.address, actor.up.popleft())
                    self.perform()
                if actor.alive and actor.phase is Phase.STOPPED:
                    self.end(actor)
                    self.bury(actor)
            self.life.passed(TICK)
            self.perform()
            passed += TICK

    def teardown(self) -> None:
        self.broken_image = False
        self.settle(BOUND)
        assert self.life.frozen or not self.stands, "whoever does not answer is lost"
        for actor in self.actors.values():
            ends = self.life.phase(actor.address) in (*ENDING, Phase.GONE)
            assert actor.frozen == self.stands or ends or not actor.alive or actor.vm in self.hurt
        for vm, (_, pcpus) in enumerate(self.vms):
            if vm not in self.hurt and vm not in self.off and not self.stopped:
                assert {self.life.phase(pcpu) for pcpu in pcpus} == {Phase.RUNNING}, "it does not go on"
                assert self.life.states[vm] in (VmState.RUNNING, VmState.PARKED)
            if vm not in self.hurt and vm in self.off and not self.stopped:
                assert self.life.states[vm] is VmState.OFF, "it does not go off"
            assert self.life.states[vm] is not VmState.RESETTING or self.stopped, "it does not start anew"
        if not self.stopped and all(state not in (VmState.RUNNING, VmState.RESETTING) for state in self.life.states):
            dead = VmState.DEAD in self.life.states
            assert self.concluded
            assert (self.concluded[-1] is Ending.FAILED) == dead
        self.life.stop()
        self.perform()
        self.settle(BOUND)
        assert self.life.over
        if not self.hurt:
            assert self.failures == []
            assert not self.life.lost


TestAnyLife = AnyLife.TestCase
TestAnyLife.settings = settings(max_examples=examples(150), stateful_step_count=40)


def test_one_that_does_not_stop_is_given_up_when_it_has_been_silent_for_a_while() -> None:
    life = Life([("vm0", (0,)), ("vm1", (1,))], {0: (0,), 1: (1,)})
    life.stop()
    life.effects.clear()
    for _ in range(10):
        life.passed(GRACE / 2)
        life.heard(0)
    assert Kill(1) in life.effects
    assert life.phase(0) is Phase.STOPPING
    for _ in range(20):
        life.passed(GRACE / 2)
        life.heard(0)
    assert life.over
    assert life.lost
