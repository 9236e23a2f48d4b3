"""What studies have found stands beside the published figure of the same thing, and nothing else does."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import astuple
from pathlib import Path

import pytest

from baonet.config.armv8.memory_presets import PRESETS
from baonet.study import pictures, published
from baonet.study.store import Store
from benchmarks import derived
from benchmarks import published as beside
from benchmarks.published import main

Row = tuple[dict[str, str], str, Sequence[float]]


def results(path: Path, rows: Sequence[Row]) -> Path:
    """A results file as `baonet study` makes it."""
    Store(path, write=True).close()
    with sqlite3.connect(path) as database:
        for number, (place, metric, samples) in enumerate(rows):
            of_axes = json.dumps({axis: [label, None, ""] for axis, label in place.items()})
            database.execute("INSERT INTO points VALUES (?, '', ?, '{}')", (number, of_axes))
            database.execute("INSERT INTO runs VALUES (?, ?, 0, 0, 'done', '', '', '{}')", (number, number))
            kept = (number, metric, "[]", "ns", len(samples), min(samples), max(samples), sum(samples), b"")
            database.execute("INSERT INTO samples VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", kept)
    database.close()
    return path


def linux(configuration: str, workload: str, *nanoseconds: float) -> Row:
    return {"configuration": configuration}, workload, nanoseconds


def test_slowdowns_are_against_the_same_workload_alone(tmp_path: Path) -> None:
    rows = [
        linux("solo", "qsort-small", 90, 110),
        linux("interf", "qsort-small", 180),
        linux("col", "qsort-small", 115),
    ]
    found = beside.slowdowns(beside.read(results(tmp_path / "r.sqlite", rows)))
    assert list(found) == ["interf", "col"]
    (interfered,), (coloured,) = found.values()
    assert interfered.here == pytest.approx(80)
    assert interfered.published == pytest.approx(100 * (39572000 - 21389700) / 21389700)
    assert coloured.here == pytest.approx(15)


def test_what_is_not_published_is_left_out(tmp_path: Path) -> None:
    rows = [
        linux("solo", "another", 100),
        linux("interf", "another", 200),
        linux("solo", "qsort-small", 100),
        linux("nine colours", "qsort-small", 200),
        linux("col", "qsort-large", 100),
    ]
    assert beside.page(beside.read(results(tmp_path / "r.sqlite", rows))) == ""


def test_latencies_are_of_the_hypervisor_and_the_way_of_interrupts(tmp_path: Path) -> None:
    rows: list[Row] = [
        ({"configuration": "interf", "interrupts": "mediated"}, "latency", [7000, 7200]),
        ({"configuration": "interf", "interrupts": "direct"}, "latency", [1817]),
        ({"configuration": "solo", "hypervisor": "seL4"}, "latency", [9726]),
        ({"configuration": "col", "hypervisor": "seL4"}, "latency", [9726]),
    ]
    pairs = beside.latencies(beside.read(results(tmp_path / "r.sqlite", rows)))
    assert [(pair.name, pair.published, pair.here) for pair in pairs] == [
        ("bao interf", 7322, 7100),
        ("bao direct+interf", 1817, 1817),
        ("sel4 solo", 9726, 9726),
    ]
    assert pairs[0].relative == pytest.approx(-222 / 7322)


def test_the_order_is_kept_by_as_many_twos_as_are_in_it() -> None:
    pairs = [beside.Pair("a", 1, 10), beside.Pair("b", 2, 30), beside.Pair("c", 3, 20)]
    assert beside.order_kept(pairs) == pytest.approx(2 / 3)
    assert beside.order_kept(pairs[:1]) == 1


def test_the_page_tells_the_halves_apart(tmp_path: Path) -> None:
    rows = [
        linux(configuration, workload, nanoseconds)
        for workload in ("qsort-small", "qsort-large")
        for configuration, nanoseconds in (("solo", 100), ("interf", 150), ("col", 103))
    ]
    page = beside.page(beside.read(results(tmp_path / "r.sqlite", rows)))
    assert "| qsort-small | yes | 21.39 | 0.00 | -100 % |" in page
    assert "| qsort-small | yes | 85.0, 50.0 | 15.3, 3.0 |" in page
    assert "| qsort-large | no | 10.2, 50.0 | 1.1, 3.0 |" in page
    assert "| interf | matched with | 41 % | 100 % |" in page
    assert "| col | others | 1.9 points | 100 % |" in page


def test_the_preset_has_what_half_of_the_published_figures_come_to() -> None:
    matched = derived.medians(sorted(published.CALIBRATION))
    system = PRESETS["cortex-a53"].system
    assert matched.latency == pytest.approx(system.dram_latency * derived.CYCLES_PER_NS, rel=0.05)
    others = derived.medians([name for name in sorted(_workloads()) if name not in published.CALIBRATION])
    for ours, theirs in zip(astuple(matched), astuple(others), strict=True):
        assert ours == pytest.approx(theirs, rel=0.1), "the halves tell the same"


def test_both_figures_are_drawn(tmp_path: Path) -> None:
    if not pictures.available():
        pytest.skip("no matplotlib")
    place = {"configuration": "interf+col", "interrupts": "mediated"}
    file = results(tmp_path / "latency.sqlite", [(place, "latency", [2400.0, 2500.0])])
    assert main(["--svg", str(tmp_path), str(file)]) == 0
    drawn = (tmp_path / "latency-published.svg").read_text()
    for text in ("bao interf+col", "published", "here"):
        assert f">{text}</text>" in drawn
    nothing = results(tmp_path / "nothing.sqlite", [(place, "something else", [1.0])])
    assert main(["--svg", str(tmp_path), str(nothing)]) == 0
    assert not (tmp_path / "nothing-published.svg").exists()


def test_parts_of_a_study_are_one_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each workload against itself alone in the same part."""
    files = []
    for number, (workload, alone) in enumerate((("qsort-small", 10e6), ("qsort-large", 100e6))):
        rows = [({"configuration": name}, workload, [alone * factor]) for name, factor in (("solo", 1), ("interf", 2))]
        files.append(str(results(tmp_path / f"{number}.sqlite", rows)))
    assert main(["--as-one", "linux", *files]) == 0
    told = capsys.readouterr().out
    assert told.startswith("## linux\n")
    assert told.count("## ") == 1
    assert "| qsort-small | yes | 85.0, 100.0 |" in told
    assert "| qsort-large | no | 10.2, 100.0 |" in told


def test_each_workload_has_its_row_of_quotients() -> None:
    lines = list(derived.table())
    assert len(lines) == 1 + len(_workloads()) + 3
    assert sum("| yes |" in line for line in lines) == len(published.CALIBRATION) + 1


def _workloads() -> set[str]:
    return {name for _, _, name in published.workloads()}
