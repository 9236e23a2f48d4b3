"""The engine does what the model of the rule says: the same records, output and statistics of real guests."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest

from tests.system.machine import write
from tests.system.modelled import modelled
from tests.system.test_travel import MACHINES, VIRTUAL
from tests.system.travelling import Disturb, Outcome, same, travelled

SLOW = pytest.mark.slow
FIRST = ["ping-pong", "coherence", "patch"]


def run(name: str, disturb: Disturb | None = None, **fields: Any) -> Outcome:
    machine, end = MACHINES[name]
    if isinstance(machine, Path):
        return travelled(machine, end, end // 4, disturb=disturb)
    with tempfile.TemporaryDirectory() as directory:
        file = write(Path(directory), VIRTUAL | machine | fields)
        return travelled(file, end, end // 4, disturb=disturb)


@pytest.mark.parametrize("name", [*FIRST, *(pytest.param(each, marks=SLOW) for each in MACHINES if each not in FIRST)])
def test_the_engine_does_what_the_model_says(name: str) -> None:
    same(run(name), run(name, modelled))
