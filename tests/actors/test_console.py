"""Consoles: bytes leave in the order in which the UART sent them, and lines of several VMs stay whole."""

from __future__ import annotations

import io
import itertools

from hypothesis import given
from hypothesis import strategies as st

from baonet.actors.console import Lines, Raw, Reassembly

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


def lines(names: list[str], color: bool = False) -> tuple[io.BytesIO, Lines]:
    out = io.BytesIO()
    return out, Lines(out, names, color)


@given(st.lists(st.tuples(st.integers(0, 1), st.text("ab\r\n", max_size=6)), max_size=30), st.booleans())
def test_every_vm_keeps_its_lines(said: list[tuple[int, str]], ticking: bool) -> None:
    out, screen = lines(["first", "b"])
    for vm, text in said:
        screen.show(vm, text.encode())
        if ticking:
            screen.tick()
    screen.finish()
    shown = out.getvalue().decode().splitlines()
    for vm, prefix in enumerate(("first | ", "b     | ")):
        mine = [line.removeprefix(prefix) for line in shown if line.startswith(prefix)]
        wanted = "".join(text for number, text in said if number == vm).replace("\r", "")
        assert "".join(mine) == wanted.replace("\n", "")
        if not ticking:  # nothing was cut
            assert mine == wanted.splitlines()
    assert all(line.startswith(("first | ", "b     | ")) for line in shown)


def test_an_unfinished_line_is_shown_when_its_vm_is_quiet_and_continued() -> None:
    out, screen = lines(["a", "b"])
    screen.show(0, b"prompt> ")
    screen.tick()
    assert out.getvalue() == b""
    screen.tick()
    assert out.getvalue() == b"a | prompt> "
    screen.show(0, b"typed\n")
    assert out.getvalue() == b"a | prompt> typed\n"


def test_a_prompt_shows_although_another_vm_never_stops() -> None:
    out, screen = lines(["a", "b"])
    screen.show(0, b"prompt> ")
    for _ in range(Lines.QUIET):
        screen.show(1, b"noise\n")
        screen.tick()
    assert out.getvalue().endswith(b"b | noise\na | prompt> ")
    screen.show(1, b"noise\n")
    assert out.getvalue().endswith(b"\na | prompt> \nb | noise\n")


def test_a_line_that_never_ends_is_shown_in_time() -> None:
    out, screen = lines(["a"])
    for _ in range(Lines.PATIENCE):
        screen.show(0, b".")
        screen.tick()
    assert out.getvalue() == b"a | " + b"." * Lines.PATIENCE


def test_finish_ends_the_last_line() -> None:
    out, screen = lines(["a", "b"])
    screen.show(0, b"one")
    screen.show(1, b"two")
    screen.finish()
    assert out.getvalue() == b"a | one\nb | two\n"


def test_colors_are_those_of_the_vm() -> None:
    out, screen = lines(["a", "b"], color=True)
    screen.show(1, b"x\n")
    screen.show(0, b"y\n")
    first, second = out.getvalue().splitlines()
    assert first == b"\x1b[33mb | \x1b[0mx"
    assert second == b"\x1b[36ma | \x1b[0my"


def test_raw_is_one_vm_byte_for_byte() -> None:
    out = io.BytesIO()
    screen = Raw(out, 1)
    screen.show(0, b"other")
    screen.show(1, b"\xff\r\n\x1b[0m")
    screen.tick()
    screen.finish()
    assert out.getvalue() == b"\xff\r\n\x1b[0m"
