from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import baonet
from baonet.machine import Clock, ClockMode, MessageKind, Rate
from baonet.machine.rate import HOST, in_seconds

PACKAGE = Path(baonet.__file__).parent
RATES = st.integers(1, 100_000).map(lambda mhz: Clock(mhz=mhz).cycles)
COUNTS = st.integers(0, 10**18)


@given(RATES, COUNTS)
def test_each_way_has_its_rounding(rate: Rate, count: int) -> None:
    assert rate.ns(rate.ticks(count)) >= count > rate.ns(rate.ticks(count) - 1), "the fewest that are not too few"
    assert rate.ticks(count) - rate.whole_ticks(count) in (0, 1)
    assert 0 <= rate.first_ns(count) - rate.ns(count) <= 1
    assert rate.whole_ticks(rate.first_ns(count)) >= count


@given(COUNTS)
def test_what_is_typed_is_due_again_at_the_nanosecond_that_was_recorded(cycle: int) -> None:
    """Also where a nanosecond is no whole number of cycles: a session is replayed from nanoseconds."""
    rate = Clock(mhz=333).cycles
    recorded = rate.first_ns(cycle)
    assert rate.ticks(recorded) >= cycle
    assert rate.first_ns(rate.ticks(recorded)) - recorded <= 1000 // 333


def test_at_a_third_of_a_gigahertz() -> None:
    rate = Clock(mhz=333).cycles
    assert (rate.hz, rate.ticks(10), rate.whole_ticks(10), rate.ns(10), rate.first_ns(10)) == (
        333_000_000,
        4,
        3,
        30,
        31,
    )
    assert (rate.exact_ns(333), rate.seconds(333_000_000), rate.ticks_in(0.5)) == (1000.0, 1.0, 166_500_000)
    assert rate.per_second(7, 333) == pytest.approx(7_000_000)
    assert in_seconds(12_000_000_003) == "12.000000003"


def test_a_clock_tells_what_its_records_count() -> None:
    assert Clock(ClockMode.HOST, 250).rate is HOST
    assert Clock(ClockMode.VIRTUAL, 250).rate == Rate(250_000_000)
    assert Clock(mhz=250).latencies() == {MessageKind.IPI: 125, MessageKind.IPC: 250, MessageKind.SPI: 125}


def test_nobody_else_converts() -> None:
    """Arithmetic with a name that says how fast a clock counts is in baonet.machine alone."""
    found = []
    for path in PACKAGE.rglob("*.py"):
        if path.parent.name == "machine":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div | ast.FloorDiv | ast.Mod):
                names = {getattr(side, "id", getattr(side, "attr", "")) for side in (node.left, node.right)}
                if names & {"hz", "_hz", "mhz", "_mhz", "NANOSECONDS"}:
                    found.append(f"{path.relative_to(PACKAGE)}:{node.lineno}")
    assert not found
