"""A pcpu in virtual time, turn by turn, on a core without instructions: when things come and go, what ends a turn."""

from __future__ import annotations

from typing import cast

import pytest

from baonet.actors.body import Activity
from baonet.actors.island import MAILBOX, MailboxFullError
from baonet.actors.seat import BULK, Seat
from baonet.core.cpu import Core
from baonet.hyp.armv8 import psci
from baonet.hyp.armv8.cpu import Exit
from baonet.hyp.armv8.psci_messages import PsciCpuOn, PsciOn
from baonet.hyp.messages import IpcNotify
from baonet.machine import MessageKind
from baonet.trace.records import FaultKind, Kind
from baonet.wire import messages as wire
from baonet.wire.messages import AGENT
from baonet.wire.turns import NEVER, Crash, Delivery, FaultNote, Stall, Turn, Turned
from tests.actors.fake_core import FakeCore
from tests.actors.test_body import PLAN

LATENCY = dict.fromkeys(MessageKind, 10) | {MessageKind.IPC: 40}
NOTIFIED = IpcNotify(0, 0)


class Case:
    """``stay`` is what the engine does between two turns: it has the guest go on, until it is left."""

    def __init__(self, pcpu: int = 0) -> None:
        self.core = FakeCore()
        self.core.uart_states = [(0, 0, 0)]
        self.seat = Seat(PLAN, pcpu, cast(Core, self.core), LATENCY)
        self.sequence = 0

    def delivery(self, message: object, due: int = 0, source: int = AGENT) -> Delivery:
        self.sequence += 1
        return Delivery(due, source, self.sequence, message)  # type: ignore[arg-type]

    def turn(self, moment: int, *inbox: Delivery, reason: int = -1) -> Turned:
        return self.seat.turn(Turn(self.seat.pcpu, moment, reason, inbox))

    def stay(self, moment: int = 0) -> Turned:
        return self.turn(moment, reason=self.core.run(0))

    def started(self) -> Case:
        assert self.turn(0, self.delivery(wire.Start())).running
        return self

    def waiting(self) -> Case:
        self.started()
        assert not self.stay().running
        return self

    def recorded(self, kind: Kind) -> list[tuple[int, int, int]]:
        return [note[1:] for note in self.core.notes if note[0] == kind]


def test_one_that_was_not_started_has_nothing_to_do() -> None:
    assert Case().turn(100) == Turned(0, 0, False, NEVER, (), (), more=False)


def test_one_that_is_started_goes_on_until_something_is_due() -> None:
    case = Case()
    turned = case.turn(0, case.delivery(wire.Start()), case.delivery(NOTIFIED, 250, source=2))
    assert turned == Turned(0, 0, True, 250, (), (), more=False)
    assert case.seat.body.received == 0
    case.core.time = 257  # a guest stops at the start of a block
    assert case.turn(250, reason=Exit.BUDGET) == Turned(0, case.core.time, True, NEVER, (), (), more=False)
    assert case.seat.body.received == 1


def test_a_waiting_guest_sleeps_to_its_timer() -> None:
    case = Case().started()
    case.core.due = 70
    assert case.stay(69) == Turned(0, 0, False, 70, (), (), more=False), "that is behind the turn"
    assert case.turn(70) == Turned(0, 70, True, NEVER, (), (), more=False)


def test_a_waiting_guest_hears_at_the_very_moment() -> None:
    case = Case().waiting()
    assert case.turn(249, case.delivery(NOTIFIED, 250, source=2)) == Turned(0, 0, False, 250, (), (), more=False)
    case.core.pending = True  # the interrupt that comes of it
    turned = case.turn(250)
    assert (turned.running, turned.next) == (True, NEVER)
    assert [due for _, _, due in case.recorded(Kind.ARRIVED)] == [250]


def test_a_wait_that_nothing_ends_takes_the_time_of_what_comes() -> None:
    """Its core masks the interrupt: the message is taken all the same, and the guest waits on."""
    case = Case().waiting()
    turned = case.turn(300, case.delivery(NOTIFIED, 250, source=2))
    assert (turned.running, turned.next, case.seat.body.received) == (False, NEVER, 1)
    assert turned.time >= 250


def test_an_exit_is_the_hypervisors_and_its_guest_goes_on() -> None:
    case = Case().started()
    case.core.calls(psci.VERSION)
    assert case.stay().running
    assert case.core.x[0] == 0x10001, "PSCI 1.1"


def test_a_message_is_due_by_its_kind_and_overtakes_none_before_it() -> None:
    """Hypercalls of PSCI are quicker than notifications here, and yet the channel is FIFO."""
    case = Case().started()
    case.core.time = 500
    case.seat.send(2, NOTIFIED)
    case.seat.send(2, PsciOn(0, 0))
    case.seat.send(1, PsciOn(0, 0))
    posts = case.turn(501).posts
    assert [(post.target, post.due - post.time) for post in posts] == [(2, 40), (2, 40), (1, 10)]


def test_a_message_is_due_by_the_time_that_its_sender_sees() -> None:
    """Not by its clock, which may be behind what it has seen of others."""
    case = Case().started()
    case.core.time, case.core.floor = 500, 530
    case.seat.send(2, NOTIFIED)
    (post,) = case.turn(500).posts
    assert (post.time, post.due) == (530, 570)


def test_a_call_that_reaches_another_pcpu_is_posted() -> None:
    case = Case().started()
    case.core.time = 20
    case.core.calls(psci.CPU_ON_64, 1, 0x4000_0000, 7)
    (post,) = case.stay().posts
    assert (post.target, post.time, post.due, post.message) == (1, 20, 30, PsciOn(0x4000_0000, 7))


def test_messages_at_one_moment_come_by_their_senders_and_numbers() -> None:
    case = Case().waiting()
    case.turn(
        100,
        Delivery(20, 2, 7, NOTIFIED),
        Delivery(20, 1, 9, PsciCpuOn(1, 0, 0)),
        Delivery(20, 2, 6, NOTIFIED),
        Delivery(10, 2, 8, NOTIFIED),
    )
    arrived = [number for _, number, _ in case.recorded(Kind.ARRIVED)]
    assert [number & 0xFFF for number in arrived] == [2, 1, 2, 2]
    assert [number >> 16 for number in arrived] == [8, 9, 6, 7]


def test_a_stall_is_time_and_a_crash_is_for_good() -> None:
    case = Case().waiting()
    case.turn(100, case.delivery(Stall(0, 30), 10))
    assert case.core.time == 40
    turned = case.turn(200, case.delivery(Crash(1), 120), case.delivery(NOTIFIED, 130, source=2))
    assert (turned.running, turned.next) == (False, NEVER)
    assert case.seat.body.activity is Activity.CRASHED
    assert [each.text for each in turned.said if isinstance(each, wire.Notice)] == ["crashed, as faults[1] says"]
    assert case.seat.body.received == 1, "its hypervisor is counted all the same"
    assert [kind for _, kind, _ in case.recorded(Kind.FAULT)] == [FaultKind.STALL, FaultKind.CRASH]


def test_the_note_of_a_fault_is_for_the_trace_alone() -> None:
    case = Case().waiting()
    case.turn(100, case.delivery(FaultNote(3, FaultKind.DROP, 5), 50, source=2))
    assert case.recorded(Kind.FAULT) == [(3, FaultKind.DROP, 5)]
    assert case.seat.body.received == 0


def test_input_that_the_uart_has_no_room_for_is_tried_again() -> None:
    case = Case().waiting()
    turned = case.turn(0, case.delivery(wire.ConsoleInput(0, b"x")))
    assert turned.next > case.core.time
    case.core.room = 1
    assert case.turn(turned.next).next == NEVER
    assert case.core.taken == b"x"


def test_a_turn_of_which_too_much_comes_is_handed_over_piece_by_piece() -> None:
    case = Case().waiting()
    turned = case.turn(0, *(case.delivery(Crash(0)) for _ in range(2 * BULK)))
    assert (turned.more, len(turned.said)) == (True, BULK)
    turned = case.turn(0)
    assert (turned.more, len(turned.said)) == (True, BULK)
    assert case.turn(0) == Turned(0, 0, False, NEVER, (), (), more=False)


def test_a_report_comes_behind_the_guests_last_words() -> None:
    case = Case().started()
    case.core.prints(b"bye")
    case.core.calls(psci.SYSTEM_OFF)
    case.core.run(0)  # the engine asks nobody for that
    assert case.stay().said == (wire.ConsoleOutput(0, 0, 0, b"bye"), wire.VmOff(0, "system off"))


def test_what_a_guest_has_printed_is_collected_while_it_stands() -> None:
    case = Case().started()
    assert case.seat.collect() == ()
    case.core.prints(b"on and on")
    case.core.run(0)
    assert case.seat.collect() == (wire.ConsoleOutput(0, 0, 0, b"on and on"),)
    assert case.seat.collect() == ()


def test_what_has_no_meaning_in_virtual_time_is_refused() -> None:
    with pytest.raises(ValueError, match="does not understand Hello in virtual time"):
        Case().turn(100, Delivery(0, AGENT, 0, wire.Hello(3, 0)))


def test_the_last_words_are_complete_in_the_middle_of_a_turn() -> None:
    case = Case().waiting()
    case.core.printed.append((0, 0, b"half"))
    case.seat.say(wire.InputTaken(0, 1))
    output, taken, examined, statistics = case.seat.last_words()
    assert output == wire.ConsoleOutput(0, 0, 0, b"half")
    assert taken == wire.InputTaken(0, 1)
    assert isinstance(examined, wire.Examined)
    assert isinstance(statistics, wire.Statistics)
    assert statistics.counters["cycles"] == case.core.time


def test_one_that_has_not_handed_over_what_it_says_is_not_saved() -> None:
    case = Case().started()
    case.seat.send(2, NOTIFIED)
    with pytest.raises(ValueError, match="pcpu 0 has not handed over what it says: save it after its turn"):
        case.seat.save()


def test_more_than_may_wait_ends_its_island_with_its_turn_and_not_before() -> None:
    """A conductor that is saved hands over what it has, as much again, also to one whose VM is off: it has no turn."""
    case = Case()
    one = Delivery(250, 2, 7, NOTIFIED)
    case.seat.deliver([one] * MAILBOX)
    case.turn(0)
    case.seat.deliver([one])
    with pytest.raises(MailboxFullError):
        case.turn(0)
