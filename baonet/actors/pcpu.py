"""The pcpu actor: one physical CPU. It runs its core, hands every exit to the hypervisor, and does what that asks.

It knows neither where its peers are nor whether it shares its process with them: its port does.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import final

import trio

from baonet.actors.counters import counters
from baonet.actors.examination import examined, storm_notice
from baonet.actors.hypervisor import hypervisor_on
from baonet.actors.notices import Notices
from baonet.actors.phases import Phase, step
from baonet.actors.recorder import VCPU_STATES, Recorder
from baonet.actors.telling import told
from baonet.actors.uart_input import UartInput
from baonet.core.cpu import Core, uarts
from baonet.hyp import effects as fx
from baonet.hyp.cpu import Stay
from baonet.hyp.vcpu import State
from baonet.hyp.vmm import Plan
from baonet.trace.records import SEQUENCE_SHIFT, Kind
from baonet.wire import messages as wire
from baonet.wire.messages import AGENT, NUMBER, Control, Message
from baonet.wire.port import GONE, RETRY, Port

SLICE = 1_000_000
"""Instructions after which a guest that never leaves by itself lets the actor look around: about a millisecond."""
TURNS = 64
"""Exits after which it looks around all the same, and steps after which others in its process get their turn."""
_RETRY = 0.005
"""Seconds after which input that the UART had no room for is tried again."""
_REMIND = 5.0
"""Seconds after which the agent is reminded that the VM asked to go off or to start anew."""


@final
class PcpuActor:
    """``kick(pcpu)`` makes a peer's core on this node leave its guest soon, after a message was sent to it.

    ``recorder`` is there when the run is traced.
    """

    def __init__(
        self,
        plan: Plan,
        pcpu: int,
        core: Core,
        port: Port,
        kick: Callable[[int], None],
        *,
        recorder: Recorder | None = None,
    ) -> None:
        self.pcpu = pcpu
        self._recorder = recorder
        self._passed: dict[tuple[int, int], int] = {}
        self.core = core
        self.port = port
        self.hypervisor = hypervisor_on(core, plan, pcpu)
        self._kick = kick
        self._vm = self.hypervisor.vcpu.config
        self._uarts = uarts(plan.machine, self._vm)
        self._notices = Notices(pcpu)
        self._input = UartInput(core)
        self._state = State.POWERDOWN
        self._phase = Phase.SPAWNED
        self._waiting = False
        self._asked: wire.VmOff | wire.VmReset | None = None
        self._remind = math.inf
        self._sent = self._received = 0
        self._turns = TURNS

    @property
    def stopped(self) -> bool:
        """The agent has said stop, or is gone; there is nothing more to do."""
        return self._phase in (Phase.STOPPED, Phase.GONE)

    def greet(self) -> None:
        """Tell the agent that this pcpu is there."""
        self._say(wire.Hello(wire.VERSION, self.pcpu))

    def _say(self, message: Control) -> None:
        """Something that moves this pcpu on in its life."""
        self._phase = step(self._phase, message)
        self.port.send(AGENT, message)

    async def run(self) -> None:
        """Alone in a task: until stopped."""
        self.greet()
        patience = self.step()
        while not self.stopped:
            if patience != 0:
                await self.port.wait(patience)
            else:
                self._turns -= 1
                if self._turns <= 0:
                    self._turns = TURNS
                    await trio.lowlevel.checkpoint()
            patience = self.step()
        await self.port.flush(AGENT)

    def step(self) -> float | None:
        """Take what has come, and stay in the guest once if it can run.

        Returns the seconds after which the next step is due although nothing has come: 0 for at once, None for never.
        """
        self.core.answer_doorbell()
        for source, message in self.port.take():
            self._receive(source, message)
        for peer, why in self.port.closed():
            self._left(peer, why)
        if self._input and not self.stopped:
            self._feed()
        if self._phase is not Phase.RUNNING:
            return self._await_answer() if self._phase is Phase.HALTING else None
        state = self.hypervisor.vcpu.state
        if state is State.RUNNING:
            return RETRY if self.port.congested else self._enter()
        if state is State.STANDBY:
            if self.core.deadline() == 0 or self.core.wakes():
                self.hypervisor.wake()
                self._settle()
                return 0
            return self._patience()
        return _RETRY if self._input else None

    def _left(self, peer: int, why: str) -> None:
        """A channel has ended. That a peer is gone, the agent is told by whoever watches it."""
        if peer == AGENT:
            self._phase = Phase.GONE
        elif why != GONE:
            self._notice(fx.Warn(f"pcpu {peer} {why}; nothing that it says is taken any more"))

    def _await_answer(self) -> float | None:
        """The VM has asked to go off or to start anew."""
        if self._asked is None:
            return None
        now = trio.current_time()
        if now >= self._remind:
            self._ask(self._asked)
        return max(self._remind - now, 0.001)

    def _ask(self, message: wire.VmOff | wire.VmReset) -> None:
        self._asked, self._remind = message, trio.current_time() + _REMIND
        self._say(message)

    def _enter(self) -> float | None:
        """Stay in the guest until it waits, somebody calls, or it is time to look around."""
        run, hypervisor, vcpu = self.core.run, self.hypervisor, self.hypervisor.vcpu
        effects = hypervisor.effects
        kicked, wfi, running = Stay.KICKED, Stay.WFI, State.RUNNING
        self._waiting = False
        for _ in range(TURNS):
            reason = run(SLICE)
            if reason > kicked:
                hypervisor.on_exit(reason)
                if vcpu.state is not running:
                    self._settle()
                    self._flush()
                    return 0
                if effects:
                    self._perform()
            elif reason == wfi:
                self._flush()
                self._waiting = not self.core.wakes()
                return self._patience() if self._waiting else 0
            else:
                if effects:
                    self._perform()
                if (notice := storm_notice(hypervisor, self.core)) is not None:
                    self.port.send(AGENT, notice)
                break
        self._flush()
        return 0

    def _patience(self) -> float | None:
        nanoseconds = self.core.deadline()
        if self._input:
            return _RETRY
        return None if nanoseconds < 0 else nanoseconds * 1e-9

    def _receive(self, source: int, message: Message) -> None:
        self._received += 1
        if source != AGENT:
            if self._recorder is not None:
                self._note(Kind.ARRIVED, message, source, source, self.pcpu)
            self.hypervisor.message(source, message)  # type: ignore[arg-type]
            self._settle()
        elif isinstance(message, wire.ConsoleInput | wire.ConsoleBreak):
            self._input.add(message.data if isinstance(message, wire.ConsoleInput) else b"")
        elif isinstance(message, wire.StatisticsRequest):
            self.port.send(AGENT, wire.Statistics(self.pcpu, self.statistics()))
        else:
            self._live_on(message)  # type: ignore[arg-type]  # nothing else is the agent's to say

    def _live_on(self, message: wire.Start | wire.Halt | wire.Reset | wire.Stop) -> None:
        """The agent moves this pcpu on in its life."""
        self._phase = step(self._phase, message)
        match message:
            case wire.Start():
                self._say(wire.Running())
                self.hypervisor.start()
                self._settle()
            case wire.Halt():
                self.hypervisor.halt()
                self._settle()
                self._flush()
                self._say(wire.Halted())
            case wire.Reset():
                self._asked = None
                self._say(wire.Running())
                self._taken(self._input.clear())
                self.hypervisor.reset_vm()
                self._settle()
            case wire.Stop():
                self._flush()
                if self._recorder is not None:
                    self._recorder.drain(everything=True)
                for notice in self._notices.rest():
                    self.port.send(AGENT, notice)
                self.port.send(AGENT, examined(self.hypervisor, self.core, waiting=self._waiting))
                self.port.send(AGENT, wire.Statistics(self.pcpu, self.statistics()))
                self._say(wire.Stopped(self.pcpu))

    def _feed(self) -> None:
        """Give waiting console input to the UART, as much as it takes."""
        self._taken(self._input.feed() if self._uarts else self._input.clear())
        while (reason := self.core.take_event()) >= 0:
            self.hypervisor.on_exit(reason)
        self._perform()

    def _taken(self, size: int) -> None:
        if size:
            self.port.send(AGENT, wire.InputTaken(self._vm.index, size))

    def _flush(self) -> None:
        if self._recorder is not None and self.core.has_records:
            self._recorder.drain()
        for uart, position, data in self.core.take_output():
            self.port.send(AGENT, wire.ConsoleOutput(self._vm.index, self._uarts[uart], position, data))

    def _settle(self) -> None:
        """After anything that the hypervisor did."""
        self._perform()
        state = self.hypervisor.vcpu.state
        if state is not self._state:
            self._state = state
            if self._recorder is not None:
                self.core.note(Kind.STATE, VCPU_STATES[state], 0, 0)

    def _perform(self) -> None:
        """Do what the hypervisor asked, in order."""
        effects = self.hypervisor.effects
        for effect in effects:
            if type(effect) is fx.Send:
                self._sent += 1
                if self._recorder is not None:
                    self._note(Kind.SENT, effect.message, effect.pcpu, self.pcpu, effect.pcpu)
                self.port.send(effect.pcpu, effect.message)
                self._kick(effect.pcpu)
            else:
                self._report(effect)
        effects.clear()

    def _note(self, kind: Kind, message: Message, peer: int, source: int, target: int) -> None:
        """Channels are FIFO: both ends count alike, so that the trace can tell what became of a message."""
        count = self._passed[source, target] = self._passed.get((source, target), 0) + 1
        self.core.note(kind, NUMBER[type(message)], peer | (count << 12 | target) << SEQUENCE_SHIFT, 0)

    def _report(self, effect: fx.Effect) -> None:
        self._flush()
        if isinstance(effect, fx.Warn | fx.Info):
            self._notice(effect)
            return
        message = told(self.core, effect)
        if isinstance(message, wire.VmOff | wire.VmReset):
            self._ask(message)
        else:
            self.port.send(AGENT, message)

    def _notice(self, effect: fx.Warn | fx.Info) -> None:
        if (notice := self._notices.tell(effect)) is not None:
            self.port.send(AGENT, notice)

    def statistics(self) -> dict[str, int]:
        """Counters of the core, of the hypervisor and of this actor."""
        return counters(self.core, self.hypervisor, self._sent, self._received)
