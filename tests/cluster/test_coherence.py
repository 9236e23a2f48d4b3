"""Memory of several nodes is one under the host's clock, whatever comes first; and a wrong protocol is found."""

from __future__ import annotations

from collections import deque
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from baonet.core import _node
from tests.cluster.shared_pages import HOME, NONE, PAGES, READ, WRITE, Member, Say, SharedPages

nodes = st.integers(2, 5)


def play(pages: SharedPages, turns: int, history: bytes) -> None:
    """Two bytes are a step. Before: the pages go round among the first nodes, so many times."""
    for turn in range(turns):
        for page in range(PAGES):
            read_then_write(pages, (turn + page) % min(len(pages.members), 3), page)
    for choice, more in zip(history[::2], history[1::2], strict=False):
        pages.step(choice, more)
        pages.check()
    pages.finish()
    pages.read_all()


def read_then_write(pages: SharedPages, number: int, page: int) -> int:
    """What the node could do with a page when it had but read it."""
    pages.access(number, 0, page, READ)
    pages.finish()
    could = pages.members[number].holders[page].right
    pages.access(number, 0, page, WRITE)
    pages.finish()
    return could


def histories(examples: int, world: type[SharedPages] = SharedPages, **more: Any) -> int:
    played = 0

    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck), **more)
    @given(nodes, st.integers(0, 4), st.binary(max_size=160))
    def run(count: int, turns: int, history: bytes) -> None:
        nonlocal played
        played += 1
        play(world(count), turns, history)

    run()
    return played


def test_memory_is_one() -> None:
    histories(150)


@pytest.mark.long
@pytest.mark.timeout(0)
def test_memory_is_one_in_100_000_histories() -> None:
    assert histories(100_000) >= 100_000


class GrantsEarly(SharedPages):
    """Does not wait for those whom it has told to give back."""

    def say(self, page: int, grants: bool, number: int, right: int, *how: bool) -> None:
        super().say(page, grants, number, right, *how)
        if not grants and number != HOME:
            self.act(page, self.directories[page].gave(number, right) or [])

    def returned(self, member: int, page: int, left: int, version: int | None) -> None:
        if version is not None:
            self.members[HOME].memory[page] = version


class SkipsARecall(SharedPages):
    """Takes it for answered, and never says it."""

    def say(self, page: int, grants: bool, number: int, right: int, *how: bool) -> None:
        if grants or number == HOME or self.directories[page].right(number) != READ:
            super().say(page, grants, number, right, *how)
        else:
            self.act(page, self.accepted(number, page, right))


class DropsBytes(SharedPages):
    """Of a page that is given back."""

    def returned(self, member: int, page: int, left: int, version: int | None) -> None:
        self.act(page, self.accepted(member, page, left))


class Reorders(SharedPages):
    """What was said last comes first."""

    def take(self, queue: deque[tuple[str, int, int, int | None, bool]]) -> tuple[str, int, int, int | None, bool]:
        return queue.pop()


class AnswersEarly(SharedPages):
    """While its cores have entries of their TLBs yet."""

    def keeps(self, member: Member, page: int) -> bool:
        return False


class TellsAmid(SharedPages):
    """What comes of something that is said goes ahead of what was said before it."""

    def act(self, page: int, says: list[Say]) -> None:
        for say in says:
            self.say(page, *say)


class ForgetsWhoWaits(SharedPages):
    """A page that is to go when it has been used never goes."""

    def retry(self, member: Member) -> None:
        pass


WRONG = [GrantsEarly, SkipsARecall, DropsBytes, Reorders, AnswersEarly, ForgetsWhoWaits]


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_protocol_is_found(wrong: type[SharedPages]) -> None:
    with pytest.raises((AssertionError, ExceptionGroup)):
        histories(20_000, wrong, derandomize=True, phases=[Phase.generate], report_multiple_bugs=False)


def core_of_home_is_seen_before_it_calls(pages: SharedPages) -> None:
    """Node 1 gives back what node 2 waits to read, and a core of home wants to write and has not said so."""
    pages.access(1, 0, 0, WRITE)
    pages.finish()
    pages.access(2, 0, 0, READ)
    pages.call(2, 0)
    pages.deliver(2, HOME)
    pages.deliver(HOME, 1)
    pages.serve(1, 0)
    pages.call(1, 0)
    pages.access(HOME, 0, 0, WRITE)
    pages.deliver(1, HOME)
    pages.finish()
    pages.read_all()


def test_what_the_directory_says_goes_in_its_order() -> None:
    core_of_home_is_seen_before_it_calls(SharedPages(3))
    with pytest.raises(AssertionError, match="node 2 has nothing of page 0 to give back"):
        core_of_home_is_seen_before_it_calls(TellsAmid(3))


def test_home_reads_nothing_that_another_is_to_write_when_the_writer_is_lost() -> None:
    pages = SharedPages(3)
    pages.access(1, 0, 0, WRITE)
    pages.finish()
    pages.access(2, 0, 0, WRITE)
    pages.call(2, 0)
    pages.deliver(2, HOME)
    pages.lose(1)
    pages.finish()
    pages.check()
    assert pages.members[HOME].may(0) == NONE
    pages.read_all()


def test_a_lost_nodes_writes_are_gone_and_those_given_back_are_not() -> None:
    pages = SharedPages(3)
    for node in (1, 2):
        pages.access(node, 0, 0, WRITE)
        pages.finish()
    pages.lose(2)
    pages.finish()
    pages.read_all()
    assert pages.latest[0] == 1


def test_all_members_that_there_can_be_are_told_at_once() -> None:
    readers = _node.Directory()
    for member in range(1, 64):
        readers.want(member, READ)
    readers.want(1, WRITE)
    told = readers.gave(HOME, READ)
    assert told is not None
    assert [member for grants, member, *_ in told if grants] == list(range(1, 64))
    assert [member for grants, member, *_ in told if not grants] == [HOME, *range(2, 64)]


def test_what_nobody_asked_for_is_refused() -> None:
    directory, holder = _node.Directory(), _node.Holder(NONE)
    assert directory.gave(HOME, NONE) is None
    directory.want(1, WRITE)
    assert directory.gave(1, NONE) is None
    assert directory.gave(HOME, READ) is None  # nothing is to be left of it
    assert directory.gave(HOME, NONE) == [(True, 1, WRITE, True, False)]
    assert not holder.recalled(NONE)
    assert not holder.free()
    assert holder.granted(WRITE, False)
    assert not holder.granted(READ, False)
    assert holder.recalled(NONE)
    assert not holder.recalled(NONE)
    assert not holder.granted(WRITE, False)
    with pytest.raises(ValueError, match="nothing is to be given back"):
        holder.given()
    with pytest.raises(ValueError, match="no member 64 of 64"):
        directory.want(64, READ)
    with pytest.raises(ValueError, match="3 is no such right"):
        holder.want(3)


def test_who_reads_a_page_that_goes_round_may_write_it_at_once() -> None:
    pages = SharedPages(3)
    could = [read_then_write(pages, 1 + turn % 2, 0) for turn in range(40)]
    assert could[:3] == [WRITE, READ, WRITE]
    assert could.count(READ) < 8
    for _ in range(70):  # 2 reads only, from now on
        pages.access(1, 0, 0, WRITE)
        pages.finish()
        pages.access(2, 0, 0, READ)
        pages.finish()
    assert [pages.members[node].holders[0].right for node in (1, 2)] == [READ, READ]


def test_a_page_that_one_writes_and_another_reads_does_not_go_round() -> None:
    pages = SharedPages(3)
    for _ in range(20):
        pages.access(1, 0, 0, WRITE)
        pages.finish()
        pages.access(2, 0, 0, READ)
        pages.finish()
        assert pages.members[2].holders[0].right == READ


def test_a_page_that_goes_round_goes_with_who_is_rung() -> None:
    pages = SharedPages(2)
    for turn in range(6):
        read_then_write(pages, turn % 2, 0)
    read_then_write(pages, HOME, 0)
    assert pages.rings() == [("ring", 1, 0)]
    pages.ring(1, 0)
    pages.finish()
    assert pages.members[1].holders[0].right == WRITE
    assert pages.rings() == [("offer", 1, 0)]
    pages.offer(1, 0)
    pages.finish()
    assert pages.members[HOME].holders[0].right == WRITE
    assert pages.rings() == [("ring", 1, 0)]


def test_what_is_given_back_unasked_was_perhaps_just_wanted() -> None:
    pages = SharedPages(3)
    for turn in range(8):
        read_then_write(pages, 1 + turn % 2, 0)
    pages.access(1, 0, 0, READ)
    pages.call(1, 0)
    pages.deliver(1, HOME)
    pages.offer(2, 0)
    pages.access(2, 1, 0, READ)
    pages.finish()
    pages.read_all()
