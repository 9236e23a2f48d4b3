"""A machine in the test's own process, with the test at every VM's console and at the hands of the operating system."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import trio

from baonet.actors.agent import Agent
from baonet.actors.course import Course, FreeCourse
from baonet.actors.ending import VmState
from baonet.actors.horizon import Horizons
from baonet.actors.outcome import Outcome
from baonet.actors.schedule import Schedule
from baonet.config.loader import load
from baonet.core.cpu import SIZES
from baonet.hyp.vmm import Plan, plan
from baonet.launch.crews import Placement
from baonet.launch.local import ProcessNode
from baonet.launch.tasks import IslandsNode, TaskNode
from baonet.machine import ClockMode
from baonet.memory.node import NodeMemory
from tests.patience import RUN
from tests.system.machine import write

HOST_PLACEMENTS = ["process-per-cpu", "one-process"]
STEP = 1_000_000
"""Cycles between two moments at which a run in virtual time can end."""


def _node(plan: Plan, memory: NodeMemory, placement: Placement) -> ProcessNode | TaskNode | IslandsNode:
    if placement is not Placement.ONE_PROCESS:
        return ProcessNode(plan, memory, placement)
    return (TaskNode if plan.machine.clock.mode is ClockMode.HOST else IslandsNode)(plan, memory)


class Live:
    """It is also the agent's screen."""

    def __init__(self, directory: Path, machine: dict[str, Any], placement: str, *, standing: bool = False) -> None:
        loaded = load(write(directory, machine))
        self.memory = NodeMemory(loaded, SIZES)
        for vm in loaded.vms:
            self.memory.load(vm)
        self.plan = plan(loaded)
        self.names = [vm.name for vm in loaded.vms]
        self._said = {name: bytearray() for name in self.names}
        self.node = _node(self.plan, self.memory, Placement(placement))
        self.agent = Agent(self.plan, self.node, self, changed=self._changed, course=self._course(standing=standing))
        self._ended: set[str] = set()
        self._news = trio.Event()

    def _course(self, *, standing: bool) -> Course:
        clock = self.plan.machine.clock
        if clock.mode is ClockMode.HOST:
            return FreeCourse()
        return Schedule(Horizons(self.node.carries, STEP), clock.cycles, interactive=False, standing=standing)

    def show(self, vm: int, data: bytes) -> None:
        self._said[self.names[vm]] += data
        self._tell()

    def _changed(self, vm: int, state: VmState) -> None:
        self._ended.add(self.names[vm])
        self._tell()

    def _tell(self) -> None:
        self._news.set()
        self._news = trio.Event()

    def interrupt(self) -> bool:
        return False

    def tick(self) -> None: ...

    def finish(self) -> None: ...

    def text(self, name: str) -> str:
        """What the VM has printed so far."""
        return self._said[name].decode(errors="replace").replace("\r", "")

    async def wait_for(self, name: str, *wanted: str, start: int = 0) -> int:
        """Until the VM has printed all of ``wanted`` behind the byte ``start``; returns how much it has printed."""
        said = self._said[name]
        with trio.move_on_after(RUN):
            for text in wanted:
                looked = start
                while said.find(text.encode(), looked) < 0:
                    looked = max(start, len(said) - len(text))
                    await self._news.wait()
            return len(said)
        raise AssertionError(f"'{name}' did not print {wanted}, but: {self.text(name)[-3000:]}")

    async def wait_for_end(self, name: str) -> None:
        """Until the agent knows that the VM has come to its end, while others have not."""
        with trio.fail_after(RUN):
            while name not in self._ended:
                await self._news.wait()

    def type(self, name: str, text: str) -> None:
        self.agent.write(self.names.index(name), text.encode())

    def processes(self) -> dict[int, int]:
        """Process ids by pcpu."""
        assert isinstance(self.node, ProcessNode)
        return dict(self.node._pids)

    def kill(self, pcpu: int) -> None:
        os.kill(self.processes()[pcpu], signal.SIGKILL)


def run(
    directory: Path,
    machine: dict[str, Any],
    placement: str,
    script: Callable[[Live], Awaitable[None]] | None = None,
    limit: float = RUN,
    *,
    standing: bool = False,
) -> tuple[Outcome, dict[str, str]]:
    """Run the machine to its end while ``script`` plays the user; what came of it, and what the VMs printed.

    ``standing``: in virtual time it stands at first.
    """
    live = Live(directory, machine, placement, standing=standing)
    outcome: list[Outcome] = []

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            if script is not None:
                nursery.start_soon(script, live)
            outcome.append(await live.agent.run(limit))
            nursery.cancel_scope.cancel()

    try:
        trio.run(main)
    finally:
        live.node.close()
        live.memory.close()
        gc.unfreeze()  # what ProcessNode froze for its children
    return outcome[0], {name: live.text(name) for name in live.names}
