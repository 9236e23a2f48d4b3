"""A core under the host's clock that stands: its time does, whatever is done to it meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from baonet.core.armv8.engine import native
from baonet.hyp.armv8.cpu import Exit
from tests.core.bench import FREQUENCY, RAM, Memory, core_of
from tests.core.virtual import HVC, read

CNTVCT, CNTPCT, PMCCNTR = (3, 3, 14, 0, 2), (3, 3, 14, 0, 1), (3, 3, 9, 13, 0)
BACK = 0x17FFFFFC  # b .-16
STOOD = 50_000_000
CODE = (read(CNTVCT, 0), read(CNTPCT, 1), read(PMCCNTR, 2), HVC, BACK)


def guest() -> native.Core:
    memory = Memory()
    made = core_of(memory)
    memory.load(RAM, b"".join(word.to_bytes(4, "little") for word in CODE))
    made.reset(RAM, 0)
    return made


def counters(made: native.Core) -> list[int]:
    while (reason := made.run(1000)) != Exit.HVC:
        assert reason in (Exit.BUDGET, Exit.KICKED)
    return list(made.x[:3])


def stand(made: native.Core, meanwhile: Callable[[native.Core], object]) -> int:
    """For at least STOOD nanoseconds; returns for how many."""
    made.stand()
    began, shown = time.monotonic_ns(), made.time
    while time.monotonic_ns() - began < STOOD:
        pass
    meanwhile(made)
    assert made.time == shown
    stood = time.monotonic_ns() - began
    made.fall_behind(stood)
    return stood


@pytest.mark.parametrize(
    "meanwhile",
    [
        pytest.param(lambda made: made.statistics(), id="nothing"),
        pytest.param(lambda made: made.reset(RAM, 0), id="reset"),
        pytest.param(lambda made: made.restart(RAM, 0), id="restart"),
        pytest.param(lambda made: made.stand(), id="told again"),
    ],
)
def test_its_counters_do_not_count(meanwhile: Callable[[native.Core], object]) -> None:
    made = guest()
    began = time.monotonic_ns()
    before = counters(made)
    stood = stand(made, meanwhile)
    after = counters(made)
    passed = time.monotonic_ns() - began - stood
    for counter in (0, 1):
        assert 0 <= after[counter] - before[counter] <= passed * FREQUENCY // 10**9 + 1
    assert counters(made)[0] > before[0], "and go on"


def test_a_core_that_is_not_told_to_go_on_behind_the_host_has_the_hosts_time() -> None:
    made = guest()
    made.stand()
    shown = made.time
    made.fall_behind(0)
    assert made.time > shown
