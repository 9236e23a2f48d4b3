"""What the vAPLIC says beforehand of an interrupt from another VM is what comes of it, and nothing else."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from baonet.hyp.cpu import FROM_IPC, NOTE_RAISED
from baonet.hyp.messages import IpcNotify
from baonet.hyp.riscv.cpu import MESSAGES
from baonet.machine import Faithful
from baonet.machine.riscv import Aia, Plic
from tests.hyp.riscv.board import APLIC, FIRST_IPC, IMSIC, UART, Board

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
    plic = Board(Plic(0x0C00_0000))
    assert plic.guest(0, 0).pcpu.expects(NOTIFY) is None
