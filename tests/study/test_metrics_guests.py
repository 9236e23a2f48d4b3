"""What guests tell: markers and console text; and plain counts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baonet.hyp.armv8.cpu import Exit
from baonet.hyp.armv8.wing import ARMV8
from baonet.machine import Rate
from baonet.study.metrics.base import TracedRun
from baonet.study.metrics.console import ConsoleNumbers, ConsoleTime
from baonet.study.metrics.counts import Exits, MessageMatrix
from baonet.study.metrics.marks import BEGIN, END, NUMBER, Numbers, RoundTrip, Throughput, decode
from baonet.trace.order import Row
from baonet.trace.records import Kind
from tests.study.test_metrics_latency import RUN, measure, samples


def mark(time: int, pcpu: int, what: int, identity: int, number: int = 0) -> Row:
    value = identity << 40 | what << 32 | number if what == NUMBER else what << 32 | identity
    return (time, Kind.MARK, pcpu, 0, value, 0)


def printed(text: str, time: int = 0, pcpu: int = 0, position: int = 0) -> list[Row]:
    return [(time + n, Kind.CONSOLE, pcpu, 0, position + n, byte) for n, byte in enumerate(text.encode())]


@given(st.integers(0, (1 << 64) - 1))
def test_any_value_is_a_marker_or_is_not(value: int) -> None:
    found = decode(value)
    if found is not None:
        what, identity, number = found
        assert mark(0, 0, what, identity, number)[4] == value


def test_round_trips_pair_by_vm_and_id() -> None:
    records = [
        mark(0, 0, BEGIN, 7), mark(5, 1, BEGIN, 7), mark(10, 0, END, 7),
        mark(20, 1, BEGIN, 8), mark(25, 2, END, 7), mark(90, 1, END, 8),
    ]  # fmt: skip
    measured = measure(RoundTrip(RUN), records)
    assert samples(measured) == {("ping", "7"): [10], ("pong", "7"): [20], ("pong", "8"): [70]}
    assert not measured.notes


def test_marks_without_a_partner_are_counted() -> None:
    records = [mark(0, 0, BEGIN, 1), mark(1, 0, BEGIN, 1), mark(2, 0, END, 1), mark(3, 0, END, 1), mark(4, 0, BEGIN, 1)]
    measured = measure(RoundTrip(RUN), records)
    assert samples(measured) == {("ping", "1"): [1]}
    assert measured.notes == {"begins without an end": 2, "ends without a begin": 1}


def test_throughput_is_the_bytes_between_begin_and_end() -> None:
    records = [
        mark(0, 0, NUMBER, 64, 9), mark(1000, 0, BEGIN, 64), mark(1200, 0, NUMBER, 64, 300),
        mark(1500, 0, NUMBER, 64, 200), mark(1600, 0, NUMBER, 65, 1), mark(2000, 0, END, 64),
    ]  # fmt: skip
    assert samples(measure(Throughput(RUN), records)) == {("ping", "64"): [500e6]}


def test_numbers_of_the_guest() -> None:
    records = [mark(0, 0, NUMBER, 3, 17), mark(1, 0, NUMBER, 3, (1 << 32) - 1), mark(2, 0, BEGIN, 3)]
    measured = measure(Numbers(RUN, "ns"), records)
    assert samples(measured) == {("ping", "3"): [17, (1 << 32) - 1]}
    assert measured.unit == "ns"


def test_numbers_on_the_console() -> None:
    records = printed("batch 1: 12 ns\nbatch 2: 34 ns\n") + printed("batch 3: 99 ns\n", pcpu=1, position=40)
    assert samples(measure(ConsoleNumbers(RUN, r"^batch \d: (\d+) ns$", vm="ping"), records)) == {("ping",): [12, 34]}
    assert samples(measure(ConsoleNumbers(RUN, r"(?P<batch>\d): (?P<time>\d+)", vm="pong"), records)) == {
        ("pong", "batch"): [3],
        ("pong", "time"): [99],
    }


def test_a_match_that_is_no_number_is_counted() -> None:
    measured = measure(ConsoleNumbers(RUN, "took (.*) ns"), printed("took long ns"))
    assert not measured.samples
    assert measured.notes == {"matches that are no number": 1}


def test_text_of_several_vcpus_is_in_the_order_of_the_uart() -> None:
    """A window of one vCPU comes after that of another, though it began earlier."""
    records = printed("took 4", time=100, pcpu=1) + printed("2 ns", time=50, pcpu=2, position=6)
    assert samples(measure(ConsoleNumbers(RUN, r"took (\d+) ns"), records)) == {("pong",): [42]}


def test_when_a_text_is_complete() -> None:
    records = printed("Grüße: shell ready\n", time=1000) + printed("shell ready", time=9000, position=50)
    assert measure(ConsoleTime(RUN, "shell ready"), records).values == {("ping",): 1000 + 9 + 10}
    assert not measure(ConsoleTime(RUN, "shell ready", vm="pong"), records).values


def test_messages_between_vms() -> None:
    records: list[Row] = [
        (0, Kind.SENT, 0, 37, 1, 0), (1, Kind.SENT, 0, 37, 2 | 5 << 16, 0), (2, Kind.SENT, 1, 37, 0, 0),
        (3, Kind.SENT, 1, 50, 2, 0), (4, Kind.SENT, 1, 999, 7, 0),
    ]  # fmt: skip
    assert measure(MessageMatrix(RUN), records).values == {
        ("ping", "pong", "IpcNotify"): 2,
        ("pong", "ping", "IpcNotify"): 1,
        ("pong", "pong", "VgicForward"): 1,
        ("pong", "-", "message 999"): 1,
    }


def test_exits_by_reason() -> None:
    records: list[Row] = [
        (0, Kind.EXIT, 1, Exit.HVC, 0, 0), (1, Kind.EXIT, 2, Exit.HVC, 0, 0), (2, Kind.WAIT, 0, 0, 0, 0),
        (3, Kind.EXIT, 0, Exit.DATA_ABORT, 0, 0), (4, Kind.ACCESS, 0, 4, 0, 0), (5, Kind.EXIT, 0, 77, 0, 0),
    ]  # fmt: skip
    assert measure(Exits(RUN), records).values == {
        ("pong", "hvc"): 2,
        ("ping", "wfi"): 1,
        ("ping", "data abort"): 1,
        ("ping", "emulated access"): 1,
        ("ping", "reason 77"): 1,
    }


@pytest.mark.parametrize("metric", [RoundTrip, Throughput, Numbers, MessageMatrix, Exits])
def test_nothing_comes_of_nothing(metric: type[RoundTrip]) -> None:
    measured = metric(TracedRun(Rate(1), {}, ARMV8)).finish(0)
    assert not measured.samples
    assert not measured.values
