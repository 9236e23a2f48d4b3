"""Latencies of notifications and of interrupts, from records written by hand."""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter

from hypothesis import given
from hypothesis import strategies as st

from baonet.hyp.armv8.wing import ARMV8
from baonet.hyp.riscv.cpu import MESSAGES
from baonet.hyp.riscv.wing import RISCV
from baonet.machine import Rate
from baonet.study.metrics.base import Key, Measured, RecordsMetric, TracedRun
from baonet.study.metrics.interrupts import TOTAL, InterruptLatency
from baonet.study.metrics.ipc import IpcLatency
from baonet.study.metrics.shares import GUEST, HYPERVISOR, OFF, WAITING, TimeShare
from baonet.trace.order import Row
from baonet.trace.records import InterruptSource, Kind, VcpuState

NOTIFY = 37
UNFOLLOWED = "notifications that no interrupt followed: one was still pending, or nobody listens"
RUN = TracedRun(Rate(1_000_000_000), {0: "ping", 1: "pong", 2: "pong"}, ARMV8)


def measure(metric: RecordsMetric, records: Iterable[Row], end: int = 0) -> Measured:
    for record in sorted(records, key=itemgetter(0)):  # at the same time: as they are written here
        if record[1] in metric.kinds:
            metric.take(record)
    return metric.finish(end)


def samples(measured: Measured) -> dict[Key, list[float]]:
    return {key: list(reservoir.kept) for key, reservoir in measured.samples.items()}


def notification(sent: int, arrived: int, sequence: int, source: int = 0, target: int = 1) -> list[Row]:
    return [
        (sent, Kind.SENT, source, NOTIFY, target | sequence << 16, arrived),
        (arrived, Kind.ARRIVED, target, NOTIFY, source | sequence << 16, arrived),
        (arrived, Kind.RAISED, target, 84, InterruptSource.IPC, 0),
    ]


def test_one_way_latency_is_from_departure_to_acknowledgement() -> None:
    records = [*notification(100, 1100, 1), (1500, Kind.ACKNOWLEDGED, 1, 84, 0, 0)]
    assert samples(measure(IpcLatency(RUN), records)) == {("ping", "pong"): [1400]}


def test_a_trace_may_tell_only_that_the_interrupt_is_pending() -> None:
    sent, arrived, _ = notification(100, 1100, 1)
    records: list[Row] = [sent, arrived, (1100, Kind.PENDING, 1, 84, 0, 0), (1500, Kind.ACKNOWLEDGED, 1, 84, 0, 0)]
    assert samples(measure(IpcLatency(RUN), records)) == {("ping", "pong"): [1400]}
    unheard: list[Row] = [sent, arrived, (1100, Kind.ENTRY, 1, 0, 0, 0), (1100, Kind.PENDING, 1, 84, 0, 0)]
    assert measure(IpcLatency(RUN), unheard).notes == {
        "notifications that no interrupt followed: one was still pending, or nobody listens": 1
    }


def test_the_interrupt_may_be_taken_by_another_vcpu_of_the_vm() -> None:
    records = [*notification(0, 10, 1), (20, Kind.ACKNOWLEDGED, 0, 84, 0, 0), (30, Kind.ACKNOWLEDGED, 2, 84, 0, 0)]
    assert samples(measure(IpcLatency(RUN), records)) == {("ping", "pong"): [30]}


def test_notifications_that_became_one_interrupt_wait_for_it_together() -> None:
    records = [*notification(0, 10, 1), *notification(5, 15, 2), (40, Kind.ACKNOWLEDGED, 1, 84, 0, 0)]
    measured = measure(IpcLatency(RUN), records)
    assert samples(measured) == {("ping", "pong"): [40, 35]}
    assert measured.notes == {"notifications that joined one that was still pending": 1}


def test_lost_doubled_and_unheeded_notifications_are_counted() -> None:
    lost = notification(0, 10, 1)[:1]
    twice = notification(20, 30, 2)
    again = [(31, *twice[1][1:]), (31, *twice[2][1:])]
    measured = measure(IpcLatency(RUN), [*lost, *twice, *again])
    assert not measured.samples
    assert measured.notes == {
        "notifications that were lost, or under way at the end": 1,
        "notifications that arrived once more": 1,
        "notifications whose interrupt was not acknowledged": 1,
    }


def test_ticks_become_nanoseconds() -> None:
    records = [*notification(0, 10, 1), (25, Kind.ACKNOWLEDGED, 1, 84, 0, 0)]
    run = TracedRun(Rate(62_500_000), RUN.vms, ARMV8)
    assert samples(measure(IpcLatency(run), records)) == {("ping", "pong"): [400]}


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 50), st.integers(0, 50)), max_size=30))
def test_every_notification_has_one_latency_and_none_is_less_than_its_way(
    waits: list[tuple[int, int, int]],
) -> None:
    """Whatever joins whatever: as many samples as notifications, if the guest acknowledges at the end."""
    records: list[Row] = []
    time = arrived = 0
    for sequence, (gap, way, busy) in enumerate(waits):
        time += gap
        arrived = max(arrived, time + way)  # a channel keeps the order
        records += notification(time, arrived, sequence)
        if busy % 3 == 0:
            records.append((arrived + busy, Kind.ACKNOWLEDGED, 1, 84, 0, 0))
    records.append((arrived + 1000, Kind.ACKNOWLEDGED, 1, 84, 0, 0))
    found = samples(measure(IpcLatency(RUN), records)).get(("ping", "pong"), [])
    assert len(found) == len(waits)
    assert all(each >= min(way for _, way, _ in waits) for each in found)


def test_stages_of_an_interrupt() -> None:
    records: list[Row] = [
        (105, Kind.RAISED, 1, 27, InterruptSource.TIMER, 100),
        (300, Kind.PENDING, 1, 27, 0, 0),
        (320, Kind.DELIVERED, 1, 27, 0, 0),
        (400, Kind.ACKNOWLEDGED, 1, 27, 0, 0),
        (900, Kind.ENDED, 1, 27, 0, 0),
    ]
    assert {key[3]: found for key, found in samples(measure(InterruptLatency(RUN), records)).items()} == {
        "raised to pending": [200],
        "pending to delivered": [20],
        "delivered to acknowledged": [80],
        TOTAL: [300],
        "acknowledged to ended": [500],
    }
    assert {key[:3] for key in measure(InterruptLatency(RUN), records).samples} == {("pong", "27", "timer")}


def test_what_the_hypervisor_takes_lies_between_raised_and_pending() -> None:
    """The trace has *raised* behind it, for what a message brings and for what a guest asks for."""
    ipc: list[Row] = [
        (1100, Kind.ARRIVED, 1, 37, 0, 1000),  # taken at the end of a window, 100 later than it was due
        (1780, Kind.RAISED, 1, 84, InterruptSource.IPC, 0),
        (1780, Kind.PENDING, 1, 84, 0, 0),
        (1800, Kind.ACKNOWLEDGED, 1, 84, 0, 0),
    ]
    assert samples(measure(InterruptLatency(RUN), ipc))["pong", "84", "IPC", "raised to pending"] == [780]
    sgi: list[Row] = [
        (500, Kind.EXIT, 1, 6, 0, 0),
        (810, Kind.RAISED, 1, 1, InterruptSource.CPU, 0),
        (810, Kind.PENDING, 1, 1, 0, 0),
        (810, Kind.ENTRY, 1, 0, 0, 0),
        (820, Kind.ACKNOWLEDGED, 1, 1, 0, 0),
        (900, Kind.RAISED, 1, 2, InterruptSource.CPU, 0),  # by an access that needed no exit
        (910, Kind.PENDING, 1, 2, 0, 0),
        (920, Kind.ACKNOWLEDGED, 1, 2, 0, 0),
    ]
    found = samples(measure(InterruptLatency(RUN), sgi))
    assert found["pong", "1", "SGI", "raised to pending"] == [310]
    assert found["pong", "2", "SGI", "raised to pending"] == [10]


def test_a_notification_that_an_aplic_makes_a_message() -> None:
    """Its home raises the message, which is taken where it goes."""
    run = TracedRun(Rate(1_000_000_000), RUN.vms, RISCV)
    identity = MESSAGES + 5
    sent, arrived, _ = notification(100, 1100, 1)
    records: list[Row] = [
        *(sent, arrived),
        (1150, Kind.RAISED, 1, identity, InterruptSource.IPC, 0),
        (1650, Kind.ARRIVED, 2, 61, 1, 1650),
        (1650, Kind.PENDING, 2, identity, 0, 0),
        (1700, Kind.ACKNOWLEDGED, 2, identity, 0, 0),
    ]
    assert samples(measure(IpcLatency(run), records)) == {("ping", "pong"): [1600]}
    found = samples(measure(InterruptLatency(run), records))
    assert found["pong", str(identity), "IPC", "raised to pending"] == [550]
    assert found["pong", str(identity), "IPC", TOTAL] == [600]


def test_an_interrupt_without_the_hypervisor_has_its_total_only() -> None:
    records: list[Row] = [
        (10, Kind.RAISED, 1, 84, InterruptSource.IPC, 0),
        (30, Kind.ACKNOWLEDGED, 2, 84, 0, 0),
    ]
    assert samples(measure(InterruptLatency(RUN), records)) == {("pong", "84", "IPC", TOTAL): [20]}


def test_an_sgi_to_several_vcpus_is_raised_once_and_lives_with_each() -> None:
    run = TracedRun(Rate(1_000_000_000), {0: "linux", 1: "linux", 2: "linux"}, ARMV8)
    records: list[Row] = [(100, Kind.RAISED, 0, 1, InterruptSource.CPU, 0)]
    for pcpu, arrived in ((1, 600), (2, 700)):
        records += [
            (arrived, Kind.ARRIVED, pcpu, 49, 0, arrived),
            (arrived, Kind.PENDING, pcpu, 1, 0, 0),
            (arrived + 50, Kind.ACKNOWLEDGED, pcpu, 1 | 3 << 10, 0, 0),
        ]
    found = samples(measure(InterruptLatency(run), records))
    assert found["linux", "1", "SGI", "raised to pending"] == [500, 600]
    assert found["linux", "1", "SGI", TOTAL] == [550, 650]


def test_an_interrupt_can_be_pending_again_while_it_is_active() -> None:
    records: list[Row] = []
    for began in (0, 20):
        records += [(began, Kind.RAISED, 1, 84, InterruptSource.IPC, 0), (began + 1, Kind.PENDING, 1, 84, 0, 0)]
    records += [(10, Kind.ACKNOWLEDGED, 1, 84, 0, 0), (30, Kind.ENDED, 1, 84, 0, 0)]
    records += [(40, Kind.ACKNOWLEDGED, 1, 84, 0, 0), (45, Kind.ENDED, 1, 84, 0, 0)]
    found = samples(measure(InterruptLatency(RUN), records))
    assert found["pong", "84", "IPC", TOTAL] == [10, 20]
    assert found["pong", "84", "IPC", "acknowledged to ended"] == [20, 5]


def test_only_the_interrupts_that_are_asked_for() -> None:
    records: list[Row] = [(0, Kind.RAISED, 1, n, InterruptSource.LINE, 0) for n in (33, 34)]
    records += [(9, Kind.ACKNOWLEDGED, 1, n, 0, 0) for n in (33, 34)]
    assert set(samples(measure(InterruptLatency(RUN, frozenset({34})), records))) == {("pong", "34", "device", TOTAL)}


def test_time_shares() -> None:
    records: list[Row] = [
        (10, Kind.STATE, 0, VcpuState.RUNNING, 0, 0),
        (30, Kind.EXIT, 0, 3, 0, 0),
        (40, Kind.ENTRY, 0, 0, 0, 0),
        (50, Kind.WAIT, 0, 0, 0, 0),
        (80, Kind.EXIT, 0, 7, 0, 0),
        (84, Kind.WAKE, 0, 0, 0, 0),
        (85, Kind.ENTRY, 0, 0, 0, 0),
    ]
    values = measure(TimeShare(TracedRun(Rate(1), {0: "ping"}, ARMV8)), records, 100).values
    assert values == {
        ("ping", "0", GUEST): 0.45,
        ("ping", "0", HYPERVISOR): 0.15,
        ("ping", "0", WAITING): 0.3,
        ("ping", "0", OFF): 0.1,
    }


def test_emulated_accesses_are_the_hypervisors_time() -> None:
    records: list[Row] = [(0, Kind.STATE, 0, VcpuState.RUNNING, 0, 0), (50, Kind.ACCESS, 0, 4, 0, 0)]
    values = measure(TimeShare(TracedRun(Rate(1), {0: "ping"}, ARMV8, access=20)), records, 100).values
    assert (values["ping", "0", GUEST], values["ping", "0", HYPERVISOR]) == (0.8, 0.2)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 40),
            st.sampled_from([Kind.EXIT, Kind.ENTRY, Kind.WAIT, Kind.WAKE, Kind.STATE]),
            st.integers(0, 2),
            st.sampled_from(list(VcpuState)),
        )
    )
)
def test_shares_of_a_pcpu_make_one(steps: list[tuple[int, Kind, int, VcpuState]]) -> None:
    records: list[Row] = []
    time = 0
    for gap, kind, pcpu, state in steps:
        time += gap
        records.append((time, kind, pcpu, state, 0, 0))
    values = measure(TimeShare(RUN), records, time + 1).values
    for pcpu, vm in RUN.vms.items():
        shares = [share for key, share in values.items() if key[1] == str(pcpu)]
        assert abs(sum(shares) - 1) < 1e-9
        assert {key[0] for key in values if key[1] == str(pcpu)} == {vm}
