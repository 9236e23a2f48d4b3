"""A run in virtual time is saved while it stands, and another goes on from the file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import trio

import baonet
from baonet.cluster.state import pack, unpack
from baonet.run.saved_run import head
from tests.patience import LIMIT
from tests.system.machine import baonet as command
from tests.system.machine import pair, vm, write
from tests.system.virtual import PLACEMENTS, islands

OF_THE_HOST = {
    "blocks_translated",
    "lines_invalidated",
    "broadcasts",
    "instructions_foreseen",
    "exits_budget",
    "exits_kicked",
}
"""Counters that begin anew."""
ECHO: dict[str, Any] = {"vms": [vm("echo")]}


def machine(directory: Path, value: dict[str, Any], mode: str = "virtual") -> baonet.Machine:
    return baonet.load(write(directory, value), set={"clock.mode": mode})


async def saved(loaded: baonet.Machine, file: Path, moment: str = "300us") -> None:
    async with baonet.open_run(loaded, placement="one-process", timeout=LIMIT) as run:
        await run.for_(moment)
        await run.save(file)


@pytest.mark.parametrize("placement", PLACEMENTS)
async def test_what_was_typed_and_said_goes_on(tmp_path: Path, placement: str) -> None:
    """Somebody types, it is saved before that is heard, and the one who goes on hears the answer."""
    loaded, file = machine(tmp_path, ECHO), tmp_path / "state"
    async with baonet.open_run(loaded, placement="one-process", timeout=LIMIT) as run:
        await run.console("echo").wait_for("type a line, or quit")
        run.console("echo").send("one\n")
        await run.save(file)
        before, time = run.console("echo").text, run.time
        await run.console("echo").wait_for("one")
        run.console("echo").send("quit\n")
        left = await run.finished()
        said = run.console("echo").text
    async with baonet.open_run(loaded, placement=placement, state=file, timeout=LIMIT) as run:
        assert run.time == time
        assert run.standing
        await run.console("echo").wait_for("one")
        run.console("echo").send("quit\n")
        went_on = await run.finished()
        assert before + run.console("echo").text == said
    assert went_on.digest == left.digest is not None
    assert (went_on.ending, went_on.time, went_on.vms) == (left.ending, left.time, left.vms)
    counted, were = (outcome.statistics["0"] for outcome in (went_on, left))
    assert {name for name, count in were.items() if counted[name] != count} <= OF_THE_HOST


async def test_a_trace_that_begins_there_is_verified(tmp_path: Path) -> None:
    loaded, file, trace = machine(tmp_path, pair()), tmp_path / "state", tmp_path / "t.bnt"
    await saved(loaded, file)
    async with baonet.open_run(loaded, state=file, trace=trace, timeout=LIMIT) as run:
        await run.for_("200us")
    result = command("trace", "verify", trace)
    assert (result.status, str(run.outcome.digest) in result.out) == (0, True), result.out
    assert command("trace", "export", trace, "--json", "-").status == 0


async def test_a_run_is_saved_again_and_goes_on_itself(tmp_path: Path) -> None:
    loaded = machine(tmp_path, pair())
    async with baonet.open_run(loaded, timeout=LIMIT) as run:
        await run.for_("200us")
        await run.save(tmp_path / "one")
        await run.save(tmp_path / "two")
        await run.for_("200us")
    async with baonet.open_run(loaded, timeout=LIMIT) as left:
        await left.for_("200us")
        await left.for_("200us")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert run.outcome.digest == left.outcome.digest is not None
    assert sorted(os.listdir(tmp_path)) == ["machine.yaml", "one", "two"]


async def test_what_is_on_its_way_is_saved_alike_whoever_carried_it(tmp_path: Path) -> None:
    """The engine, in one process; else hypervisors."""
    value = pair() | {"clock": {"latency": {"ipc": "20us"}}}
    loaded = machine(tmp_path, value)
    for placement in ("one-process", "process-per-vm"):
        async with baonet.open_run(loaded, placement=placement, timeout=LIMIT) as run:
            for moment in range(2):
                await run.for_("50us")
                await run.save(tmp_path / f"{placement} {moment}")
    for moment in range(2):
        one, other = (tmp_path / f"{placement} {moment}" for placement in ("one-process", "process-per-vm"))
        assert one.read_bytes() == other.read_bytes()


async def test_a_vm_that_is_parked_or_off_is_so_where_it_goes_on(tmp_path: Path) -> None:
    value = islands()
    value["vms"][1] |= {"image": vm("misbehave-calls")["image"]}
    loaded, file = machine(tmp_path, value), tmp_path / "state"
    options: dict[str, Any] = {"stop_on_report": False, "timeout": LIMIT}
    async with baonet.open_run(loaded, **options) as run:
        await run.for_("20ms")
        vms = run.outcome.vms
        await run.save(file)
    async with baonet.open_run(loaded, state=file, **options) as run:
        assert run.outcome.vms == vms
    assert sorted(vms.values()) == ["off", "running"]


async def test_only_a_machine_that_stands_in_virtual_time_is_saved(tmp_path: Path) -> None:
    async with baonet.open_run(machine(tmp_path, pair()), timeout=LIMIT) as run:
        run.resume()
        with pytest.raises(baonet.RunError, match=r"the machine runs: pause\(\) it first"):
            await run.save(tmp_path / "state")
        await run.pause()
        with pytest.raises(FileNotFoundError, match=r"'.*/nowhere/state'$"):
            await run.save(tmp_path / "nowhere" / "state")
        with pytest.raises(ValueError, match=r"save .*machine.yaml would be lost"):
            await run.save(tmp_path / "machine.yaml")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(run.save, tmp_path / "state")
            while not run._saving:
                await trio.lowlevel.checkpoint()
            with pytest.raises(baonet.RunError, match="is being saved"):
                run.resume()
    async with baonet.open_run(machine(tmp_path, pair(), "host"), timeout=LIMIT) as run:
        await run.pause()
        with pytest.raises(baonet.RunError, match="under the host's clock is not saved"):
            await run.save(tmp_path / "state")


async def test_what_is_no_state_of_the_machine_is_refused(tmp_path: Path) -> None:
    loaded, file = machine(tmp_path, pair()), tmp_path / "state"
    await saved(loaded, file)
    data = file.read_bytes()

    async def refused(text: str, other: baonet.Machine = loaded, **options: Any) -> None:
        with pytest.raises((baonet.RunError, ValueError), match=text) as caught:
            async with baonet.open_run(other, state=file, timeout=LIMIT, **options):
                pytest.fail("it began")
        assert "Traceback" not in str(caught.value)

    await refused("state is of virtual time", machine(tmp_path, pair(), "host"))
    await refused("is the state of another machine", machine(tmp_path, pair() | {"clock": {"window": "20us"}}))
    typed = [baonet.Input(0, 1000, b"x")]
    await refused("or of one with other images or input", input=typed)
    file.write_bytes(b"no")
    await refused("state is no state to go on from: give a file that OpenRun.save has written")
    for wrong in (data[:-5], data[:20], data[: len(data) // 2] + b"\xff\0" + data[len(data) // 2 + 2 :], data + b"\0"):
        file.write_bytes(wrong)
        await refused("state is damaged: it is not what OpenRun.save has written: give a whole copy of it")
    file.write_bytes(head(b"\xc1") + b"\xc1")
    await refused("no state to go on from: the state of a machine is damaged")
    fields: dict[str, Any] = unpack(data[len(head(b"")) :])
    pcpus = fields["state"]["pcpus"]
    for pcpu, text in ((0, "pcpu 0"), (1, "pcpu 1")):
        damaged: dict[str, Any] = unpack(pcpus[pcpu][1])
        damaged["seat"]["body"]["core"]["version"] = 99
        changed = [list(each) for each in pcpus]
        changed[pcpu][1] = pack(damaged)
        content = pack(fields | {"state": fields["state"] | {"pcpus": changed}})
        file.write_bytes(head(content) + content)
        for on in (None, "local:2"):
            version = f"{text}: the state of a core has version 99, and this baonet reads version"
            await refused(version, on=on, placement="process-per-cpu")


@pytest.mark.parametrize("placement", PLACEMENTS)
async def test_what_memory_has_taken_is_counted_on(tmp_path: Path, placement: str) -> None:
    """Caches and counters are as they were left, so is who drove out what."""
    on = {
        "platform": {"extends": "qemu-aarch64-virt", "memory_system": {"preset": "cortex-a53", "l2": {"size": "64KiB"}}}
    }
    loaded, file = machine(tmp_path, pair() | on), tmp_path / "state"
    async with baonet.open_run(loaded, placement="one-process", timeout=LIMIT) as run:
        await run.for_("300us")
        await run.save(file)
        await run.for_("1ms")
    async with baonet.open_run(loaded, placement=placement, state=file, timeout=LIMIT) as other:
        await other.for_("1ms")
    assert run.outcome.memory is not None
    assert run.outcome.memory == other.outcome.memory
    assert run.outcome.digest == other.outcome.digest is not None
