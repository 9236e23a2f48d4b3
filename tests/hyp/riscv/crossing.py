"""A VM's interrupt controller whose questions and answers cross, in every order that FIFO channels allow.

The home does one thing after the other, whatever overtakes what on the way. ``model`` is told of each when the home
comes to it: it has one state and no messages. What a guest loads must be what the model has then, and when nothing is
under way every hart must be where the model has it.
"""

from __future__ import annotations

from collections import Counter
from typing import Protocol

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from baonet.hyp.messages import IpcNotify
from baonet.hyp.riscv.irqc_messages import IrqcRead, IrqcResult, IrqcWrite
from baonet.hyp.vcpu import State, Waiting
from tests.hyp.riscv.board import FIRST_IPC, UART, Board

HARTS = st.integers(0, 2)


class Model(Protocol):
    """``lines``: of each hart, whether it is signalled. ``sent``: messages to interrupt files, with their harts."""

    lines: list[bool]
    sent: list[tuple[int, int]]

    def read(self, ipa: int) -> int: ...
    def write(self, ipa: int, value: int) -> None: ...
    def inject(self, source: int) -> None: ...
    def line(self, source: int, level: bool) -> None: ...


class Crossing(RuleBasedStateMachine):
    board: Board
    model: Model

    def begin(self, board: Board, model: Model) -> None:
        self.board, self.model = board, model
        self.harts = len(model.lines)
        self.expected: dict[int, int] = {}
        self.levels: dict[int, bool] = {}

    # What guests do

    def load(self, hart: int, ipa: int) -> None:
        guest = self.board.guest(0, hart % self.harts)
        if guest.state is not State.RUNNING:
            return
        value = self.board.begin_get(guest, ipa)
        if value is not None:
            assert value == self.model.read(ipa)

    def store(self, hart: int, ipa: int, value: int) -> None:
        guest = self.board.guest(0, hart % self.harts)
        if guest.state is not State.RUNNING:
            return
        self.board.begin_put(guest, ipa, value)
        if guest.state is State.RUNNING:
            self.model.write(ipa, value)

    # What comes from outside

    @rule(event=st.integers(0, 1))
    def notify(self, event: int) -> None:
        self.board.notify(event)

    @rule(source=st.sampled_from([UART, UART, 20]))
    def toggle(self, source: int) -> None:
        level = self.levels[source] = not self.levels.get(source, False)
        self.board.drive(level, source)
        self.model.line(source, level)

    # The network

    @rule(which=st.integers(0, 15), count=st.integers(1, 8))
    def deliver(self, which: int, count: int) -> None:
        for _ in range(count):
            waiting = self.board.waiting()
            if waiting:
                self._deliver(waiting[which % len(waiting)])

    def _deliver(self, channel: tuple[int, int]) -> None:
        source, target = channel
        message = self.board.channels[channel][0]
        if target == self.board.home:
            match message:
                case IrqcRead(address):
                    self.expected[source] = self.model.read(address)
                case IrqcWrite(address, _, value):
                    self.model.write(address, value)
                case IpcNotify(_, event):
                    self.model.inject(FIRST_IPC + event)
        loads = self.board.pcpus[target].vcpu.waiting is Waiting.LOAD
        self.board.deliver(channel)
        if isinstance(message, IrqcResult):
            assert self.board.pcpus[target].state is State.RUNNING
            if loads:
                assert self.board.cpus[target].x[10] == self.expected.pop(target)

    @rule()
    def rest(self) -> None:
        while waiting := self.board.waiting():
            self._deliver(waiting[0])

    @invariant()
    def what_is_at_rest_is_as_the_model(self) -> None:
        if not hasattr(self, "board") or self.board.waiting():
            return
        for hart, line in enumerate(self.model.lines):
            assert self.board.guest(0, hart).state is State.RUNNING, "a question without an answer"
            assert self.board.external(hart) is line, hart
        came = [(hart, identity) for hart in range(self.harts) for identity in self.board.injected(hart)]
        assert Counter(came) == Counter(self.model.sent)
        self.model.sent.clear()

    def teardown(self) -> None:
        if hasattr(self, "board"):
            self.rest()
            self.what_is_at_rest_is_as_the_model()
