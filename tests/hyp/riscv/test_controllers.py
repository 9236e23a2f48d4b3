"""What a guest, a trace and a snapshot see of interrupt controllers, where no other test looks."""

from __future__ import annotations

import pytest

from baonet.hyp.cpu import (
    FROM_CPU,
    FROM_IPC,
    FROM_LINE,
    NOTE_ACKNOWLEDGED,
    NOTE_DELIVERED,
    NOTE_ENDED,
    NOTE_PENDING,
    NOTE_RAISED,
)
from baonet.hyp.riscv.cpu import MESSAGES
from baonet.hyp.riscv.irqc_messages import HangInterrupt, ImsicMessage, IrqcRead, IrqcResult, IrqcWrite, UpdateHartLine
from baonet.hyp.riscv.parking import SILENCE
from baonet.hyp.vcpu import State
from baonet.machine import Faithful
from baonet.machine.riscv import Aia, Plic
from baonet.machine.saved import StateError
from tests.hyp.riscv.board import APLIC, IMSIC, UART, Board
from tests.hyp.riscv.fabric import PLIC

CLAIM0, CLAIM1 = PLIC + 0x20_1004, PLIC + 0x20_3004
IPC = 52
PRACTICAL = Faithful.PRACTICAL


def plic(**changes: object) -> Board:
    """All is enabled for hart 1, with priority 1."""
    board = Board(Plic(PLIC), **changes)  # type: ignore[arg-type]
    for source in (UART, IPC):
        board.put(0, PLIC + 4 * source, 1)
        board.put(0, PLIC + 0x2180 + source // 32 * 4, 1 << source % 32)
    return board


def aplic(irqc: Aia | None = None, **changes: object) -> Board:
    """All is enabled for hart 1, with identities 5 and 6 where there are messages."""
    board = Board(irqc or Aia(APLIC, IMSIC), **changes)  # type: ignore[arg-type]
    board.put(0, APLIC, 0x100)
    for identity, (source, mode) in enumerate(((UART, 6), (IPC, 4)), start=5):
        board.put(0, APLIC + 4 * source, mode)
        board.put(0, APLIC + 0x3000 + 4 * source, 1 << 18 | identity)
        board.put(0, APLIC + 0x1EDC, source)
    return board


def notes(board: Board, hart: int) -> list[tuple[int, int, int]]:
    cpu = board.guest(0, hart).cpu
    told = [(kind, number, origin) for kind, number, origin, _ in cpu.notes]
    cpu.notes.clear()
    return told


def report(board: Board) -> str:
    (only,) = board.reports
    assert only.reason == SILENCE
    assert board.pcpus[only.pcpu].state is State.PARKED
    return only.explanation


# Addresses


@pytest.mark.parametrize(
    ("irqc", "inside", "outside"),
    [
        (Plic(PLIC), (PLIC, PLIC + 0x2FFF, PLIC + 0x20_0000, PLIC + 0x20_3FFF), (PLIC - 1, PLIC + 0x3000)),
        (Plic(PLIC), (), (PLIC + 0x1F_F000, PLIC + 0x20_4000)),
        (Aia(APLIC, IMSIC), (APLIC, APLIC + 0x3FFF), (APLIC - 1, APLIC + 0x4000, IMSIC)),
        (Aia(APLIC), (APLIC, APLIC + 0x403F), (APLIC + 0x4040,)),
    ],
)
def test_windows(irqc: Plic | Aia, inside: tuple[int, ...], outside: tuple[int, ...]) -> None:
    """Of a platform of four harts and a VM of two."""
    controller = Board(irqc).guest(0, 0).pcpu.wing.controller  # type: ignore[attr-defined]
    assert all(map(controller.covers, inside))
    assert not any(map(controller.covers, outside))


@pytest.mark.parametrize("hart", [0, 1])
@pytest.mark.parametrize(
    ("irqc", "ipa", "size"),
    [
        *((Plic(PLIC), ipa, size) for ipa, size in ((PLIC + 8, 8), (PLIC + 4, 1), (PLIC + 6, 4))),
        *((Plic(PLIC), CLAIM0 - offset, size) for offset, size in ((2, 2), (4, 8), (3, 1))),
        *((Aia(APLIC), APLIC + offset, size) for offset, size in ((4, 2), (8, 8), (5, 4))),
    ],
)
def test_widths_and_alignments_that_nothing_takes(irqc: Plic | Aia, hart: int, ipa: int, size: int) -> None:
    board = Board(irqc)
    guest = board.guest(0, hart)
    board.begin_put(guest, ipa, 1, size)
    assert guest.state is State.PARKED
    assert board.reports[0].reason.startswith(f"emulation handler failed ({ipa:#x} at ")


# Where Bao breaks


@pytest.mark.parametrize("hart", [0, 1])
def test_completing_a_source_far_beyond_the_last_is_the_end_under_bao(hart: int) -> None:
    board = plic()
    board.put(hart, CLAIM1, 100_000)
    board.begin_put(board.guest(0, hart), CLAIM1, 0x7FFF_FFFF)
    assert "completed source 0x7fffffff" in report(board)
    assert board.guest(0, 1 - hart).state is State.RUNNING


def test_completing_a_source_far_beyond_the_last_is_nothing_else() -> None:
    board = plic(faithful=PRACTICAL)
    for hart in range(2):
        board.put(hart, CLAIM1, 0xFFFF_FFFF)
    board.notify(0)
    board.settle()
    assert board.get(1, CLAIM1) == IPC


def test_a_level_sensitive_source_in_direct_mode_is_the_end_of_its_hart_under_bao() -> None:
    board = aplic(Aia(APLIC))
    board.drive(True)
    board.settle()
    assert "source 10" in report(board)
    assert board.guest(0, 1).state is State.PARKED
    assert board.guest(0, 0).state is State.RUNNING


def test_a_level_sensitive_source_in_direct_mode_is_as_its_line_is() -> None:
    board = aplic(Aia(APLIC), faithful=PRACTICAL)
    board.put(1, APLIC + 0x4020, 1)
    board.drive(True)
    board.settle()
    assert board.external(1)
    assert board.get(1, APLIC + 0x403C) == UART << 16 | 1
    assert board.external(1)
    board.drive(False)
    board.settle()
    assert not board.external(1)
    assert board.get(1, APLIC + 0x403C) == 0


def test_a_guest_has_a_level_sensitive_source_sent_again_behind_its_handler() -> None:
    """As Linux does (AIA, 4.9.2); Bao ignores setipnum_le."""
    for faithful, again in ((PRACTICAL, [5]), (Faithful.STRICT, [])):
        board = aplic(faithful=faithful)
        board.drive(True)
        board.settle()
        assert board.injected(1) == [5]
        board.put(0, APLIC + 0x2000, UART)
        assert board.injected(1) == again
        board.drive(False)
        board.put(0, APLIC + 0x2000, UART)
        assert board.injected(1) == []


# What the trace has


def test_a_notification_by_the_plic() -> None:
    board = plic()
    board.notify(0)
    board.settle()
    assert notes(board, 0) == [(NOTE_RAISED, IPC, FROM_IPC), (NOTE_PENDING, IPC, 0)]
    board.get(1, CLAIM1)
    board.put(1, CLAIM1, IPC)
    board.put(1, CLAIM1, IPC)  # it is over already
    assert notes(board, 1) == [(NOTE_DELIVERED, IPC, 0), (NOTE_ACKNOWLEDGED, IPC, 0), (NOTE_ENDED, IPC, 0)]
    assert notes(board, 0) == []


def test_a_notification_by_message() -> None:
    """The guest knows the message, so that is what is raised; what its interrupt file does, the core tells."""
    board = aplic()
    board.notify(0)
    board.settle()
    assert notes(board, 0) == [(NOTE_RAISED, MESSAGES + 6, FROM_IPC)]
    assert board.injected(1) == [6]


def test_a_notification_that_waits() -> None:
    board = aplic()
    board.put(0, APLIC, 0)
    board.notify(0)
    board.settle()
    assert notes(board, 0) == [(NOTE_PENDING, IPC, 0)]
    board.put(1, APLIC, 0x100)
    assert notes(board, 0) == [
        (NOTE_ACKNOWLEDGED, IPC, 0),
        (NOTE_ENDED, IPC, 0),
        (NOTE_RAISED, MESSAGES + 6, FROM_CPU),
    ]


def test_a_device_by_message() -> None:
    """Its line has been told as raised where it is."""
    board = aplic()
    board.drive(True)
    assert [channel for channel in board.waiting() if channel == (0, 1)]
    assert board.channels[0, 1][0] == ImsicMessage(5, hardware=True)
    assert notes(board, 0) == [
        (NOTE_PENDING, UART, 0),
        (NOTE_ACKNOWLEDGED, UART, 0),
        (NOTE_ENDED, UART, 0),
        (NOTE_RAISED, MESSAGES + 5, FROM_LINE),
    ]


def test_a_claim_in_direct_mode_is_the_end() -> None:
    """And the next is told from its beginning."""
    board = aplic(Aia(APLIC))
    board.put(1, APLIC + 0x4020, 1)
    for _ in range(3):
        board.notify(0)
        board.settle()
        board.get(1, APLIC + 0x403C)
        assert notes(board, 0) == [(NOTE_RAISED, IPC, FROM_IPC), (NOTE_PENDING, IPC, 0)]
        assert notes(board, 1) == [(NOTE_DELIVERED, IPC, 0), (NOTE_ACKNOWLEDGED, IPC, 0), (NOTE_ENDED, IPC, 0)]


def test_a_store_to_anothers_file_goes_straight_to_its_pcpu() -> None:
    board = Board(Aia(APLIC, IMSIC), harts=3)
    board.begin_put(board.guest(0, 1), IMSIC + 0x2000, 0xFFFF_FFFF_0000_0007)
    assert board.waiting() == [(1, 2)]
    assert notes(board, 1) == [(NOTE_RAISED, MESSAGES + 7, FROM_CPU)]
    board.settle()
    assert board.injected(2) == [7]
    assert board.guest(0, 1).pcpu.statistics().exits["TRAP"] == 0


# How messages travel


def test_one_round_trip() -> None:
    """A claim elsewhere than at home; its line falls with the answer."""
    board = plic()
    board.notify(0)
    board.settle()
    assert board.external(1)
    assert board.begin_get(board.guest(0, 1), CLAIM1) is None
    assert [type(board.deliver(channel)) for channel in ((1, 0), (0, 1))] == [IrqcRead, IrqcResult]
    assert not board.external(1)
    assert board.waiting() == []


def test_what_comes_from_a_strange_pcpu_is_ignored() -> None:
    board = Board(Aia(APLIC), harts=3)
    for message in (UpdateHartLine(IPC), HangInterrupt(UART), ImsicMessage(-1), ImsicMessage(0)):
        board.pcpus[1].message(2, message)
    board.pcpus[1].message(2, IrqcWrite(0, 3, -1))
    board.pcpus[1].message(2, IrqcRead(-4, 4))
    board.pcpus[0].message(2, IrqcWrite(APLIC - 4, 4, 1 << 70))
    for pcpu in board.pcpus.values():
        board.collect(pcpu)
    assert not board.external(1)
    assert board.injected(1) == []
    assert board.reports == []
    assert board.guest(0, 1).state is State.RUNNING


# As data


@pytest.mark.parametrize("irqc", [Plic(PLIC), Aia(APLIC, IMSIC), Aia(APLIC)], ids=["plic", "aia", "aplic"])
def test_a_snapshot_goes_on_as_the_machine_does(irqc: Plic | Aia) -> None:
    def prepare() -> Board:
        board = plic(faithful=PRACTICAL) if isinstance(irqc, Plic) else aplic(irqc, faithful=PRACTICAL)
        if irqc == Aia(APLIC):
            board.put(1, APLIC + 0x4020, 1)
        return board

    board = prepare()
    board.drive(True)
    board.notify(0)
    board.settle()
    board.begin_get(board.guest(0, 1), CLAIM1 if isinstance(irqc, Plic) else APLIC + 0x1C04)
    other = Board(irqc, faithful=PRACTICAL)
    other.load(board.save())
    assert other.save() == board.save()
    other.sequences = dict(board.sequences)
    for each in (board, other):
        each.settle()
        each.drive(False)
        each.notify(1)
        each.settle()
    assert other.save() == board.save()


def test_a_state_of_another_controller_is_refused() -> None:
    for one, another in ((plic(), aplic()), (aplic(), aplic(Aia(APLIC)))):
        saved = one.guest(0, 0).pcpu.wing.save()
        with pytest.raises(StateError):
            another.guest(0, 0).pcpu.wing.load(saved)
    board = plic()
    with pytest.raises(StateError):
        board.guest(0, 1).pcpu.wing.load(board.guest(0, 0).pcpu.wing.save())


@pytest.mark.parametrize(
    "damage", [{"pending": [1024]}, {"pending": ["x"]}, {"thresholds": []}, {"priorities": [[5000, 1]]}]
)
def test_a_damaged_state_is_refused(damage: dict[str, object]) -> None:
    board = plic()
    wing = board.guest(0, 0).pcpu.wing
    saved = wing.save()
    saved["controller"]["shared"] |= damage
    with pytest.raises(StateError):
        wing.load(saved)


def test_a_line_that_is_up_stays_so_when_its_vm_starts_anew() -> None:
    board = plic()
    board.drive(True)
    board.settle()
    for hart in range(2):
        board.guest(0, hart).pcpu.reset_vm()
        board.collect(board.guest(0, hart).pcpu)
    board.settle()
    assert not board.external(1)
    board.put(0, PLIC + 4 * UART, 1)
    board.put(0, PLIC + 0x2080, 1 << UART)
    assert board.external(0)
    assert board.get(0, CLAIM0) == UART


def test_messages_do_not_wait_for_a_new_life() -> None:
    board = aplic()
    board.put(0, IMSIC + 0x1000, 7)
    board.settle()
    assert board.injected(1) == [7]
    for hart in range(2):
        board.guest(0, hart).pcpu.reset_vm()
        board.collect(board.guest(0, hart).pcpu)
    board.settle()
    assert board.injected(1) == []


def test_a_plic_that_is_reset_shows_nothing_of_before() -> None:
    board = plic()
    board.notify(0)
    board.settle()
    registers = (PLIC + 4 * IPC, PLIC + 0x1004, PLIC + 0x2180, PLIC + 0x2184)
    assert [board.get(0, each) for each in registers] == [1, 1 << IPC % 32, 1 << UART, 1 << IPC % 32]
    board.guest(0, 0).pcpu.wing.reset()
    assert [board.get(0, each) for each in registers] == [0, 0, 0, 0]
    board.put(0, PLIC + 0x2184, 1 << IPC % 32)
    assert board.get(0, PLIC + 0x2184) == 1 << IPC % 32


@pytest.mark.parametrize(("register", "value"), [(PLIC + 0x20_1000, 0), (CLAIM0, 1023), (CLAIM0, None)])
def test_a_hart_is_told_that_another_has_claimed_what_it_was_told_of(register: int, value: int | None) -> None:
    """When it sets its threshold, completes anything, or claims: nothing is pending any more then."""
    board = plic()
    board.put(0, PLIC + 0x2084, 1 << IPC % 32)
    board.notify(0)
    board.settle()
    assert board.external(0)
    assert board.get(1, CLAIM1) == IPC
    assert board.external(0)
    if value is None:
        assert board.get(0, register) == 0
    else:
        board.put(0, register, value)
    assert not board.external(0)
