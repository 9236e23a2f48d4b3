"""A RISC-V machine whose hypervisor is saved and made anew at any moment goes on as one that was left alone."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from baonet.hyp.effects import VmReset
from baonet.hyp.vcpu import State
from baonet.machine import Faithful
from baonet.machine.riscv import Aia, Plic
from baonet.machine.saved import StateError
from baonet.wire.codec import ProtocolError, encode
from tests.contents import WRONG, contents, places, replaced
from tests.examples import examples
from tests.hyp.network import undump
from tests.hyp.riscv.board import APLIC, IMSIC, UART, Board
from tests.hyp.riscv.fabric import Guest

PLIC = 0x0C00_0000
IPI, HSM, TIME, SRST, BAO, RFENCE = 0x73_5049, 0x48_534D, 0x5449_4D45, 0x5352_5354, 0x0800_0BA0, 0x5246_4E43
IRQCS: dict[str, Plic | Aia] = {"plic": Plic(PLIC), "aia": Aia(APLIC, IMSIC), "direct": Aia(APLIC)}
WORDS = {
    "plic": [4 * UART, 0x1000, 0x2080, 0x2180, 0x20_1000, 0x20_1004, 0x20_3000, 0x20_3004],
    "aia": [0, 4 * UART, 4 * 52, 0x1C00, 0x1CDC, 0x1E00, 0x1EDC, 0x1FDC, 0x3000 + 4 * UART, 0x3000 + 4 * 52],
    "direct": [0, 4 * UART, 4 * 52, 0x1CDC, 0x1EDC, 0x3000 + 4 * UART, 0x4000, 0x4004, 0x4008, 0x401C, 0x4020, 0x403C],
}
VALUES = [0, 1, 3, 4, 6, UART, 52, 1 << UART, 0x100, 0xFFFF_FFFF, 1 << 18 | 5, 5]

guests = st.sampled_from([(0, 0), (0, 1), (0, 2), (1, 0)])


def as_bytes(data: dict[str, Any]) -> dict[str, Any]:
    """As it would come from a file."""
    return cast(dict[str, Any], msgpack.unpackb(msgpack.packb(data), strict_map_key=False))


def built(irqc: str, faithful: Faithful) -> Board:
    return Board(IRQCS[irqc], faithful=faithful, harts=3)


def anew(board: Board, irqc: str) -> Board:
    made = built(irqc, board.plan.machine.faithful)
    made.load(as_bytes(board.save()))
    made.others = list(board.others)
    for n, cpu in made.cpus.items():
        cpu.notes = list(board.cpus[n].notes)
        cpu.injected, cpu.fences = list(board.cpus[n].injected), list(board.cpus[n].fences)
    return made


class Travelling(RuleBasedStateMachine):
    """``left`` is left alone; ``other`` is saved and made anew between any two steps."""

    @initialize(irqc=st.sampled_from(list(IRQCS)), faithful=st.sampled_from(list(Faithful)))
    def start(self, irqc: str, faithful: Faithful) -> None:
        self.irqc = irqc
        self.base = PLIC if irqc == "plic" else APLIC
        self.left, self.other = built(irqc, faithful), built(irqc, faithful)
        self.sequence = 0

    def both(self, step: Callable[[Board], Any]) -> Any:
        left, other = step(self.left), step(self.other)
        assert left == other
        return left

    def run(self, who: tuple[int, int], step: Callable[[Board, Guest], Any]) -> None:
        """One instruction of a guest, if it runs."""

        def one(board: Board) -> Any:
            guest = board.guest(*who)
            return step(board, guest) if guest.state is State.RUNNING else None

        self.both(one)

    @rule()
    def travel(self) -> None:
        before = [contents(pcpu, ("baonet.hyp",)) for pcpu in self.other.pcpus.values()]
        self.other = anew(self.other, self.irqc)
        assert [contents(pcpu, ("baonet.hyp",)) for pcpu in self.other.pcpus.values()] == before

    @rule(who=guests, function=st.integers(0, 3), hart=st.integers(0, 3), opaque=st.integers(0, 9))
    def harts(self, who: tuple[int, int], function: int, hart: int, opaque: int) -> None:
        target = 0 if function == 3 else hart
        self.run(who, lambda _, guest: guest.call(HSM, function, target, 0x8020_0000, opaque))

    @rule(
        who=guests,
        call=st.sampled_from(
            [(IPI, 0, 7, 0), (TIME, 0, 1000), (BAO, 1, 0, 0), (BAO, 1, 0, 1), (RFENCE, 1, 7, 0, 0, 0)]
        ),
    )
    def call(self, who: tuple[int, int], call: tuple[int, ...]) -> None:
        self.run(who, lambda _, guest: guest.call(*call))

    @rule(who=guests, place=st.integers(0, 20), value=st.sampled_from(VALUES))
    def put(self, who: tuple[int, int], place: int, value: int) -> None:
        words = WORDS[self.irqc]
        self.run(who, lambda board, guest: board.begin_put(guest, self.base + words[place % len(words)], value))

    @rule(who=guests, place=st.integers(0, 20))
    def get(self, who: tuple[int, int], place: int) -> None:
        words = WORDS[self.irqc]
        self.run(who, lambda board, guest: board.begin_get(guest, self.base + words[place % len(words)]))

    @rule(who=guests, sie=st.sampled_from([0, 2, 0x200, 0x222]))
    def enable(self, who: tuple[int, int], sie: int) -> None:
        self.both(lambda board: board.guest(*who).cpu.csrs.update(sie=sie))

    @rule(who=guests)
    def clear_ipi(self, who: tuple[int, int]) -> None:
        self.both(lambda board: setattr(board.guest(*who).cpu, "software", False))

    @rule(who=guests)
    def wrong(self, who: tuple[int, int]) -> None:
        """What Bao stops a hart for."""
        if self.both(lambda board: len(board.reports)) == 0:
            self.run(who, lambda _, guest: guest.trap(2, 0xFFFF_FFFF, tval=0xFFFF_FFFF))

    @rule(level=st.booleans(), who=guests)
    def line(self, level: bool, who: tuple[int, int]) -> None:
        self.sequence += 1

        def one(board: Board) -> None:
            pcpu = board.guest(*who).pcpu
            pcpu.line(UART, int(level), self.sequence)
            board.collect(pcpu)

        self.both(one)

    @rule(n=st.integers(0, 20))
    def deliver(self, n: int) -> None:
        def one(board: Board) -> Any:
            waiting = board.waiting()
            return board.deliver(waiting[n % len(waiting)]) if waiting else None

        self.both(one)

    @rule()
    def settle(self) -> None:
        self.both(Board.settle)

    @rule(who=guests)
    def ask_to_start_anew(self, who: tuple[int, int]) -> None:
        """In strict mode nothing comes of it."""
        if self.both(lambda board: len(board.others)) < 3:
            self.run(who, lambda _, guest: guest.call(SRST, 0, 1, 0))

    @rule(n=st.integers(0, 3))
    def reset(self, n: int) -> None:
        if not any(isinstance(effect, VmReset) for _, effect in self.left.others):
            return

        def one(board: Board) -> None:
            board.pcpus[n].reset_vm()
            board.collect(board.pcpus[n])

        self.both(one)

    @invariant()
    def nothing_shows(self) -> None:
        if not hasattr(self, "left"):
            return
        left, other = self.left, self.other
        assert left.others == other.others
        assert {channel: queue for channel, queue in left.channels.items() if queue} == {
            channel: queue for channel, queue in other.channels.items() if queue
        }
        for n, pcpu in left.pcpus.items():
            twin, mine, its = other.pcpus[n], left.cpus[n], other.cpus[n]
            assert mine.save() == its.save()
            assert (mine.notes, mine.injected, mine.fences) == (its.notes, its.injected, its.fences)
            assert (pcpu.statistics(), pcpu.state) == (twin.statistics(), twin.state)


TestTravelling = Travelling.TestCase
TestTravelling.settings = settings(max_examples=6, stateful_step_count=50)


@settings(max_examples=examples(60))
@given(st.data())
def test_damaged_state_is_refused_or_taken(data: st.DataObject) -> None:
    """Whatever is in it, it is an error of the state, or of a message in it, or a state."""
    irqc = data.draw(st.sampled_from(list(IRQCS)))
    board = built(irqc, Faithful.PRACTICAL)
    guest = board.guest(0, 0)
    board.begin_put(guest, guest.pcpu.windows[0][0], 1)
    guest.pcpu.line(UART, 1, 1)
    board.guest(0, 1).call(HSM, 2, 0)
    pcpu = data.draw(st.sampled_from([board.pcpus[0], board.pcpus[1]]))
    board.collect(pcpu)
    saved = as_bytes(pcpu.save(encode))
    place = data.draw(st.sampled_from(places(saved)))
    value = data.draw(st.sampled_from(WRONG))
    with suppress(StateError, ProtocolError):
        built(irqc, Faithful.PRACTICAL).pcpus[pcpu.id].load(replaced(saved, place, value), undump)


@pytest.mark.parametrize(
    ("irqc", "field", "value"),
    [
        ("plic", ["priorities"], [[-1, 3]]),
        ("plic", ["priorities"], [[3, True]]),
        ("plic", ["sequences"], [[UART, "1"]]),
        ("plic", ["sequences"], [["1", 1]]),
        ("aia", ["sources", "modes"], [[-1, 4]]),
    ],
)
def test_a_source_that_is_none_is_refused(irqc: str, field: list[str], value: list[list[object]]) -> None:
    pcpu = built(irqc, Faithful.PRACTICAL).pcpus[0]
    saved = as_bytes(pcpu.wing.save())
    held = saved["controller"]["shared"]
    for name in field[:-1]:
        held = held[name]
    held[field[-1]] = value
    with pytest.raises(StateError, match="damaged"):
        pcpu.wing.load(saved)
