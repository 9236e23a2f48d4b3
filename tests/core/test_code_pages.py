"""The protocol of the code map holds in every order of its steps, and nothing in it can be left out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import baonet.core.native
from tests.core.code_pages import (
    BUSY,
    CODE,
    MODIFIED,
    NONE,
    SEEN,
    UNSEEN,
    Protocol,
    State,
    Step,
    explore,
    having,
    serve,
)

EVERYTHING = ("run", "store", "line", "page", "all", "leave")
RUNNER, WRITER = ("run",), ("store", "line", "page", "all")
THREE = (
    (RUNNER, ("run", "all"), ("store", "all")),
    (RUNNER, ("run", "store", "line"), ("store", "page", "all")),
    (("run", "leave"), ("run", "leave", "page"), ("store", "all")),
    (("run", "store"), ("run", "store"), ("all", "line")),
)


@pytest.mark.parametrize("roles", [(EVERYTHING,) * 2, *THREE])
def test_no_stale_code_and_no_deadlock(roles: tuple[tuple[str, ...], ...]) -> None:
    states, way = explore(Protocol(*roles))
    assert way is None
    assert states > 1000


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_three_vcpus_that_do_everything() -> None:
    states, way = explore(Protocol(*(EVERYTHING,) * 3))
    assert way is None
    assert states > 1_000_000


def test_the_engine_names_every_step() -> None:
    """Its comments are the model's steps, so that who changes one finds the other."""
    native = Path(next(iter(baonet.core.native.__path__)))
    source = "".join(path.read_text() for path in sorted(native.rglob("*.c")))
    taken = set()

    class Named(Protocol):
        def next(self, state: State) -> Iterator[Step]:
            for name, after in super().next(state):
                taken.add(name.partition(": ")[2])
                yield name, after

    explore(Named(EVERYTHING, EVERYTHING))
    procedures = {name.partition(":")[0] for name in taken if ":" in name}
    commented = set(re.findall(rf"/\* ((?:{'|'.join(procedures)}): [^*]+?) \*/", source))
    elsewhere = {"store: land", "store: unseen", "run: nothing translated", "IC: end", "wait: done", "entered: serve"}
    assert commented == {name for name in taken if ":" in name} - elsewhere


class SharedPage(Protocol):
    """A page of memory that other VMs write to, at any time and unseen: IC IALLUIS takes it for modified."""

    def next(self, state: State) -> Iterator[Step]:
        yield from super().next(state)
        yield "another VM: land", self.land(state, 0)

    def step_all(self, state: State, n: int) -> Iterator[Step]:
        for name, after in super().step_all(state, n):
            yield name, having(after, n, at="forget") if state.word & CODE else after


@pytest.mark.parametrize("roles", [(EVERYTHING,) * 2, (RUNNER, ("run", "line"), ("all", "page"))])
def test_what_another_vm_writes_is_seen_after_an_ic(roles: tuple[tuple[str, ...], ...]) -> None:
    _, way = explore(SharedPage(*roles))
    assert way is None


def test_what_another_vm_writes_is_not_seen_as_modified() -> None:
    class Unshared(SharedPage):
        step_all = Protocol.step_all

    _, way = explore(Unshared(*THREE[0]))
    assert way is not None


# What it was before, and what each rule is for


class Before(Protocol):
    """Two bitmaps: a page is marked, then the siblings are waited for; it is forgotten first, then they are asked."""

    def step_mark(self, state: State, n: int) -> Iterator[Step]:
        if state.word & CODE:
            yield "mark: it is code", having(state, n, at="read")
        else:
            yield from self.step_mark_code(state, n)

    def step_mark_done(self, state: State, n: int) -> Iterator[Step]:
        yield "mark: go on", having(state, n, at="read", back="guest")

    def step_forget(self, state: State, n: int) -> Iterator[Step]:
        yield "forget: code", having(state, n, state.word & ~CODE, at="forget drop")

    def step_forget_drop(self, state: State, n: int) -> Iterator[Step]:
        dropped = having(state, n, state.word & ~MODIFIED, translation=NONE, doomed=0)
        yield "forget: modified", having(dropped, n, at="ask drop", left=self.siblings(n), back="end")


class BusyIsNobodysMatter(Protocol):
    """A page that another one is marking, or forgetting, is taken for code."""

    def step_mark(self, state: State, n: int) -> Iterator[Step]:
        if state.word & CODE:
            yield "mark: it is code", having(state, n, at="read")
        else:
            yield from super().step_mark(state, n)


class ForgottenFirst(Protocol):
    """The word is cleared before the siblings have dropped what they have."""

    def step_forget_drop(self, state: State, n: int) -> Iterator[Step]:
        for name, after in super().step_forget_drop(state, n):
            yield name, after._replace(word=BUSY)


class ModifiedAfterTheStore(Protocol):
    def step_store(self, state: State, n: int) -> Iterator[Step]:
        for name, after in super().step_store(state, n):
            yield name, self.land(after, n) if after.vcpus[n].at == "store modified" else after


class ServedAmidAStore(Protocol):
    """Between MODIFIED and the store itself, as when the store waits for something."""

    def step_store_land(self, state: State, n: int) -> Iterator[Step]:
        yield from super().step_store_land(state, n)
        if state.vcpus[n].asked:
            yield "store: serve", serve(state, n)


class NobodyCloses(Protocol):
    """Nobody waits until the siblings' TLBs see stores to the page."""

    def step_mark_code(self, state: State, n: int) -> Iterator[Step]:
        entry = SEEN if state.vcpus[n].entry == UNSEEN else state.vcpus[n].entry
        yield "mark: code", having(state, n, state.word | CODE, at="mark done", entry=entry)


@pytest.mark.parametrize(
    "protocol",
    [
        Before,
        BusyIsNobodysMatter,
        ForgottenFirst,
        ModifiedAfterTheStore,
        ServedAmidAStore,
        NobodyCloses,
    ],
)
def test_every_rule_is_needed(protocol: type[Protocol]) -> None:
    ways = [explore(protocol(*roles))[1] for roles in THREE]
    assert any(ways)


def test_what_it_was_before_fails_for_ivau_and_for_ialluis() -> None:
    for operation in ("line", "all"):
        _, way = explore(Before(("run", "page"), ("run", operation), ("store", operation)))
        assert way is not None
