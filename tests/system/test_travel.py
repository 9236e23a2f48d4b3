"""A machine that is saved at any horizon and made anew goes on as one that was left alone: nothing of it shows."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

import pytest
from _pytest.mark import ParameterSet
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from baonet.config.loader import load
from baonet.core.selftest import ensure
from baonet.trace.reader import TraceReader
from baonet.trace.records import machine_digest
from tests.contents import WRONG, places, replaced
from tests.examples import examples
from tests.system.digests import ROOT, of_file
from tests.system.machine import pair, vm, write
from tests.system.test_memory_system import machine as beside_noise
from tests.system.test_memory_system import platform
from tests.system.test_random_guests import CLOCKS, COSTS, VMS, random_machine
from tests.system.test_rebirth import both
from tests.system.test_virtual import GUESTS_AND_ENDS
from tests.system.travelling import Carried, Outcome, same, travelled
from tests.system.virtual import traced

VIRTUAL = {"clock": {"mode": "virtual"}}
FAR = {"mode": "virtual", "window": "1us", "latency": {"ipi": "17us", "ipc": "31us", "spi": "23us"}}
GIC_V2 = "qemu-aarch64-virt-gicv2"
EVERY_FAULT = [
    {"fault": "delay", "to": "pong", "by": "25us", "probability": 0.3, "seed": 1},
    {"fault": "reorder", "to": "ping", "by": "9us", "probability": 0.2, "count": 40},
    {"fault": "duplicate", "probability": 0.5, "seed": 3},
    {"fault": "stall", "pcpu": 1, "at": "300us", "for": "40us"},
    {"fault": "flip", "shared_memory": "mailbox", "at": "500us", "offset": 4096, "count": 3},
    {"fault": "flip", "shared_memory": "mailbox", "at": "700us", "offset": 4100, "count": 2},
    {"fault": "crash", "pcpu": 0, "at": "900us"},
]


def typed(*times: int) -> list[dict[str, Any]]:
    return [{"vm": "echo", "at": f"{time}us", "text": f"line {time}\n"} for time in times]


NANOSECONDS = {"us": 1000, "ms": 10**6, "s": 10**9}
MACHINES: dict[str, tuple[dict[str, Any] | Path, int]] = {
    name: (machine, int(end.rstrip("mus")) * NANOSECONDS[end.lstrip("0123456789")])
    for name, (machine, end, _) in GUESTS_AND_ENDS.items()
} | {
    "faults": (pair() | {"faults": EVERY_FAULT}, 1_000_000),
    "rebirth": (both(2, 2), 30_000_000),
    "rebirth-gicv2": (both(2, 1) | {"platform": GIC_V2}, 30_000_000),
    "smp-gicv2": ({"platform": GIC_V2, "vms": [vm("smp", cpus=4)]}, 2_000_000),
    "sgi-gicv2": ({"platform": GIC_V2, "vms": [vm("sgi", cpus=2)]}, 1_000_000),
    "far": (both(2, 2) | {"clock": FAR}, 90_000_000),
    "far home": ({"vms": [vm("smp", cpus=4, cpu_affinity=[2])], "clock": FAR}, 400_000),
    "calls": ({"vms": [vm("misbehave-calls")]}, 100_000),
    "much typing": (
        {"vms": [vm("timer")], "input": [{"vm": "timer", "at": "1us", "text": "x" * 40_000}] * 2},
        100_000_000,
    ),
    "typing": (
        {"vms": [vm("echo")], "input": [*typed(20, 21, 400), {"vm": "echo", "at": "401us", "break": True}]},
        1_000_000,
    ),
    "hello.yaml": (ROOT / "configs/hello.yaml", 20_000_000),
    "ping-pong.yaml": (ROOT / "configs/ping-pong.yaml", 2_000_000),
    "memory system": (beside_noise(), 400_000),
    "memory system smp": ({"platform": platform(), "vms": [vm("contend", cpus=4)]}, 400_000),
    "memory system ping-pong": (pair() | {"platform": platform()}, 400_000),
    "latency": (ROOT / "examples/studies/machines/interrupt-latency.yaml", 3_000_000),
    "noisy": (ROOT / "examples/studies/machines/noisy-neighbour.yaml", 3_000_000),
}


def run(name: str, steps: int, at: Collection[int], *, look: bool = False) -> Outcome:
    machine, end = MACHINES[name]
    if isinstance(machine, Path):
        return travelled(machine, end, end // steps, at, look=look)
    with tempfile.TemporaryDirectory() as directory:
        return travelled(write(Path(directory), VIRTUAL | machine), end, end // steps, at, look=look)


@functools.cache
def alone(name: str, steps: int) -> Outcome:
    return run(name, steps, ())


def among(left: Outcome, places: Iterable[int]) -> set[int]:
    """Some of its horizons, by where they are in a thousand of them; not the last, at which it ends."""
    return {1 + place * (left.horizons - 1) // 1000 for place in places} - {left.horizons}


def slow(*names: str) -> list[ParameterSet]:
    return [pytest.param(name, marks=pytest.mark.slow) for name in names]


PLACES = st.lists(st.integers(0, 999), min_size=1, max_size=5)


@settings(max_examples=8)
@given(st.sampled_from(sorted(MACHINES)), st.sampled_from([25, 400]), PLACES)
def test_a_machine_goes_on_from_any_horizon(name: str, steps: int, places: list[int]) -> None:
    left = alone(name, steps)
    same(left, run(name, steps, among(left, places)))


@pytest.mark.parametrize(
    "name", ["faults", "rebirth-gicv2", "typing", *slow("rebirth", "far", "one-cpu-each", "sgi-gicv2")]
)
def test_a_machine_goes_on_from_every_horizon(name: str) -> None:
    """Each time from what was made anew the last time."""
    left = alone(name, 25)
    assert left.horizons > 1
    same(left, run(name, 25, range(1, left.horizons)))


def test_a_machine_that_was_saved_ends_with_the_digest_of_its_run() -> None:
    name = "configs/ping-pong.yaml"
    outcome = travelled(ROOT / name, 20_000_000, 1_000_000, (3, 7, 12))
    assert machine_digest(outcome.digests) == of_file(name)


@pytest.mark.parametrize(
    "name", ["faults", "typing", *slow("far", "rebirth-gicv2", "far home", "calls", "much typing")]
)
def test_what_was_loaded_has_all_that_was_saved(name: str) -> None:
    left = alone(name, 400)
    same(left, run(name, 400, among(left, [20, 300, 700]), look=True))


@settings(max_examples=6, suppress_health_check=[HealthCheck.too_slow])
@given(VMS, CLOCKS, COSTS, st.sampled_from([1000, 20_000]), PLACES)
def test_a_random_machine_goes_on_from_any_horizon(
    vms: list[list[Any]], clock: dict[str, Any], costs: dict[str, str], step: int, places: list[int]
) -> None:
    see_that_it_goes_on(vms, clock, costs, step, places)


@pytest.mark.long
@pytest.mark.timeout(0)
@settings(max_examples=3000, suppress_health_check=[HealthCheck.too_slow])
@given(VMS, CLOCKS, COSTS, st.sampled_from([200, 1000, 20_000]), PLACES)
def test_thousands_of_random_machines_go_on(
    vms: list[list[Any]], clock: dict[str, Any], costs: dict[str, str], step: int, places: list[int]
) -> None:
    see_that_it_goes_on(vms, clock, costs, step, places)


def see_that_it_goes_on(
    vms: list[list[Any]], clock: dict[str, Any], costs: dict[str, str], step: int, places: list[int]
) -> None:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        file = write(directory, random_machine(directory, vms, clock, costs))
        left = travelled(file, 50_000_000, step)
        same(left, travelled(file, 50_000_000, step, among(left, places)))


def test_what_is_led_here_is_what_the_command_runs(tmp_path: Path) -> None:
    _, path = traced(tmp_path, pair(), "--for", "1ms")
    with TraceReader(path) as trace:
        records = {pcpu: b"".join(trace.of(pcpu)) for pcpu in trace.pcpus}
    assert alone("ping-pong", 20).records == records


@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damaged_state_is_refused_or_taken(tmp_path: Path, data: st.DataObject) -> None:
    """Whatever is in it, it is a ValueError that says of what it is, or a state."""
    machine, _ = MACHINES["faults"]
    assert isinstance(machine, dict)
    loaded = load(write(tmp_path, VIRTUAL | machine))
    ensure(loaded.platform.architecture)
    first, second = Carried(loaded), Carried(loaded)
    (conductor,), (other,) = first.conductors.values(), second.conductors.values()
    saved = conductor.save()
    place = data.draw(st.sampled_from(places(saved)[1:]))
    try:
        other.load(replaced(saved, place, data.draw(st.sampled_from(WRONG))))
    except ValueError as error:
        problem = str(error)
    else:
        problem = "the state is taken"
    first.close()
    second.close()
    assert problem.startswith(("the state", "a message in the state")), (place, problem)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ((0, "island", "island", "pcpus", 0, 1), "x"),
        ((0, "island", "island", "pcpus", 1, 1), [1]),
        ((0, "island", "island", "pcpus", 1, 2), 1),
        ((0, "island", "island", "rounds", 0), 9),
        ((0, "island", "island", "rounds", 5), []),
        ((0, "island", "island", "deliveries", 2), None),
        ((0, "island", "faults", "floors"), [[0, 1, "x"]]),
        ((0, "island", "faults", "rules", 0, 0), "x"),
        ((0, "seat", "channels"), [[1, [2]]]),
        ((0, "seat", "inbox"), [["x", []]]),
        ((0, "recorder", "link"), bytes(31)),
        ((0, "recorder", "records"), bytes(33)),
        ((0, "recorder", "records"), bytes(32) + b"\xff" * 32),
        ((0, "seat", "body", "hypervisor", "exits", 3), {}),
        ((0, "seat", "body", "hypervisor", "received"), {"IpcNotify": "x"}),
        ((0, "seat", "body", "hypervisor", "sent"), {"IpcNotify": None}),
    ],
)
def test_what_would_stop_the_machine_later_is_refused(tmp_path: Path, place: tuple[Any, ...], value: Any) -> None:
    machine, _ = MACHINES["faults"]
    assert isinstance(machine, dict)
    loaded = load(write(tmp_path, VIRTUAL | machine))
    ensure(loaded.platform.architecture)
    carried = Carried(loaded)
    (conductor,) = carried.conductors.values()
    saved = conductor.save()
    conductor.load(saved)
    with pytest.raises(ValueError, match="is damaged"):
        conductor.load(replaced(saved, place, value))
    carried.close()
