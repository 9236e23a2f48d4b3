"""The pcpu actor: one physical CPU in the host's time.

It runs its body, takes what its port brings, and says what comes of both. It knows neither where its peers are nor
whether it shares its process with them: its port does.
"""

from __future__ import annotations

import math
import time
from typing import Final, Protocol, final

from baonet.actors.body import Activity, Body
from baonet.actors.phases import Phase, step
from baonet.actors.recorder import Recorder
from baonet.core.cpu import Core
from baonet.hyp import effects as fx
from baonet.hyp.cpu import Stay
from baonet.hyp.messages import HypMessage, IpcNotify
from baonet.hyp.vmm import Plan
from baonet.trace.records import SEQUENCE_SHIFT, Kind
from baonet.wire import messages as wire
from baonet.wire.messages import AGENT, NUMBER, Control, Message
from baonet.wire.port import GONE, RETRY, Port

SLICE = 1_000_000
"""Instructions after which a guest that never leaves by itself lets the actor look around: about a millisecond."""
TURNS = 64
"""Exits after which it looks around all the same."""
_SELDOM: Final = 63
"""Stays between two in which its core is lent what the hypervisor has, where nothing came of it."""
_RETRY = 0.005
"""Seconds after which input that the UART had no room for is tried again."""
_REMIND = 5.0
"""Seconds after which the agent is reminded that the VM asked to go off or to start anew."""

_STOPPED: Final = Phase.STOPPED
_GONE: Final = Phase.GONE
_LIVES: Final = Phase.RUNNING
_FAREWELL: Final = 1.0
"""Seconds for which one that ends waits for peers to take what it has said to them."""
_RUNNING: Final = Activity.RUNNING  # to look up a member of an enumeration costs as much as a call
_WAITING: Final = Activity.WAITING
_WFI: Final = int(Stay.WFI)
_KICKED: Final = int(Stay.KICKED)


class ErrandPort(Protocol):
    """By what a core does errands: ``baonet.wire.ring_port``."""

    @property
    def idle(self) -> bool: ...
    def ringside(self) -> object: ...
    def hears(self, peer: int, data: bytes) -> Message | None: ...
    def framed(self, message: Message) -> bytes: ...


@final
class PcpuActor:
    """``recorder`` is there when the run is traced."""

    def __init__(
        self,
        plan: Plan,
        pcpu: int,
        core: Core,
        port: Port,
        *,
        recorder: Recorder | None = None,
    ) -> None:
        self.pcpu = pcpu
        self.core = core
        self.port = port
        self.body = Body(plan, pcpu, core, self)
        self._recorder = recorder
        self._passed: dict[tuple[int, int], int] = {}
        self._phase = Phase.SPAWNED
        self._frozen = False
        self._kept: list[tuple[int, HypMessage]] = []  # of peers, while it is frozen
        self._asked: wire.VmOff | wire.VmReset | None = None
        self._remind = math.inf
        self._run = core.run
        self._rings: ErrandPort | None = None  # by which the core does errands
        self._done = self._in_vain = self._rest = 0

    def run_errands(self, port: ErrandPort) -> None:
        """From now on its core does what it can in the hypervisor's place, by the rings of its port."""
        if not self.body.hypervisor.wing.notifications and not self._is_notified():
            return
        self.core.run_errands_promptly(
            self.body.errands(),
            self.body.expects,
            self._take_back,
            port.ringside(),
            self._hears,
            self._framed,
        )
        self._rings = port
        self._run = self._run_lent

    def _is_notified(self) -> bool:
        return any(ipc.interrupts for ipc in self.body.vm.ipcs)

    def _hears(self, peer: int, data: bytes) -> tuple[int, int] | None:
        assert self._rings is not None
        message = self._rings.hears(peer, data)
        return (message.shmem, message.event) if isinstance(message, IpcNotify) else None

    def _framed(self, shmem: int, event: int) -> bytes:
        assert self._rings is not None
        return self._rings.framed(IpcNotify(shmem, event))

    def _run_lent(self, budget: int) -> int:
        """As ``Core.run``. Where nothing waits its core has the state of its hypervisor until something else comes.

        Nor where something is to be tried again soon: what was typed and the UART has had no room for. To lend it costs
        as much as an exit: where that was in vain it is done more and more seldom.
        """
        core, rings = self.core, self._rings
        assert rings is not None
        if self._rest or self.body.input or not rings.idle:
            self._rest = max(self._rest - 1, 0)
            return core.run(budget)
        before = self._done
        core.lend(False, False, self.body.sent, {})
        reason = core.run_lent(budget)
        self._take_back()
        self._in_vain = 0 if self._done != before else min(2 * self._in_vain + 1, _SELDOM)
        self._rest = max(self._in_vain - 1, 0)
        return reason

    def _take_back(self) -> None:
        taken = self.core.take_back()
        if taken is None:
            return
        _, done = taken
        assert done is not None, "nobody brings it anything that it has not taken"
        _, _, _, told, *_ = done
        self._done += told + self.body.caught_up(done)

    @property
    def stopped(self) -> bool:
        """The agent has said stop, or is gone; there is nothing more to do."""
        return self._phase is _STOPPED or self._phase is _GONE

    def greet(self) -> None:
        """Tell the agent that this pcpu is there."""
        self._move(wire.Hello(wire.VERSION, self.pcpu))

    def _move(self, message: Control) -> None:
        """Say something that moves this pcpu on in its life."""
        self._phase = step(self._phase, message)
        self.port.send(AGENT, message)

    async def run(self) -> None:
        """Alone in a process: until stopped."""
        self.greet()
        patience = self.step()
        while not self.stopped:
            if patience != 0:
                await self.port.wait(patience)
            patience = self.step()
        await self.port.flush(AGENT)
        await self.port.flush(seconds=_FAREWELL)

    def step(self) -> float | None:
        """Take what has come, and stay in the guest once if it can run.

        Returns the seconds after which the next step is due although nothing has come: 0 for at once, None for never.
        """
        self.core.answer_doorbell()
        for source, message in self.port.take():
            self._receive(source, message)
        for peer, why in self.port.closed():
            self._left(peer, why)
        body = self.body
        if body.input and not self.stopped:
            body.feed()
        if self._phase is not _LIVES or self._frozen:
            return self._await_answer() if self._phase is Phase.HALTING else None
        activity = body.activity
        if activity is _RUNNING or activity is _WAITING:
            return RETRY if self.port.congested else self._enter()
        if activity is Activity.STANDBY:
            if self.core.deadline() == 0 or self.core.wakes():
                body.rouse()
                return 0
            return self._patience()
        return _RETRY if body.input else None

    def _left(self, peer: int, why: str) -> None:
        """A channel has ended. That a peer is gone, the agent is told by whoever watches it."""
        if peer == AGENT:
            self._phase = Phase.GONE
        elif why != GONE:
            self.body.tell(fx.Warn(f"pcpu {peer} {why}; nothing that it says is taken any more"))

    def _await_answer(self) -> float | None:
        """The VM has asked to go off or to start anew."""
        if self._asked is None:
            return None
        now = time.monotonic()
        if now >= self._remind:
            self._ask(self._asked)
        return max(self._remind - now, 0.001)

    def _ask(self, message: wire.VmOff | wire.VmReset) -> None:
        self._asked, self._remind = message, time.monotonic() + _REMIND
        self._move(message)

    def _enter(self) -> float | None:
        """Stay in the guest until it waits, somebody calls, or it is time to look around.

        Whatever has come ends its WFI: nothing is asked of the guest that it would not look for itself.
        """
        body = self.body
        if body.activity is _WAITING:
            body.rouse()
        reason = body.run(self._run, SLICE, TURNS)
        if _WFI < reason <= _KICKED:
            body.tell_storm()
        self._flush()
        return self._patience() if body.activity is _WAITING else 0

    def _patience(self) -> float | None:
        if self.body.input:
            return _RETRY
        nanoseconds = self.core.deadline()
        return None if nanoseconds < 0 else nanoseconds * 1e-9

    def _receive(self, source: int, message: Message) -> None:
        if source != AGENT:
            if self._frozen:
                self._kept.append((source, message))  # type: ignore[arg-type]
            else:
                self._hear(source, message)  # type: ignore[arg-type]
            return
        match message:
            case wire.ConsoleInput() | wire.ConsoleBreak():
                self.body.obey(message)
            case wire.StatisticsRequest():
                self.say(wire.Statistics(self.pcpu, self.body.statistics()))
            case wire.RegistersRequest():
                self.say(wire.Registers(self.pcpu, self.body.registers()))
            case wire.Freeze():
                self._frozen = True
                self.core.stand()
                self.say(wire.Frozen())
            case wire.Thaw(stood):
                self._frozen = False
                self.core.fall_behind(stood)
                self._hear_kept()
            case wire.Start() | wire.Halt() | wire.Reset() | wire.Stop():
                self._live_on(message)

    def _hear(self, source: int, message: HypMessage) -> None:
        if self._recorder is not None:
            self._note(Kind.ARRIVED, message, source, source, self.pcpu)
        self.body.hear(source, message)

    def _hear_kept(self) -> None:
        """What was on the way when the machine came to stand: until that or the VM's life goes on, it stays so."""
        for source, message in self._kept:
            self._hear(source, message)
        self._kept.clear()

    def _live_on(self, message: wire.Start | wire.Halt | wire.Reset | wire.Stop) -> None:
        """The agent moves this pcpu on in its life."""
        self._phase = step(self._phase, message)
        self._hear_kept()
        match message:
            case wire.Start():
                self._move(wire.Running())
                self.body.obey(message)
            case wire.Halt():
                self.body.obey(message)
                self._flush()
                self._move(wire.Halted())
            case wire.Reset():
                self._asked = None
                self._move(wire.Running())
                self.body.obey(message)
            case wire.Stop():
                self._flush()
                if self._recorder is not None:
                    self._recorder.drain(everything=True)
                for words in self.body.last_words():
                    self.port.send(AGENT, words)
                self.port.send(AGENT, wire.Statistics(self.pcpu, self.body.statistics()))
                self._move(wire.Stopped(self.pcpu))

    def _flush(self) -> None:
        if self._recorder is not None and self.core.has_records:
            self._recorder.drain()
        if pieces := self.core.take_output():
            for output in self.body.output(pieces):
                self.port.send(AGENT, output)

    def say(self, message: Control) -> None:
        """The guest's output comes first, so that a report comes after its last words."""
        self._flush()
        if isinstance(message, wire.VmOff | wire.VmReset):
            self._ask(message)
        else:
            self.port.send(AGENT, message)

    def send(self, pcpu: int, message: HypMessage) -> None:
        if self._recorder is not None:
            self._note(Kind.SENT, message, pcpu, self.pcpu, pcpu)
        self.port.send(pcpu, message)

    def _note(self, kind: Kind, message: Message, peer: int, source: int, target: int) -> None:
        """Channels are FIFO: both ends count alike, so that the trace can tell what became of a message."""
        count = self._passed[source, target] = self._passed.get((source, target), 0) + 1
        self.core.note(kind, NUMBER[type(message)], peer | (count << 12 | target) << SEQUENCE_SHIFT, 0)
