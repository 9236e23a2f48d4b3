"""What memory has taken, from the end of a trace written by hand."""

from __future__ import annotations

import pytest

from baonet.hyp.armv8.wing import ARMV8
from baonet.machine import Rate
from baonet.study.catalog import METRICS
from baonet.study.metrics.base import Measured, TracedRun, kinds_for
from baonet.study.plan import MetricSpec
from baonet.trace.memory import CacheCounts

STATISTICS = {
    0: {"instructions": 3000, "memory_cycles": 4000, "memory_l1d_misses": 30, "memory_tlb_d_misses": 3}
    | {"memory_stall_data": 200, "memory_stall_dram": 500, "memory_stall_wait": 100, "memory_stall_correction": 200}
    | {"memory_hypervisor_l1d_misses": 7, "memory_hypervisor_stall_data": 90},
    1: {"instructions": 1000, "memory_cycles": 2000, "memory_l1d_misses": 10, "memory_stall_dram": 1000},
    2: {"instructions": 500, "memory_cycles": 500},
}
CACHE = CacheCounts(
    ("ping", "pong"), ({"l2_misses": 7}, {"l2_misses": 1}, {}), ((0, 4, 1, 2), (0, 0, 0, 1), (0, 0, 0, 0)), {}, ()
)
VMS = {0: "ping", 1: "ping", 2: "pong"}


def measured(kind: str, run: TracedRun) -> Measured:
    metric = METRICS[kind].make(MetricSpec(kind, kind), run)
    assert not kinds_for([metric]), "it needs no records"
    return metric.finish(0)


def found(kind: str) -> dict[tuple[str, ...], float]:
    return measured(kind, TracedRun(Rate(10**9), VMS, ARMV8, 0, STATISTICS, {0: CACHE})).values


def test_stalls_are_parts_of_the_time_in_which_the_guest_runs() -> None:
    stalls = found("memory-stalls")
    assert {cause: stalls["ping", cause] for cause in ("cache", "memory", "contention", "translation")} == {
        "cache": pytest.approx(200 / 6000),
        "memory": 0.25,
        "contention": 0.05,
        "translation": 0,
    }
    assert stalls["pong", "memory"] == 0


def test_misses_are_told_in_a_thousand_instructions() -> None:
    misses = found("memory-misses")
    assert (misses["ping", "L1D"], misses["ping", "TLB"], misses["pong", "L1D"]) == (10, 0.75, 0)


def test_instructions_in_a_cycle() -> None:
    assert found("instruction-rate") == {("ping",): pytest.approx(2 / 3), ("pong",): 1}


def test_all_counts_of_guest_and_hypervisor() -> None:
    counts = found("memory-counts")
    assert counts["ping", "guest", "l1d_misses"] == 40
    assert counts["ping", "hypervisor", "l1d_misses"] == 7
    assert counts["ping", "hypervisor", "stalled cycles: data"] == 90


def test_who_has_driven_out_what_whom_missed() -> None:
    evictions = found("cache-evictions")
    assert evictions["ping", "pong"] == 4
    assert evictions["ping", "hypervisor"] == 1
    assert sum(count for (owner, _), count in evictions.items() if owner == "ping") == 7


@pytest.mark.parametrize(
    "kind", ["memory-stalls", "memory-misses", "instruction-rate", "memory-counts", "cache-evictions"]
)
def test_where_memory_takes_no_time_that_is_said(kind: str) -> None:
    nothing = measured(kind, TracedRun(Rate(10**9), VMS, ARMV8, 0, {0: {"instructions": 5}}))
    assert not nothing.values
    assert nothing.notes == {"runs of a platform whose memory takes no time": 1}
