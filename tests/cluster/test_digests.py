"""Over several nodes a machine does in virtual time what it does on one host, wherever its pcpus are."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.system.digests import FILES, ROOT, known
from tests.system.machine import baonet, pair, run
from tests.system.test_contention import SHAPES, contention
from tests.system.test_virtual import GUESTS_AND_ENDS
from tests.system.virtual import parsed, traced, virtual

SLOW, LONG = pytest.mark.slow, pytest.mark.long
SPREAD = ("--on", "local:2", "--place", "spread")
WAYS = {
    "two": SPREAD,
    "four, a process each": ("--on", "local:4", "--place", "spread", "--placement", "process-per-cpu"),
    "whole VMs": ("--on", "local:2", "--placement", "process-per-vm"),
}
FIRST = {
    ("smp-4", "two"),
    ("coherence", "four, a process each"),
    ("reset", "two"),
    ("patch", "two"),
    ("one-cpu-each", "whole VMs"),
}


@pytest.mark.parametrize(
    ("name", "way"),
    [
        (name, way) if (name, way) in FIRST else pytest.param(name, way, marks=SLOW)
        for name in GUESTS_AND_ENDS
        for way in WAYS
    ],
)
def test_a_machine_has_the_digest_of_one_host(tmp_path: Path, name: str, way: str) -> None:
    machine, end, _ = GUESTS_AND_ENDS[name]
    options = WAYS[way]
    if "--placement" in options:
        result = parsed(run(tmp_path, machine, "--clock", "virtual", "--for", end, *options))
    else:
        result = virtual(tmp_path, machine, "--for", end, *options, placement="process-per-island")
    assert result.digest == known()[name]


@pytest.mark.parametrize("name", [pytest.param(each, marks=SLOW) for each in FILES])
@pytest.mark.parametrize("nodes", [2, 4])
def test_a_machine_of_the_project_has_its_digest(name: str, nodes: int) -> None:
    on = ("--on", f"local:{nodes}", "--place", "spread")
    assert parsed(baonet("run", ROOT / name, "--clock", "virtual", "--for", "20ms", *on)).digest == known()[name]


@pytest.mark.parametrize("window", [pytest.param("1us", marks=LONG), "10us", pytest.param("100us", marks=SLOW)])
@pytest.mark.parametrize(
    "shape", [pytest.param(each, marks=() if each == "code-and-data" else SLOW) for each in SHAPES]
)
def test_pages_that_are_fought_for_change_nothing(tmp_path: Path, shape: str, window: str) -> None:
    machine = contention(shape, 2, window, rounds=100)
    here = virtual(tmp_path, machine, "--for", "3ms")
    there = virtual(tmp_path, machine, "--for", "3ms", *SPREAD, placement="process-per-island")
    assert (there.digest, there.out, there.time) == (here.digest, here.out, here.time)


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_any_placement_has_the_digest(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from([*GUESTS_AND_ENDS]))
    machine, end, _ = GUESTS_AND_ENDS[name]
    count = data.draw(st.integers(1, 4))
    node = st.integers(0, count - 1)
    places = {
        each["name"]: data.draw(st.lists(node, min_size=each.get("cpus", 1), max_size=each.get("cpus", 1)))
        for each in machine["vms"]
    }
    with tempfile.TemporaryDirectory() as directory:
        on = machine | {"placement": places}
        result = virtual(Path(directory), on, "--for", end, "--on", f"local:{count}", placement="process-per-island")
    assert result.digest == known()[name], places


def flipped() -> dict[str, Any]:
    """Bits of a page that another node has are changed from outside."""
    machine = pair()
    machine["faults"] = [
        {"fault": "flip", "shared_memory": "mailbox", "at": f"{at}us", "offset": at % 7, "count": 3}
        for at in range(100, 400, 30)
    ]
    return machine


def test_bits_that_flip_do_so_for_all_nodes(tmp_path: Path) -> None:
    here = virtual(tmp_path, flipped(), "--for", "500us")
    there = virtual(tmp_path, flipped(), "--for", "500us", *SPREAD, placement="process-per-island")
    assert there.digest == here.digest


def test_a_trace_has_the_records_of_all_nodes(tmp_path: Path) -> None:
    machine, end, _ = GUESTS_AND_ENDS["smp-2"]
    here, path = traced(tmp_path, machine, "--for", end)
    records = baonet("trace", "export", path, "--csv", "-").out
    there = parsed(
        run(tmp_path, machine, "--clock", "virtual", "--for", end, "--trace", str(tmp_path / "there.bnt"), *SPREAD)
    )
    assert there.digest == here.digest
    assert baonet("trace", "export", tmp_path / "there.bnt", "--csv", "-").out == records != ""
