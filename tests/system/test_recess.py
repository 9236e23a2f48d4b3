"""A machine that is saved in the midst of a round and made anew goes on as one that was left alone."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from baonet.actors import conductor
from baonet.actors.crew import taken
from baonet.config.loader import load
from baonet.core import _node
from tests.actors.rounds_model import Status
from tests.system.machine import write
from tests.system.modelled import modelled
from tests.system.test_contention import contention
from tests.system.test_travel import MACHINES, VIRTUAL
from tests.system.travelling import Carried, Outcome, RecessError, same, travelled

FOUGHT: dict[str, tuple[Any, int]] = {
    shape: (contention(shape, 3, "10us", rounds=100), 1_000_000_000) for shape in ("code-and-data", "everything")
}
SOME = ["coherence", "patch", "ping-pong", "smp-4", "sgi", "sgi-gicv2", "rebirth-gicv2", "faults", "far"]
ALL = {name: MACHINES[name] for name in SOME} | FOUGHT


class Recesses:
    """Saves and ends each life of a machine before a stay of a guest: after so many in the first, the second and so on.

    Behind them it is the engine that goes on. ``blocked``: how many guests were in the midst of a block.
    """

    def __init__(self, stays: Iterable[int]) -> None:
        self._stays = [*stays]
        self.blocked = self.made = 0

    def disturb(self, carried: Carried) -> None:
        if not self._stays:
            return
        left = self._stays.pop(0)

        def recess() -> None:
            nonlocal left
            if left == 0:
                (led,) = carried.conductors.values()
                *_, members = led._island._rounds.save()
                self.blocked += sum(status == Status.BLOCKED for status, *_ in members)
                self.made += 1
                raise RecessError(carried.save())
            left -= 1

        modelled(carried, recess=recess)


def run(name: str, recesses: Recesses | None = None) -> Outcome:
    machine, end = ALL[name]
    disturb = None if recesses is None else recesses.disturb
    with tempfile.TemporaryDirectory() as directory:
        return travelled(write(Path(directory), VIRTUAL | machine), end, end // 4, disturb=disturb)


@functools.cache
def alone(name: str) -> Outcome:
    return run(name)


@settings(max_examples=5, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(ALL)), st.lists(st.integers(0, 600), min_size=1, max_size=6))
def test_a_machine_goes_on_from_the_midst_of_a_round(name: str, stays: list[int]) -> None:
    same(alone(name), run(name, Recesses(stays)))


@pytest.mark.parametrize("name", ["code-and-data", pytest.param("everything", marks=pytest.mark.slow)])
def test_a_machine_goes_on_from_many_stays_in_turn(name: str) -> None:
    """Among them some in which guests are in the midst of a block."""
    recesses = Recesses([1] * 25)
    same(alone(name), run(name, recesses))
    assert recesses.made == 25
    assert recesses.blocked > 5


@pytest.mark.slow
@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(ALL)), st.lists(st.integers(0, 3000), min_size=1, max_size=12))
def test_machines_go_on_from_many_rounds(name: str, stays: list[int]) -> None:
    same(alone(name), run(name, Recesses(stays)))


def known(carried: Carried) -> dict[int, int]:
    """What who takes a page of a pcpu is told, by pcpu."""
    (led,) = carried.conductors.values()
    ledgers = {seat.pcpu: carried.memory.ownership.ledger(seat.body.vm.index) for seat, _ in led._seats.values()}
    return {pcpu: _node.known(ledger.view, pcpu) for pcpu, ledger in ledgers.items() if ledger is not None}


@pytest.mark.parametrize("name", ["sgi", pytest.param("faults", marks=pytest.mark.slow)])
def test_what_guests_know_is_what_they_knew(name: str) -> None:
    """Also of one that has been told something, and has not gone on since."""
    machine, end = ALL[name]
    stays = 0
    pairs: list[tuple[dict[int, int], dict[int, int]]] = []
    with tempfile.TemporaryDirectory() as directory:
        file = write(Path(directory), VIRTUAL | machine)

        def recess(carried: Carried) -> None:
            nonlocal stays
            stays += 1
            if stays % 7 == 0 and len(pairs) < 20:
                other = Carried(load(file))
                other.load(carried.save())
                pairs.append((known(carried), known(other)))
                other.close()

        travelled(file, end, end // 4, disturb=lambda carried: modelled(carried, recess=lambda: recess(carried)))
    assert len(pairs) == 20
    assert all(left == other for left, other in pairs), pairs


def test_nobody_is_saved_in_a_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it would say to that would be lost, or said twice."""
    lives: list[Carried] = []
    refused: list[str] = []

    def in_turn(*arguments: Any) -> Any:
        (led,) = lives[-1].conductors.values()
        with pytest.raises(ValueError, match="save it when all stand") as caught:
            led.save()
        refused.append(str(caught.value))
        return taken(*arguments)

    machine, end = ALL["sgi"]
    monkeypatch.setattr(conductor, "taken", in_turn)
    with tempfile.TemporaryDirectory() as directory:
        travelled(write(Path(directory), VIRTUAL | machine), end, end // 4, disturb=lives.append)
    assert len(refused) > 10
