"""A pcpu in virtual time, turn by turn, on a core without instructions: when things come, go and end a turn."""

from __future__ import annotations

from collections import deque
from typing import cast

import pytest

from baonet.actors.body import Activity
from baonet.actors.seat import Seat
from baonet.core.cpu import Core
from baonet.hyp.armv8 import psci
from baonet.hyp.armv8.cpu import Exit
from baonet.hyp.armv8.psci_messages import PsciCpuOn, PsciOn
from baonet.hyp.messages import IpcNotify
from baonet.machine import MessageKind
from baonet.trace.records import FaultKind, Kind
from baonet.wire import messages as wire
from baonet.wire.messages import AGENT
from baonet.wire.turns import NEVER, Crash, Delivery, FaultNote, Recess, Stall, Turn, Turned
from tests.actors.fake_core import FakeCore
from tests.actors.test_body import PLAN

WINDOW = 100
LATENCY = dict.fromkeys(MessageKind, 10) | {MessageKind.IPC: 40}
NOTIFIED = IpcNotify(0, 0)


class Case:
    def __init__(self, pcpu: int = 0) -> None:
        self.core = FakeCore()
        self.core.uart_states = [(0, 0, 0)]
        self.seat = Seat(PLAN, pcpu, cast(Core, self.core), WINDOW, LATENCY)
        self.sequence = 0

    def delivery(self, message: object, due: int = 0, source: int = AGENT) -> Delivery:
        self.sequence += 1
        return Delivery(due, source, self.sequence, message)  # type: ignore[arg-type]

    def turn(self, until: int, *inbox: Delivery, rest: int = 0) -> Turned:
        turned = self.seat.turn(Turn(0, until, rest, inbox))
        assert isinstance(turned, Turned)
        return turned

    def started(self) -> Case:
        """Its guest waits, whatever it does next."""
        stays, self.core.stays = self.core.stays, deque()
        self.turn(1, self.delivery(wire.Start()))
        self.core.stays = stays
        self.core.due = self.core.time
        return self


def test_one_that_was_not_started_has_nothing_to_do() -> None:
    assert Case().turn(WINDOW) == Turned(0, 0, NEVER, (), ())


def test_a_waiting_guest_jumps_to_its_timer_and_to_what_comes() -> None:
    case = Case().started()
    case.core.due = 70
    entered = case.core.entered
    turned = case.turn(WINDOW)
    assert (turned.time, case.core.entered) == (71, entered + 1), "the timer ends the wait, and the guest waits again"
    assert case.turn(300, case.delivery(NOTIFIED, 250, source=2)).time >= 250
    arrived = [note for note in case.core.notes if note[0] == Kind.ARRIVED]
    assert [note[3] for note in arrived] == [250]


def test_what_lies_beyond_the_turn_stays_for_the_next() -> None:
    case = Case().started()
    turned = case.turn(WINDOW, case.delivery(NOTIFIED, 250, source=2))
    assert (turned.next, case.seat.body.received) == (250, 0)
    assert case.turn(300).next == NEVER
    assert case.seat.body.received == 1


def test_a_message_is_due_by_its_kind_and_overtakes_none_before_it() -> None:
    """Hypercalls of PSCI are quicker than notifications here, and yet the channel is FIFO."""
    case = Case().started()
    case.core.time = 500
    case.seat.send(2, NOTIFIED)
    case.seat.send(2, PsciOn(0, 0))
    case.seat.send(1, PsciOn(0, 0))
    posts = case.turn(501).posts
    assert [(post.target, post.due - post.time) for post in posts] == [(2, 40), (2, 40), (1, 10)]


def test_who_sends_comes_to_the_end_of_its_window() -> None:
    """So that what is sent is not too late for the other, who could run meanwhile."""
    case = Case().started()
    case.core.calls(psci.CPU_ON_64, 1, 0x4000_0000, 0)
    for _ in range(1000):
        case.core.then(Exit.BUDGET)
    turned: Turned | Recess = case.seat.turn(Turn(0, 10 * WINDOW, 0, ()))
    while not isinstance(turned, Turned):
        turned = case.seat.resume()
    assert WINDOW <= turned.time <= WINDOW + 1


def test_messages_at_one_moment_come_by_their_senders_and_numbers() -> None:
    case = Case().started()
    case.turn(
        WINDOW,
        Delivery(20, 2, 7, NOTIFIED),
        Delivery(20, 1, 9, PsciCpuOn(1, 0, 0)),
        Delivery(20, 2, 6, NOTIFIED),
        Delivery(10, 2, 8, NOTIFIED),
    )
    arrived = [note[2] & 0xFFF for note in case.core.notes if note[0] == Kind.ARRIVED]
    numbers = [note[2] >> 16 for note in case.core.notes if note[0] == Kind.ARRIVED]
    assert (arrived, numbers) == ([2, 1, 2, 2], [8, 9, 6, 7])


def test_a_stall_is_time_and_a_crash_is_for_good() -> None:
    case = Case().started()
    case.turn(WINDOW, case.delivery(Stall(0, 30), 10))
    assert case.core.time == 40
    entered = case.core.entered
    turned = case.turn(2 * WINDOW, case.delivery(Crash(1), 120), case.delivery(NOTIFIED, 130, source=2))
    assert turned.next == NEVER
    assert case.core.entered == entered
    assert case.seat.body.activity is Activity.CRASHED
    assert [each.text for each in turned.said if isinstance(each, wire.Notice)] == ["crashed, as faults[1] says"]
    assert case.seat.body.received == 1, "its hypervisor is counted all the same"
    faults = [note[2] for note in case.core.notes if note[0] == Kind.FAULT]
    assert faults == [FaultKind.STALL, FaultKind.CRASH]


def test_the_note_of_a_fault_is_for_the_trace_alone() -> None:
    case = Case().started()
    case.turn(WINDOW, case.delivery(FaultNote(3, FaultKind.DROP, 5), 50, source=2))
    assert (Kind.FAULT, 3, FaultKind.DROP, 5) in case.core.notes
    assert case.seat.body.received == 0


def test_a_turn_has_a_recess_and_goes_on_as_if_nothing_had_been() -> None:
    """With so many exits that whoever gives the turns should look around."""
    case = Case().started()
    for _ in range(300):
        case.core.calls(psci.VERSION)
    entered = case.core.entered
    recess = case.seat.turn(Turn(0, 10_000, 0, ()))
    assert isinstance(recess, Recess)
    assert 0 < case.core.entered - entered < 300
    turned = case.seat.resume()
    assert isinstance(turned, Turned)
    assert case.core.entered - entered == 301


def test_a_report_comes_behind_the_guests_last_words() -> None:
    case = Case().started()
    case.core.prints(b"bye")
    case.core.calls(psci.SYSTEM_OFF)
    said: list[object] = []
    turned = case.seat.turn(Turn(0, WINDOW, 0, ()))
    said += turned.said
    while isinstance(turned, Recess):
        turned = case.seat.resume()
        said += turned.said
    assert said == [wire.ConsoleOutput(0, 0, 0, b"bye"), wire.VmOff(0, "system off")]


def test_what_has_no_meaning_in_virtual_time_is_refused() -> None:
    with pytest.raises(ValueError, match="does not understand Hello in virtual time"):
        Case().turn(WINDOW, Delivery(0, AGENT, 0, wire.Hello(3, 0)))


def test_the_last_words_are_complete_in_the_middle_of_a_turn() -> None:
    case = Case().started()
    case.core.printed.append((0, 0, b"half"))
    case.seat.say(wire.InputTaken(0, 1))
    output, taken, examined, statistics = case.seat.last_words()
    assert output == wire.ConsoleOutput(0, 0, 0, b"half")
    assert taken == wire.InputTaken(0, 1)
    assert isinstance(examined, wire.Examined)
    assert isinstance(statistics, wire.Statistics)
    assert statistics.counters["cycles"] == case.core.time
