"""Bytes leave in the order in which the UART sent them."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from baonet.actors.console import JoinedOutput, Reassembly

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
def test_what_a_dead_core_kept_is_given_up(pieces: list[tuple[int, bytes]], data: st.DataObject) -> None:
    lost = data.draw(st.sets(st.sampled_from(range(len(pieces))))) if pieces else set()
    coming = [piece for number, piece in enumerate(positioned(pieces)) if number not in lost]
    console = Reassembly()
    shown = [piece for vm, position, text in coming for piece in console.add(vm, position, text)]
    while (mark := console.newest) is not None:
        shown += console.give_up(mark)
    assert shown == [(vm, text) for vm, _, text in coming]


@given(PIECES, st.lists(st.integers(0, 2), max_size=60), st.data())
def test_what_a_living_core_printed_keeps_its_order(
    pieces: list[tuple[int, bytes]], steps: list[int], data: st.DataObject
) -> None:
    """Each VM has a core; one dies, and keeps what it had not sent. The others send theirs whenever they do."""
    dead = data.draw(st.integers(0, 2))
    queues = {vm: [piece for piece in positioned(pieces) if piece[0] == vm] for vm in range(3)}
    kept = data.draw(st.integers(0, len(queues[dead])))
    asked: set[int] = set()
    consoles = JoinedOutput()
    shown = [piece for each in queues[dead][:kept] for piece in consoles.add(0, *each)]
    living = [vm for vm in range(3) if vm != dead]
    for step in steps + [vm for vm in living for _ in range(60)]:
        if step == dead:
            asked |= set(consoles.ask(living))
        elif step in asked and data.draw(st.booleans()):
            asked.remove(step)
            shown += [piece for each in queues[step] for piece in consoles.add(0, *each)]  # all before the answer
            queues[step].clear()
            shown += consoles.answered(step)
        elif queues[step]:
            shown += consoles.add(0, *queues[step].pop(0))
    shown += consoles.rest()
    for vm in living:
        assert [text for of, text in shown if of == vm] == [text for of, text in pieces if of == vm]
    both = [each for each in shown if each[0] != dead]
    assert both == [each for each in pieces if each[0] != dead]


def test_a_piece_of_a_living_core_is_waited_for_until_it_has_answered() -> None:
    consoles = JoinedOutput()
    assert consoles.add(0, 0, 3, b"def") == []
    assert consoles.ask([1, 2]) == [1, 2]
    assert consoles.ask([1, 2]) == []
    assert consoles.answered(1) == []
    assert consoles.add(0, 1, 0, b"abc") == [(1, b"abc"), (0, b"def")]
    assert consoles.answered(2) == []
    assert consoles.ask([1, 2]) == []


def test_many_gaps_cost_no_more_than_one() -> None:
    consoles = JoinedOutput()
    for number in range(1, 1000, 2):
        assert consoles.add(0, 0, number, b"x") == []
    assert consoles.ask([1]) == [1]
    assert len(consoles.answered(1)) == 500
    assert consoles.add(0, 0, 1000, b"y") == [(0, b"y")]


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


def test_what_waits_for_another_vms_piece_is_held() -> None:
    joined = JoinedOutput()
    assert joined.add(0, 1, 5, b"last") == []
    assert (joined.holds(1), joined.holds(0)) == (True, False)
    assert joined.add(0, 0, 0, b"first") == [(0, b"first"), (1, b"last")]
    assert not joined.holds(1)
