"""A node whose pcpus are tasks of the agent's own process."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import final

import trio

from baonet.actors.carrier import Carrier
from baonet.actors.node import Died
from baonet.actors.telling import failure
from baonet.core.cpu import kick
from baonet.hyp.vmm import Plan
from baonet.launch.crews import Placement, active, crews, host_actor
from baonet.launch.local import ready, reload
from baonet.memory.node import NodeMemory
from baonet.wire.memory_port import MemoryPort, Switch
from baonet.wire.messages import AGENT
from baonet.wire.port import Port


@final
class TaskNode:
    """All pcpus in the agent's own process: no parallelism, and the shortest way between two of them."""

    def __init__(self, plan: Plan, memory: NodeMemory, *, tracing: bool = False) -> None:
        ready(plan)
        pcpus = active(plan)
        self.carries: dict[int, tuple[int, ...]] = {pcpu: (pcpu,) for pcpu in pcpus}
        self._switch = switch = Switch()
        self.port: Port = MemoryPort(AGENT, switch)
        self._plan, self._memory = plan, memory
        self._slots = memory.slots.view
        epoch = time.monotonic_ns()
        riders = {}
        self._stillborn = []
        for pcpu in pcpus:
            port = MemoryPort(pcpu, switch)
            try:
                riders[host_actor(plan, pcpu, memory, epoch, port, tracing=tracing)] = port
            except Exception as error:
                port.send(AGENT, failure(pcpu, error))
                port.close()
                self._stillborn.append(pcpu)
        self._carrier = Carrier(switch, riders)

    async def supervise(self, died: Died) -> None:
        for pcpu in self._stillborn:
            died(pcpu, "ended")
        await self._carrier.run(lambda pcpu: died(pcpu, "ended"))

    def kick(self, pcpu: int) -> None:
        kick(self._slots, pcpu)

    def kill(self, pcpu: int) -> None:
        self._carrier.drop(pcpu)

    def reload(self, vm: int, loaded: Callable[[str | None], None]) -> None:
        loaded(reload(self._plan, self._memory, vm))

    def close(self) -> None:
        self._switch.close()


@final
class IslandsNode:
    """Virtual time in the agent's own process: a task for each island."""

    def __init__(
        self,
        plan: Plan,
        memory: NodeMemory,
        *,
        tracing: bool = False,
        threads: int = 1,
        states: Mapping[int, bytes] | None = None,
    ) -> None:
        ready(plan)
        self._plan, self._memory = plan, memory
        members = crews(
            plan, memory, Placement.ONE_PROCESS, time.monotonic_ns(), tracing=tracing, threads=threads, states=states
        )
        self.carries = {crew.address: crew.carries for crew in members}
        self._switch = Switch()
        self.port: Port = MemoryPort(AGENT, self._switch)
        self._crews = {crew.address: (crew, MemoryPort(crew.address, self._switch)) for crew in members}
        self._scopes: dict[int, trio.CancelScope] = {}

    async def supervise(self, died: Died) -> None:
        async with trio.open_nursery() as nursery:
            for address in self._crews:
                nursery.start_soon(self._one, address, died)

    async def _one(self, address: int, died: Died) -> None:
        crew, port = self._crews[address]
        self._scopes[address] = trio.CancelScope()
        with self._scopes[address]:
            try:
                await crew.prepare(port)()
            except Exception as error:
                port.send(AGENT, failure(address, error))
            finally:
                port.close()
        died(address, "ended")

    def kick(self, pcpu: int) -> None:
        """Nobody needs it: a conductor looks by itself."""

    def kill(self, pcpu: int) -> None:
        if pcpu in self._scopes:
            self._scopes[pcpu].cancel()

    def reload(self, vm: int, loaded: Callable[[str | None], None]) -> None:
        loaded(reload(self._plan, self._memory, vm))

    def close(self) -> None:
        self._switch.close()
