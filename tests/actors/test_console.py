"""Bytes leave in the order in which the UART sent them."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from baonet.actors.console import Reassembly

PIECES = st.lists(st.tuples(st.integers(0, 2), st.binary(min_size=1, max_size=5)), max_size=20)


def positioned(pieces: list[tuple[int, bytes]]) -> list[tuple[int, int, bytes]]:
    """(VM, position, bytes), in the order in which they were sent."""
    starts = itertools.accumulate((len(data) for _, data in pieces), initial=0)
    return [(vm, start, data) for (vm, data), start in zip(pieces, starts, strict=False)]


@given(PIECES, st.randoms())
def test_pieces_in_any_order_leave_in_the_order_sent(pieces: list[tuple[int, bytes]], random: object) -> None:
    coming = positioned(pieces)
    random.shuffle(coming)  # type: ignore[attr-defined]
    console = Reassembly()
    assert [piece for vm, position, data in coming for piece in console.add(vm, position, data)] == pieces
    assert console.rest() == []


@given(PIECES, st.data())
def test_what_a_dead_core_kept_is_given_up_after_a_while(pieces: list[tuple[int, bytes]], data: st.DataObject) -> None:
    lost = data.draw(st.sets(st.sampled_from(range(len(pieces))))) if pieces else set()
    coming = [piece for number, piece in enumerate(positioned(pieces)) if number not in lost]
    console = Reassembly()
    shown = [piece for vm, position, text in coming for piece in console.add(vm, position, text)]
    for _ in range(Reassembly.PATIENCE * (len(pieces) + 1)):
        shown += console.tick()
    assert shown == [(vm, text) for vm, _, text in coming]


def test_a_gap_is_not_given_up_at_once_and_comes_late_if_it_comes() -> None:
    console = Reassembly()
    assert console.add(0, 3, b"def") == []
    for _ in range(Reassembly.PATIENCE - 1):
        assert console.tick() == []
    assert console.tick() == [(0, b"def")]
    assert console.add(0, 0, b"abc") == [(0, b"abc")]
    assert console.add(0, 6, b"ghi") == [(0, b"ghi")]


def test_many_gaps_cost_no_more_than_one() -> None:
    console = Reassembly()
    for number in range(1, 1000, 2):
        assert console.add(0, number, b"x") == []
    shown = [piece for _ in range(Reassembly.PATIENCE) for piece in console.tick()]
    assert len(shown) == 500
    assert console.add(0, 1000, b"y") == [(0, b"y")]


def test_the_rest_leaves_in_order() -> None:
    console = Reassembly()
    assert console.add(1, 8, b"late") == []
    assert console.add(0, 4, b"rest") == []
    assert console.rest() == [(0, b"rest"), (1, b"late")]
    assert console.rest() == []


def test_what_waits_for_a_piece_has_a_bound() -> None:
    console = Reassembly()
    piece = bytes(1 << 14)
    shown: list[tuple[int, bytes]] = []
    count = 3 * Reassembly.LIMIT // len(piece)
    for number in range(count):
        shown += console.add(0, 1 + number * len(piece), piece)
    waiting = count * len(piece) - sum(len(data) for _, data in shown)
    assert 0 <= waiting <= Reassembly.LIMIT
    assert console.add(0, 0, b"x") == [(0, b"x")]
