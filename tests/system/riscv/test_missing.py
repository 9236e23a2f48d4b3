"""Pages that are not there, and come when they are asked for: nothing of it shows in what a RISC-V machine does."""

from __future__ import annotations

import pytest

from tests.system.elsewhere import RISCV, riscv
from tests.system.test_contention import SHAPES, contention
from tests.system.test_missing import missing
from tests.system.test_travel import MACHINES

pytestmark = pytest.mark.slow
SOME = ["coherence", "patch", "smp-4", "sgi", "ping-pong", "rebirth"]


@pytest.mark.parametrize("capacity", [12, 64])
@pytest.mark.parametrize("controller", RISCV)
@pytest.mark.parametrize("name", SOME)
def test_nothing_shows_of_pages_that_were_missing(name: str, controller: str, capacity: int) -> None:
    machine, end = MACHINES[name]
    assert isinstance(machine, dict)
    assert missing(riscv(machine, controller), end, capacity).misses > 10


@pytest.mark.parametrize("shape", SHAPES)
def test_nothing_shows_where_pages_are_fought_for(shape: str) -> None:
    found = missing(riscv(contention(shape, 2, "10us", rounds=300), "aia"), 1_000_000_000, 40)
    assert found.misses > 100
    assert found.blocked
