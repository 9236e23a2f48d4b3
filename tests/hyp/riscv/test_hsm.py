"""Harts start, stop, sleep and are asked after, across pcpus in any interleaving."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baonet.hyp.riscv.irqc_messages import ImsicMessage
from baonet.hyp.riscv.sbi_messages import SbiHartStatus
from baonet.hyp.vcpu import State
from baonet.machine import Faithful
from baonet.machine.riscv import Aia
from tests.examples import examples
from tests.hyp.machines import MAILBOX, mailbox
from tests.hyp.riscv.board import APLIC, IMSIC, Board
from tests.hyp.riscv.fabric import RAM, Guest, RiscvFabric, machine, vm

BASE, IPI, HSM, BAO = 0x10, 0x73_5049, 0x48_534D, 0x0800_0BA0
START, STOP, STATUS, SUSPEND = 0, 1, 2, 3
STARTED, STOPPED = 0, 1
SOFTWARE, TIMER, EXTERNAL = 1 << 1, 1 << 5, 1 << 9


def test_only_hart_0_starts() -> None:
    fabric = RiscvFabric(machine(vm(0, 3, context=0x8300_0000)))
    assert [fabric.guest(0, n).state for n in range(3)] == [State.RUNNING, State.POWERDOWN, State.POWERDOWN]
    boot = fabric.guest(0, 0)
    assert (boot.cpu.entries, boot.cpu.x[10], boot.cpu.x[11]) == ([(RAM, 0x8300_0000)], 0, 0x8300_0000)


@pytest.mark.parametrize("master", [0, 1, 2])
@pytest.mark.parametrize("faithful", list(Faithful))
def test_a_hart_starts_once(master: int, faithful: Faithful) -> None:
    fabric = RiscvFabric(machine(vm(0, 3, cpu_affinity=(master,)), faithful=faithful))
    boot, second = fabric.guest(0, 0), fabric.guest(0, 1)
    assert boot.settled(HSM, STATUS, 1) == (0, STOPPED)
    assert boot.settled(HSM, START, 1, RAM + 8, 0xFEDC_BA98_7654_3210) == (0, 0)
    assert (second.state, second.cpu.pc, second.cpu.x[10:12]) == (State.RUNNING, RAM + 8, [1, 0xFEDC_BA98_7654_3210])
    assert boot.settled(HSM, START, 1, RAM, 0) == (-6, 0)
    assert boot.settled(HSM, STATUS, 1) == (0, STARTED)
    assert second.settled(HSM, STATUS, 0) == (0, STARTED)
    assert second.settled(HSM, START, 0, RAM, 0) == (-6, 0)
    assert len(second.cpu.entries) == 1


def test_two_that_start_the_same_hart() -> None:
    """Whose message comes first has started it."""
    fabric = RiscvFabric(machine(vm(0, 3)))
    boot, second, third = (fabric.guest(0, n) for n in range(3))
    boot.settled(HSM, START, 1, RAM, 0)
    assert boot.call(HSM, START, 2, RAM, 7) is None
    assert second.call(HSM, START, 2, RAM, 8) is None
    fabric.settle(lambda channels: channels[-1])
    assert (boot.answer, second.answer, third.cpu.entries) == ((-6, 0), (0, 0), [(RAM, 8)])


def test_a_hart_that_stops_can_start_again() -> None:
    fabric = RiscvFabric(machine(vm(0, 2)))
    boot, second = fabric.guest(0, 0), fabric.guest(0, 1)
    boot.settled(HSM, START, 1, RAM, 0)
    assert second.call(HSM, STOP) is None
    assert boot.settled(HSM, STATUS, 1) == (0, STOPPED)
    assert boot.settled(HSM, START, 1, RAM + 4, 5) == (0, 0)
    assert (second.state, second.cpu.entries[-1]) == (State.RUNNING, (RAM + 4, 5))


def test_bao_stops_no_hart() -> None:
    guest = RiscvFabric(machine(vm(0, 2), faithful=Faithful.STRICT)).guest(0, 0)
    assert guest.call(HSM, STOP) == (-2, 0)
    assert guest.state is State.RUNNING


@pytest.mark.parametrize("faithful", list(Faithful))
def test_what_the_controller_has_for_a_hart_that_starts(faithful: Faithful) -> None:
    """Bao clears it, and the hart waits until the controller looks again."""
    fabric = RiscvFabric(machine(vm(0, 2), faithful=faithful))
    boot, second = fabric.guest(0, 0), fabric.guest(0, 1)
    second.cpu.external = True
    boot.settled(HSM, START, 1, RAM, 0)
    assert second.cpu.external is (faithful is not Faithful.STRICT)


# Sleep


def sleeper(sie: int, **pending: bool) -> Guest:
    """Hart 0, which has called suspend; its timer is due in a while."""
    guest = RiscvFabric(machine(vm(0))).guest(0, 0)
    guest.cpu.csrs["stimecmp"], guest.cpu.csrs["sie"] = 1000, sie
    for name, value in pending.items():
        setattr(guest.cpu, name, value)
    guest.call(HSM, SUSPEND, 0)
    return guest


@pytest.mark.parametrize("kind", [0, 1 << 32, 0xFFFF_FFFF_0000_0000])
def test_a_hart_sleeps_and_goes_on(kind: int) -> None:
    guest = RiscvFabric(machine(vm(0))).guest(0, 0)
    assert guest.call(HSM, SUSPEND, kind) is None
    assert guest.state is State.STANDBY
    pc = guest.cpu.pc
    guest.pcpu.wake()
    assert (guest.state, guest.answer, guest.cpu.pc, len(guest.cpu.entries)) == (State.RUNNING, (0, 0), pc, 1)


@pytest.mark.parametrize(
    ("sie", "pending", "state"),
    [
        (0, {"software": True}, State.STANDBY),
        (TIMER | EXTERNAL, {"software": True}, State.STANDBY),
        (SOFTWARE, {"software": True}, State.RUNNING),
        (EXTERNAL, {"external": True}, State.RUNNING),
        (TIMER, {"timer": True}, State.RUNNING),
        (TIMER, {}, State.STANDBY),
    ],
)
def test_a_hart_does_not_sleep_over_what_it_has_enabled(sie: int, pending: dict[str, bool], state: State) -> None:
    assert sleeper(sie, **pending).state is state


def test_an_ipi_wakes_and_a_question_does_not() -> None:
    fabric = RiscvFabric(machine(vm(0, 2)))
    boot, second = fabric.guest(0, 0), fabric.guest(0, 1)
    boot.settled(HSM, START, 1, RAM, 0)
    assert second.call(HSM, SUSPEND, 0) is None
    assert boot.settled(HSM, STATUS, 1) == (0, STARTED), "Bao has no other word for it"
    assert boot.settled(HSM, START, 1, RAM, 0) == (-6, 0)
    assert second.state is State.STANDBY
    boot.call(IPI, 0, 2, 0)
    fabric.settle()
    assert (second.state, second.answer, second.cpu.software) == (State.RUNNING, (0, 0), True)


def test_what_a_question_brings_about_wakes() -> None:
    """Another hart's store to the controller may raise an interrupt of the sleeping home."""
    guest, states = sleeper(EXTERNAL), []
    for external in (False, True):
        guest.cpu.external = external
        guest.pcpu.message(0, SbiHartStatus())
        states.append(guest.state)
    assert states == [State.STANDBY, State.RUNNING]


@pytest.mark.parametrize("enabled", [False, True])
def test_a_message_to_the_interrupt_file_wakes_as_far_as_it_is_enabled(enabled: bool) -> None:
    """On hardware it enters no hypervisor, so that nothing but its interrupt can end the sleep."""
    board = Board(Aia(APLIC, IMSIC), harts=2)
    boot, second = board.guest(0, 0), board.guest(0, 1)
    boot.settled(HSM, START, 1, RAM, 0)
    second.cpu.csrs["sie"] = EXTERNAL
    second.call(HSM, SUSPEND, 0)
    second.cpu.external = enabled  # what the file makes of it is the core's
    second.pcpu.message(boot.pcpu.id, ImsicMessage(5))
    assert second.cpu.injected == [5]
    assert second.state is (State.RUNNING if enabled else State.STANDBY)


def test_another_vms_notification_wakes() -> None:
    ipcs = (mailbox(52),)
    fabric = RiscvFabric(machine(vm(0, ipcs=ipcs), vm(1, ipcs=ipcs), shared_memory=(MAILBOX,)))
    fabric.guest(1, 0).call(HSM, SUSPEND, 0)
    fabric.guest(0, 0).call(BAO, 1, 0, 0)
    fabric.settle()
    assert fabric.guest(1, 0).state is State.RUNNING


# A parked hart, another life


def test_a_parked_hart_is_a_started_one() -> None:
    fabric = RiscvFabric(machine(vm(0, 2)))
    boot, second = fabric.guest(0, 0), fabric.guest(0, 1)
    boot.settled(HSM, START, 1, RAM, 0)
    second.trap(2)
    assert second.state is State.PARKED
    assert boot.settled(HSM, STATUS, 1) == (0, STARTED)
    assert boot.settled(HSM, START, 1, RAM, 0) == (-6, 0)
    boot.call(IPI, 0, 2, 0)
    fabric.settle()
    assert second.state is State.PARKED


def test_in_a_new_life_of_the_vm_only_hart_0_runs() -> None:
    fabric = RiscvFabric(machine(vm(0, 2)))
    boot, second = fabric.guest(0, 0), fabric.guest(0, 1)
    boot.settled(HSM, START, 1, RAM, 0)
    for guest in (boot, second):
        guest.pcpu.halt()
    for guest in (boot, second):
        guest.pcpu.reset_vm()
        fabric.collect(guest.pcpu)
    fabric.settle()
    assert (boot.state, second.state) == (State.RUNNING, State.POWERDOWN)
    assert boot.settled(HSM, START, 1, RAM, 3) == (0, 0)
    assert second.cpu.entries[-1] == (RAM, 3)


@dataclass
class Asked:
    """What a hart waits to be told."""

    function: int
    target: int
    opaque: int


@settings(max_examples=examples(80))
@given(st.data())
def test_harts_in_any_interleaving(data: st.DataObject) -> None:
    """They start one another, stop, sleep and ask, at random, while messages crawl.

    What must hold: a hart enters exactly as often as a start of it has returned 0, with the arguments of those calls;
    nobody is paused for ever; what was said of a hart when nothing is under way is so.
    """
    fabric = RiscvFabric(machine(vm(0, 4, cpu_affinity=(data.draw(st.integers(0, 3)),))))
    guests = [fabric.guest(0, n) for n in range(4)]
    asked: dict[int, Asked] = {}
    granted: list[list[int]] = [[], [], [], []]
    opaque = 0

    def answers() -> None:
        """They must be taken before the guest executes anything else."""
        for n in [n for n in asked if guests[n].state is State.RUNNING]:
            question, (error, value) = asked.pop(n), guests[n].answer
            if question.function == STATUS:
                assert (error, value) in ((0, STARTED), (0, STOPPED))
            elif error == 0:
                granted[question.target].append(question.opaque)
            else:
                assert (error, value) == (-6, 0)

    for _ in range(data.draw(st.integers(1, 50))):
        running = [n for n in range(4) if guests[n].state is State.RUNNING]
        channels = fabric.waiting()
        if channels and (not running or data.draw(st.booleans())):
            fabric.deliver(data.draw(st.sampled_from(channels)))
        elif running:
            n = data.draw(st.sampled_from(running))
            function = data.draw(st.sampled_from([START, START, START, STATUS, STOP, SUSPEND, IPI]))
            if function == IPI:
                guests[n].call(IPI, 0, data.draw(st.integers(0, 15)), 0)
            elif function == SUSPEND:
                guests[n].call(HSM, SUSPEND, 0)
            elif function == STOP:
                if len(running) > 1:
                    guests[n].call(HSM, STOP)
            else:
                opaque += 1
                asked[n] = Asked(function, data.draw(st.integers(0, 3)), opaque)
                guests[n].call(HSM, function, asked[n].target, RAM, opaque)
        answers()
    fabric.settle(lambda channels: data.draw(st.sampled_from(channels)))
    answers()
    assert not asked
    assert all(guest.state is not State.PAUSED for guest in guests)
    for n, guest in enumerate(guests):
        assert sorted(context for _, context in guest.cpu.entries[1 if n == 0 else 0 :]) == sorted(granted[n])
    survivor = next((guest for guest in guests if guest.state is State.RUNNING), None)
    if survivor is not None:
        for n, guest in enumerate(guests):
            stopped = guest.state is State.POWERDOWN
            assert survivor.settled(HSM, STATUS, n) == (0, STOPPED if stopped else STARTED)


@given(st.integers(0, 6))
def test_harts_go_on_from_what_was_saved(moved: int) -> None:
    """With a question under way, or its answer."""
    boot = machine(vm(0, 3))
    before, after = RiscvFabric(boot), RiscvFabric(boot, start=False)
    before.guest(0, 0).settled(HSM, START, 1, RAM, 5)
    before.guest(0, 1).call(HSM, START, 2, RAM, 6)
    before.guest(0, 0).call(HSM, STATUS, 2)
    for _ in range(moved):
        if channels := before.waiting():
            before.deliver(channels[0])
    after.load(before.save())
    for fabric in (before, after):
        fabric.settle()
    assert after.save() == before.save()
    assert after.guest(0, 1).answer == (0, 0)
    assert after.guest(0, 2).cpu.entries == [(RAM, 6)]
