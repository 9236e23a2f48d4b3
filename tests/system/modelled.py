"""Machines in virtual time that go on as the model of the rule says, and not as the engine does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from baonet.actors.seat import Seat
from tests.actors.rounds_model import CoreGuest, ModelRounds
from tests.system.travelling import Carried


def as_it_is(seat: Seat) -> CoreGuest:
    return CoreGuest(seat.core, seat.body.hypervisor.effects)


def modelled(
    carried: Carried, guest: Callable[[Seat], CoreGuest] = as_it_is, recess: Callable[[], object] = lambda: None
) -> None:
    """Before its islands run. ``recess`` is called before each stay of a guest."""
    clock = carried.plan.machine.clock
    for conductor in carried.conductors.values():
        guests = []
        for seat, _ in conductor._seats.values():
            guests.append(made := guest(seat))
            seat.body.core = _Told(seat.core, made)
        island = conductor._island
        engine = island._rounds
        window, slice_ = clock.cycles.ticks(clock.window), clock.cycles.ticks(clock.slice)
        model = ModelRounds(guests, window, slice_, recess, engine if engine.memory_counts() else None)
        model.load(engine.save())
        island._rounds = model


class _Told:
    """A core, but for what the schedule has already taken from it."""

    def __init__(self, core: Any, guest: CoreGuest) -> None:
        self._core = core
        self.storm = guest.storm

    def __getattr__(self, name: str) -> Any:
        return getattr(self._core, name)
