"""A machine that stands: no guest runs, none sees the time, and it goes on as if nothing had been."""

from __future__ import annotations

import hashlib
import os
import re
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest
import trio

from baonet.actors.ending import Ending
from tests.launch.live import HOST_PLACEMENTS, Live, run
from tests.system.machine import pair, vm
from tests.system.virtual import SILENT

VIRTUAL = ["one-process", "process-per-vm", "process-per-cpu"]
MOMENTS = (1, 100_000, 123_457, 2_000_000)
"""Cycles at which a machine stands: its guests have just begun, and have not ended."""
TIMES = 5


def memory(live: Live, vm: int) -> str:
    """What the VM's RAM holds."""
    found = hashlib.sha256()
    for region in live.memory.vms[vm].regions:
        found.update(region.view)
    return found.hexdigest()


@pytest.mark.parametrize("placement", HOST_PLACEMENTS)
def test_no_guest_runs_while_its_machine_stands(tmp_path: Path, placement: str) -> None:
    states: list[tuple[object, object]] = []

    async def script(live: Live) -> None:
        async def state() -> object:
            return memory(live, 0), [await live.agent.registers(pcpu) for pcpu in range(2)], live.text("bench")

        await live.wait_for("bench", "bench: ")
        for _ in range(TIMES):
            await live.agent.pause()
            assert live.agent.standing
            before = await state()
            await trio.sleep(0.02)  # in which one that runs would do a lot
            states.append((before, await state()))
            live.agent.resume()
            assert not live.agent.standing
            await trio.sleep(0.02)
        live.agent.stop(Ending.DONE)

    run(tmp_path, {"vms": [vm("bench", cpus=2)]}, placement, script)
    assert all(before == after for before, after in states)
    assert len({str(before) for before, _ in states}) == TIMES, "between two pauses it goes on"


def test_standing_is_no_time_for_a_guest(tmp_path: Path) -> None:
    """The guest tells how late its timer's interrupt came at most."""

    async def script(live: Live) -> None:
        await live.wait_for("timer", "ticks of 1 ms")
        for _ in range(2):
            await live.agent.pause()
            await trio.sleep(1)
            live.agent.resume()

    outcome, said = run(tmp_path, {"vms": [vm("timer")]}, "process-per-cpu", script)
    assert outcome.ending is Ending.DONE
    found = re.search(r"max \d+/\d+/\d+/\d+/(\d+) ns", said["timer"])
    assert found, said["timer"]
    assert int(found[1]) < 900_000_000


def test_who_dies_is_not_waited_for(tmp_path: Path) -> None:
    """While its machine is told to stand, and while it stands."""

    async def script(live: Live) -> None:
        await live.wait_for("echo", "echo: type")
        os.kill(live.processes()[0], signal.SIGSTOP)
        with trio.move_on_after(0.2) as waiting:
            await live.agent.pause()
        assert waiting.cancelled_caught
        live.kill(0)
        await live.agent.pause()
        with pytest.raises(LookupError, match="pcpu 0 does not run any more"):
            await live.agent.registers(0)
        assert (await live.agent.registers(1))["pc"] > 0
        live.kill(1)

    machine = {"vms": [vm("echo"), vm("echo", name="other", devices=SILENT)]}
    outcome, _ = run(tmp_path, machine, "process-per-cpu", script)
    assert (outcome.ending, len(outcome.failures)) == (Ending.FAILED, 2)


def test_a_machine_that_stands_can_be_ended(tmp_path: Path) -> None:
    async def script(live: Live) -> None:
        await live.agent.pause()
        live.agent.stop(Ending.INTERRUPTED)

    outcome, _ = run(tmp_path, {"vms": [vm("echo")]}, "process-per-cpu", script)
    assert outcome.ending is Ending.INTERRUPTED
    assert outcome.conditions.keys() == {0}


def test_a_machine_that_stood_has_the_digest_of_one_that_did_not(tmp_path: Path) -> None:
    """It stands at the same moments in every placement, with the same in its registers."""
    machine = pair() | {"clock": {"mode": "virtual"}}

    def stood(placement: str, moments: Sequence[int]) -> tuple[str | None, list[object]]:
        seen: list[object] = []

        async def script(live: Live) -> None:
            for moment in moments:
                assert await live.agent.advance(moment) == moment
                assert live.agent.standing
                seen.append([await live.agent.registers(pcpu) for pcpu in range(2)])
            live.agent.stop(Ending.DONE)

        return run(tmp_path, machine, placement, script, standing=True)[0].digest, seen

    digest, seen = stood("one-process", MOMENTS[-1:])
    assert digest is not None
    everywhere = [stood(placement, MOMENTS) for placement in VIRTUAL]
    assert [found for found, _ in everywhere] == [digest] * len(VIRTUAL)
    assert [registers for _, registers in everywhere] == [everywhere[0][1]] * len(VIRTUAL)
    assert everywhere[0][1][-1:] == seen
    assert len({str(each) for each in everywhere[0][1]}) == len(MOMENTS)


def test_what_is_typed_while_it_stands_is_read_when_it_goes_on(tmp_path: Path) -> None:
    async def script(live: Live) -> None:
        await live.agent.advance(5_000_000)
        assert live.text("echo") == "echo: type a line, or quit\n"
        live.type("echo", "quit\n")
        live.agent.resume()

    machine = {"vms": [vm("echo")], "clock": {"mode": "virtual"}}
    ended = [run(tmp_path, machine, placement, script, standing=True) for placement in VIRTUAL]
    assert {outcome.ending for outcome, _ in ended} == {Ending.DONE}
    assert len({outcome.digest for outcome, _ in ended}) == 1
