"""A pcpu in the host's time, its agent and its peers being the test: what each message and each death does to it."""

from __future__ import annotations

from typing import cast

import pytest

from baonet.actors.pcpu import TURNS, PcpuActor
from baonet.actors.phases import OutOfTurn
from baonet.core.cpu import Core
from baonet.hyp.armv8 import psci
from baonet.hyp.armv8.cpu import Exit
from baonet.hyp.armv8.psci_messages import PsciOn
from baonet.hyp.messages import IpcNotify
from baonet.wire import messages as wire
from baonet.wire.messages import AGENT, Message
from baonet.wire.port import GONE, RETRY
from tests.actors.fake_core import FakeCore
from tests.actors.test_body import PLAN

NOTIFIED = IpcNotify(0, 0)


class Channels:
    """A port whose peers are the test."""

    def __init__(self) -> None:
        self.coming: list[tuple[int, Message]] = []
        self.sent: list[tuple[int, Message]] = []
        self.ended: list[tuple[int, str]] = []
        self.congested = False

    def send(self, peer: int, message: Message) -> None:
        self.sent.append((peer, message))

    def take(self) -> list[tuple[int, Message]]:
        taken, self.coming = self.coming, []
        return taken

    def closed(self) -> list[tuple[int, str]]:
        ended, self.ended = self.ended, []
        return ended


class Case:
    def __init__(self, pcpu: int = 0, *, started: bool = True) -> None:
        self.core = FakeCore()
        self.core.uart_states = [(0, 0, 0)]
        self.port = Channels()
        self.actor = PcpuActor(PLAN, pcpu, cast(Core, self.core), self.port)  # type: ignore[arg-type]
        self.actor.greet()
        if started:
            self.hears(wire.Start())
        self.port.sent.clear()

    def registers(self) -> dict[str, int]:
        self.hears(wire.RegistersRequest(self.actor.pcpu))
        (registers,) = (message for message in self.told() if isinstance(message, wire.Registers))
        return registers.values

    def hears(self, *messages: Message, source: int = AGENT) -> float | None:
        self.port.coming += [(source, message) for message in messages]
        return self.actor.step()

    def told(self, peer: int = AGENT) -> list[Message]:
        """What it has sent to a peer since the last call."""
        mine = [message for to, message in self.port.sent if to == peer]
        self.port.sent = [each for each in self.port.sent if each[0] != peer]
        return mine


def test_it_stays_out_of_its_guest_until_it_is_told_to_start() -> None:
    case = Case(started=False)
    assert case.actor.step() is None
    assert case.core.entered == 0
    case.hears(wire.Start())
    assert case.told() == [wire.Running()]
    assert case.core.entered == 1


def test_messages_go_in_the_order_of_the_guests_doing() -> None:
    case = Case()
    for context in range(3):
        case.core.calls(psci.CPU_ON_64, 1, 0x4000_0000, context)
        case.core.calls(psci.AFFINITY_INFO, 0)
    case.actor.step()
    assert case.told(1) == [PsciOn(0x4000_0000, 0)], "it is on its way, so the others are answered"
    for _ in range(5):
        case.hears(NOTIFIED, source=2)
    assert case.actor.body.received == 5


def test_a_channel_is_taken_in_its_order() -> None:
    """One that starts a vcpu and one that resets it: the other way round it would not run."""
    case = Case(1)
    case.hears(PsciOn(0x4000_0000, 1), PsciOn(0x4000_1000, 2), source=0)
    assert case.core.entries == [(0x4000_0000, 1)], "the second finds it on"


def test_a_guest_that_waits_is_entered_when_something_comes_or_its_timer_is_due() -> None:
    case = Case()
    case.core.due = 5_000_000
    assert case.actor.step() == pytest.approx(0.005)
    entered = case.core.entered
    case.hears(NOTIFIED, source=2)
    assert case.core.entered == entered + 1
    case.core.due = -1
    assert case.actor.step() is None


def test_others_get_their_turn_while_a_guest_goes_on_leaving() -> None:
    case = Case()
    for _ in range(TURNS + 1):
        case.core.calls(psci.VERSION)
    entered = case.core.entered
    assert case.actor.step() == 0
    assert case.core.entered == entered + TURNS


def test_a_guest_waits_for_a_peer_that_does_not_take() -> None:
    case = Case()
    case.port.congested = True
    entered = case.core.entered
    assert case.actor.step() == RETRY
    assert case.core.entered == entered


async def test_what_a_guest_has_printed_comes_before_what_is_said_of_it() -> None:
    case = Case()
    case.core.prints(b"bye")
    case.core.calls(psci.SYSTEM_OFF)
    case.actor.step()
    case.actor.step()
    assert case.told() == [wire.ConsoleOutput(0, 0, 0, b"bye"), wire.VmOff(0, "system off")]


async def test_one_whose_vm_is_off_waits_for_its_end() -> None:
    case = Case()
    case.core.calls(psci.SYSTEM_OFF)
    case.actor.step()
    entered = case.core.entered
    patience = case.actor.step()
    assert patience is not None
    assert patience > 0, "the agent is reminded"
    case.hears(NOTIFIED, source=2)
    assert case.core.entered == entered
    case.hears(wire.Stop())
    assert case.actor.stopped


async def test_a_reset_is_asked_halted_and_done() -> None:
    case = Case()
    case.core.calls(psci.SYSTEM_RESET)
    case.actor.step()
    assert case.told() == [wire.VmReset(0)]
    case.hears(wire.Halt())
    assert case.told() == [wire.Halted()]
    entered = case.core.entered
    case.hears(wire.Reset())
    assert case.told() == [wire.Running()]
    assert case.core.entered == entered, "the other vcpu has not come to its barrier"
    [barrier] = case.told(1)
    case.hears(barrier, source=1)
    assert case.core.entered == entered + 1


def test_frozen_it_takes_everything_and_enters_nothing() -> None:
    case = Case()
    case.core.prints(b"so far")
    case.hears(wire.Freeze())
    assert case.told() == [wire.Frozen()]
    assert case.core.stood == 1
    entered = case.core.entered
    case.hears(NOTIFIED, source=2)
    assert case.hears(wire.RegistersRequest(0)) is None
    [registers] = case.told()
    assert isinstance(registers, wire.Registers)
    assert registers.values["pc"] == case.core.pc
    assert case.core.entered == entered
    case.hears(wire.Thaw(12345))
    assert case.core.behind == 12345
    assert case.core.entered == entered + 1
    assert case.told() == [wire.ConsoleOutput(0, 0, 0, b"so far")]


def test_what_was_on_the_way_when_the_machine_came_to_stand_changes_nothing_before_it_goes_on() -> None:
    """A peer has switched this CPU on: who looks at its registers twice sees the same."""
    case = Case(pcpu=1)
    case.hears(wire.Freeze())
    off = case.registers()
    case.hears(PsciOn(0x4010_0000, 7), source=0)
    assert case.registers() == off
    case.hears(wire.Thaw(0))
    assert case.registers()["pc"] == 0x4010_0000


def test_what_was_on_the_way_comes_before_its_vm_starts_anew() -> None:
    case = Case(pcpu=1)
    case.hears(wire.Freeze())
    case.hears(PsciOn(0x4010_0000, 7), source=0)
    case.hears(wire.Halt())
    assert case.registers()["pc"] == 0x4010_0000


def test_frozen_its_vm_can_start_anew() -> None:
    case = Case()
    case.hears(wire.Freeze(), wire.Halt(), wire.Reset())
    entered = case.core.entered
    assert case.told() == [wire.Frozen(), wire.Halted(), wire.Running()]
    [barrier] = case.told(1)
    case.hears(barrier, source=1)
    assert case.core.entered == entered
    case.hears(wire.Thaw(0))
    assert case.core.entered == entered + 1


@pytest.mark.parametrize(
    "before", [[], [wire.Start()], [wire.Start(), wire.Halt()], [wire.Start(), wire.Halt(), wire.Reset()]]
)
def test_it_says_its_last_words_in_every_phase(before: list[Message]) -> None:
    case = Case(started=False)
    case.core.prints(b"last")
    case.hears(*before)
    case.told()
    case.core.printed.append((0, 4, b"words"))
    case.hears(wire.Stop())
    printed, examined, statistics, stopped = case.told()
    assert printed == wire.ConsoleOutput(0, 0, 4, b"words")
    assert isinstance(examined, wire.Examined)
    assert isinstance(statistics, wire.Statistics)
    assert stopped == wire.Stopped(0)
    assert case.actor.stopped


@pytest.mark.parametrize("message", [wire.Start(), wire.Reset()])
def test_what_is_out_of_turn_is_an_error(message: Message) -> None:
    with pytest.raises(OutOfTurn):
        Case().hears(message)


def test_without_an_agent_there_is_nothing_to_do() -> None:
    case = Case()
    case.port.ended.append((AGENT, GONE))
    entered = case.core.entered
    case.actor.step()
    assert case.actor.stopped
    assert case.core.entered == entered


def test_that_a_peer_has_gone_changes_nothing_here() -> None:
    case = Case()
    case.port.ended.append((1, GONE))
    case.core.then(Exit.BUDGET)
    assert case.actor.step() == 0
    assert case.told() == []


def test_that_a_peer_does_not_keep_to_the_protocol_is_told_and_not_for_ever() -> None:
    case = Case()
    for _ in range(20):
        case.port.ended.append((1, "does not keep to the protocol: no"))
        case.actor.step()
    told = [each for each in case.told() if isinstance(each, wire.Notice)]
    assert 1 <= len(told) <= 5
    assert "pcpu 1 does not keep to the protocol" in told[0].text


def test_input_is_tried_again_while_the_uart_has_no_room() -> None:
    case = Case()
    assert case.hears(wire.ConsoleInput(0, b"ab")) is not None
    case.core.room = 5
    case.actor.step()
    assert case.core.taken == b"ab"
    assert wire.InputTaken(0, 2) in case.told()


class Errands(FakeCore):
    """``told``: how many notifications it sends in the hypervisor's place, each time that it is lent to it."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[int] = []
        self.lent = 0
        self._taken = True

    def run_errands_promptly(self, *_: object) -> None:
        """It has what it needs."""

    def lend(self, waiting: bool, interrupted: bool, sent: int, channels: dict[int, int]) -> None:
        assert (waiting, interrupted, channels) == (False, False, {})
        self.lent += 1
        self._taken, self._sent = False, sent

    def run_lent(self, budget: int) -> int:
        return self.run(budget)

    def take_back(self) -> object:
        if self._taken:
            return None
        self._taken = True
        told = self.told.pop(0) if self.told else 0
        return [], (False, False, self._sent + told, told, 0, [(Exit.HVC, told)], [], None)

    def caught_up(self) -> None:
        """It goes on."""


class Rings(Channels):
    """A port with rings. ``idle``: nothing waits there."""

    idle = True

    def ringside(self) -> object:
        return None


class ErrandCase(Case):
    def __init__(self, *told: int) -> None:
        super().__init__()
        self.core = self.errands = Errands()
        self.core.uart_states = [(0, 0, 0)]
        self.errands.told += told
        self.port = self.rings = Rings()
        self.actor = PcpuActor(PLAN, 0, cast(Core, self.core), self.port)  # type: ignore[arg-type]
        self.actor.run_errands(self.rings)  # type: ignore[arg-type]
        self.actor.greet()
        self.core.then(Exit.BUDGET)
        self.hears(wire.Start())

    def lent(self, steps: int) -> list[int]:
        """In which of the next steps its core was lent what the hypervisor has."""
        found = []
        for step in range(steps):
            before = self.errands.lent
            self.core.then(Exit.BUDGET)
            self.actor.step()
            found += [step] * (self.errands.lent > before)
        return found


def test_what_its_core_has_done_is_as_if_it_had_been_done_here() -> None:
    case = ErrandCase(2, 3)
    case.lent(1)
    body = case.actor.body
    assert body.sent == 5
    assert body.hypervisor.statistics().sent["IpcNotify"] == 5
    assert body.hypervisor.statistics().exits["HVC"] == 5


def test_nothing_is_lent_while_something_waits_in_its_port() -> None:
    case = ErrandCase(*[1] * 10)
    case.rings.idle = False
    assert case.lent(3) == []
    case.rings.idle = True
    assert case.lent(3) == [0, 1, 2]


def test_nothing_is_lent_while_typed_input_waits_for_room_in_the_uart() -> None:
    """A core that has it would sleep with its guest for longer than it takes to try again."""
    case = ErrandCase(*[1] * 10)
    case.core.room = 0
    case.hears(wire.ConsoleInput(0, b"ab"))
    assert case.lent(3) == []
    case.core.room = 2
    assert case.lent(3) == [0, 1, 2]


def test_what_is_in_vain_is_tried_more_and_more_seldom_until_it_is_not() -> None:
    case = ErrandCase()
    assert case.lent(30) == [0, 3, 10, 25], "and the first was when it started"
    case.errands.told += [1] * 20
    (again,) = case.lent(32)[:1]
    assert again == 26
    assert case.lent(3) == [0, 1, 2]
