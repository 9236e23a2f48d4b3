"""What a machine has come to, and not only what it did on the way, is the same on any threads and processes."""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgpack
import pytest

import baonet
from baonet.memory.node import NodeMemory
from tests.patience import LIMIT
from tests.system.machine import write
from tests.system.test_virtual import GUESTS_AND_ENDS
from tests.system.virtual import PLACEMENTS

SLOW = pytest.mark.slow
FIRST = "coherence"
NAMES = [each for each in GUESTS_AND_ENDS if each != "misbehave"]  # which is over at once
WAYS = [("one-process", threads) for threads in (1, 2, 3)] + [(placement, 2) for placement in PLACEMENTS[1:]]
MOMENTS = 6
"""At most: the guests may end before."""


async def states(loaded: baonet.Machine, placement: str, threads: int) -> list[dict[str, Any]]:
    """At some moments: registers of all vCPUs, RAM, devices, and to whom the pages belong; then the digest."""
    found: list[dict[str, Any]] = []
    options: dict[str, Any] = {"placement": placement, "threads": threads, "stop_on_report": False, "timeout": LIMIT}
    async with baonet.open_run(loaded, **options) as run:
        for _ in range(MOMENTS):
            try:
                await run.for_("31us")
            except baonet.RunEndedError:
                break
            memory = run._hosted.memory
            assert isinstance(memory, NodeMemory)
            found.append(
                {f"{vm.name} {cpu}": await run.registers(vm.name, cpu) for vm in loaded.vms for cpu in range(vm.cpus)}
                | {name: blake2b(msgpack.packb(part)).hexdigest() for name, part in memory.save().items()}
            )
    return [*found, {"digest": run.outcome.digest}]


@pytest.mark.parametrize("name", [each if each == FIRST else pytest.param(each, marks=SLOW) for each in NAMES])
async def test_a_machine_comes_to_the_same_everywhere(tmp_path: Path, name: str) -> None:
    machine, _, _ = GUESTS_AND_ENDS[name]
    loaded = baonet.load(write(tmp_path, machine), set={"clock.mode": "virtual"})
    first = await states(loaded, *WAYS[0])
    assert len(first) > 1
    for way in WAYS[1:]:
        assert await states(loaded, *way) == first, way
