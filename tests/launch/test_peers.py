"""Pcpus that talk through rings, one of which stops or dies in the middle: nobody waits for it longer than it lives."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import trio

from baonet.actors.ending import Ending
from tests.launch.live import Live, run
from tests.patience import ANSWER
from tests.system.hostile import NOTIFY, hostile
from tests.system.machine import vm

COUNT = 14_000
TELLS = [
    0xD2AE0002,  # mov x2, #0x70000000
    0xB9400041,  # ldr w1, [x2]
    0x34FFFFE1,  # cbz w1, back to the load
    0x52800013 | COUNT << 5,  # mov w19, #COUNT
    *NOTIFY[:-1],
    0x71000673,  # subs w19, w19, #1
    0x54FFFF41,  # b.ne back to the notification
    0x52B08000,  # mov w0, #0x84000000
    0x11002000,  # add w0, w0, #8: SYSTEM_OFF
    0xD4000002,  # hvc
]
"""Waits until it may, notifies the other VM so many times, and is off."""
SHARED: dict[str, Any] = {"base": 0x70000000, "size": "4KiB", "shared_memory": "both"}


def machine(directory: Path) -> dict[str, Any]:
    return {
        "shared_memory": [{"name": "both", "size": "4KiB"}],
        "vms": [
            hostile(directory, "teller", TELLS, devices=[], ipcs=[SHARED | {"interrupts": [84]}]),
            vm("echo", "listener", ipcs=[SHARED | {"interrupts": [85]}]),
        ],
    }


async def stop_listener(live: Live) -> tuple[int, int]:
    """And let the other tell it something: the processes of the two."""
    await live.wait_for("listener", "or quit")
    teller, listener = live.processes()[0], live.processes()[1]
    os.kill(listener, signal.SIGSTOP)
    live.memory.write(live.plan.vms[0].config, SHARED["base"], b"\1")
    return teller, listener


async def until_it_waits(pid: int) -> None:
    """Until a process does nothing of its own accord, but for a look now and then."""
    asleep = 0
    with trio.fail_after(ANSWER):
        while asleep < 20:
            await trio.sleep(0.005)
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]  # noqa: ASYNC240 - of memory
            asleep = asleep + 1 if state == "S" else 0


def test_who_tells_one_that_has_stopped_waits_and_goes_on_when_that_is_killed(tmp_path: Path) -> None:
    waited = []

    async def script(live: Live) -> None:
        teller, _ = await stop_listener(live)
        await until_it_waits(teller)
        waited.append(0 in live.processes())
        live.kill(1)

    outcome, _ = run(tmp_path, machine(tmp_path), "process-per-cpu", script)
    assert waited == [True], "it was not off before: what it said is more than a ring and a backlog hold"
    assert outcome.ending is Ending.FAILED
    assert outcome.failures == ["pcpu 1 (VM 'listener', vcpu 0) was killed by SIGKILL"]
    assert outcome.vms == {"teller": "off", "listener": "dead"}
    assert outcome.statistics[0]["sent_IpcNotify"] == COUNT


def test_who_tells_one_that_has_stopped_goes_on_when_that_does(tmp_path: Path) -> None:
    async def script(live: Live) -> None:
        teller, listener = await stop_listener(live)
        await until_it_waits(teller)
        os.kill(listener, signal.SIGCONT)
        with trio.fail_after(ANSWER):
            while 0 in live.processes():  # noqa: ASYNC110 - of that nobody tells
                await trio.sleep(0.005)
        live.type("listener", "quit\r")

    outcome, _ = run(tmp_path, machine(tmp_path), "process-per-cpu", script)
    assert (outcome.ending, outcome.failures) == (Ending.DONE, [])
    assert outcome.statistics[1]["received_IpcNotify"] == COUNT, "none was lost"
