"""The conductor of an island: gives its pcpus their turns, and speaks to the agent for all of them.

It owns the order (``island``); the seats, which may be in this process or behind the port, own the CPUs. The agent lets
it go on to a horizon at a time, so that a run ends at one moment of virtual time in all islands.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Final, final

from baonet.actors.authority import Authority
from baonet.actors.caches import shared_caches
from baonet.actors.crew import collected, farewell, load_seats, save_seats, taken, tell_states
from baonet.actors.events import Events, Flips
from baonet.actors.faults import MessageFaults
from baonet.actors.island import DONE, Island
from baonet.actors.phases import Phase, step
from baonet.actors.recorder import Recorder
from baonet.actors.seat import Seat
from baonet.core.cpu import flip as flip_bits
from baonet.hyp.vmm import Plan
from baonet.machine.saved import Saved, StateForm
from baonet.memory.node import NodeMemory
from baonet.trace.records import FaultKind
from baonet.wire import messages as wire
from baonet.wire.messages import AGENT, Control, Message
from baonet.wire.port import GONE, RETRY, Port
from baonet.wire.turns import NEVER, Collect, Collected, Crash, Delivery, FaultNote, Mail, Stall, Turn, Turned

TURNS: Final = 16
"""Turns between two looks at the host's clock."""
REST: Final = 0.005
"""Seconds after which the conductor looks what the agent says, and other tasks of the process get their turn."""
COLLECT: Final = 0.02
"""Seconds after which what guests have printed is collected, also where no hypervisor had anything to do."""


RESTART: Final = 1_000_000
"""Nanoseconds of virtual time until a VM that is reset starts anew, and one more for each byte that is loaded again.

What that costs the host, about: for nothing, one that resets itself at once would stop the time of its island.
"""
MAIL: Final = 1024
"""Messages that one frame to a crew carries at most."""

_FORM: Final = StateForm("a conductor", 3, begun=bool, horizon=int, reported=bool, flips=int, island=dict, faults=dict)


@final
class Conductor:
    """``seats`` are the pcpus of ``island`` that are here; ``crews`` tells at which address the others are.

    ``events`` is what happens from outside, by the cycle, ``faults`` what happens to messages. When a crew is gone it
    does nothing more: the agent, who is told why by the node, ends it. Raises ConnectionError when a crew does not keep
    to the protocol.
    """

    def __init__(
        self,
        plan: Plan,
        island: Island,
        port: Port,
        *,
        seats: dict[int, tuple[Seat, Recorder]],
        crews: dict[int, int],
        memory: NodeMemory,
        events: Events,
        faults: MessageFaults,
    ) -> None:
        self.address = island.pcpus[0]
        self._plan = plan
        self._cycles = plan.machine.clock.cycles
        self._island = island
        self._seats = seats
        self._crews = crews
        self._serving = dict.fromkeys(crews.values(), Phase.SPAWNED)
        carries = {crew: tuple(pcpu for pcpu, its in crews.items() if its == crew) for crew in self._serving}
        self._authority = Authority(plan, carries)
        self._phase = Phase.SPAWNED
        self._answer: Turned | Collected | None = None
        self._loaded: bool | None = None
        self._port = port
        self._memory = memory
        self._events = events
        self._faults = faults
        self._begun = False
        self._horizon = 0
        self._reported = True
        self._asks = False  # a pcpu, and what it says to that is not told yet
        self._broken = False
        self._state_wanted = False
        for vm, at, data in events.inputs:
            self._type(vm, at, data)
        for rule, pcpu, at, duration in events.stalls:
            island.tell(pcpu, Stall(rule, duration), at)
        for rule, pcpu, at in events.crashes:
            island.tell(pcpu, Crash(rule), at)

    async def run(self) -> None:
        """Until the agent says stop, or is gone. It greets when its crews have."""
        while self._phase is Phase.SPAWNED:
            if all(phase is Phase.GREETED for phase in self._serving.values()):
                self._say(wire.Hello(wire.VERSION, self.address))
            else:
                await self._port.wait(None)
                self._hear()
        rested = collected = time.monotonic()
        while not self._ended:
            if self._state_wanted:
                self._tell_state()
            if self._reported or self._broken or self._phase is not Phase.RUNNING:
                await self._port.wait(None)
                self._hear()
                rested = time.monotonic()
            else:
                await self._room()
                await self._go_on()
                if time.monotonic() - collected > COLLECT and self._island.standing:
                    self._island.take_printed()
                    await self._collect(self._island.pcpus)
                    collected = time.monotonic()
                if self._reported or time.monotonic() - rested > REST:
                    await self._port.wait(0)
                    self._hear()
                    rested = time.monotonic()
        if self._phase is not Phase.GONE:
            await self._end()
            await self._port.flush(AGENT)

    async def _go_on(self) -> None:
        """Some turns, of whoever is next."""
        island, seats = self._island, self._seats
        for _ in range(TURNS):
            flip = island.end_of_window(self._events.flips[-1].at) if self._events.flips else NEVER
            turn = island.go(min(self._horizon, flip))
            if isinstance(turn, int):
                if turn == DONE:
                    await self._rest(flip)
                return
            self._asks = True
            here = seats.get(turn.pcpu)
            answer = await self._turn(turn) if here is None else taken(*here, turn)
            lives: list[Control] = []
            while answer is not None and answer.more:
                island.done(answer)
                lives += [each for each in answer.said if isinstance(each, wire.VmOff | wire.VmReset)]
                await self._pass_on(each for each in answer.said if not isinstance(each, wire.VmOff | wire.VmReset))
                await self._port.wait(0)
                self._hear()
                await self._room()
                if self._ended or self._broken:
                    return
                again = Turn(answer.pcpu, turn.moment, -1, ())
                answer = await self._turn(again) if here is None else taken(*here, again)
            if answer is None:
                return
            island.done(answer)
            if lives or answer.said:
                await self._pass_on((*lives, *answer.said))
            self._asks = False
            if self._port.congested:
                return

    async def _collect(self, pcpus: Iterable[int]) -> None:
        """What guests have printed, and recorded."""
        self._asks = True
        for pcpu in pcpus:
            here = self._seats.get(pcpu)
            if here is None:
                answer = await self._ask(Collect(pcpu))
                if not isinstance(answer, Collected):
                    return
                said = answer.said
            else:
                said = collected(*here)
            await self._pass_on(said)
        self._asks = False

    @property
    def _ended(self) -> bool:
        return self._phase in (Phase.STOPPING, Phase.GONE)

    async def _room(self) -> None:
        """The island waits while the agent does not take what it is told."""
        while self._port.congested and not (self._ended or self._broken):
            await self._port.wait(RETRY)
            self._hear()

    async def _rest(self, flip: int) -> None:
        """Nobody has anything to do before the horizon, or before the end of the window in which the next bits flip.

        What was printed by then is told before: a run that ends by it ends there.
        """
        if flip <= self._horizon:
            self._flip(self._events.flips.pop())
            return
        await self._collect(self._island.take_printed())
        if self._ended or self._broken:
            return
        next_ = min(self._island.next, flip)
        self._port.send(AGENT, wire.Reached(-1 if next_ >= NEVER else next_, self._island.latest))
        self._reported = True

    def _flip(self, flip: Flips) -> None:
        """All that was to happen before it has happened."""
        assignment = self._plan.pcpus[self.address]
        assert assignment is not None
        flip_bits(self._memory, assignment.vm, self.address, flip.shmem, flip.bits)
        for bit in flip.bits:
            self._island.tell(self.address, FaultNote(flip.rule, FaultKind.FLIP.value, bit), flip.at)

    async def _turn(self, turn: Turn) -> Turned | None:
        """A turn of a pcpu that a crew carries."""
        answer = await self._ask(turn)
        if isinstance(answer, Collected):
            raise ConnectionError(f"pcpu {answer.pcpu} was not asked what it has printed")
        return answer

    async def _ask(self, turn: Turn | Collect) -> Turned | Collected | None:
        """What a crew has done; None when there are not all of them any more, or the run is over."""
        crew = self._crews[turn.pcpu]
        if isinstance(turn, Turn):
            turn.inbox = self._mail(turn.pcpu, turn.inbox, MAIL)
        self._port.send(crew, turn)
        while (turned := self._answer) is None and not self._broken and not self._ended:
            await self._port.wait(None)
            self._hear()
        self._answer = None
        return turned

    def _mail(self, pcpu: int, inbox: tuple[Delivery, ...], most: int) -> tuple[Delivery, ...]:
        """Send that to the crew of a pcpu, but for the last ones, at most so many."""
        while len(inbox) > most:
            self._port.send(self._crews[pcpu], Mail(pcpu, inbox[:MAIL]))
            inbox = inbox[MAIL:]
        return inbox

    def _say(self, message: Control) -> None:
        """Something that moves this conductor on in its life."""
        self._phase = step(self._phase, message)
        self._port.send(AGENT, message)

    def _tell(self, message: Control) -> None:
        """The crews that there are."""
        for crew, phase in sorted(self._serving.items()):
            if phase is not Phase.GONE:
                self._serving[crew] = step(phase, message)
                self._port.send(crew, message)

    async def _pass_on(self, said: Iterable[Control]) -> None:
        for message in said:
            match message:
                case wire.VmOff(vm):
                    self._island.remove(self._plan.vms[vm].pcpus)
                    self._port.send(AGENT, message)
                case wire.VmReset(vm):
                    await self._reset(vm)
                case _:
                    self._port.send(AGENT, message)

    def _hear(self) -> None:
        for source, message in self._port.take():
            if source == AGENT:
                self._obey(message)
            elif not self._may_say(source, message):
                raise ConnectionError(f"pcpu {source} has no say in what it told its conductor")
            elif isinstance(message, Turned | Collected):
                if self._ended:
                    for each in message.said:  # nobody waits for it any more
                        self._port.send(AGENT, each)
                else:
                    self._answer = message
            elif isinstance(message, wire.Hello | wire.Running | wire.Stopped):
                self._serving[source] = step(self._serving[source], message)
            else:
                self._port.send(AGENT, message)
        for peer, why in self._port.closed():
            if peer == AGENT:
                self._phase = Phase.GONE
            else:
                if why != GONE:
                    raise ConnectionError(f"pcpu {peer} {why}")
                self._broken |= self._serving[peer] is not Phase.STOPPED
                self._serving[peer] = Phase.GONE
        if self._phase is Phase.STARTED and all(phase is Phase.RUNNING for phase in self._serving.values()):
            self._say(wire.Running())

    def _may_say(self, crew: int, message: Message) -> bool:
        """A crew speaks for its own pcpus: of a turn of theirs, and with the conductor's voice to the agent."""
        if isinstance(message, Turned | Collected):
            mine = self._crews.get(message.pcpu) == crew
            return mine and all(self._authority.allows(crew, each) for each in message.said)
        return self._authority.allows(crew, message)

    def _obey(self, message: Message) -> None:
        match message:
            case wire.Start():
                self._phase = step(self._phase, message)
                self._tell(message)
                if not self._begun:
                    self._begun = True
                    for pcpu in self._island.pcpus:
                        self._island.tell(pcpu, message, 0)
            case wire.Horizon(until):
                self._horizon = self._island.end_of_window(until)
                self._reported = False
            case wire.ConsoleInput(vm) | wire.ConsoleBreak(vm):
                data = message.data if isinstance(message, wire.ConsoleInput) else b""
                # In whole nanoseconds, as it is recorded, or a replay would type a cycle earlier or later; and not
                # before the horizon, which other islands may have reached, or a replay would end at an earlier one.
                moment = max(self._island.open_end, self._horizon)
                nanoseconds = self._cycles.first_ns(moment)
                self._type(vm, self._cycles.ticks(nanoseconds), data)
                self._port.send(AGENT, wire.Typed(vm, nanoseconds, data))
            case wire.Reset() | wire.Halt():
                self._loaded = isinstance(message, wire.Reset)
            case wire.Stop():
                self._phase = step(self._phase, message)
            case wire.StateRequest():
                self._state_wanted = True
            case wire.RegistersRequest(pcpu):
                if pcpu in self._crews:
                    self._port.send(self._crews[pcpu], message)
                else:
                    self._port.send(AGENT, wire.Registers(pcpu, self._seats[pcpu][0].body.registers()))
            case _:
                raise ValueError(f"the agent sent {type(message).__name__}, which has no meaning in virtual time")

    def _type(self, vm: int, at: int, data: bytes) -> None:
        typed = wire.ConsoleInput(vm, data) if data else wire.ConsoleBreak(vm)
        self._island.tell(self._plan.vms[vm].master, typed, at + self._events.console_latency)

    async def _reset(self, vm: int) -> None:
        """All of its pcpus stop where they are; the VM starts anew after the farthest of them has come so far.

        The agent loads its memory before anybody in the island goes on.
        """
        self._port.send(AGENT, wire.VmReset(vm))
        while self._loaded is None and not self._ended:
            await self._port.wait(None)
            self._hear()
        loaded, self._loaded = self._loaded, None
        plan = self._plan.vms[vm]
        pcpus = plan.pcpus
        if not loaded:
            self._island.remove(pcpus)
            return
        nanoseconds = RESTART + sum(segment.size for segment in plan.config.segments)
        moment = max(self._island.clock(pcpu) for pcpu in pcpus) + self._cycles.whole_ticks(nanoseconds)
        self._island.halt(pcpus, moment)

    async def _end(self) -> None:
        for seat, recorder in self._seats.values():
            farewell(seat, recorder, self._port, AGENT)
        self._tell(wire.Stop())
        while self._phase is Phase.STOPPING and Phase.STOPPING in self._serving.values():
            await self._port.wait(None)  # the agent sees to it that this ends
            self._hear()
        if self._phase is Phase.GONE:
            return
        island, counted = self._island, self._island.deliveries
        self._port.send(AGENT, wire.Delivered(island.latest, counted.exact, counted.late, counted.latest))
        for cache in shared_caches(self._plan, self._island):
            self._port.send(AGENT, cache)
        self._say(wire.Stopped(self.address))

    def save(self) -> dict[int, Saved]:
        """Of each pcpu that is here, and with the first the island's: at a horizon, or on the way to one.

        Raises ValueError in a turn of somebody, and while a guest runs in another process.
        """
        return save_seats(self._seats, self._saved())

    def _saved(self) -> Saved:
        if self._asks or not self._island.standing:
            raise ValueError("a pcpu of the island is in its turn, or in its guest: save it when all stand")
        for pcpu, inbox in self._island.take_mail():  # where errands brought it, its core has it already
            if pcpu in self._seats:
                self._seats[pcpu][0].deliver(inbox)
            else:
                self._mail(pcpu, inbox, 0)
        return _FORM.save(
            begun=self._begun,
            horizon=self._horizon,
            reported=self._reported,
            flips=len(self._events.flips),
            island=self._island.save(),
            faults=self._faults.save(),
        )

    def _tell_state(self) -> None:
        self._state_wanted = False
        tell_states(self._seats, self._port, AGENT, self._saved())
        for crew in sorted(self._serving):
            self._port.send(crew, wire.StateRequest())

    def load(self, states: Mapping[int, object]) -> None:
        """Before ``run``: go on from where the island was saved, with the memory of that moment.

        ``states``: of its pcpus, or of more, from which each crew takes those of its own. They are not started again.
        Raises ValueError for what is not their state, or of another version.
        """
        fields = _FORM.load(load_seats(self._seats, states))
        if not 0 <= fields["flips"] <= len(self._events.flips):
            raise _FORM.damaged(f"{fields['flips']} flips are to come, of {len(self._events.flips)}")
        self._begun, self._horizon, self._reported = fields["begun"], fields["horizon"], fields["reported"]
        del self._events.flips[fields["flips"] :]  # the last first
        self._island.load(fields["island"])
        self._faults.load(fields["faults"])
