"""The node agent: starts the pcpus of its node, shows their consoles, answers for their VMs, and ends them.

It is the only actor that a user meets; its ``Outcome`` is what ``baonet run`` exits with.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, final

import trio

from baonet.actors.console import Reassembly, Screen
from baonet.actors.ending import Ending, VmState
from baonet.actors.island import Deliveries
from baonet.actors.schedule import Schedule
from baonet.hyp.report import Report
from baonet.hyp.vmm import Plan
from baonet.memory.node import NodeMemory
from baonet.wire import messages as wire
from baonet.wire.messages import GRACE
from baonet.wire.port import GONE, Port
from baonet.wire.trace import machine_digest

_TICK = 0.1
"""Seconds between two looks at what the screen has not shown yet."""


@final
@dataclass(slots=True)
class Outcome:
    ending: Ending
    vms: dict[str, str] = field(default_factory=dict)
    reports: list[tuple[Report, bytes]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    statistics: dict[int, dict[str, int]] = field(default_factory=dict)
    time: int = 0
    """Cycles, in virtual time; and then also the digests of the pcpus, and how many messages were late."""
    digests: dict[int, bytes] = field(default_factory=dict)
    deliveries: Deliveries = field(default_factory=Deliveries)

    @property
    def digest(self) -> str | None:
        """Of the whole run; None in host time."""
        return machine_digest(self.digests) if self.digests else None


class Node(Protocol):
    """Where the pcpus of this node run: started, watched and killed by an engine.

    ``carries``: the pcpus that each actor at the port speaks for, by its address. In host time each speaks for itself.
    """

    port: Port
    carries: dict[int, tuple[int, ...]]

    async def supervise(self, died: Callable[[int, str], None]) -> None:
        """Run until cancelled or all pcpus have ended; call ``died`` for each that ends."""

    def kick(self, pcpu: int) -> None: ...
    def kill(self, pcpu: int) -> None: ...


@final
class Agent:
    """``until`` is a text that ends the run when a guest prints it. ``notice`` gets what Bao would print.

    ``schedule`` is there in virtual time; ``observer`` gets what is traced, and what was typed when.
    """

    def __init__(
        self,
        plan: Plan,
        memory: NodeMemory,
        node: Node,
        screen: Screen,
        *,
        until: bytes = b"",
        notice: Callable[[str, str], None] = lambda level, text: None,
        schedule: Schedule | None = None,
        observer: Callable[[wire.TraceChunk | wire.Typed], None] = lambda message: None,
    ) -> None:
        self.plan = plan
        self.memory = memory
        self.node = node
        self.screen = screen
        self.outcome = Outcome(Ending.DONE)
        self.states = [VmState.RUNNING for _ in plan.vms]
        self._until = until
        self._notice = notice
        self._schedule = schedule
        self._observer = observer
        self._addresses = {pcpu: address for address, pcpus in node.carries.items() for pcpu in pcpus}
        self._consoles: dict[int, Reassembly] = {}
        self._tails = [b"" for _ in plan.vms]
        self._alive = set(node.carries)
        self._greeted: set[int] = set()
        self._halted: dict[int, set[int]] = {}
        self._ending: Ending | None = None
        self._wanted: Ending | None = None

    async def run(self, limit: float | None = None) -> Outcome:
        """The whole life of the machine, at most ``limit`` seconds of host time."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.node.supervise, self._died)
            nursery.start_soon(self._tick)
            with trio.move_on_after(math.inf if limit is None else limit):
                while self._ending is None:
                    await self._turn()
            self.stop(Ending.TIMEOUT)
            await self._farewell()
            nursery.cancel_scope.cancel()
        for pcpu in sorted(self._alive):
            self.node.kill(pcpu)
        for console in self._consoles.values():
            self._show(console.rest())
        self.screen.finish()
        assert self._ending is not None
        self.outcome.ending = self._ending
        names = [vm.config.name for vm in self.plan.vms]
        if self._schedule is not None:
            self.outcome.time = self._schedule.horizons.latest
        self.outcome.vms = {name: state.value for name, state in zip(names, self.states, strict=True)}
        return self.outcome

    def stop(self, ending: Ending) -> None:
        """End the run from outside (a signal, a key)."""
        if self._ending is None:
            self._ending = ending

    def write(self, vm: int, data: bytes) -> None:
        """Type on a VM's console: the first UART that it has."""
        if self._schedule is not None and (horizon := self._schedule.disturb()) is not None:
            self._grant(horizon)
        self._tell(self._addresses[self.plan.vms[vm].master], wire.ConsoleInput(vm, data))

    async def _turn(self) -> None:
        await self.node.port.wait(_TICK if self._schedule is None else min(_TICK, self._schedule.patience()))
        self._drain()
        if self._schedule is not None and self._greeted == set(self.node.carries):
            self._go_on(self._schedule)
        for pcpu, why in self.node.port.closed():
            if pcpu in self._alive and why != GONE:  # its end itself is told by the node
                self.outcome.failures.append(f"pcpu {pcpu} {why}")
                self.node.kill(pcpu)

    def _drain(self) -> None:
        for source, message in self.node.port.take():
            self._receive(source, message)

    def _go_on(self, schedule: Schedule) -> None:
        """In virtual time: the next horizon, when all have reached the last one."""
        ending = schedule.due(self._wanted)
        if ending is not None:
            if self._wanted is None and VmState.DEAD in self.states:
                ending = Ending.FAILED
            elif ending is Ending.IDLE and self.outcome.reports:
                ending = Ending.PARKED  # the others may wait for what was parked
            self.stop(ending)
        elif (horizon := schedule.grant()) is not None:
            self._grant(horizon)

    def _grant(self, horizon: int) -> None:
        for address in sorted(self._alive):
            self._tell(address, wire.Horizon(horizon))

    def _conclude(self, ending: Ending) -> None:
        """The machine itself has come to an end; in virtual time it is one moment for all its islands."""
        if self._schedule is None:
            self.stop(ending)
        elif self._wanted is None or ending.value > self._wanted.value:
            self._wanted = ending

    async def _tick(self) -> None:
        while True:
            await trio.sleep(_TICK)
            if VmState.DEAD in self.states:
                for console in self._consoles.values():
                    self._show(console.tick())
            self.screen.tick()

    async def _farewell(self) -> None:
        for pcpu in sorted(self._alive):
            self._tell(pcpu, wire.Stop())
        with trio.move_on_after(GRACE):
            while self._alive:
                await self._turn()

    def _tell(self, pcpu: int, message: wire.Control) -> None:
        self.node.port.send(pcpu, message)
        self.node.kick(pcpu)

    def _receive(self, source: int, message: wire.Message) -> None:
        match message:
            case wire.Hello(version, pcpu):
                self._greet(pcpu, version)
            case wire.ConsoleOutput(vm, device, position, data):
                console = self._consoles.setdefault(device, Reassembly())
                self._show(console.add(vm, position, data))
            case wire.Parked(report, code):
                self.outcome.reports.append((report, code))
                self._set(report.vm, VmState.PARKED)
            case wire.VmOff(vm):
                self._set(vm, VmState.OFF)
                if self._schedule is None:
                    for pcpu in self.plan.vms[vm].pcpus:
                        self._tell(pcpu, wire.Stop())
            case wire.VmReset(vm):
                self._reset(vm)
            case wire.Halted():
                self._reload(source)
            case wire.Notice(pcpu, level, text):
                self._notice(level, f"pcpu {pcpu}: {text}")
            case wire.Failure(pcpu, text):
                self.outcome.failures.append(f"pcpu {pcpu}: {text}")
            case wire.Statistics(pcpu, counters):
                self.outcome.statistics[pcpu] = counters
            case wire.Reached(next_, latest) if self._schedule is not None:
                self._schedule.horizons.reached(source, next_, latest)
            case wire.TraceChunk() | wire.Typed():
                self._observer(message)
            case wire.Digest(pcpu, digest):
                self.outcome.digests[pcpu] = digest
            case wire.Delivered(exact, late, latest):
                total = self.outcome.deliveries
                total.exact += exact
                total.late += late
                total.latest = max(total.latest, latest)
            case wire.Stopped(pcpu):
                self._alive.discard(pcpu)
            case _:
                self.outcome.failures.append(f"pcpu {source} sent {type(message).__name__} to the agent")

    def _greet(self, pcpu: int, version: int) -> None:
        if version != wire.VERSION:
            self.outcome.failures.append(f"pcpu {pcpu} speaks protocol version {version}, the agent {wire.VERSION}")
            self._ending = Ending.FAILED
            return
        self._greeted.add(pcpu)
        if self._greeted >= set(self.node.carries):
            for each in self.node.carries:
                self._tell(each, wire.Start())

    def _show(self, pieces: list[tuple[int, bytes]]) -> None:
        for vm, data in pieces:
            self.screen.show(vm, data)
            if self._until:
                tail = self._tails[vm] + data
                if self._until in tail:
                    self._conclude(Ending.DONE)
                self._tails[vm] = tail[-len(self._until) :]

    def _set(self, vm: int, state: VmState) -> None:
        if self.states[vm] in (VmState.OFF, VmState.DEAD):
            return
        if self.states[vm] is VmState.RESETTING and state is VmState.PARKED:
            return  # that vcpu starts anew with the others
        self.states[vm] = state
        if any(each in (VmState.RUNNING, VmState.RESETTING) for each in self.states):
            return
        if VmState.DEAD in self.states:
            self._conclude(Ending.FAILED)
        else:
            self._conclude(Ending.PARKED if self.outcome.reports else Ending.DONE)

    def _reset(self, vm: int) -> None:
        if self.states[vm] in (VmState.RUNNING, VmState.PARKED):
            self.states[vm] = VmState.RESETTING
            self._halted[vm] = set()
            for pcpu in self.plan.vms[vm].pcpus:
                self._tell(pcpu, wire.Halt())

    def _reload(self, source: int) -> None:
        assignment = self.plan.pcpus[source]
        assert assignment is not None
        vm = self.plan.vms[assignment.vm]
        if self.states[assignment.vm] is not VmState.RESETTING:
            return  # another of its vcpus switched the VM off, or has died
        halted = self._halted[assignment.vm]
        halted.add(source)
        if halted >= set(vm.pcpus):
            self.memory.clear(vm.config)
            try:
                self.memory.load(vm.config)
            except OSError as error:
                self._bring_down(assignment.vm, f"VM '{vm.config.name}' cannot start anew: {error}")
                return
            self.states[assignment.vm] = VmState.RUNNING
            for pcpu in vm.pcpus:
                self._tell(pcpu, wire.Reset())

    def _died(self, pcpu: int, why: str) -> None:
        """A pcpu that ends without its farewell takes its VM down, in virtual time its island; the others go on."""
        self._drain()  # what it said before it ended may still be on the way
        address = self._addresses[pcpu]
        if address not in self._alive:
            return
        self._alive.discard(address)
        if self._schedule is not None:
            self._schedule.horizons.drop(address)
        carried = self.node.carries[address]
        fallen = carried
        if address != pcpu:  # it took its turns from that one, which cannot go on without it
            self.node.kill(address)
            fallen = (pcpu,)
        for vm, planned in enumerate(self.plan.vms):
            vcpus = [(each, number) for number, each in enumerate(planned.pcpus) if each in fallen]
            if vcpus:
                pcpus = ", ".join(f"pcpu {each} (VM '{planned.config.name}', vcpu {number})" for each, number in vcpus)
                self._bring_down(vm, f"{pcpus} {why}")
            elif set(planned.pcpus) & set(carried):
                self._set(vm, VmState.DEAD)

    def _bring_down(self, vm: int, why: str) -> None:
        self.outcome.failures.append(why)
        for address in {self._addresses[pcpu] for pcpu in self.plan.vms[vm].pcpus}:
            if address in self._alive:
                self._alive.discard(address)
                self.node.kill(address)
        self._set(vm, VmState.DEAD)
