"""Whose turn it is and when messages come, on random small islands whose pcpus follow scripts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baonet.actors.island import Island
from baonet.machine.saved import StateError
from baonet.wire.messages import ConsoleInput, Start
from baonet.wire.turns import NEVER, Turned
from tests.actors.fake_seat import BLOCK, Action, FakeSeat, Send, Wait, Work, Yield

TURNS = 20_000


@dataclass(frozen=True)
class Case:
    window: int
    latency: int
    scripts: tuple[tuple[Action, ...], ...]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    pcpus = draw(st.integers(2, 4))
    action = st.one_of(
        st.builds(Work, st.integers(1, 300)),
        st.builds(Send, st.integers(0, pcpus - 1)),
        st.just(Wait()),
        st.just(Yield()),
    )
    scripts = draw(st.lists(st.lists(action, max_size=14).map(tuple), min_size=pcpus, max_size=pcpus))
    return Case(draw(st.integers(1, 120)), draw(st.integers(0, 150)), tuple(scripts))


class Run:
    """An island that has been run to its end; ``late`` counts what was due before the receiver's clock."""

    def __init__(self, case: Case) -> None:
        self.island = Island(range(len(case.scripts)), case.window)
        self.seats = [
            FakeSeat(pcpu, list(script), case.window, case.latency) for pcpu, script in enumerate(case.scripts)
        ]
        self.late = 0
        for pcpu in self.island.pcpus:
            self.island.tell(pcpu, ConsoleInput(0, b""), 0)  # what lets it begin

    def to(self, horizon: int) -> Run:
        for _ in range(TURNS):
            turn = self.island.pick(horizon)
            if turn is None:
                return self
            turned = self.seats[turn.pcpu].turn(turn)
            clocks = [seat.clock for seat in self.seats]
            self.late += sum(clocks[post.target] > post.due for post in turned.posts)
            self.island.done(turned)
        raise AssertionError("it does not end")

    def story(self) -> list[object]:
        return [(seat.clock, seat.sent, seat.taken) for seat in self.seats]

    def messages(self, seat: FakeSeat) -> list[tuple[int, int, int, int]]:
        """What it took of other pcpus."""
        return [taken for taken in seat.taken if taken[2] >= 0]


@given(cases())
@settings(max_examples=400)
def test_nothing_is_lost_doubled_or_early(case: Case) -> None:
    run = Run(case).to(NEVER)
    sent = Counter((seat.pcpu, target, number, due) for seat in run.seats for _, due, target, number in seat.sent)
    taken = Counter(
        (source, seat.pcpu, number, due) for seat in run.seats for _, due, source, number in run.messages(seat)
    )
    assert taken == sent
    for seat in run.seats:
        assert all(due >= time + case.latency for time, due, _, _ in seat.sent)
        assert all(time >= due for time, due, _, _ in seat.taken)


@given(cases())
@settings(max_examples=400)
def test_channels_are_fifo_and_time_goes_on(case: Case) -> None:
    run = Run(case).to(NEVER)
    for seat in run.seats:
        for source in range(len(run.seats)):
            numbers = [number for _, _, sender, number in seat.taken if sender == source]
            assert numbers == sorted(numbers)
        assert [time for time, *_ in seat.taken] == sorted(time for time, *_ in seat.taken)


@given(cases())
@settings(max_examples=400)
def test_it_is_exact_or_less_than_a_window_late(case: Case) -> None:
    run = Run(case).to(NEVER)
    deliveries = run.island.deliveries
    everything = sum(len(seat.sent) for seat in run.seats)
    assert deliveries.late == run.late
    assert deliveries.exact + deliveries.late == everything
    # A guest stops at a block's start, so it may be past the end of its window, or past what is due, by a block.
    assert deliveries.latest < case.window + BLOCK
    for seat in run.seats:
        for time, due, _, _ in run.messages(seat):
            assert time - due < case.window + 2 * BLOCK + len(seat.sent)


@given(cases(), st.lists(st.integers(1, 400), max_size=12))
@settings(max_examples=400)
def test_horizons_change_nothing(case: Case, steps: list[int]) -> None:
    whole, cut = Run(case).to(NEVER), Run(case)
    horizon = 0
    for step in steps:
        horizon += step
        cut.to(cut.island.end_of_window(horizon))
    assert cut.to(NEVER).story() == whole.story()


@given(cases(), st.integers(0, 600), st.integers(0, 3))
@settings(max_examples=400)
def test_what_comes_from_outside_might_have_been_known_before(case: Case, moment: int, pcpu: int) -> None:
    """A session and its replay."""
    pcpu %= len(case.scripts)
    live = Run(case)
    live.to(live.island.end_of_window(moment))
    due = live.island.open_end
    live.island.tell(pcpu, ConsoleInput(0, b"x"), due)
    replay = Run(case)
    replay.island.tell(pcpu, ConsoleInput(0, b"x"), due)
    one, other = live.to(NEVER), replay.to(NEVER)
    # the number of what comes from outside counts in the order of telling
    assert one.story() == other.story()


def test_a_waiting_pcpu_is_woken_at_the_very_moment() -> None:
    run = Run(
        Case(window=10_000, latency=500, scripts=((Work(33), Send(1), Wait(), Work(5)), (Wait(), Work(20), Send(0))))
    ).to(NEVER)
    # both are let go at 0, which ends the first wait of none of them: it comes before the script
    (arrival,) = run.messages(run.seats[1])
    assert arrival[:2] == (533, 533)
    (answer,) = run.messages(run.seats[0])
    assert answer[:2] == (1053, 1053)
    assert (run.island.deliveries.exact, run.island.deliveries.late) == (2, 0)


def test_what_comes_while_a_pcpu_has_its_turn_wakes_it() -> None:
    island = Island((0,), 100)
    island.tell(0, Start(), 0)
    turn = island.pick(1000)
    assert turn is not None
    island.tell(0, ConsoleInput(0, b"x"), 1000)
    island.done(Turned(0, 50, NEVER, (), ()))
    assert island.next == 1000
    again = island.pick(2000)
    assert again is not None
    assert [delivery.message for delivery in again.inbox] == [ConsoleInput(0, b"x")]


def test_a_busy_pcpu_hears_at_the_end_of_its_window() -> None:
    run = Run(Case(window=1000, latency=10, scripts=((Work(5000),), (Work(70), Send(0), Wait())))).to(NEVER)
    ((time, due, _, _),) = run.messages(run.seats[0])
    assert due == 80
    assert 1000 <= time < 1000 + BLOCK
    assert run.island.deliveries.latest == time - due


def test_one_that_is_alone_runs_on_until_it_speaks() -> None:
    scripts = ((Work(5000), Send(1), Work(5000)), (Wait(),))
    run = Run(Case(window=100, latency=10, scripts=scripts))
    turns = []
    while (turn := run.island.pick(NEVER)) is not None:
        turns.append(turn.pcpu)
        run.island.done(run.seats[turn.pcpu].turn(turn))
    assert len(turns) < 10, "not one turn for each window"
    assert run.messages(run.seats[1])[0][:2] == (5010, 5010)


@pytest.mark.parametrize("alone", [True, False])
def test_a_guest_that_yields_waits_out_its_window_if_another_is_busy(alone: bool) -> None:
    scripts = ((Work(150), Yield(), Work(1)), (Wait(),) if alone else (Work(500),))
    run = Run(Case(window=100, latency=0, scripts=scripts)).to(NEVER)
    assert run.seats[0].clock == (152 if alone else 201)


def test_a_pcpu_that_is_removed_hears_nothing_and_runs_no_more() -> None:
    run = Run(Case(window=10, latency=0, scripts=((Work(50), Send(1)), (Work(1000),))))
    run.to(20)
    run.island.remove([1])
    run.to(NEVER)
    assert run.messages(run.seats[1]) == []
    assert run.seats[1].clock < 40


@given(cases(), st.lists(st.integers(1, 400), max_size=8))
@settings(max_examples=200)
def test_an_island_goes_on_from_what_was_saved(case: Case, steps: list[int]) -> None:
    """At any horizon, the end of a window or not, another one of the same pcpus takes its place."""
    whole, cut = Run(case), Run(case)
    horizon = 0
    for step in steps:
        horizon += step
        whole.to(horizon)
        cut.to(horizon)
        saved = msgpack.unpackb(msgpack.packb(cut.island.save()))
        cut.island = Island(cut.island.pcpus, case.window)
        cut.island.load(saved)
    assert cut.to(NEVER).story() == whole.to(NEVER).story()
    assert cut.island.deliveries == whole.island.deliveries


def test_the_state_of_another_island_is_refused() -> None:
    with pytest.raises(StateError, match="has other pcpus: load it into the machine that it was saved from"):
        Island((0, 1), 10).load(Island((0, 2), 10).save())
