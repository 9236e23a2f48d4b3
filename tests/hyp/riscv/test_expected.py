"""What a vAPLIC or a vPLIC says beforehand of an interrupt from another VM is what comes of it, and nothing else."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from baonet.hyp.cpu import FROM_IPC, NOTE_ACKNOWLEDGED, NOTE_DELIVERED, NOTE_ENDED, NOTE_PENDING, NOTE_RAISED
from baonet.hyp.messages import IpcNotify
from baonet.hyp.riscv.cpu import MESSAGES
from baonet.machine import Faithful
from baonet.machine.riscv import Aia, Plic
from tests.hyp.riscv.board import APLIC, FIRST_IPC, IMSIC, UART, Board

PLIC = 0x0C00_0000
IPC = FIRST_IPC
NOTIFY = IpcNotify(0, 0)
SOURCES = (IPC, 53, UART)
SET, CLEAR, ENABLE, DISABLE = 0x1CDC, 0x1DDC, 0x1EDC, 0x1FDC


def enabled(faithful: Faithful, *, files: bool = True) -> Board:
    """The interrupt goes to identity 5 of hart 0."""
    board = Board(Aia(APLIC, IMSIC if files else None), faithful=faithful)
    for offset, value in ((0, 1 << 8), (4 * IPC, 1), (ENABLE, IPC), (0x3004 + 4 * (IPC - 1), 5)):
        board.put(0, APLIC + offset, value)
    return board


def state(board: Board) -> dict[str, Any]:
    saved = board.guest(0, 0).pcpu.save(lambda message: message)
    return {name: value for name, value in saved.items() if name not in ("exits", "received")}


actions = st.one_of(
    st.tuples(st.sampled_from((SET, CLEAR, ENABLE, DISABLE)), st.sampled_from(SOURCES)),
    st.tuples(st.sampled_from(SOURCES).map(lambda source: 4 * source), st.sampled_from((0, 1, 4, 6))),  # sourcecfg
    st.tuples(
        st.sampled_from(SOURCES).map(lambda source: 0x3004 + 4 * (source - 1)), st.sampled_from((0, 5, 9, 1 << 18 | 5))
    ),
    st.tuples(st.just(0), st.sampled_from((0, 1 << 8))),  # domaincfg
    st.booleans(),
)


@given(st.lists(actions, max_size=8), st.sampled_from(Faithful))
@settings(max_examples=60)
def test_an_expected_message_is_the_one_that_comes(before: list[Any], faithful: Faithful) -> None:
    board = enabled(faithful)
    for action in before:
        if isinstance(action, bool):
            board.drive(action)
        else:
            board.put(0, APLIC + action[0], action[1])
    board.settle()
    guest, idle = board.guest(0, 0), state(board)
    expected = guest.pcpu.expects(NOTIFY)
    assert state(board) == idle, "it was only asked"
    if expected is None:
        return
    board.injected(0)
    guest.cpu.notes.clear()
    guest.pcpu.message(2, NOTIFY)
    number, place, value = expected
    assert guest.cpu.notes == [(NOTE_RAISED, number, FROM_IPC, 0)]
    assert (board.injected(0), number, value) == ([place], MESSAGES + place, 0)
    assert (state(board), guest.pcpu.effects) == (idle, [])
    guest.pcpu.caught_up([], 0, 1, None)
    assert state(board) == idle


def test_what_is_expected() -> None:
    pcpu = enabled(Faithful.PRACTICAL).guest(0, 0).pcpu
    assert pcpu.expects(NOTIFY) == (MESSAGES + 5, 5, 0)
    assert pcpu.expects(IpcNotify(0, 1)) is None, "the guest has not enabled that"
    assert enabled(Faithful.PRACTICAL, files=False).guest(0, 0).pcpu.expects(NOTIFY) is None, "without messages"


# With a PLIC, the line of a hart, until it claims and completes the source

CLAIM = PLIC + 0x20_1004
THRESHOLD = PLIC + 0x20_1000
OF_OTHER = 0x1000
ENABLES = PLIC + 0x2080 + IPC // 32 * 4
OTHER_ENABLES = ENABLES + 0x100
BITS = (1 << IPC % 32, 1 << 53 % 32, 3 << IPC % 32)

plic_actions = st.one_of(
    st.tuples(st.sampled_from((THRESHOLD, THRESHOLD + OF_OTHER * 2)), st.integers(0, 3)),
    st.tuples(st.sampled_from(SOURCES).map(lambda source: PLIC + 4 * source), st.integers(0, 3)),
    st.tuples(st.sampled_from((ENABLES, OTHER_ENABLES)), st.sampled_from((0, *BITS))),
    st.tuples(st.just(PLIC + 0x2080), st.sampled_from((0, 1 << UART))),
    st.tuples(st.sampled_from((CLAIM, CLAIM + OF_OTHER * 2)), st.sampled_from(SOURCES)),
    st.sampled_from(("claim", "notify", "other event", True, False)),
)


def with_plic(faithful: Faithful = Faithful.PRACTICAL) -> Board:
    """The source is hart 0's, and nothing else is pending."""
    board = Board(Plic(PLIC), faithful=faithful)
    for address, value in ((PLIC + 4 * IPC, 1), (ENABLES, BITS[0])):
        board.put(0, address, value)
    return board


def do(board: Board, action: Any) -> None:
    if isinstance(action, tuple):
        board.put(0, *action)
    elif isinstance(action, bool):
        board.drive(action)
    elif action == "claim":
        board.get(0, CLAIM)
    else:
        board.notify(int(action == "other event"))
    board.settle()


@given(st.lists(plic_actions, max_size=8), st.sampled_from(Faithful))
@settings(max_examples=100)
def test_an_expected_line_is_the_one_that_rises_and_its_end_undoes_all(before: list[Any], faithful: Faithful) -> None:
    board = with_plic(faithful)
    for action in before:
        do(board, action)
    guest, idle = board.guest(0, 0), state(board)
    expected = guest.pcpu.expects(NOTIFY)
    assert state(board) == idle, "it was only asked"
    if expected is None:
        return
    assert (expected, board.external(0), board.get(0, CLAIM)) == ((IPC, 0, CLAIM), False, 0)
    assert state(board) == idle, "there was nothing to claim"
    guest.cpu.notes.clear()
    guest.pcpu.message(2, NOTIFY)
    assert (board.external(0), guest.pcpu.effects) == (True, [])
    pending = state(board)
    assert (guest.pcpu.read_emulated(CLAIM, 4), board.external(0), guest.pcpu.effects) == (IPC, False, [])
    active = state(board)
    assert (guest.pcpu.write_emulated(CLAIM, 4, IPC), board.external(0), guest.pcpu.effects) == (True, False, [])
    assert [note[:2] for note in guest.cpu.notes] == [
        (kind, IPC) for kind in (NOTE_RAISED, NOTE_PENDING, NOTE_DELIVERED, NOTE_ACKNOWLEDGED, NOTE_ENDED)
    ]
    assert state(board) == idle
    for then, line in ((pending, True), (active, False)):
        guest.cpu.external = line
        guest.pcpu.caught_up([], 0, 0, NOTIFY)
        assert (state(board), board.external(0), guest.pcpu.effects) == (then, line, [])
        board.get(0, CLAIM)
        board.put(0, CLAIM, IPC)
        assert state(board) == idle


def test_what_is_expected_of_a_line() -> None:
    board = with_plic()
    pcpu = board.guest(0, 0).pcpu
    assert pcpu.expects(NOTIFY) == (IPC, 0, CLAIM)
    for action, undone in (
        ((OTHER_ENABLES, BITS[0]), (OTHER_ENABLES, 0)),  # another hart is told, too
        ((THRESHOLD, 1), (THRESHOLD, 0)),
        ((ENABLES, 0), (ENABLES, BITS[0])),
        ("notify", "claim"),
        ("claim", (CLAIM, IPC)),
    ):
        do(board, action)
        if action != "claim":
            assert pcpu.expects(NOTIFY) is None, action
        do(board, undone)
