"""The node agent: starts the pcpus of its node, shows their consoles, answers for their VMs, and ends them.

It is the only actor that a user meets; its ``Outcome`` is what ``baonet run`` exits with.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, final

from baonet.actors.authority import Authority
from baonet.actors.awaited import Awaited, AwaitedText
from baonet.actors.console import JoinedOutput
from baonet.actors.course import Course, FreeCourse
from baonet.actors.ending import Ending, VmState
from baonet.actors.life import Changed, Conclude, Fail, Kill, Life, Load, Tell
from baonet.actors.node import Node
from baonet.actors.notices import MOST as NOTICES
from baonet.actors.outcome import Outcome
from baonet.actors.phases import ENDING
from baonet.actors.saving import Saving
from baonet.actors.screen import Screen
from baonet.actors.standstill import Standstill
from baonet.actors.visible import plain
from baonet.hyp import wings
from baonet.hyp.report import Report
from baonet.hyp.vmm import Plan
from baonet.outlets.news import News
from baonet.outlets.outlet import Outlets
from baonet.wire import messages as wire
from baonet.wire.port import GONE, SocketPort

if TYPE_CHECKING:
    import trio

_MANY_RESETS = 16
"""Of one VM, which is told then: it may never get farther."""
TYPED = 1 << 16
"""Bytes of input that no UART has taken yet, from which whoever types should wait."""
_TICK = 0.1
"""Seconds between two looks at what the screen has not shown yet, and at who is awaited.

Waiting is counted in these, not by the host's clock: time in which nobody could look, as while the whole run was
suspended, makes nobody late.
"""
_MOMENT = 0.0005
"""Seconds between two looks whether the first words are written."""


@final
class Agent:
    """``until`` are texts that end the run when guests have printed them. ``notice`` gets what Bao would print.

    ``reported`` gets what a guest is parked for, and the instruction there, when it happens. ``course``: how time goes
    on, by default as the host's. ``observer`` gets what is traced, and what was typed when. While one of ``outlets`` is
    full nothing is taken from the pcpus, or of one that is a VM's own from those that run it, so guests wait for who
    reads; ends and pauses do not. ``changed`` gets how a VM is now, while others still run.
    """

    def __init__(
        self,
        plan: Plan,
        node: Node,
        screen: Screen,
        *,
        until: Iterable[AwaitedText] = (),
        notice: Callable[[str, str], None] = lambda level, text: None,
        reported: Callable[[Report, bytes], None] = lambda report, code: None,
        course: Course | None = None,
        observer: Callable[[wire.TraceChunk | wire.Typed], None] = lambda message: None,
        outlets: Outlets | None = None,
        changed: Callable[[int, VmState], None] = lambda vm, state: None,
    ) -> None:
        self.plan = plan
        self.node = node
        self.screen = screen
        self.outcome = Outcome(Ending.DONE)
        self.course: Course = course or FreeCourse()
        vms = [(vm.config.name, vm.pcpus) for vm in plan.vms]
        self.life = Life(vms, node.carries, conducted=self.course.conducted)
        self._awaited = Awaited(until)
        self._notice = notice
        self._reported = reported
        self._observer = observer
        self._outlets = outlets or Outlets()
        self._changed = changed
        self._names = [vm.config.name for vm in plan.vms]
        self._addresses = {pcpu: address for address, pcpus in node.carries.items() for pcpu in pcpus}
        self._authority = Authority(plan, node.carries)
        self._noticed: Counter[int] = Counter()
        self._consoles = JoinedOutput()
        self._spoken = False
        self._typed = [0 for _ in plan.vms]
        self._resets = [0 for _ in plan.vms]
        self._read = News()
        self._ending: Ending | None = None
        self._hosts_lost = False
        self._listening: trio.CancelScope | None = None
        self._holding: frozenset[int] = frozenset()
        self._farewell: trio.CancelScope | None = None
        self._news = News()
        self._standstill = Standstill(
            self.life, self.course, until=self._until, perform=self._perform, go_on=self._go_on
        )
        self._registers: dict[int, dict[str, int]] = {}
        self.saving = Saving(
            self.life, self.course, self.outcome, self._consoles, self._typed, tell=self._tell, until=self._until
        )
        """The run as data."""

    def begin(self, port: SocketPort, seconds: float) -> None:
        """What comes before guests have said anything, at most so many seconds of it, at the ``port`` of the node.

        It is heard without Trio, which takes longer to load than most guests to say something.
        """
        self._outlets.begin()
        end = time.monotonic() + seconds
        while self._ending is None and not (self._spoken or self._outlets.full or self._outlets.failed):
            left = end - time.monotonic()
            if left <= 0:
                break
            port.block(min(left, self.course.patience()))
            self._take()
            if self.life.started:
                self._go_on()
        while self._outlets.waiting and time.monotonic() < end:
            time.sleep(_MOMENT)  # the thread that writes it has its turn: modules that load would leave it little

    async def run(self, limit: float | None = None) -> Outcome:
        """The whole life of the machine, at most ``limit`` seconds of host time."""
        import trio  # noqa: PLC0415 - see ``begin``

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
            self._news.tell()
            self.life.stop()
            self._perform()
            with trio.CancelScope() as self._farewell:
                while not self.life.over:
                    await self._hear()
            nursery.cancel_scope.cancel()
        self._show(self._consoles.rest())
        self.screen.finish()
        return self._sum_up()

    def _sum_up(self) -> Outcome:
        assert self._ending is not None
        outcome = self.outcome
        for pcpu, count in sorted(self._noticed.items()):
            if count > NOTICES:
                self._notice("WARNING", f"pcpu {pcpu}: {count - NOTICES} more of anything")
        outcome.started, outcome.missing = self.life.started, self._awaited.missing
        missed = self._ending is Ending.DONE and outcome.missing
        outcome.ending = Ending.MISSED if missed else self._ending
        outcome.time = self.course.time
        outcome.whole = outcome.digests.keys() >= self._addresses.keys()
        if outcome.ending is Ending.DONE and self.life.lost:
            outcome.ending = Ending.FAILED  # its results are not whole
        if outcome.ending is Ending.FAILED and self._hosts_lost:
            outcome.ending = Ending.LOST
        outcome.vms = {name: state.value for name, state in zip(self._names, self.life.states, strict=True)}
        return outcome

    def stop(self, ending: Ending) -> None:
        """End the run from outside (a signal, a key)."""
        if self._ending is None:
            self._ending = ending
            self._listen_no_more()

    def write(self, vm: int, data: bytes) -> None:
        """Type on a VM's console: the first UART that it has. No bytes are a break."""
        self._typed[vm] += max(1, len(data))
        if (horizon := self.course.typed()) is not None:
            self._grant(horizon)
        master = self._addresses[self.plan.vms[vm].master]
        if not data:
            self._tell(master, wire.ConsoleBreak(vm))
        for start in range(0, len(data), TYPED):  # a message holds only so much
            self._tell(master, wire.ConsoleInput(vm, data[start : start + TYPED]))

    def keeps(self, vm: int) -> bool:
        """Whether something that the VM has printed has come and was not shown yet."""
        return self._consoles.holds(vm)

    def reads(self, vm: int) -> bool:
        """Whether the guest takes what is typed: less than ``TYPED`` bytes wait for it."""
        return self._typed[vm] < TYPED

    async def reading(self, vm: int) -> None:
        """Until it does."""
        while not self.reads(vm):
            await self._read.wait()

    @property
    def ending(self) -> Ending | None:
        """How the run is about to end; None while it goes on."""
        return self._ending

    @property
    def standing(self) -> bool:
        """Whether the machine stands: no guest runs, and none will before ``resume`` or ``advance``."""
        return self._standstill.complete

    async def pause(self) -> None:
        """Have the machine stand: see ``Standstill.pause``."""
        await self._standstill.pause()

    def resume(self) -> None:
        """Have the machine go on. For its guests no time has passed."""
        self._standstill.resume()

    async def advance(self, moment: int) -> int:
        """Have the machine go on to a moment of virtual time, and stand there: see ``Standstill.advance``."""
        return await self._standstill.advance(moment)

    async def registers(self, pcpu: int) -> dict[str, int]:
        """Of the vcpu on this pcpu, while the machine stands. Raises LookupError when it does not run any more."""
        address = self._addresses[pcpu]
        self._registers.pop(pcpu, None)
        if self.life.answers(address):
            self._tell(address, wire.RegistersRequest(pcpu))
            await self._until(lambda: pcpu in self._registers or not self.life.answers(address))
        if pcpu not in self._registers:
            raise LookupError(f"pcpu {pcpu} does not run any more")
        return self._registers[pcpu]

    async def heard(self) -> None:
        """Until it has listened to the machine once more."""
        await self._news.wait()

    async def _until(self, met: Callable[[], bool]) -> bool:
        """Until something is so; False: the run is over before."""
        while not met():
            if self._ending is not None:
                return False
            await self._news.wait()
        return True

    async def _room(self) -> bool:
        """Whether what is taken from the pcpus now has room where it goes; waits for that for a while."""
        if self._outlets.failed:
            self.stop(Ending.TERMINATED if self._outlets.hung_up else Ending.FAILED)
        if self._outlets.full and not self._standstill.settled:
            import trio  # noqa: PLC0415 - see ``begin``

            with trio.move_on_after(_TICK):
                await self._outlets.room()
        return not self._outlets.full or self._standstill.settled

    @property
    def _held(self) -> frozenset[int]:
        """Whose guests wait for a reader of their own."""
        holding = self._outlets.holding if self._ending is None else frozenset()
        if not holding:  # as nearly always, and this is asked before each wait
            return holding
        if self._standstill.settled:
            return frozenset()
        return frozenset(address for address, vms in self._authority.vms.items() if vms & holding)

    async def _listen_anew(self) -> None:
        """As soon as somebody need not be held any more."""
        while True:
            await self._outlets.changed()
            if self._held != self._holding:
                self._listen_no_more()

    async def _turn(self) -> None:
        await self._hear()
        if self.life.started:
            self._go_on()

    async def _hear(self) -> None:
        import trio  # noqa: PLC0415 - see ``begin``

        self._holding = self._held
        self.node.port.hold(self._holding)
        with trio.CancelScope() as self._listening:
            await self.node.port.wait(min(_TICK, self.course.patience()))
        self._take()

    def _listen_no_more(self) -> None:
        """Who listens has to look around."""
        if self._listening is not None:
            self._listening.cancel()

    def _take(self) -> None:
        """What has come."""
        for source, message in self.node.port.take():
            self._receive(source, message)
        for address, why in self.node.port.closed():
            if why != GONE:  # its end itself is told by the node
                self.life.broke(address, why)
        self._perform()
        self._news.tell()

    def _go_on(self) -> None:
        """How the run ends, if it is over; or the next horizon, when all have reached the last one."""
        ending = self.course.due()
        if ending is not None:
            if self.course.wanted is None and VmState.DEAD in self.life.states:
                ending = Ending.FAILED
            elif ending is Ending.IDLE and self.outcome.parked:
                ending = Ending.PARKED  # the others may wait for what was parked
            self.stop(ending)
        elif (horizon := self.course.grant()) is not None:
            self._grant(horizon)

    def _grant(self, horizon: int) -> None:
        for address in self.life.present:
            self._tell(address, wire.Horizon(horizon))

    def _conclude(self, ending: Ending) -> None:
        """The machine itself has come to an end."""
        if (now := self.course.conclude(ending)) is not None:
            self.stop(now)

    async def _tick(self) -> None:
        import trio  # noqa: PLC0415 - see ``begin``

        while True:
            await trio.sleep(_TICK)
            if not self._outlets.full or self._standstill.settled or self._ending is not None:
                self.life.passed(_TICK, self._held)  # else nothing is taken, and who speaks is not heard
            self._perform()
            if VmState.DEAD in self.life.states:
                self._miss()
            self.screen.tick()

    def _miss(self) -> None:
        """Output that a dead core may have kept. All who share a UART with it and its conductor are dead as well."""
        living = [each for each in self.life.present if not self.course.conducted and self.life.answers(each)]
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
                    self.course.drop(address)
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
        self._standstill.look()
        if self.life.over and self._farewell is not None:
            self._farewell.cancel()

    def _tell(self, pcpu: int, message: wire.Control) -> None:
        self.node.port.send(pcpu, message)
        self.node.kick(pcpu)

    def _receive(self, source: int, message: wire.Message) -> None:
        if not self._authority.allows(source, message):
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
                self._read.tell()
            case wire.Parked(report, code):
                key = (report.vm, report.vcpu)
                self.outcome.parked[key] = self.outcome.parked.get(key, 0) + 1
                self._reported(report, code)
                self.life.said(source, message)
            case wire.Hello() | wire.Running() | wire.Halted() | wire.VmOff() | wire.VmReset() | wire.Stopped():
                self.life.said(source, message)
            case wire.Frozen():
                self.life.said(source, message)
            case wire.Registers(pcpu, values):
                self._registers[pcpu] = values
            case wire.PcpuState():
                self.saving.told(message)
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
            case wire.Reached(next_, latest):
                self.course.reached(source, next_, latest)
            case wire.TraceChunk() | wire.Typed():
                self._observer(message)
            case wire.Digest(pcpu, digest):
                self.outcome.digests[pcpu] = digest
            case wire.SharedCache(cluster):
                self.outcome.caches[cluster] = message
            case wire.Delivered(time, exact, late, latest):
                self.course.came(time)
                total = self.outcome.deliveries
                total.exact += exact
                total.late += late
                total.latest = max(total.latest, latest)
            case _:
                self.outcome.failures.append(f"pcpu {source} sent {type(message).__name__} to the agent")

    def _show(self, pieces: list[tuple[int, bytes]]) -> None:
        for vm, data in pieces:
            self._spoken = True
            self.screen.show(vm, data)
            self._awaited.see(vm, data)
        if self._awaited.complete:
            self._conclude(Ending.DONE)

    def _load(self, vm: int) -> None:
        """For a VM that starts anew."""
        config = self.plan.vms[vm].config
        self._resets[vm] += 1
        if self._resets[vm] == _MANY_RESETS:
            how = wings.of(self.plan.machine).names.reset
            self._notice("WARNING", f"VM '{config.name}' has been reset {_MANY_RESETS} times ({how})")
        self.node.reload(vm, lambda why_not: self._loaded(vm, why_not))

    def _loaded(self, vm: int, why_not: str | None) -> None:
        self.life.loaded(vm, why_not)
        self._perform()

    def _died(self, pcpu: int, why: str | None, words: str = "", *, lost: bool = False) -> None:
        """A process has ended. What it said before comes first, to the last byte."""
        self._hosts_lost |= lost
        if why is not None:
            for source, message in self.node.port.last_words(pcpu):
                self._receive(source, message)
            self.course.drop(self._addresses[pcpu])
            self.life.died(pcpu, why)
            self._perform()
        if words:  # what has become of it is told first: a study shows one line
            self.outcome.failures.append(f"pcpu {pcpu} wrote:\n{words}")
        if why is not None:
            self._show(self._consoles.answered(pcpu))
