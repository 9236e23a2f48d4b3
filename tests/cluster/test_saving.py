"""A machine that nodes run is saved as one host saves it, and goes on from there wherever it is loaded."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import baonet
from tests.cluster.test_digests import TIMED
from tests.patience import LIMIT
from tests.system.machine import vm, write
from tests.system.test_memory_system import machine as beside_noise
from tests.system.test_virtual import GUESTS_AND_ENDS

VIRTUAL = {"clock.mode": "virtual"}
HERE: dict[str, Any] = {"placement": "one-process"}
TWO = {"on": "local:2"}
FOUR = {"on": "local:4", "placement": "process-per-cpu"}
HOSTED = ["one-process", "process-per-cpu", "process-per-vm", "process-per-island"]
Way = tuple[dict[str, Any], Any]
"""Options of ``open_run``, and the placement of the machine file."""


def spread(*ways: dict[str, Any]) -> list[Way]:
    return [(way, "spread") for way in ways]


def lives(
    machine: dict[str, Any], ways: Sequence[Way], moments: Sequence[int], end: str
) -> tuple[list[bytes], str | None, str]:
    """A machine that lives on ``ways`` in turn, each for so many microseconds, and the last one to its end.

    What was saved between them, the digest, and what guests have printed.
    """
    with tempfile.TemporaryDirectory() as directory:
        return trio.run(_live, Path(directory), machine, ways, moments, end)


async def _live(
    directory: Path, machine: dict[str, Any], ways: Sequence[Way], moments: Sequence[int], end: str
) -> tuple[list[bytes], str | None, str]:
    states: list[bytes] = []
    said: dict[str, str] = {}
    options: dict[str, Any] = {"limit": end, "timeout": LIMIT, "stop_on_report": False}
    for moment, (way, placement) in zip([*moments, None], ways, strict=True):
        loaded = baonet.load(write(directory, machine | {"placement": placement}), set=VIRTUAL)
        over = False
        async with baonet.open_run(loaded, **options, **way) as run:
            if moment is None:
                await run.finished()
            else:
                try:
                    await run.for_(f"{moment}us")
                except baonet.RunEndedError:  # before that moment
                    over = True
                else:
                    options["state"] = directory / f"state {len(states)}"
                    await run.save(options["state"])
                    states.append(options["state"].read_bytes())
        said = {each.name: said.get(each.name, "") + run.console(each.name).text for each in loaded.vms}
        if over:
            break
    return states, run.outcome.digest, repr(said)


def left_alone(machine: dict[str, Any], moments: Sequence[int], end: str) -> str | None:
    """The digest of a machine that stands at the same moments, and is never saved."""

    async def live(directory: Path) -> str | None:
        loaded = baonet.load(write(directory, machine), set=VIRTUAL)
        async with baonet.open_run(loaded, limit=end, timeout=LIMIT, stop_on_report=False, **HERE) as run:
            try:
                for moment in moments:
                    await run.for_(f"{moment}us")
                await run.finished()
            except baonet.RunEndedError:
                pass
        return run.outcome.digest

    with tempfile.TemporaryDirectory() as directory:
        return trio.run(live, Path(directory))


@pytest.mark.parametrize("name", ["smp-4", "coherence"])
def test_a_machine_goes_to_nodes_and_back(name: str) -> None:
    machine, moments, end = GUESTS_AND_ENDS[name][0], [60, 70], "200us"
    here = lives(machine, spread(HERE, HERE, HERE), moments, end)
    assert len(here[0]) == 2
    assert here[1] == left_alone(machine, moments, end) is not None
    assert lives(machine, spread(TWO, HERE, FOUR), moments, end) == here


@pytest.mark.parametrize("name", ["contend", pytest.param("ping-pong", marks=pytest.mark.slow)])
def test_caches_of_cpus_on_several_nodes_are_saved_as_on_one(name: str) -> None:
    """Also amid a window, in which CPUs have done what no window's end has settled."""
    moments, end = [63, 75], "180us"
    here = lives(TIMED[name], spread(HERE, HERE, HERE), moments, end)
    assert here[1] == left_alone(TIMED[name], moments, end) is not None
    assert lives(TIMED[name], spread(TWO, HERE, FOUR), moments, end) == here
    assert lives(TIMED[name], spread(FOUR, TWO, TWO), moments, end) == here


def test_what_is_typed_and_not_read_goes_along() -> None:
    """What was read long ago on another node is nothing that a state has."""
    machine = {"vms": [vm("echo", cpus=2)]}
    machine["input"] = [{"vm": "echo", "at": f"{at}us", "text": "abcdefgh\n" * 20} for at in (40, 90, 140, 190)]
    moments = [100, 50]
    here = lives(machine, spread(HERE, HERE, HERE), moments, "400us")
    assert lives(machine, spread(TWO, TWO, HERE), moments, "400us") == here


@pytest.mark.slow
@pytest.mark.timeout(600)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_any_machine_goes_anywhere_at_any_moment(data: st.DataObject) -> None:
    machines = {name: each[:2] for name, each in GUESTS_AND_ENDS.items()}
    machines |= {f"{name}, timed": (machine, "1ms") for name, machine in TIMED.items()}
    name = data.draw(st.sampled_from(sorted(machines)))
    machine, end = machines[name]
    moments = data.draw(st.lists(st.integers(1, 400), min_size=1, max_size=3))
    ways: list[Way] = []
    for _ in range(len(moments) + 1):
        count = data.draw(st.integers(0, 4))
        node = st.integers(0, max(0, count - 1))
        places = {
            each["name"]: data.draw(st.lists(node, min_size=each.get("cpus", 1), max_size=each.get("cpus", 1)))
            for each in machine["vms"]
        }
        on = {"on": f"local:{count}"} if count else {"placement": data.draw(st.sampled_from(HOSTED))}
        ways.append((on, places))
    here = lives(machine, spread(*[HERE] * len(ways)), moments, end)
    assert here[1] == left_alone(machine, moments, end)
    assert lives(machine, ways, moments, end) == here, (name, ways, moments)


async def test_a_machine_of_which_a_node_is_lost_is_not_saved(tmp_path: Path) -> None:
    loaded = baonet.load(write(tmp_path, GUESTS_AND_ENDS["ping-pong"][0] | {"placement": "spread"}), set=VIRTUAL)
    before = children()
    async with baonet.open_run(loaded, on="local:2", timeout=LIMIT) as run:
        await run.for_("20us")
        os.kill(max(children() - before), signal.SIGKILL)
        with pytest.raises(baonet.RunError, match=r"the machine cannot be saved: (some of its CPUs|node local-1 )"):
            await run.save(tmp_path / "state")
    assert not (tmp_path / "state").exists()


def children() -> set[int]:
    return {int(pid) for task in Path("/proc/self/task").iterdir() for pid in (task / "children").read_text().split()}


def test_caches_that_vms_on_two_nodes_share_are_saved_as_on_one() -> None:
    """Each node has what its own CPUs have of them alone."""
    machine, moments, end = beside_noise(neighbours=1, passes=2), [200, 200], "500us"
    here, there = (HERE, "pack"), (TWO, {"membench": 0, "membound": 1})
    states, digest, _ = lives(machine, [here, here, here], moments, end)
    assert digest == left_alone(machine, moments, end)
    for ways in ([there, here, there], [here, there, here]):
        assert lives(machine, ways, moments, end)[:2] == (states, digest)


def test_who_has_a_line_is_saved_where_its_vm_is_not_at_home() -> None:
    """CPUs of a VM tell each other who has a line, and other nodes need not know. With colours VMs lie page by page."""
    machine, moments, end = beside_noise(neighbours=2, passes=2), [300, 300], "800us"
    here, there, back = (HERE, "pack"), (TWO, {"membench": 0, "membound": 1}), (TWO, {"membench": 1, "membound": 0})
    for colors in ({}, {"colors": 0x0F}), ({"colors": 0x0F}, {"colors": 0x30}):
        victim, noise = machine["vms"]
        sharers = vm("smp", cpus=2, name="membound", devices=noise["devices"])
        both = machine | {"vms": [victim | colors[0], sharers | colors[1]]}
        states, digest, _ = lives(both, [here, here, here], moments, end)
        for ways in ([there, here, back], [back, there, here]):
            assert lives(both, ways, moments, end)[:2] == (states, digest)
