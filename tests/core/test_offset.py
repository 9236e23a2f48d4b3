"""What is told of another clock holds, however its answers come."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baonet.core import _node
from tests.examples import examples

SECOND = 10**9
UNKNOWN_DRIFT = 1.001e-3
"""What the estimator takes for possible of clocks that it does not know, and a little more."""

delays = st.floats(0, 1) | st.floats(0, 1).map(lambda u: 0.01 / (1.01 - u) ** 2)
"""Of a message on its way, in milliseconds: some, and few that are very long."""
exchanges = st.lists(st.tuples(st.floats(0, 200), delays, delays), min_size=1, max_size=60)
"""Milliseconds until a question, on its way there, and on the way back."""
rates = st.floats(-500e-6, 500e-6)


@dataclass
class World:
    """Its time is in nanoseconds. Our clock runs with it; theirs is ``offset`` ahead and gains ``drift``."""

    offset: int
    drift: float
    now: float = 1e9
    answers: list[tuple[float, float]] = field(default_factory=list)

    def truth(self, time: float) -> float:
        """How far they are ahead when our clock shows ``time``."""
        return self.offset + self.drift * time

    def ask(self, estimator: _node.Offset, pause: float, there: float, back: float) -> tuple[int, float, int]:
        """Milliseconds."""
        sent = self.now + pause * 1e6
        read = sent + there * 1e6
        self.now = read + back * 1e6
        self.answers.append((sent, self.now))
        return estimator.feed(int(sent), int(read + self.truth(read)), int(self.now) + 1)

    def bound(self) -> float:
        """Half of the best round trip, each answer being worth less the older it is."""
        return min(
            (received - sent) / 2 + UNKNOWN_DRIFT * (self.now - sent) + 8 for sent, received in self.answers[-32:]
        )


@given(st.integers(-(10**12), 10**12), rates, exchanges, st.floats(0, 10_000))
@settings(max_examples=examples(300))
def test_the_error_is_what_it_says_and_no_more_than_half_of_the_best_round_trip(
    offset: int, drift: float, each: list[tuple[float, float, float]], later: float
) -> None:
    world, estimator = World(10**13 + offset, drift), _node.Offset()
    for pause, there, back in each:
        estimate, told, error = world.ask(estimator, pause, there, back)
        assert abs(estimate - world.truth(world.now)) <= error + 2
        assert error <= world.bound()
        assert abs(told) <= UNKNOWN_DRIFT
    end = int(world.now + later * 1e6) + 1
    estimate, _, error = estimator.at(end)
    assert abs(estimate - world.truth(end)) <= error + 2


def heavy(chance: random.Random) -> float:
    """Milliseconds on the way: 30 us at least, seldom many."""
    return 0.03 * chance.paretovariate(1.5)


@given(st.integers(0, 2**32), rates)
@settings(max_examples=25)
def test_the_drift_is_found(seed: int, drift: float) -> None:
    """Within some parts in a million, after half a minute, over a network that is often slow."""
    chance, world, estimator = random.Random(seed), World(10**12, drift), _node.Offset()
    for _ in range(600):
        _, told, error = world.ask(estimator, 50, heavy(chance), 2 * heavy(chance))
    assert abs(told - drift) < 10e-6
    assert error < 200_000
    alone = int(world.now) + SECOND
    assert abs(estimator.at(alone)[0] - world.truth(alone)) < 220_000


@given(st.integers(0, 2**32), rates, rates, st.integers(-10 * SECOND, 10 * SECOND))
@settings(max_examples=examples(50))
def test_a_clock_that_is_set_or_runs_at_another_rate_is_known_anew(
    seed: int, before: float, after: float, step: int
) -> None:
    chance, world, estimator = random.Random(seed), World(10**12, before), _node.Offset()
    for _ in range(100):
        world.ask(estimator, 50, heavy(chance), heavy(chance))
    world.offset += int((before - after) * world.now) + step
    world.drift = after
    world.answers.clear()
    for _ in range(64):
        estimate, _, error = world.ask(estimator, 50, heavy(chance), heavy(chance))
        best = world.now - world.answers[-1][0]
        assert abs(estimate - world.truth(world.now)) <= best + 8, "the last answer alone says that"
    assert abs(estimate - world.truth(world.now)) <= 2 * error + 8


def test_what_cannot_be_is_refused() -> None:
    estimator = _node.Offset()
    with pytest.raises(ValueError, match="first answer"):
        estimator.at(1)
    estimator.feed(10, 100, 20)
    for sent, theirs, received in ((30, 0, 29), (10, 0, 19), (30, 1 << 62, 40), (30, 0, 1 << 62)):
        with pytest.raises(ValueError, match="an answer before"):
            estimator.feed(sent, theirs, received)
    assert estimator.feed(20, 105, 20)[0] == 85
