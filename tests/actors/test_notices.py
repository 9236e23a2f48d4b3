"""Notices of a guest: each kind a few times, then counted, in memory that has a bound."""

from __future__ import annotations

from baonet.actors.notices import KINDS, TOLD, Notices
from baonet.hyp.effects import Info, Warn
from baonet.wire.messages import Notice


def test_each_kind_is_told_a_few_times_and_counted() -> None:
    notices = Notices(3)
    told = [notices.tell(Warn(f"Unknown hypercall id {n}")) for n in range(1000)]
    assert [each is not None for each in told] == [n < TOLD for n in range(1000)]
    assert notices.tell(Info("Unknown hypercall id 0x1f")) == Notice(3, "INFO", "Unknown hypercall id 0x1f")
    assert notices.tell(Warn("another")) == Notice(3, "WARNING", "another")
    assert list(notices.rest()) == [Notice(3, "WARNING", f"Unknown hypercall id ...: {1000 - TOLD} more")]


def test_kinds_without_end_are_one() -> None:
    notices = Notices(0)
    words = ["".join(chr(97 + int(digit)) for digit in str(n)) for n in range(10 * KINDS)]
    told = [each for word in words if (each := notices.tell(Warn(word)))]
    assert len(told) == KINDS + TOLD
    assert [each.text for each in notices.rest()] == [f"others: {9 * KINDS - TOLD} more"]
