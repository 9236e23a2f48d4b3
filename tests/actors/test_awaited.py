"""Texts that guests are to print, each in its own time and in any pieces."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from baonet.actors.awaited import Awaited, AwaitedText


def test_nothing_awaited_is_never_complete() -> None:
    awaited = Awaited()
    awaited.see(0, b"anything")
    assert (awaited.complete, awaited.missing) == (False, [])


def test_all_must_come_each_from_its_vm() -> None:
    first, second, any_vm = AwaitedText(0, b"up"), AwaitedText(1, b"up"), AwaitedText(None, b"done")
    awaited = Awaited((first, second, any_vm, first))
    awaited.see(1, b"up")
    assert awaited.missing == [first, any_vm]
    awaited.see(1, b"do")
    awaited.see(0, b"ne: up")
    assert awaited.missing == [any_vm], "half of a text from each of two VMs is none"
    awaited.see(1, b"ne")
    assert awaited.complete


texts = st.lists(st.binary(min_size=1, max_size=4).map(lambda data: bytes(each % 3 for each in data)), min_size=1)


@given(texts, st.binary(max_size=40).map(lambda data: bytes(each % 3 for each in data)), st.data())
def test_pieces_are_as_the_whole(wanted: list[bytes], printed: bytes, data: st.DataObject) -> None:
    awaited = Awaited(AwaitedText(0, each) for each in wanted)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(printed)), max_size=8)))
    for start, end in zip([0, *cuts], [*cuts, len(printed)], strict=True):
        awaited.see(0, printed[start:end])
    assert {text.data for text in awaited.missing} == {each for each in wanted if each not in printed}
    assert awaited.complete == (not awaited.missing)
