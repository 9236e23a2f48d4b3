"""Waits of a program that end at once when nothing can come of them, and several tasks that wait for one machine."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

import baonet
from tests.patience import LIMIT
from tests.system.machine import vm, write
from tests.system.virtual import SILENT, islands

MODES = ["host", "virtual"]


def machine(directory: Path, value: dict[str, Any], mode: str = "virtual") -> baonet.Machine:
    return baonet.load(write(directory, value), set={"clock.mode": mode})


def beside_one_that_spins(image: str) -> dict[str, Any]:
    return {"vms": [vm(image, "guest"), vm("spin", devices=SILENT)]}


@pytest.mark.parametrize("mode", MODES)
async def test_a_parked_vm_is_not_waited_for(tmp_path: Path, mode: str) -> None:
    loaded = machine(tmp_path, beside_one_that_spins("misbehave-unmapped-read"), mode)
    message = "VM 'guest' has not printed 'never': VM 'guest' is parked, and prints no more\nthe console"
    async with baonet.open_run(loaded, timeout=LIMIT, stop_on_report=False) as run:
        with pytest.raises(baonet.RunError, match=message):
            await run.console("guest").wait_for("never")
        await run.for_("1ms")
    assert run.outcome.vms == {"guest": "parked", "spin": "running"}


@pytest.mark.parametrize("mode", MODES)
async def test_texts_of_a_vm_that_is_off_are_not_waited_for(tmp_path: Path, mode: str) -> None:
    async with baonet.open_run(machine(tmp_path, beside_one_that_spins("hello"), mode), timeout=LIMIT) as run:
        await run.until("guest:done", "spin:1 vCPUs")
        message = r"no guest has printed 'spin:1 vCPUs' and 'guest:never': VM 'guest' is off, and prints no more\n"
        with pytest.raises(baonet.RunError, match=message):
            await run.until("spin:1 vCPUs", "guest:never")


@pytest.mark.parametrize("mode", MODES)
async def test_a_run_that_ends_says_what_was_waited_for(tmp_path: Path, mode: str) -> None:
    async with baonet.open_run(machine(tmp_path, {"vms": [vm("hello")]}, mode), timeout=LIMIT) as run:
        with pytest.raises(baonet.RunEndedError, match=r"VM 'hello' has not printed 'x{9}': the run is over \(done"):
            await run.console("hello").wait_for("x" * 9)
        with pytest.raises(baonet.RunEndedError, match=r"^the run is over"):
            await run.for_("1ms")


@pytest.mark.parametrize("mode", MODES)
async def test_more_than_a_message_holds_can_be_typed(tmp_path: Path, mode: str) -> None:
    """And its guest need not read."""
    async with baonet.open_run(machine(tmp_path, {"vms": [vm("spin")]}, mode), timeout=LIMIT) as run:
        run.console("spin").send("x" * 1_500_000)
        await run.until("1 vCPUs")
        await run.for_("10ms")
        assert run.outcome.vms == {"spin": "running"}
        assert run.outcome.failures == ()


@pytest.mark.parametrize("wait", ["wait_for", "until", "for_", "finished"])
async def test_after_a_cancelled_wait_the_machine_is_as_before(tmp_path: Path, wait: str) -> None:
    async with baonet.open_run(machine(tmp_path, {"vms": [vm("spin")]}), timeout=LIMIT) as run:
        waits: dict[str, Callable[[], Awaitable[object]]] = {
            "wait_for": partial(run.console("spin").wait_for, "never"),
            "until": partial(run.until, "never"),
            "for_": partial(run.for_, "1h"),
            "finished": run.finished,
        }
        for _ in range(4):
            with trio.move_on_after(0.02) as scope:
                await waits[wait]()
            assert scope.cancelled_caught
        await run.pause()
        before = run.time
        assert (await run.registers("spin"))["pc"] >= 0x40000000
        await run.for_("1us")
        assert run.time == before + 1000


async def test_a_pause_that_was_cancelled_is_one(tmp_path: Path) -> None:
    async with baonet.open_run(machine(tmp_path, {"vms": [vm("spin")]}, "host"), timeout=LIMIT) as run:
        await run.until("1 vCPUs")
        with trio.CancelScope() as scope:
            scope.cancel()
            await run.pause()
        with pytest.raises(baonet.RunError, match="the machine stands"):
            await run.until("never")
        await run.pause()
        run.resume()
        with pytest.raises(baonet.WaitTimeoutError, match="within 10ms"):
            await run.until("never", timeout="10ms")


async def test_two_tasks_wait_each_to_its_cycle(tmp_path: Path) -> None:
    moments: list[int] = []
    async with baonet.open_run(machine(tmp_path, islands()), timeout=LIMIT) as run:

        async def steps() -> None:
            for _ in range(3):
                await run.for_("10us")
                moments.append(run.time)
            with pytest.raises(baonet.WaitTimeoutError, match="within 7us"):
                await run.until("echo:never", timeout="7us")
            moments.append(run.time)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(run.console("timer").wait_for, "latency min")
            nursery.start_soon(steps)
    assert moments == [10_000, 20_000, 30_000, 37_000]


async def test_a_wait_goes_on_when_another_task_has_the_machine_go_on_by_itself(tmp_path: Path) -> None:
    loaded = machine(tmp_path, beside_one_that_spins("timer"))
    async with baonet.open_run(loaded, timeout=LIMIT) as run:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(run.console("guest").wait_for, "latency min")
            await trio.testing.wait_all_tasks_blocked()
            run.resume()
        assert run.outcome.ending is None
        with pytest.raises(baonet.RunError, match=r"goes on by itself: pause\(\) it before for_"):
            await run.for_("1ms")
