"""Several pcpus in one task, turn by turn: the shortest way from one to another, nobody has to be woken for it."""

from __future__ import annotations

import math
import traceback
from collections.abc import Callable
from typing import final

import trio

from baonet.actors.pcpu import PcpuActor
from baonet.wire.memory_port import MemoryPort, Switch
from baonet.wire.messages import AGENT, Failure

REST = 0.005
"""Seconds after which the other tasks of the process get their turn though no guest waits."""


@final
class Carrier:
    """Drives the actors whose ports are on ``switch``. One that fails tells the agent and ends alone."""

    def __init__(self, switch: Switch, riders: dict[PcpuActor, MemoryPort]) -> None:
        self._switch = switch
        self._riders = riders
        self._due = dict.fromkeys(riders, 0.0)

    def drop(self, pcpu: int) -> None:
        """This one does not run any more."""
        for actor in [actor for actor in self._riders if actor.pcpu == pcpu]:
            self._riders.pop(actor).close()
            del self._due[actor]

    async def run(self, ended: Callable[[int], None]) -> None:
        """Until all have ended; ``ended`` gets the pcpu of each."""
        for actor in self._riders:
            actor.greet()
        rested = trio.current_time()
        while self._riders:
            now = trio.current_time()
            if self._round(now, ended):
                if now - rested > REST:
                    rested = now
                    await trio.lowlevel.checkpoint()
            else:
                rested = now
                await self._switch.wait(min(self._due.values(), default=math.inf))

    def _round(self, now: float, ended: Callable[[int], None]) -> bool:
        """Give a turn to everybody who has something to do; whether anybody had."""
        busy = False
        for actor, port in list(self._riders.items()):
            due = self._due.get(actor)  # one that has ended may have taken others along
            if due is None or (due > now and not port.ready):
                continue
            busy = True
            try:
                patience = actor.step()
            except Exception:
                port.send(AGENT, Failure(actor.pcpu, traceback.format_exc()))
                self._end(actor, ended)
                continue
            if actor.stopped:
                self._end(actor, ended)
            elif actor in self._due:
                self._due[actor] = math.inf if patience is None else now + patience
        return busy

    def _end(self, actor: PcpuActor, ended: Callable[[int], None]) -> None:
        self.drop(actor.pcpu)
        ended(actor.pcpu)
