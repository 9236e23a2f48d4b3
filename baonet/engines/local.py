"""One node on this host: every pcpu in a process of its own, or all in the agent's process.

Processes are forked from one that has everything loaded and mapped, before Trio runs in it: that costs milliseconds,
not the start of an interpreter, and they inherit the segments and their sockets and nothing that has a name.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from typing import NoReturn, final

import trio

from baonet.actors.carrier import Carrier
from baonet.actors.pcpu import PcpuActor
from baonet.config.machine import Vm
from baonet.core.cpu import build, die_with_parent, kick
from baonet.core.selftest import ensure
from baonet.hyp.vmm import Plan
from baonet.memory.node import NodeMemory
from baonet.wire import messages as wire
from baonet.wire.messages import AGENT
from baonet.wire.port import MemoryPort, Port, SocketPort, Switch


def active(plan: Plan) -> tuple[int, ...]:
    """The pcpus that some VM has."""
    return tuple(pcpu for pcpu, assignment in enumerate(plan.pcpus) if assignment is not None)


def neighbours(plan: Plan, pcpu: int) -> set[int]:
    """The pcpus that may have something to say to this one: of its VM, and of those that share memory or a UART."""
    assignment = plan.pcpus[pcpu]
    assert assignment is not None
    mine = plan.vms[assignment.vm]
    found = set(mine.pcpus)
    shared, uarts = _shared(mine.config)
    for vm in plan.vms:
        objects, devices = _shared(vm.config)
        if objects & shared or devices & uarts:
            found |= set(vm.pcpus)
    return found - {pcpu}


def _shared(vm: Vm) -> tuple[set[int], set[int]]:
    """The shared memory objects and the devices of a VM, which others may have too."""
    return {ipc.shmem for ipc in vm.ipcs}, {device.pa for device in vm.devices if device.va is not None}


def _actor(plan: Plan, pcpu: int, memory: NodeMemory, epoch: int, port: Port) -> PcpuActor:
    assignment = plan.pcpus[pcpu]
    assert assignment is not None
    vm = plan.vms[assignment.vm]
    core = build(plan.machine, vm.config, vm.pcpus, assignment.vcpu, memory=memory, epoch=epoch)
    slots = memory.slots.view
    return PcpuActor(plan, pcpu, core, port, lambda peer: kick(slots, peer))


@final
class ProcessNode:
    """Forks one process a pcpu when it is created; call it before ``trio.run``.

    Raises EngineError when the engine does not hold on this host.
    """

    def __init__(self, plan: Plan, memory: NodeMemory) -> None:
        ensure()
        self._memory = memory
        self.pcpus = active(plan)
        epoch = time.monotonic_ns()
        ends: dict[int, dict[int, socket.socket]] = {pcpu: {} for pcpu in (*self.pcpus, AGENT)}
        for pcpu in self.pcpus:
            for peer in sorted(neighbours(plan, pcpu)):
                if peer > pcpu:
                    ends[pcpu][peer], ends[peer][pcpu] = socket.socketpair()
            ends[pcpu][AGENT], ends[AGENT][pcpu] = socket.socketpair()
        gc.collect()
        gc.freeze()
        sys.stdout.flush()
        sys.stderr.flush()
        self._pids = {}
        # A Ctrl-C that came into what Python itself does around a fork would be printed and forgotten.
        held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            for pcpu in self.pcpus:
                pid = os.fork()
                if pid == 0:
                    _child(plan, pcpu, memory, epoch, ends)
                self._pids[pcpu] = pid
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, held)
        for pcpu in self.pcpus:
            for end in ends[pcpu].values():
                end.close()
        self.port: Port = SocketPort(ends[AGENT])

    async def supervise(self, died: Callable[[int, str], None]) -> None:
        async with trio.open_nursery() as nursery:
            for pcpu in self.pcpus:
                nursery.start_soon(self._watch, pcpu, died)

    async def _watch(self, pcpu: int, died: Callable[[int, str], None]) -> None:
        descriptor = os.pidfd_open(self._pids[pcpu])
        try:
            await trio.lowlevel.wait_readable(descriptor)
        finally:
            os.close(descriptor)
        _, status = os.waitpid(self._pids.pop(pcpu), os.WNOHANG)  # noqa: ASYNC222 - it has ended, its descriptor said so
        code = os.waitstatus_to_exitcode(status)
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
    plan: Plan, pcpu: int, memory: NodeMemory, epoch: int, ends: dict[int, dict[int, socket.socket]]
) -> NoReturn:
    """The life of a pcpu's process. Nothing of the parent's runs on in it, whatever happens."""
    status = 1
    try:
        die_with_parent()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        for owner, sockets in ends.items():
            if owner != pcpu:
                for end in sockets.values():
                    end.close()
        port = SocketPort(ends[pcpu])
        try:
            trio.run(_actor(plan, pcpu, memory, epoch, port).run)
            status = 0
        except Exception:
            port.send(AGENT, wire.Failure(pcpu, traceback.format_exc()))
    finally:
        os._exit(status)


@final
class TaskNode:
    """All pcpus in the agent's own process: no parallelism, and the shortest way between two of them."""

    def __init__(self, plan: Plan, memory: NodeMemory) -> None:
        ensure()
        self.pcpus = active(plan)
        self._switch = switch = Switch()
        self.port: Port = MemoryPort(AGENT, switch)
        self._slots = memory.slots.view
        epoch = time.monotonic_ns()
        riders = {}
        for pcpu in self.pcpus:
            port = MemoryPort(pcpu, switch)
            riders[_actor(plan, pcpu, memory, epoch, port)] = port
        self._carrier = Carrier(switch, riders)

    async def supervise(self, died: Callable[[int, str], None]) -> None:
        await self._carrier.run(lambda pcpu: died(pcpu, "ended"))

    def kick(self, pcpu: int) -> None:
        kick(self._slots, pcpu)

    def kill(self, pcpu: int) -> None:
        self._carrier.drop(pcpu)

    def close(self) -> None:
        self._switch.close()
