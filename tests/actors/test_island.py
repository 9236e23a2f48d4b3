"""What an island has for each of its pcpus, and what it tells those who decide who runs."""

from __future__ import annotations

from collections.abc import Iterable

import msgpack
import pytest

from baonet.actors.island import DONE, MAILBOX, RECESS, Island, MailboxFullError
from baonet.hyp.messages import IpcNotify
from baonet.hyp.riscv.irqc_messages import UpdateHartLine
from baonet.machine.saved import StateError
from baonet.trace.records import FaultKind
from baonet.wire.control import AGENT
from baonet.wire.messages import ConsoleInput, Halt, Reset, Start
from baonet.wire.turns import NEVER, Delivery, FaultNote, Post, Turn, Turned
from tests.actors.fake_rounds import FakeRounds

WINDOW = 100
NOTIFIED = IpcNotify(0, 0)


class Case:
    """The pcpus 2, 5 and 6: members 0, 1 and 2."""

    def __init__(self) -> None:
        self.rounds = FakeRounds(3)
        self.island = Island((5, 2, 6), WINDOW, self.rounds)

    def turn(self, member: int, reason: int = -1) -> Turn:
        self.rounds.asked.append((member, reason))
        turn = self.island.go(NEVER)
        assert isinstance(turn, Turn)
        return turn

    def done(self, pcpu: int, *posts: Post, time: int = 0, running: bool = True, next_: int = NEVER) -> None:
        self.island.done(Turned(pcpu, time, running, next_, posts, (), more=False))


def post(target: int, due: int, sequence: int = 0) -> Post:
    return Post(target, due - 10, due, sequence, NOTIFIED)


def test_who_is_asked_hears_why_until_when_and_what_has_come() -> None:
    case = Case()
    case.island.tell(5, Start(), 0)
    case.island.tell(5, ConsoleInput(0, b"x"), 70)
    inbox = (Delivery(0, AGENT, 1, Start()), Delivery(70, AGENT, 2, ConsoleInput(0, b"x")))
    assert case.turn(1, 4) == Turn(5, 0, 4, inbox)
    case.done(5, time=30, next_=700)
    assert case.turn(1) == Turn(5, 700, -1, ()), "all is told once"


def test_nobody_is_asked_when_the_rounds_have_nobody() -> None:
    case = Case()
    case.rounds.asked += [RECESS, DONE]
    assert [case.island.go(300), case.island.go(300)] == [RECESS, DONE]
    assert case.rounds.until == [300, 300]


@pytest.mark.parametrize("running", [True, False])
def test_what_came_of_a_turn_is_told_to_the_rounds(running: bool) -> None:
    case = Case()
    case.turn(1)
    case.done(5, time=50, running=running, next_=900)
    assert (case.rounds.running[1], case.rounds.clocks[1], case.rounds.due[1]) == (running, 50, 900)
    assert (case.island.clock(5), case.island.latest, case.island.next) == (50, 50, 900)
    assert case.island.standing is not running


def test_what_comes_while_a_pcpu_has_its_turn_is_due_though_it_knows_nothing_of_it() -> None:
    case = Case()
    case.turn(0)
    case.island.tell(2, ConsoleInput(0, b"x"), 1000)
    case.done(2, time=50, running=False)
    assert case.island.next == 1000
    assert [each.message for each in case.turn(0).inbox] == [ConsoleInput(0, b"x")]


def test_a_turn_that_is_not_over_moves_nobody_but_sends() -> None:
    case = Case()
    case.turn(0)
    case.done(2, time=40)
    case.turn(0)
    case.island.done(Turned(2, 60, True, 0, (post(5, 80),), (), more=True))
    assert case.island.clock(2) == 40
    assert case.rounds.due == [NEVER, 80, NEVER]


def test_a_message_comes_when_it_is_due_or_late_and_both_are_counted() -> None:
    case = Case()
    case.turn(1)
    case.done(5, time=100)
    case.turn(0)
    case.done(2, post(5, 130, 3), post(5, 100, 4), post(5, 60, 5), post(5, 95, 6), time=90)
    counted = case.island.deliveries
    assert (counted.exact, counted.late, counted.latest) == (2, 2, 40)
    assert case.turn(1).inbox == tuple(
        Delivery(due, 2, number, NOTIFIED) for number, due in enumerate((130, 100, 60, 95), 3)
    )


def test_a_notification_is_its_receivers_errand_where_that_runs_some() -> None:
    case = Case()
    case.rounds.errands.add(1)
    case.turn(0)
    posts = [post(5, 130, 3), Post(5, 90, 140, 4, UpdateHartLine(1)), post(6, 150, 5)]
    case.done(2, *posts, time=90)
    assert case.rounds.heard == [(1, 130, 2, 3, NOTIFIED.shmem, NOTIFIED.event)]
    assert [each.sequence for each in case.turn(1).inbox] == [4]
    assert [each.sequence for each in case.turn(2).inbox] == [5]
    assert case.island.deliveries.exact == 2, "the rounds count what they have"
    case.island.remove([5])
    case.done(2, post(5, 160, 6), time=90)
    assert len(case.rounds.heard) == 2, "and that it is gone"


def test_what_is_sent_to_another_island_goes_nowhere() -> None:
    case = Case()
    case.turn(0)
    case.done(2, post(4, 130))
    assert case.island.next == NEVER
    assert case.island.deliveries.exact == 0


def test_whoever_interferes_decides_what_becomes_of_a_message() -> None:
    """Dropped: a note; twice: at both times, of which one may be late; delayed: a note when it would have come."""
    dropped, doubled, delayed = (
        FaultNote(0, kind, 0) for kind in (FaultKind.DROP, FaultKind.DUPLICATE, FaultKind.DELAY)
    )
    fates: dict[int, list[tuple[int, FaultNote | None]]] = {
        0: [(NEVER, dropped)],
        1: [(50, None), (120, doubled)],
        2: [(90, delayed)],
    }

    def interfere(source: int, sent: Post) -> Iterable[tuple[int, FaultNote | None]]:
        assert source == 2
        return fates[sent.sequence]

    rounds = FakeRounds(2)
    island = Island((2, 5), WINDOW, rounds, interfere)
    island.done(Turned(2, 40, True, NEVER, tuple(post(5, 50, number) for number in range(3)), (), more=False))
    rounds.asked.append((1, -1))
    turn = island.go(NEVER)
    assert isinstance(turn, Turn)
    assert [(each.due, each.sequence, each.message) for each in turn.inbox] == [
        (50, 0, dropped),
        (50, 1, NOTIFIED),
        (50, 1, doubled),
        (120, 1, NOTIFIED),
        (50, 2, delayed),
        (90, 2, NOTIFIED),
    ]
    assert island.deliveries.exact == 3


def test_a_mailbox_that_is_full_ends_the_island_and_loses_nothing() -> None:
    case = Case()
    for number in range(MAILBOX):
        case.island.tell(5, ConsoleInput(0, b"x"), number)
    with pytest.raises(MailboxFullError, match=f"more than {MAILBOX} messages wait for pcpu 5: its VMs send faster"):
        case.done(2, post(5, 130))
    assert len(case.turn(1).inbox) == MAILBOX


def test_who_is_halted_stops_at_once_and_begins_anew_when_it_is_time() -> None:
    case = Case()
    case.island.halt((2, 6), 500)
    assert case.rounds.heard == [("called", 0), ("called", 2)]
    for member in (0, 2):
        assert [(each.due, each.message) for each in case.turn(member).inbox] == [(0, Halt()), (500, Reset())]


def test_who_is_removed_hears_nothing_any_more() -> None:
    case = Case()
    case.island.tell(5, Start(), 0)
    case.turn(1)
    case.island.tell(5, ConsoleInput(0, b"x"), 10)
    case.island.remove((5,))
    assert case.rounds.heard == [("gone", 1)]
    case.done(5, time=70)
    case.done(2, post(5, 130))
    case.island.tell(5, ConsoleInput(0, b"x"), 200)
    assert (case.island.next, case.rounds.clocks[1], case.island.deliveries.exact) == (NEVER, 0, 0)


def test_what_waits_is_handed_over_once_also_to_who_is_removed() -> None:
    """Errands bring it to its core at once, and it has it when it is saved."""
    case = Case()
    case.done(2, post(5, 130), post(6, 20, 1), post(5, 140, 2), time=25)
    case.island.remove((5,))
    case.done(2, post(5, 150, 3), time=35)
    assert [(pcpu, [each.due for each in mail]) for pcpu, mail in case.island.take_mail()] == [
        (5, [130, 140]),
        (6, [20]),
    ]
    assert list(case.island.take_mail()) == []


def test_ends_of_windows() -> None:
    case = Case()
    assert [case.island.end_of_window(moment) for moment in (0, 1, 100, 101)] == [0, 100, 100, 200]
    assert case.island.open_end == 100
    case.done(6, time=100)
    assert case.island.open_end == 200, "what is due at the end of a window belongs to the next"


def test_an_island_goes_on_from_what_was_saved() -> None:
    case, other = Case(), Case()
    case.done(6, time=40)
    case.done(2, post(5, 130), post(6, 20, 1), time=25)
    case.island.tell(5, ConsoleInput(0, b"x"), 70)
    case.island.remove((6,))
    other.island.load(msgpack.unpackb(msgpack.packb(case.island.save())))
    assert other.island.deliveries == case.island.deliveries
    assert other.turn(1) == case.turn(1)
    for each in (case, other):
        each.island.tell(5, Start(), 0)  # its number goes on
        each.island.tell(6, Start(), 0)  # it is still gone
        assert (each.island.latest, each.rounds.due[2]) == (40, NEVER)
    assert other.turn(1) == case.turn(1)


def test_the_state_of_another_island_is_refused() -> None:
    with pytest.raises(StateError, match="has other pcpus: load it into the machine that it was saved from"):
        Island((0, 1), 10, FakeRounds(2)).load(Island((0, 2), 10, FakeRounds(2)).save())
