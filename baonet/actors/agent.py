"""The node agent: starts the pcpus of its node, shows their consoles, answers for their VMs, and ends them.

It is the only actor that a user meets; its ``Outcome`` is what ``baonet run`` exits with.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol, final

import trio

from baonet.actors.awaited import Awaited, AwaitedText
from baonet.actors.console import JoinedOutput
from baonet.actors.ending import Ending, VmState
from baonet.actors.island import Deliveries
from baonet.actors.life import Changed, Conclude, Fail, Kill, Life, Load, Tell
from baonet.actors.notices import MOST as NOTICES
from baonet.actors.phases import ENDING
from baonet.actors.refusals import refused
from baonet.actors.schedule import Schedule
from baonet.actors.screen import Screen
from baonet.actors.standing import Standing
from baonet.actors.visible import plain
from baonet.hyp.armv8.condition import Condition
from baonet.hyp.armv8.report import Armv8Report
from baonet.hyp.vmm import Plan
from baonet.memory.node import NodeMemory
from baonet.outlets.outlet import Outlets
from baonet.trace.records import machine_digest
from baonet.wire import messages as wire
from baonet.wire.port import GONE, Port

_MANY_RESETS = 16
"""Of one VM, which is told then: it may never get farther."""
TYPED = 1 << 16
"""Bytes of input that no UART has taken yet, from which whoever types should wait."""
_TICK = 0.1
"""Seconds between two looks at what the screen has not shown yet, and at who is awaited.

Waiting is counted in these, not by the host's clock: time in which nobody could look, as while the whole run was
suspended, makes nobody late.
"""


@final
@dataclass(slots=True)
class Outcome:
    ending: Ending
    vms: dict[str, str] = field(default_factory=dict)
    parked: dict[tuple[int, int], int] = field(default_factory=dict)
    """How often a guest did what Bao stops it for, by VM and vcpu."""
    started: bool = False
    """Whether all pcpus had come, so that guests ran."""
    missing: list[AwaitedText] = field(default_factory=list)
    """What was to be printed and was not."""
    conditions: dict[int, Condition] = field(default_factory=dict)
    """How the vcpus of the pcpus that answered were at the end."""
    failures: list[str] = field(default_factory=list)
    statistics: dict[int, dict[str, int]] = field(default_factory=dict)
    time: int = 0
    """Cycles, in virtual time; and then also the digests of the pcpus, and how many messages were late."""
    digests: dict[int, bytes] = field(default_factory=dict)
    deliveries: Deliveries = field(default_factory=Deliveries)
    whole: bool = True
    """Every pcpu has said its last words."""

    @property
    def digest(self) -> str | None:
        """Of the whole run; None in host time, and when a pcpu's is missing."""
        return machine_digest(self.digests) if self.digests and self.whole else None


class Died(Protocol):
    def __call__(self, pcpu: int, why: str | None, words: str = "") -> None:
        """How a process has ended, None if that is nobody's loss, and what it wrote to its standard error."""


class Node(Protocol):
    """Where the pcpus of this node run: started, watched and killed by an engine.

    ``carries``: the pcpus that each actor at the port speaks for, by its address. In host time each speaks for itself.
    """

    port: Port
    carries: dict[int, tuple[int, ...]]

    async def supervise(self, died: Died) -> None:
        """Run until cancelled or all pcpus have ended; call ``died`` for each that ends, when nothing of it runs."""

    def kick(self, pcpu: int) -> None: ...
    def kill(self, pcpu: int) -> None: ...


@final
class Agent:
    """``until`` are texts that end the run when guests have printed them. ``notice`` gets what Bao would print.

    ``reported`` gets what a guest is parked for, and the instruction there, when it happens. ``schedule`` is there in
    virtual time; ``observer`` gets what is traced, and what was typed when. While one of ``outlets`` is full nothing is
    taken from the pcpus, or of one that is a VM's own from those that run it, so guests wait for whoever reads; ends do
    not. ``changed`` gets how a VM is now, while others still run.
    """

    def __init__(
        self,
        plan: Plan,
        memory: NodeMemory,
        node: Node,
        screen: Screen,
        *,
        until: Iterable[AwaitedText] = (),
        notice: Callable[[str, str], None] = lambda level, text: None,
        reported: Callable[[Armv8Report, bytes], None] = lambda report, code: None,
        schedule: Schedule | None = None,
        observer: Callable[[wire.TraceChunk | wire.Typed], None] = lambda message: None,
        outlets: Outlets | None = None,
        changed: Callable[[int, VmState], None] = lambda vm, state: None,
    ) -> None:
        self.plan = plan
        self.memory = memory
        self.node = node
        self.screen = screen
        self.outcome = Outcome(Ending.DONE)
        self.life = Life([(vm.config.name, vm.pcpus) for vm in plan.vms], node.carries, conducted=schedule is not None)
        self._awaited = Awaited(until)
        self._notice = notice
        self._reported = reported
        self._schedule = schedule
        self._observer = observer
        self._outlets = outlets or Outlets()
        self._changed = changed
        self._addresses = {pcpu: address for address, pcpus in node.carries.items() for pcpu in pcpus}
        self._standing = Standing(plan, node.carries)
        self._noticed: Counter[int] = Counter()
        self._consoles = JoinedOutput()
        self._typed = [0 for _ in plan.vms]
        self._resets = [0 for _ in plan.vms]
        self._read = trio.Event()
        self._ending: Ending | None = None
        self._wanted: Ending | None = None
        self._listening = trio.CancelScope()
        self._holding: frozenset[int] = frozenset()
        self._farewell = trio.CancelScope()

    async def run(self, limit: float | None = None) -> Outcome:
        """The whole life of the machine, at most ``limit`` seconds of host time."""
        self._outlets.start()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.node.supervise, self._died)
            nursery.start_soon(self._tick)
            nursery.start_soon(self._listen_anew)
            with trio.move_on_after(math.inf if limit is None else limit):
                while self._ending is None:
                    if await self._room():
                        await self._turn()
            self.stop(Ending.TIMEOUT)
            self.life.stop()
            self._perform()
            with self._farewell:
                while not self.life.over:
                    await self._hear()
            nursery.cancel_scope.cancel()
        self._show(self._consoles.rest())
        self.screen.finish()
        return self._sum_up()

    def _sum_up(self) -> Outcome:
        assert self._ending is not None
        outcome, names = self.outcome, [vm.config.name for vm in self.plan.vms]
        for pcpu, count in sorted(self._noticed.items()):
            if count > NOTICES:
                self._notice("WARNING", f"pcpu {pcpu}: {count - NOTICES} more of anything")
        outcome.started, outcome.missing = self.life.started, self._awaited.missing
        missed = self._ending is Ending.DONE and outcome.missing
        outcome.ending = Ending.MISSED if missed else self._ending
        if self._schedule is not None:
            outcome.time = self._schedule.time
            outcome.whole = outcome.digests.keys() >= self._addresses.keys()
        if outcome.ending is Ending.DONE and self.life.lost:
            outcome.ending = Ending.FAILED  # its results are not whole
        outcome.vms = {name: state.value for name, state in zip(names, self.life.states, strict=True)}
        return outcome

    def stop(self, ending: Ending) -> None:
        """End the run from outside (a signal, a key)."""
        if self._ending is None:
            self._ending = ending

    def write(self, vm: int, data: bytes) -> None:
        """Type on a VM's console: the first UART that it has. No bytes are a break."""
        self._typed[vm] += max(1, len(data))
        if self._schedule is not None and (horizon := self._schedule.disturb()) is not None:
            self._grant(horizon)
        self._tell(
            self._addresses[self.plan.vms[vm].master], wire.ConsoleInput(vm, data) if data else wire.ConsoleBreak(vm)
        )

    def reads(self, vm: int) -> bool:
        """Whether the guest takes what is typed: less than ``TYPED`` bytes wait for it."""
        return self._typed[vm] < TYPED

    async def reading(self, vm: int) -> None:
        """Until it does."""
        while not self.reads(vm):
            await self._read.wait()

    async def _room(self) -> bool:
        """Whether what is taken from the pcpus now has room where it goes; waits for that for a while."""
        if self._outlets.failed:
            self.stop(Ending.TERMINATED if self._outlets.hung_up else Ending.FAILED)
        if self._outlets.full:
            with trio.move_on_after(_TICK):
                await self._outlets.room()
        return not self._outlets.full

    @property
    def _held(self) -> frozenset[int]:
        """Whose guests wait for a reader of their own."""
        holding = self._outlets.holding if self._ending is None else frozenset()
        if not holding:  # as nearly always, and this is asked before each wait
            return holding
        return frozenset(address for address, vms in self._standing.vms.items() if vms & holding)

    async def _listen_anew(self) -> None:
        """As soon as somebody need not be held any more."""
        while True:
            await self._outlets.changed()
            if self._held != self._holding:
                self._listening.cancel()

    async def _turn(self) -> None:
        await self._hear()
        if self._schedule is not None and self.life.started:
            self._go_on(self._schedule)

    async def _hear(self) -> None:
        self._holding = self._held
        self.node.port.hold(self._holding)
        with trio.CancelScope() as self._listening:
            await self.node.port.wait(_TICK if self._schedule is None else min(_TICK, self._schedule.patience()))
        for source, message in self.node.port.take():
            self._receive(source, message)
        for address, why in self.node.port.closed():
            if why != GONE:  # its end itself is told by the node
                self.life.broke(address, why)
        self._perform()

    def _go_on(self, schedule: Schedule) -> None:
        """In virtual time: the next horizon, when all have reached the last one."""
        ending = schedule.due(self._wanted)
        if ending is not None:
            if self._wanted is None and VmState.DEAD in self.life.states:
                ending = Ending.FAILED
            elif ending is Ending.IDLE and self.outcome.parked:
                ending = Ending.PARKED  # the others may wait for what was parked
            self.stop(ending)
        elif (horizon := schedule.grant()) is not None:
            self._grant(horizon)

    def _grant(self, horizon: int) -> None:
        for address in self.life.present:
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
            if not self._outlets.full or self._ending is not None:
                self.life.passed(_TICK, self._held)  # else nothing is taken, and who speaks is not heard
            self._perform()
            if VmState.DEAD in self.life.states:
                self._miss()
            self.screen.tick()

    def _miss(self) -> None:
        """Output that a dead core may have kept. In virtual time all who share a UART with it are dead as well."""
        living = [each for each in self.life.present if self._schedule is None and self.life.answers(each)]
        for address in self._consoles.ask(living):
            self._tell(address, wire.StatisticsRequest())
        if not living:
            self._show(self._consoles.settle())

    def _perform(self) -> None:
        """Do what the machine's life asks for, in order; that may lead to more of it."""
        effects = self.life.effects
        while effects:
            match effects.pop(0):
                case Tell(address, message):
                    self._tell(address, message)
                case Kill(address):
                    if self._schedule is not None:
                        self._schedule.horizons.drop(address)
                    self.node.kill(address)
                    self._show(self._consoles.answered(address))
                case Load(vm):
                    self._load(vm)
                case Fail(text):
                    self.outcome.failures.append(text)
                case Changed(vm, state):
                    self._changed(vm, state)
                case Conclude(ending):
                    self._conclude(ending)
        if self.life.over:
            self._farewell.cancel()

    def _tell(self, pcpu: int, message: wire.Control) -> None:
        self.node.port.send(pcpu, message)
        self.node.kick(pcpu)

    def _receive(self, source: int, message: wire.Message) -> None:
        if not self._standing.allows(source, message):
            self.life.broke(source, f"has no say in what it told the agent: {type(message).__name__}")
            return
        self.life.heard(source)
        match message:
            case wire.Hello(version, pcpu) if version != wire.VERSION:
                self.outcome.failures.append(f"pcpu {pcpu} speaks protocol version {version}, the agent {wire.VERSION}")
                self.stop(Ending.FAILED)
            case wire.ConsoleOutput(vm, device, position, data):
                self._show(self._consoles.add(device, vm, position, data))
            case wire.InputTaken(vm, size):
                self._typed[vm] = max(0, self._typed[vm] - size)
                self._read.set()
                self._read = trio.Event()
            case wire.Parked(report, code):
                key = (report.vm, report.vcpu)
                self.outcome.parked[key] = self.outcome.parked.get(key, 0) + 1
                self._reported(report, code)
                self.life.said(source, message)
            case wire.Hello() | wire.Running() | wire.Halted() | wire.VmOff() | wire.VmReset() | wire.Stopped():
                self.life.said(source, message)
            case wire.Notice(pcpu, level, text):
                self._noticed[pcpu] += 1
                if self._noticed[pcpu] <= NOTICES:
                    self._notice(level, f"pcpu {pcpu}: {plain(text)}")
            case wire.Failure(pcpu, text):
                self.outcome.failures.append(f"pcpu {pcpu}: {plain(text)}")
            case wire.Examined(condition):
                self.outcome.conditions[condition.pcpu] = condition
            case wire.Statistics(pcpu, counters):
                if self.life.phase(source) in ENDING:
                    self.outcome.statistics[pcpu] = counters
                self._show(self._consoles.answered(source))
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
            case _:
                self.outcome.failures.append(f"pcpu {source} sent {type(message).__name__} to the agent")

    def _show(self, pieces: list[tuple[int, bytes]]) -> None:
        for vm, data in pieces:
            self.screen.show(vm, data)
            self._awaited.see(vm, data)
        if self._awaited.complete:
            self._conclude(Ending.DONE)

    def _load(self, vm: int) -> None:
        """For a VM that starts anew."""
        config = self.plan.vms[vm].config
        self._resets[vm] += 1
        if self._resets[vm] == _MANY_RESETS:
            self._notice("WARNING", f"VM '{config.name}' has been reset {_MANY_RESETS} times (PSCI SYSTEM_RESET)")
        self.memory.clear(config)
        try:
            self.memory.load(config)
        except OSError as error:
            self.life.loaded(vm, refused(error))
        else:
            self.life.loaded(vm)

    def _died(self, pcpu: int, why: str | None, words: str = "") -> None:
        """A process has ended. What it said before comes first, to the last byte."""
        if why is not None:
            for source, message in self.node.port.last_words(pcpu):
                self._receive(source, message)
        if words:
            self.outcome.failures.append(f"pcpu {pcpu} wrote:\n{words}")
        if why is not None:
            if self._schedule is not None:
                self._schedule.horizons.drop(self._addresses[pcpu])
            self.life.died(pcpu, why)
            self._perform()
            self._show(self._consoles.answered(pcpu))
