"""Lines of several VMs stay whole, and no guest writes anything but its own."""

from __future__ import annotations

import io
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baonet.actors.screen import Lines, Raw, Together
from baonet.actors.visible import visible


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
    screen = Raw(out, 2, 1)
    screen.show(0, b"other")
    screen.show(1, b"\xff\r\n\x1b[0m")
    screen.tick()
    screen.finish()
    assert out.getvalue() == b"\xff\r\n\x1b[0m"


def test_a_switch_shows_what_the_other_said_last() -> None:
    out = io.BytesIO()
    screen = Raw(out, 2, 0)
    screen.show(1, b"line of the other\n" * 1000 + b"prompt> ")
    screen.show(0, b"mine")
    screen.switch(1)
    shown = out.getvalue()
    assert shown.startswith(b"mineline of the other\n")
    assert shown.endswith(b"line of the other\nprompt> ")
    assert len(shown) <= Raw.KEPT + 4
    screen.show(1, b"more")
    screen.show(0, b"unseen")
    assert out.getvalue() == shown + b"more"


def test_together_is_each() -> None:
    first, second = io.BytesIO(), io.BytesIO()
    screen = Together([Raw(first, 2, 0), Lines(second, ["a", "b"], False, shown=[1])])
    screen.show(0, b"x")
    screen.show(1, b"y")
    screen.finish()
    assert (first.getvalue(), second.getvalue()) == (b"x", b"b | y\n")


def test_who_has_the_keyboard_is_answered_at_once() -> None:
    out, screen = lines(["a", "b"])
    screen.answering = 0
    screen.show(0, b"prompt> ")
    for _ in range(Lines.QUIET):
        screen.tick()
    screen.show(0, b"k")
    assert out.getvalue() == b"a | prompt> k"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (b"plain\ttext", b"plain\ttext"),
        ("gr\u00fc\u00dfe \u4e2d\u6587 \U0001f600".encode(), "gr\u00fc\u00dfe \u4e2d\u6587 \U0001f600".encode()),
        (b"\x1b[1;31mred\x1b[38:5:9m", b"\x1b[1;31mred\x1b[38:5:9m\x1b[0m"),
        (b"\x1b[2J\x1b[H", b"\\x1b[2J\\x1b[H"),
        (b"\x1b]0;title\x07", b"\\x1b]0;title\\x07"),
        (b"50%\r100%", b"50%100%"),
        (b"secret\b\b\bx\x7f", b"secret\\x08\\x08\\x08x\\x7f"),
        (b"\x9b2J\xff", b"\\x9b2J\\xff"),
        ("\u009b2J".encode(), b"\\x9b2J"),
        ("\u202eevil\u2066\u200f\u200b".encode(), b"\\u202eevil\\u2066\\u200f\\u200b"),
        ("\u2028\U000e0041".encode(), b"\\u2028\\U000e0041"),
        (b"\xed\xa0\x80\xc0\x80", b"\\xed\\xa0\\x80\\xc0\\x80"),
        (b"\x1b[" + b"1;" * 40 + b"m", b"\\x1b[" + b"1;" * 40 + b"m"),
        (b"\x1b", b"\\x1b"),
        (b"\x00\x0e\x84\x1bc", b"\\x00\\x0e\\x84\\x1bc"),
    ],
)
def test_what_is_for_a_terminal_and_no_line_is_shown(said: bytes, shown: bytes) -> None:
    out, screen = lines(["a"])
    screen.show(0, said + b"\n")
    assert out.getvalue() == b"a | " + shown + b"\n"


HOSTILE = st.lists(
    st.one_of(
        st.sampled_from(
            [b"\n", b"\r", b"\b", b"\x1b[31m", b"\x1b[", b"2J", b"b | ", b"\x1b", b"\xc2\x9b", b"\xe2\x80\xae"]
        ),
        st.binary(max_size=4),
    ),
    max_size=20,
)
_SGR = re.compile(rb"\x1b\[[0-9;:]*m")


@given(HOSTILE, st.integers(1, 7), st.booleans())
def test_no_text_leaves_its_line(pieces: list[bytes], size: int, ticking: bool) -> None:
    """However it comes, cut anywhere: nothing that a terminal obeys but colours, and these end with the line."""
    said = b"".join(pieces)
    out, screen = lines(["a", "b"])
    for start in range(0, len(said), size):
        screen.show(0, said[start : start + size])
        if ticking:
            for _ in range(Lines.PATIENCE):
                screen.tick()
            screen.show(1, b"mine\n")
    screen.finish()
    for line in out.getvalue().split(b"\n")[:-1]:
        assert line.startswith((b"a | ", b"b | "))
        assert not line.startswith(b"b | ") or line == b"b | mine"
        text = _SGR.sub(b"", line).decode()
        assert all(each.isprintable() or each == "\t" or unicodedata.category(each) == "Zs" for each in text)
        assert len(_SGR.findall(line)) == 0 or line.endswith(b"\x1b[0m")


def test_a_colour_or_a_character_that_is_cut_stays_whole() -> None:
    out, screen = lines(["a"])
    for piece in (b"\x1b", b"[3", b"1mred \xe4", b"\xb8", b"\xad"):
        screen.show(0, piece)
        for _ in range(Lines.PATIENCE):
            screen.tick()
    screen.show(0, b"\n")
    assert out.getvalue() == b"a | \x1b[31mred \xe4\xb8\xad\x1b[0m\n"


def test_a_line_without_an_end_is_not_kept() -> None:
    out, screen = lines(["a"])
    for _ in range(1000):
        screen.show(0, b"x" * 1000)
    assert len(out.getvalue()) > 1000 * 1000 - Lines.LONGEST


def test_plain_text_stays_as_it_is() -> None:
    assert visible(b"as it is\t~") == (b"as it is\t~", False)
