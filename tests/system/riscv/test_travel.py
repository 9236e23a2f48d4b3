"""A machine of RISC-V that is saved at any horizon and made anew goes on as one that was left alone."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.system.elsewhere import BOARDS, RISCV, riscv
from tests.system.machine import vm, write
from tests.system.test_errands import crowd
from tests.system.test_onoff import MACHINE as ONOFF
from tests.system.test_random_guests import CLOCKS, COSTS, HART_VMS, random_machine_of_harts
from tests.system.test_recess import FOUGHT, Recesses
from tests.system.test_travel import MACHINES, PLACES, VIRTUAL, among
from tests.system.travelling import Disturb, Outcome, same, travelled

SOME = [
    "ping-pong",
    "smp-4",
    "sgi",
    "coherence",
    "patch",
    "one-cpu-each",
    "faults",
    "typing",
    "rebirth",
    "far",
]
pytestmark = pytest.mark.slow
controllers = pytest.mark.parametrize("controller", RISCV)
ROUTED: dict[str, tuple[dict[str, Any], int]] = {
    "routes": ({"vms": [vm("routes", cpus=3, command_line="rounds=40")]}, 1_500_000),
    "onoff": (ONOFF, 2_000_000),
    "crowd": (crowd(), 300_000),
}
"""Machines whose controllers are amid something, and in which harts stop and start, with each of ``BOARDS``."""


def run(
    name: str,
    controller: str,
    steps: int,
    at: Iterable[int] = (),
    *,
    look: bool = False,
    disturb: Disturb | None = None,
) -> Outcome:
    machine, end = (MACHINES | FOUGHT | ROUTED)[name]
    assert isinstance(machine, dict)
    with tempfile.TemporaryDirectory() as directory:
        file = write(Path(directory), VIRTUAL | riscv(machine, controller))
        return travelled(file, end, end // steps, at, look=look, disturb=disturb)


@controllers
@pytest.mark.parametrize("name", SOME)
def test_a_machine_goes_on_from_every_horizon(name: str, controller: str) -> None:
    left = run(name, controller, 10)
    assert left.horizons > 1
    same(left, run(name, controller, 10, range(1, left.horizons), look=True))


@pytest.mark.parametrize("controller", BOARDS)
@pytest.mark.parametrize("name", ROUTED)
def test_a_controller_goes_on_from_every_horizon(name: str, controller: str) -> None:
    left = run(name, controller, 20)
    assert left.horizons > 1
    same(left, run(name, controller, 20, range(1, left.horizons), look=True))


@controllers
@pytest.mark.parametrize("name", FOUGHT)
def test_a_machine_goes_on_from_the_midst_of_rounds(name: str, controller: str) -> None:
    recesses = Recesses([1] * 15)
    same(run(name, controller, 4), run(name, controller, 4, disturb=recesses.disturb))
    assert recesses.made == 15


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(HART_VMS, CLOCKS, COSTS, st.sampled_from(list(BOARDS)), st.tuples(st.sampled_from([1000, 20_000]), PLACES))
def test_a_random_machine_goes_on_from_any_horizon(
    vms: list[list[Any]], clock: dict[str, Any], costs: dict[str, str], controller: str, at: tuple[int, list[int]]
) -> None:
    step, places = at
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        file = write(directory, random_machine_of_harts(directory, vms, clock, costs, controller))
        left = travelled(file, 50_000_000, step)
        same(left, travelled(file, 50_000_000, step, among(left, places)))
