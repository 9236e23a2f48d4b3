"""How far islands may go, when the run is over, and that an idle guest with a console waits for the host's clock."""

from __future__ import annotations

import pytest

from baonet.actors.ending import Ending
from baonet.actors.horizon import Horizons
from baonet.actors.schedule import Schedule
from baonet.machine import Rate
from baonet.machine.saved import StateError

STEP = 10
CYCLES = Rate(1000)


class Clock:
    """The host's, in seconds."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def reach(horizons: Horizons, **moments: int) -> None:
    """``a`` and ``b`` are islands 0 and 1; -1: never."""
    for name, moment in moments.items():
        horizons.reached("ab".index(name), moment, max(moment, 0))


def test_horizons_go_in_steps_behind_the_next_thing_that_happens() -> None:
    horizons = Horizons([0, 1], STEP)
    assert horizons.complete
    assert horizons.advance() == 10
    reach(horizons, a=12)
    assert not horizons.complete
    reach(horizons, b=57)
    assert horizons.complete
    assert horizons.advance() == 20
    reach(horizons, a=-1, b=57)
    assert horizons.advance() == 60
    reach(horizons, a=-1, b=-1)
    assert horizons.idle


def test_the_last_horizon_is_the_end() -> None:
    horizons = Horizons([0], STEP, end=25)
    assert horizons.advance() == 10
    reach(horizons, a=24)
    assert not horizons.ended
    assert horizons.advance() == 25
    reach(horizons, a=31)
    assert horizons.ended


def test_an_island_that_is_no_more_is_not_waited_for() -> None:
    horizons = Horizons([0, 1], STEP)
    horizons.advance()
    reach(horizons, a=11)
    horizons.drop(1)
    assert horizons.complete


@pytest.mark.parametrize(
    ("moment", "end", "wanted", "ending"),
    [
        (15, None, None, None),
        (15, None, Ending.DONE, Ending.DONE),
        (15, None, Ending.PARKED, Ending.PARKED),
        (-1, None, None, Ending.IDLE),
        (-1, 20, None, Ending.DONE),
        (15, 10, None, Ending.DONE),
    ],
)
def test_how_a_run_ends(moment: int, end: int | None, wanted: Ending | None, ending: Ending | None) -> None:
    schedule = Schedule(Horizons([0], STEP, end), CYCLES, interactive=False)
    assert schedule.grant() == 10
    if wanted is not None:
        assert schedule.conclude(wanted) is None
    assert schedule.due() is None, "not before all are there"
    reach(schedule.horizons, a=moment)
    assert schedule.due() is ending


@pytest.mark.parametrize(
    ("next_", "latest", "end", "time"),
    [
        (-1, 7, None, 7),
        (15, 8, 10, 10),  # the guest waits, and the time passes all the same
        (15, 11, 10, 11),  # the block in which the end lies is over a little later
    ],
)
def test_the_time_that_a_run_has_taken(next_: int, latest: int, end: int | None, time: int) -> None:
    schedule = Schedule(Horizons([0], STEP, end), CYCLES, interactive=False)
    schedule.grant()
    schedule.horizons.reached(0, next_, latest)
    assert schedule.due() is (Ending.IDLE if end is None else Ending.DONE)
    assert schedule.time == time


def test_an_end_on_the_way_to_a_horizon_is_the_time_of_a_run() -> None:
    schedule = Schedule(Horizons([0, 5], STEP), CYCLES, interactive=False)
    schedule.grant()
    schedule.came(7)
    schedule.came(4)
    assert schedule.time == 7


def test_an_end_before_the_last_horizon_is_the_time_of_a_run() -> None:
    schedule = Schedule(Horizons([0], STEP, 10), CYCLES, interactive=False)
    schedule.grant()
    schedule.horizons.reached(0, -1, 3)
    schedule.conclude(Ending.DONE)
    assert schedule.due() is Ending.DONE
    assert schedule.time == 3


def test_nobody_at_a_console_means_as_fast_as_it_goes() -> None:
    schedule = Schedule(Horizons([0], STEP), CYCLES, interactive=False)
    schedule.grant()
    reach(schedule.horizons, a=1_000_000)
    assert schedule.grant() == 1_000_010


def test_with_a_console_the_next_thing_waits_for_its_time() -> None:
    clock = Clock()
    schedule = Schedule(Horizons([0], STEP), CYCLES, interactive=True, clock=clock)
    assert schedule.grant() == 10
    reach(schedule.horizons, a=2000)  # the guest sleeps for two seconds
    assert schedule.grant() is None
    assert schedule.patience() == pytest.approx(2.0)
    clock.now += 1
    assert schedule.grant() is None
    clock.now += 1.01
    assert schedule.grant() == 2010


def test_a_machine_that_waits_for_its_user_is_not_at_its_end() -> None:
    clock = Clock()
    schedule = Schedule(Horizons([0], STEP), CYCLES, interactive=True, clock=clock)
    schedule.grant()
    reach(schedule.horizons, a=-1)
    assert schedule.due() is None
    assert schedule.patience() == float("inf")
    clock.now += 60
    assert schedule.grant() is None
    horizon = schedule.typed()
    assert horizon is not None
    reach(schedule.horizons, a=horizon + 1)
    assert schedule.grant() == horizon + STEP


def test_one_that_has_fallen_behind_does_not_hurry_later() -> None:
    clock = Clock()
    schedule = Schedule(Horizons([0], STEP), CYCLES, interactive=True, clock=clock)
    schedule.grant()
    clock.now += 5  # what takes 10 ms of virtual time takes the host five seconds
    reach(schedule.horizons, a=11)
    assert schedule.grant() == 20
    reach(schedule.horizons, a=2011)
    assert schedule.patience() == pytest.approx(2.0, abs=0.02)


def test_horizons_are_saved_when_all_have_reached_one() -> None:
    horizons = Horizons([0, 1], STEP)
    horizons.advance()
    reach(horizons, a=12)
    with pytest.raises(ValueError, match="not every island has reached the horizon: save it when all have"):
        horizons.save()
    reach(horizons, b=-1)
    again = Horizons([0, 1], STEP)
    again.load(horizons.save())
    assert (again.horizon, again.latest, again.soonest) == (10, 12, 12)
    assert again.advance() == horizons.advance() == 20
    with pytest.raises(StateError, match="it has other islands"):
        Horizons([0, 5], STEP).load({"version": 1, "horizon": 0, "latest": 0, "next": [[1, 0]]})


@pytest.mark.parametrize("end", [None, 100])
def test_what_is_typed_while_it_stands_is_something_to_do(end: int | None) -> None:
    """The islands had nothing to do when they came to where it stands, and have not been asked since."""
    schedule = Schedule(Horizons([0], STEP, end), CYCLES, interactive=False, standing=True)
    schedule.stand(35)
    while schedule.grant() is not None:
        reach(schedule.horizons, a=-1)
    assert schedule.moment == 35
    assert schedule.typed() is None
    schedule.go_on()
    assert schedule.due() is None
    assert schedule.grant() == 40
    reach(schedule.horizons, a=42)
    assert schedule.due() is None
    assert schedule.grant() == 50
    reach(schedule.horizons, a=-1)
    assert schedule.due() is (Ending.IDLE if end is None else Ending.DONE)


def test_one_with_somebody_at_its_console_is_let_go_to_a_moment() -> None:
    clock = Clock()
    schedule = Schedule(Horizons([0], STEP), CYCLES, interactive=True, standing=True, clock=clock)
    schedule.stand(2000)
    assert schedule.grant() == 10
    reach(schedule.horizons, a=-1)
    assert schedule.grant() is None
    assert schedule.patience() == pytest.approx(2.0, abs=0.02)
    clock.now += schedule.patience()
    assert schedule.grant() == 2000
    reach(schedule.horizons, a=-1)
    assert schedule.standing
