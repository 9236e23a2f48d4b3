"""Processes that are forked here, all at once."""

from __future__ import annotations

import os
import threading

import pytest

from baonet.core import _node


def forked(count: int) -> list[int]:
    """What each of so many processes ends with, in the order of the parent: which of them it was, behind 10."""
    made = _node.fork(count)
    if isinstance(made, int):
        os._exit(10 + made)
    return [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in made]


def test_each_knows_which_it_is() -> None:
    assert forked(3) == [10, 11, 12]
    assert forked(0) == []


def test_it_is_so_beside_another_thread_too() -> None:
    over = threading.Event()
    other = threading.Thread(target=over.wait)
    other.start()
    try:
        assert forked(2) == [10, 11]
    finally:
        over.set()
        other.join()


def test_there_is_no_such_number_of_them() -> None:
    with pytest.raises(ValueError, match="-1 processes"):
        _node.fork(-1)
    with pytest.raises(OverflowError):
        _node.fork(1 << 70)
