"""The published figures are those that the papers' plots show, and those that were known of them before."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from baonet.study import published

DOCS = Path(__file__).parents[2] / "docs"
WORKLOADS = [
    f"{name}-{size}"
    for name in ("qsort", "susanc", "susane", "susans", "bitcount", "basicmath")
    for size in ("small", "large")
]


@pytest.mark.parametrize(
    ("configuration", "percent"),
    [
        ("solo", [0.1, 0.1, 1.3, 0.3, 0.6, 0.0, 0.1, 0.0, 0.3, 0.0, 0.0, 0.0]),
        ("solo+4KiB-pages", [1.7, 0.4, 6.3, 1.7, 5.2, 0.8, 1.0, 0.1, 1.2, 0.1, 0.3, 0.1]),
        ("col", [15.4, 1.1, 24.5, 6.3, 21.1, 4.3, 4.3, 0.3, 5.0, 0.4, 0.9, 0.2]),
        ("interf", [85.3, 10.3, 110.7, 37.9, 101.1, 22.1, 22.2, 2.6, 26.1, 2.8, 17.7, 7.9]),
        ("interf+col", [58.0, 5.3, 79.1, 26.5, 71.7, 15.6, 13.6, 1.2, 15.4, 1.2, 3.9, 1.0]),
    ],
)
def test_slowdowns_of_bao_are_the_known_ones(configuration: str, percent: list[float]) -> None:
    found = [published.slowdown("bao", configuration, workload) for workload in WORKLOADS]
    assert found == pytest.approx(percent, abs=0.06)


@pytest.mark.parametrize(
    ("hypervisor", "nanoseconds"),
    [
        ("baremetal", {"solo": 222}),
        ("bao", {"solo": 906, "col": 905, "interf": 7322, "interf+col": 2179, "interf+col+hypcol": 1001}),
        ("bao", {"direct+solo": 223, "direct+interf": 1817, "direct+interf+col": 245}),
        ("jailhouse", {"solo": 1094, "col": 1748, "interf": 6937, "interf+col": 3127}),
        ("xen", {"solo": 3328, "col": 3346, "interf": 28583, "interf+col": 20918, "interf+col+hypcol": 7106}),
        ("sel4", {"solo": 9726, "interf": 85703}),
    ],
)
def test_interrupt_latencies_are_the_known_ones(hypervisor: str, nanoseconds: dict[str, int]) -> None:
    rows = published.interrupt_latencies()
    assert {name: rows[hypervisor, name].mean_ns for name in nanoseconds} == nanoseconds
    assert all(rows[hypervisor, name].samples == 200 for name in nanoseconds)


def test_every_mean_is_between_the_extremes() -> None:
    for row in published.interrupt_latencies().values():
        assert row.least_ns <= row.mean_ns <= row.most_ns


def test_a_hypervisor_runs_nothing_where_there_is_none() -> None:
    rows = published.interrupt_latencies().values()
    for row in rows:
        assert (row.instructions_hypervisor > 0) == (
            row.hypervisor != published.BARE and not row.configuration.startswith("direct")
        )
    assert published.workloads()["bao", "solo", "qsort-small"].instructions_hypervisor == 944
    assert published.interprocessor_interrupts()["bao"].trap_ns == 1246


def test_each_configuration_has_all_workloads() -> None:
    found: dict[tuple[str, str], set[str]] = {}
    for hypervisor, configuration, workload in published.workloads():
        found.setdefault((hypervisor, configuration), set()).add(workload)
    assert all(each == set(WORKLOADS) for each in found.values())
    assert len(found) == 20


def test_half_of_the_workloads_are_for_calibration() -> None:
    assert len(published.CALIBRATION) == 6
    kinds = {name.split("-")[0] for name in published.CALIBRATION}
    assert len(kinds) == 6
    assert sorted(name.split("-")[1] for name in published.CALIBRATION) == ["large"] * 3 + ["small"] * 3
    assert set(WORKLOADS) > published.CALIBRATION


def test_what_nobody_measured_is_not_made_up() -> None:
    with pytest.raises(KeyError):
        published.slowdown("sel4", "col", "qsort-small")
    assert published.interrupt_latencies()["bao", "solo"].accesses_guest is None


def test_what_linux_counts_is_of_one_run_wherever_it_is_told() -> None:
    sample = r"^bitcount-small, run 1: .*? (\d+) L2 refills"
    row = r"^\| bitcount-small \| [^|]*\| (\d+) \("
    told = {"memory-counters.md": sample, "studies/memory-linux.md": row}
    found = [re.search(pattern, (DOCS / page).read_text(), re.MULTILINE) for page, pattern in told.items()]
    first, second = (each and each[1] for each in found)
    assert first == second
    assert first is not None
