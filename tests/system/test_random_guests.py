"""Guests of random pieces on random machines: one digest, whatever runs them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from tests.system import random_hart
from tests.system.elsewhere import BOARDS, riscv
from tests.system.machine import UART, vm
from tests.system.random_guest import PARTS, PRINTED, PROGRAMS, describe, image
from tests.system.virtual import IPC, MAILBOX, SECOND_UART, TWO_UARTS, same_everywhere

VMS = st.lists(st.lists(PROGRAMS, min_size=1, max_size=PARTS), min_size=1, max_size=2)
"""The programs of each vCPU of one VM or two."""
HART_VMS = st.lists(st.lists(random_hart.PROGRAMS, min_size=1, max_size=PARTS), min_size=1, max_size=2)


Image = Callable[[Path, str, Sequence[Sequence[tuple[str, int]]]], Path]


def nanoseconds(most: int) -> st.SearchStrategy[str]:
    return st.integers(0, most).map("{}ns".format)


CLOCKS = st.fixed_dictionaries(
    {
        "mhz": st.sampled_from([50, 333, 1000, 2500]),
        "window": st.sampled_from(["200ns", "1us", "7777ns", "50us"]),
        "latency": st.fixed_dictionaries({kind: nanoseconds(20_000) for kind in ("ipi", "ipc", "spi")}),
    }
)
KINDS = ("hypercall", "access", "interrupt", "direct", "relayed")
COSTS = st.fixed_dictionaries({kind: nanoseconds(3000) for kind in KINDS})


def random_machine(
    directory: Path, vms: list[list[Any]], clock: dict[str, Any], costs: dict[str, str], made: Image = image
) -> dict[str, Any]:
    """In virtual time, with a guest of its own for each VM."""
    machine: dict[str, Any] = {
        "platform": {"extends": "qemu-aarch64-virt", "cpus": 2 * PARTS, "devices": TWO_UARTS, "costs": costs},
        "clock": {"mode": "virtual"} | clock,
        "shared_memory": [MAILBOX],
        "vms": [],
    }
    for number, programs in enumerate(vms):
        note(f"VM {number}\n{describe(programs)}")
        guest = {"path": str(made(directory, f"guest{number}", programs))}
        devices = SECOND_UART if number else [UART]
        fields = {"image": guest, "cpus": len(programs), "ipcs": [IPC], "devices": devices}
        machine["vms"].append(vm("random", f"vm{number}") | fields)
    return machine


def random_machine_of_harts(
    directory: Path, vms: list[list[Any]], clock: dict[str, Any], costs: dict[str, str], controller: str
) -> dict[str, Any]:
    machine = random_machine(directory, vms, clock, costs, random_hart.image)
    moved = riscv(machine, controller)
    return moved | {"vms": [to | {"image": of["image"]} for to, of in zip(moved["vms"], machine["vms"], strict=True)]}


def see_that_all_agree(directory: Path, vms: list[list[Any]], machine: dict[str, Any]) -> None:
    result = same_everywhere(directory, machine, "--for", "50ms")
    assert result.status == 0, result
    lines = result.out.translate(dict.fromkeys(map(ord, PRINTED)))
    assert lines.count("random: vCPU") == sum(map(len, vms)), result.out
    assert lines.count("random: done") == len(vms), result.out


def see_that_all_do(vms: list[list[Any]], clock: dict[str, Any], costs: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        see_that_all_agree(Path(directory), vms, random_machine(Path(directory), vms, clock, costs))


def see_that_all_harts_do(vms: list[list[Any]], clock: dict[str, Any], costs: dict[str, str], controller: str) -> None:
    with tempfile.TemporaryDirectory() as directory:
        machine = random_machine_of_harts(Path(directory), vms, clock, costs, controller)
        see_that_all_agree(Path(directory), vms, machine)


@pytest.mark.slow
@settings(max_examples=3, suppress_health_check=[HealthCheck.too_slow])
@given(VMS, CLOCKS, COSTS)
def test_a_random_guest_does_the_same_in_every_placement(
    vms: list[list[Any]], clock: dict[str, Any], costs: dict[str, str]
) -> None:
    see_that_all_do(vms, clock, costs)


@pytest.mark.long
@pytest.mark.timeout(0)
@settings(max_examples=3000, suppress_health_check=[HealthCheck.too_slow])
@given(VMS, CLOCKS, COSTS)
def test_thousands_of_random_guests(vms: list[list[Any]], clock: dict[str, Any], costs: dict[str, str]) -> None:
    see_that_all_do(vms, clock, costs)


@pytest.mark.slow
@settings(max_examples=3, suppress_health_check=[HealthCheck.too_slow])
@given(HART_VMS, CLOCKS, COSTS, st.sampled_from(list(BOARDS)))
def test_a_random_guest_of_harts_does_the_same_in_every_placement(
    vms: list[list[Any]], clock: dict[str, Any], costs: dict[str, str], controller: str
) -> None:
    see_that_all_harts_do(vms, clock, costs, controller)


@pytest.mark.long
@pytest.mark.timeout(0)
@settings(max_examples=3000, suppress_health_check=[HealthCheck.too_slow])
@given(HART_VMS, CLOCKS, COSTS, st.sampled_from(list(BOARDS)))
def test_thousands_of_random_guests_of_harts(
    vms: list[list[Any]], clock: dict[str, Any], costs: dict[str, str], controller: str
) -> None:
    see_that_all_harts_do(vms, clock, costs, controller)
