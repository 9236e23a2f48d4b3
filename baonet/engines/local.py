"""One node on this host: every pcpu in a process of its own, or all in the agent's process.

Processes are forked from one that has everything loaded and mapped, before Trio runs in it: that costs milliseconds,
not the start of an interpreter, and they inherit the segments and their sockets and nothing that has a name.
"""

from __future__ import annotations

import ctypes
import gc
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Callable
from typing import NoReturn, final

import trio

from baonet.actors.carrier import Carrier
from baonet.actors.telling import failure
from baonet.core.child import belong_to, held
from baonet.core.cpu import kick
from baonet.core.selftest import ensure
from baonet.engines.crews import Crew, Placement, active, crews, host_actor
from baonet.hyp.vmm import Plan
from baonet.memory.node import NodeMemory
from baonet.wire.messages import AGENT
from baonet.wire.port import MemoryPort, Port, SocketPort, Switch

_LIBC = ctypes.CDLL(None, use_errno=True)
_PR_SET_NO_NEW_PRIVS = 38


@final
class ProcessNode:
    """Forks one process a crew when it is created; call it before ``trio.run``.

    Raises EngineError when the engine does not hold on this host, ValueError when the machine's clock does not have the
    placement.
    """

    def __init__(self, plan: Plan, memory: NodeMemory, placement: Placement, *, tracing: bool = False) -> None:
        ensure()
        self._memory = memory
        members = {crew.address: crew for crew in crews(plan, memory, placement, time.monotonic_ns(), tracing)}
        self.carries = {address: crew.carries for address, crew in members.items() if crew.carries}
        self._addresses = tuple(members)
        ends: dict[int, dict[int, socket.socket]] = {address: {} for address in (*members, AGENT)}
        for address, crew in members.items():
            for peer in sorted(crew.peers):
                if peer > address:
                    ends[address][peer], ends[peer][address] = socket.socketpair()
            ends[address][AGENT], ends[AGENT][address] = socket.socketpair()
        gc.collect()
        gc.freeze()
        sys.stdout.flush()
        sys.stderr.flush()
        self._pids = {}
        agent = os.getpid()
        with held():
            for address, crew in members.items():
                pid = os.fork()
                if pid == 0:
                    memory_of = {each.vm for pcpu in crew.pcpus if (each := plan.pcpus[pcpu]) is not None}
                    _child(crew, ends, agent, memory, memory_of)
                self._pids[address] = pid
        for address in members:
            for end in ends[address].values():
                end.close()
        self.port: Port = SocketPort(ends[AGENT])

    async def supervise(self, died: Callable[[int, str], None]) -> None:
        async with trio.open_nursery() as nursery:
            for address in self._addresses:
                nursery.start_soon(self._watch, address, died)

    async def _watch(self, pcpu: int, died: Callable[[int, str], None]) -> None:
        descriptor = os.pidfd_open(self._pids[pcpu])
        try:
            await trio.lowlevel.wait_readable(descriptor)
        finally:
            os.close(descriptor)
        _, status = os.waitpid(self._pids.pop(pcpu), os.WNOHANG)  # noqa: ASYNC222 - it has ended, its descriptor said so
        code = os.waitstatus_to_exitcode(status)
        if code == 0 and pcpu not in self.carries:
            return  # it has ended well because the one that gave it its turns has ended
        died(pcpu, f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}")

    def kick(self, pcpu: int) -> None:
        kick(self._memory.slots.view, pcpu)

    def kill(self, pcpu: int) -> None:
        if pcpu in self._pids:
            os.kill(self._pids[pcpu], signal.SIGKILL)

    def close(self) -> None:
        """Kill what is left, and leave no zombie."""
        for pcpu in list(self._pids):
            self.kill(pcpu)
            os.waitpid(self._pids.pop(pcpu), 0)
        self.port.close()


def _child(
    crew: Crew, ends: dict[int, dict[int, socket.socket]], agent: int, memory: NodeMemory, vms: set[int]
) -> NoReturn:
    """The life of a crew's process. Nothing of the parent's runs on in it, whatever happens."""
    status = 1
    try:
        belong_to(agent)
        _shut_out()
        memory.keep(vms)
        for owner, sockets in ends.items():
            if owner != crew.address:
                for end in sockets.values():
                    end.close()
        port = SocketPort(ends[crew.address])
        try:
            trio.run(_live, crew, port)
            status = 0
        except Exception as error:
            port.send(AGENT, failure(crew.address, error))
            trio.run(port.flush, AGENT)
    finally:
        os._exit(status)


def _shut_out() -> None:
    """No terminal to read from or to write to, no core dumped to a file or (limit 1) a pipe, no new privileges."""
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.close(null)
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    limit = min(1, hard) if hard != resource.RLIM_INFINITY else 1
    resource.setrlimit(resource.RLIMIT_CORE, (limit, limit))
    if _LIBC.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "no_new_privs")


async def _live(crew: Crew, port: Port) -> None:
    await crew.live(port)


@final
class TaskNode:
    """All pcpus in the agent's own process: no parallelism, and the shortest way between two of them."""

    def __init__(self, plan: Plan, memory: NodeMemory, *, tracing: bool = False) -> None:
        ensure()
        pcpus = active(plan)
        self.carries: dict[int, tuple[int, ...]] = {pcpu: (pcpu,) for pcpu in pcpus}
        self._switch = switch = Switch()
        self.port: Port = MemoryPort(AGENT, switch)
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
                self._stillborn.append(pcpu)
        self._carrier = Carrier(switch, riders)

    async def supervise(self, died: Callable[[int, str], None]) -> None:
        for pcpu in self._stillborn:
            died(pcpu, "ended")
        await self._carrier.run(lambda pcpu: died(pcpu, "ended"))

    def kick(self, pcpu: int) -> None:
        kick(self._slots, pcpu)

    def kill(self, pcpu: int) -> None:
        self._carrier.drop(pcpu)

    def close(self) -> None:
        self._switch.close()


@final
class IslandsNode:
    """Virtual time in the agent's own process: a task for each island."""

    def __init__(self, plan: Plan, memory: NodeMemory, *, tracing: bool = False) -> None:
        ensure()
        members = crews(plan, memory, Placement.ONE_PROCESS, time.monotonic_ns(), tracing)
        self.carries = {crew.address: crew.carries for crew in members}
        self._switch = Switch()
        self.port: Port = MemoryPort(AGENT, self._switch)
        self._crews = {crew.address: (crew, MemoryPort(crew.address, self._switch)) for crew in members}
        self._scopes: dict[int, trio.CancelScope] = {}

    async def supervise(self, died: Callable[[int, str], None]) -> None:
        async with trio.open_nursery() as nursery:
            for address in self._crews:
                nursery.start_soon(self._one, address, died)

    async def _one(self, address: int, died: Callable[[int, str], None]) -> None:
        crew, port = self._crews[address]
        self._scopes[address] = trio.CancelScope()
        with self._scopes[address]:
            try:
                await crew.live(port)
            except Exception as error:
                port.send(AGENT, failure(address, error))
        died(address, "ended")

    def kick(self, pcpu: int) -> None:
        """Nobody needs it: a conductor looks by itself."""

    def kill(self, pcpu: int) -> None:
        if pcpu in self._scopes:
            self._scopes[pcpu].cancel()

    def close(self) -> None:
        self._switch.close()
