"""A machine of RISC-V that is saved at any horizon and made anew goes on as one that was left alone."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.system.elsewhere import RISCV, riscv
from tests.system.machine import write
from tests.system.test_recess import FOUGHT, Recesses
from tests.system.test_travel import MACHINES, VIRTUAL
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


def run(
    name: str,
    controller: str,
    steps: int,
    at: Iterable[int] = (),
    *,
    look: bool = False,
    disturb: Disturb | None = None,
) -> Outcome:
    machine, end = (MACHINES | FOUGHT)[name]
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


@controllers
@pytest.mark.parametrize("name", FOUGHT)
def test_a_machine_goes_on_from_the_midst_of_rounds(name: str, controller: str) -> None:
    recesses = Recesses([1] * 15)
    same(run(name, controller, 4), run(name, controller, 4, disturb=recesses.disturb))
    assert recesses.made == 15
