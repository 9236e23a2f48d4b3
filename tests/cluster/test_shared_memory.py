"""Under the host's clock: what VMs on several nodes share is one memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.system.machine import run
from tests.system.test_contention import BETWEEN_VMS, SHAPES, contention
from tests.system.test_litmus import ARCHITECTURES, litmus, outcomes, shapes

SLOW = pytest.mark.slow
SPREAD = ("--on", "local:2", "--place", "spread")
FOUR = ("--on", "local:4", "--place", "spread")


def freely(machine: dict[str, Any]) -> dict[str, Any]:
    """The same under the host's clock."""
    platform = {name: value for name, value in machine["platform"].items() if name != "timer_frequency"}
    return machine | {"clock": {"mode": "host"}, "platform": platform}


@pytest.mark.parametrize("shape", [pytest.param(each, marks=SLOW) for each in BETWEEN_VMS])
def test_vms_on_two_nodes_want_the_same_pages(tmp_path: Path, shape: str) -> None:
    result = run(tmp_path, freely(contention(shape, 1, "10us", vms=2)), *SPREAD)
    assert result.status == 0, result.out + result.err
    assert "contend: as it should be" in result.out


@pytest.mark.parametrize("shape", [pytest.param(each, marks=SLOW) if each != "everything" else each for each in SHAPES])
@pytest.mark.parametrize(("cpus", "where"), [(2, SPREAD), pytest.param(4, FOUR, marks=SLOW)])
def test_vcpus_on_several_nodes_want_the_same_pages(
    tmp_path: Path, shape: str, cpus: int, where: tuple[str, ...]
) -> None:
    rounds = 40_000 // cpus**2  # four nodes on two cores take turns
    result = run(tmp_path, freely(contention(shape, cpus, "10us", rounds=rounds)), *where)
    assert result.status == 0, result.out + result.err
    assert "contend: as it should be" in result.out


@pytest.mark.parametrize("architecture", ["armv8", pytest.param("riscv", marks=SLOW)])
@pytest.mark.parametrize(("cpus", "where"), [(2, SPREAD), pytest.param(4, FOUR, marks=SLOW)])
def test_nothing_weak_is_seen_between_nodes(
    tmp_path: Path, architecture: str, cpus: int, where: tuple[str, ...]
) -> None:
    """Who has a page that another node wants does what he began, and lets it go: that is sequentially consistent."""
    seen = outcomes(tmp_path, litmus(cpus, 500, 1, architecture), *where)
    assert len(seen) == shapes(architecture, cpus)
    assert not any(seen.values())


@pytest.mark.long
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize(("cpus", "where"), [(2, SPREAD), (4, FOUR)])
def test_nothing_weak_is_seen_between_nodes_in_a_hundred_thousand(
    tmp_path: Path, architecture: str, cpus: int, where: tuple[str, ...]
) -> None:
    seen = outcomes(tmp_path, litmus(cpus, 100_000, 1, architecture), *where, seconds=7000)
    assert len(seen) == shapes(architecture, cpus)
    assert not any(seen.values())


def test_what_a_guest_says_comes_while_it_waits_for_pages(tmp_path: Path) -> None:
    """A slice of its instructions, as long as that takes, does not pass before."""
    machine = freely(contention("everything", 2, "10us", rounds=10**15))
    result = run(tmp_path, machine, *SPREAD, "--until", "contend: everything", "--timeout", "30s")
    assert result.status == 0, result.err
