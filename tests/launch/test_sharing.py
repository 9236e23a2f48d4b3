"""VMs that share a UART: its input, its interrupt and its lock, and who dies with whom."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import Any

import pytest
import trio

from baonet.actors.ending import Ending
from tests.launch.live import HOST_PLACEMENTS, Live, run
from tests.system.machine import UART, vm

WITHOUT_INTERRUPT = [{"pa": UART["pa"], "va": UART["va"]}]

placements = pytest.mark.parametrize("placement", HOST_PLACEMENTS)


def dead_process() -> int:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return pid


@placements
def test_what_one_vm_is_typed_interrupts_the_vm_that_has_the_interrupt(tmp_path: Path, placement: str) -> None:
    """They share the device, so what comes in is for whoever takes it; and only `echo` is told."""
    machine = {"vms": [vm("echo"), vm("echo", "idle", devices=WITHOUT_INTERRUPT)]}

    async def script(live: Live) -> None:
        await live.wait_for("echo", "or quit")
        await live.wait_for("idle", "or quit")
        live.type("idle", "by the other\r")
        await live.wait_for("echo", "echo 1: by the other\r\n")
        live.agent.stop(Ending.DONE)

    outcome, _ = run(tmp_path, machine, placement, script)
    assert (outcome.ending, outcome.failures) == (Ending.DONE, [])


@placements
def test_a_lock_whose_holder_was_killed_is_taken_over(tmp_path: Path, placement: str) -> None:
    holder = dead_process()

    async def script(live: Live) -> None:
        live.memory.devices[UART["pa"]].view[:4] = struct.pack("<I", holder)
        await trio.lowlevel.checkpoint()

    outcome, text = run(tmp_path, {"vms": [vm("flood")]}, placement, script)
    assert outcome.ending is Ending.DONE
    assert text["flood"].splitlines()[:-1] == [f"flood: vCPU 0, line {line}" for line in range(1000)]


@pytest.mark.parametrize("victim", [0, 1, 2, 3])
def test_a_killed_cpu_takes_neither_the_uart_nor_its_order_from_the_others(tmp_path: Path, victim: int) -> None:
    """All four vCPUs print without end on one UART: whoever is killed may hold its lock, or output never sent."""
    machine: dict[str, Any] = {
        "vms": [vm("flood-forever", "first", cpus=2), vm("flood-forever", "second", cpus=2, devices=WITHOUT_INTERRUPT)]
    }
    dies, lives = ("first", "second") if victim < 2 else ("second", "first")

    async def script(live: Live) -> None:
        for name in ("first", "second"):
            await live.wait_for(name, "vCPU 0, line 50", "vCPU 1, line 50")
        live.kill(victim)
        line = max(int(text.split()[-1]) for text in live.text(lives).splitlines()[:-1] if "vCPU 1" in text)
        await live.wait_for(lives, f"vCPU 1, line {line + 2000}\r\n")
        await live.wait_for_end(dies)  # on a busy host a killed process takes its time
        live.agent.stop(Ending.DONE)

    outcome, text = run(tmp_path, machine, "process-per-cpu", script)
    assert outcome.ending is Ending.DONE
    assert outcome.failures == [f"pcpu {victim} (VM '{dies}', vcpu {victim % 2}) was killed by SIGKILL"]
    assert outcome.vms == {dies: "dead", lives: "running"}
    for cpu in (0, 1):
        said = [line for line in text[lives].splitlines()[:-1] if f"vCPU {cpu}" in line]
        assert said == [f"flood: vCPU {cpu}, line {number}" for number in range(len(said))]
