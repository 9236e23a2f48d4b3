"""Errands with a PLIC: the guest claims the source of a notification and completes it, and no hypervisor is asked."""

from __future__ import annotations

from typing import Any, Final

import pytest

from baonet.core.riscv.engine import native
from baonet.hyp.riscv.cpu import RiscvExit
from baonet.trace.records import RECORD, Kind
from tests.core.riscv import asm
from tests.core.riscv.asm import A0, A1, A2, A3, A4, A5, NOP, SIE, WFI, csrw
from tests.core.riscv.bench import CODE, COSTS, HZ, Memory, core_of

WINDOW: Final = 10_000
NUMBER, SHMEM, EVENT, SOURCE, LATENCY = 37, 5, 7, 84, 300
PLIC: Final = 0x0C00_0000
CLAIM: Final = PLIC + 0x20_1004
SEIE: Final = 1 << 9
DUE: Final = 2_000
LOOP: Final = asm.jal(0, 0)
CLAIMS, COMPLETES = asm.load("w", A0, A2), asm.store("w", A0, A2)
LENT: Final = [(DUE, 1, 1, SHMEM, EVENT)]


class Hart:
    """It waits for its external interrupt, and then does what ``code`` says; ``asked``: its seat."""

    def __init__(self, *code: bytes, expected: Any = (SOURCE, 0, CLAIM)) -> None:
        self.asked: list[Any] = []
        memory = Memory()
        memory.load(CODE, b"".join((csrw(SIE, A1), WFI, *code, LOOP)))
        self.core = core_of(memory, hz=HZ, records=True, costs=(0,) * COSTS)
        self.core.emulate(((PLIC, 0x40_0000),), self._read, self._write, [])
        self.core.run_errands((), NUMBER, LATENCY, RiscvExit.ECALL, self._expects, self._taken)
        self._expected = expected
        self.core.reset(CODE, 0)
        for register, value in ((A1, SEIE), (A2, CLAIM), (A3, PLIC), (A4, SOURCE + 1), (A5, CLAIM + 0x1000)):
            self.core.x[register] = value
        self.core.lend(False, False, 0, {})
        self.rounds = native.Rounds((self.core,), WINDOW, WINDOW, 1)
        self.rounds.ready(0, 0, 1 << 62)
        assert self.rounds.bring(0, DUE, 1, 1, SHMEM, EVENT)

    def _read(self, address: int, size: int) -> int:
        self.asked.append((address, size))
        return 0

    def _write(self, address: int, size: int, value: int) -> bool:
        self.asked.append((address, size, value))
        return True

    def _expects(self, shmem: int, event: int) -> Any:
        assert (shmem, event) == (SHMEM, EVENT)
        return self._expected

    def _taken(self) -> None:
        taken = self.core.take_back()
        assert taken is not None
        assert taken[1] is not None
        self.asked.append(("held" if taken[1][7] else "nothing", self.core.external))
        self.core.caught_up()

    def go(self) -> int:
        while (found := self.rounds.go(WINDOW)) == -2:
            pass
        return found

    def records(self) -> list[tuple[Kind, int]]:
        data = b"".join(chunk for chunk, *_ in self.core.take_records(True))
        kinds = (Kind.PENDING, Kind.DELIVERED, Kind.ACKNOWLEDGED, Kind.ENDED, Kind.ACCESS)
        found = [RECORD.unpack_from(data, at) for at in range(0, len(data), RECORD.size)]
        return [(Kind(kind), number) for _, kind, _, number, *_ in found if kind in kinds]


def test_it_is_claimed_and_completed() -> None:
    hart = Hart(CLAIMS, COMPLETES, NOP)
    assert (hart.go(), hart.asked) == (-1, [])
    assert (hart.core.x[A0], hart.core.external) == (SOURCE, False)
    assert hart.core.take_back() == ([], (False, True, 0, 0, 1, [], [], None))
    assert hart.core.statistics()["emulated_accesses"] == 2
    assert hart.records() == [
        *((kind, SOURCE) for kind in (Kind.PENDING, Kind.DELIVERED, Kind.ACKNOWLEDGED)),
        (Kind.ACCESS, 4),
        (Kind.ENDED, SOURCE),
        (Kind.ACCESS, 0x104),
    ]


def test_the_next_one_comes_when_it_is_completed() -> None:
    hart = Hart(CLAIMS, COMPLETES, CLAIMS, WFI, CLAIMS, COMPLETES)
    assert hart.rounds.bring(0, DUE + 3_000, 1, 2, SHMEM, EVENT)
    assert (hart.go(), hart.asked) == (-1, [])
    assert hart.core.take_back() == ([], (False, True, 0, 0, 2, [], [], None))


def test_before_there_is_nothing_more_to_claim() -> None:
    hart = Hart(CLAIMS, CLAIMS)
    assert (hart.go(), hart.core.x[A0], hart.asked) == (-1, 0, [])
    assert hart.core.take_back() == ([], (False, True, 0, 0, 0, [], [], LENT[0]))
    assert not hart.core.external


def test_a_second_before_that_is_the_hypervisors() -> None:
    hart = Hart(CLAIMS)
    assert hart.rounds.bring(0, DUE + 3_000, 1, 2, SHMEM, EVENT)
    assert (hart.go(), hart.asked) == (0, [])
    queue, done = hart.core.take_back() or ([], None)
    assert ([each[2] for each in queue], done and done[7]) == ([2], LENT[0])


@pytest.mark.parametrize(
    ("access", "before", "asked"),
    [
        (asm.load("w", A0, A3), (), [("held", True), (PLIC, 4)]),  # another register, before and behind the claim
        (asm.load("w", A0, A3), (CLAIMS,), [("held", False), (PLIC, 4)]),
        (asm.load("w", A0, A3), (CLAIMS, COMPLETES), [("nothing", False), (PLIC, 4)]),
        (asm.load("w", A0, A5), (), [("held", True), (CLAIM + 0x1000, 4)]),
        (asm.load("b", A0, A2), (), [("held", True), (CLAIM, 1)]),
        (asm.store("w", A4, A2), (), [("held", True), (CLAIM, 4, SOURCE + 1)]),  # of what is not active
        (asm.store("w", A4, A2), (CLAIMS,), [("held", False), (CLAIM, 4, SOURCE + 1)]),
        (asm.store("w", A0, A2), (CLAIMS, COMPLETES), [("nothing", False), (CLAIM, 4, SOURCE)]),
    ],
)
def test_another_access_is_the_hypervisors(access: bytes, before: tuple[bytes, ...], asked: list[Any]) -> None:
    hart = Hart(*before, access)
    assert (hart.go(), hart.asked) == (-1, asked)


def test_what_is_unexpected_is_the_hypervisors() -> None:
    hart = Hart(CLAIMS, expected=None)
    assert (hart.go(), hart.asked) == (0, [])


def test_what_was_expected_is_not_when_it_is_lent_again() -> None:
    hart = Hart(CLAIMS, COMPLETES, WFI, CLAIMS)
    assert (hart.go(), hart.asked) == (-1, [])
    hart.core.take_back()
    hart.core.external = True  # of something else
    hart.core.lend(True, False, 0, {})
    hart.rounds.ready(0, hart.core.time, 1 << 62)
    assert hart.rounds.go(2 * WINDOW) == -1
    assert hart.asked == [("nothing", True), (CLAIM, 4)]
