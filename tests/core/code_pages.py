"""The protocol of the code map as a model: what ``native/pages.c`` does to one page of RAM, a step at a time.

Every vCPU of a VM translates code of a page, stores to it, and maintains instruction caches; the page's state is one
word that they share. A step is one look at shared memory, or one change of it, and ``explore`` tries all orders of
them. The names of the steps are those in the comments of the engine.

The word has three bits: CODE, somebody may have a translation of the page; MODIFIED, it was stored to since it became
code; BUSY, a vCPU is about to change CODE. What the steps are for:

* Bytes are read for a translation only after a look that found CODE and not BUSY, and nothing is served between that
  look and the translation's entry into the tables.
* While there is CODE and not BUSY, no TLB has the page open for stores that nobody sees.
* CODE goes when no vCPU has a translation: BUSY keeps new ones away, then all are dropped, then the word becomes 0 at
  once. So who finds no CODE after a store has nothing to do.
* MODIFIED is set before the store lands, and nothing is served in between: who finds it set, and has all translations
  dropped, has waited for the store.

What must never happen: a vCPU runs a translation of bytes that had been replaced when an IC began which has ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

CODE, MODIFIED, BUSY = 1, 2, 4
TRACK, DROP = 1, 2  # what a sibling is asked for

NONE, FRESH, OLD, STALE = 0, 1, 2, 3  # a translation: of the bytes that are there, of others, and it must be gone
CLOSED, SEEN, UNSEEN = 0, 1, 2  # what a store to the page meets in the TLB


class Vcpu(NamedTuple):
    at: str = "guest"
    back: str = "guest"  # where the procedure that it is in returns to
    translation: int = NONE
    doomed: int = 0  # the vCPUs whose IC, still on its way, that translation must not survive
    entry: int = CLOSED
    asked: int = 0  # what it has been asked for and has not served
    waits: int = 0  # vCPUs that have not served this one's request
    left: int = 0  # siblings that it has not asked yet
    inside: bool = True  # in the guest


class State(NamedTuple):
    word: int
    vcpus: tuple[Vcpu, ...]


class StaleCodeError(Exception):
    """A vCPU ran what an IC had said is gone."""


Step = tuple[str, State]


def having(state: State, n: int, word: int | None = None, **fields: object) -> State:
    vcpus = list(state.vcpus)
    vcpus[n] = vcpus[n]._replace(**fields)  # type: ignore[arg-type]
    return State(state.word if word is None else word, tuple(vcpus))


def serve(state: State, n: int) -> State:
    """What vCPU ``n`` was asked for, at the start of a block or while it waits."""
    served = []
    for m, vcpu in enumerate(state.vcpus):
        changed = vcpu._replace(waits=vcpu.waits & ~(1 << n)) if vcpu.waits >> n & 1 else vcpu
        if m == n:
            if vcpu.asked & TRACK and vcpu.entry == UNSEEN:
                changed = changed._replace(entry=SEEN)
            if vcpu.asked & DROP:
                changed = changed._replace(translation=NONE, doomed=0)
            changed = changed._replace(asked=0)
        served.append(changed)
    return State(state.word, tuple(served))


class Protocol:
    """What each vCPU may do, again and again: ``run``, ``store``, IC IVAU (``line``), the IC IVAU that forgets the page
    (``page``), IC IALLUIS (``all``), ``leave`` the guest and come back.
    """

    def __init__(self, *roles: tuple[str, ...]) -> None:
        self.roles = roles
        self.steps: dict[str, Callable[[State, int], Iterator[Step]]] = {
            name.removeprefix("step_").replace("_", " "): getattr(self, name)
            for name in dir(self)
            if name.startswith("step_")
        }

    def start(self) -> State:
        return State(0, tuple(Vcpu() for _ in self.roles))

    def next(self, state: State) -> Iterator[Step]:
        """Every step that any vCPU can take."""
        for n, vcpu in enumerate(state.vcpus):
            for name, after in self.steps[vcpu.at](state, n):
                yield f"{n}: {name}", after

    # In the guest, between two instructions

    def step_guest(self, state: State, n: int) -> Iterator[Step]:
        if state.vcpus[n].asked:
            yield "serve", serve(state, n)
        for role in self.roles[n]:
            if role != "run" or not state.vcpus[n].asked:  # a block begins with a look at the kick word
                yield from self.steps[role](state, n)

    def step_run(self, state: State, n: int) -> Iterator[Step]:
        translation = state.vcpus[n].translation
        if translation == STALE:
            raise StaleCodeError
        if translation == NONE:
            yield "run: nothing translated", having(state, n, at="mark", back="guest")

    def step_leave(self, state: State, n: int) -> Iterator[Step]:
        yield "leave", having(state, n, at="outside", inside=False)

    def step_outside(self, state: State, n: int) -> Iterator[Step]:
        yield "enter", having(state, n, at="entered", inside=True)

    def step_entered(self, state: State, n: int) -> Iterator[Step]:
        yield "entered: serve", having(serve(state, n), n, at="guest")

    # A translation

    def step_mark(self, state: State, n: int) -> Iterator[Step]:
        if state.word & (CODE | BUSY) == CODE:
            yield "mark: it is code", having(state, n, at="read")
        elif state.word & BUSY:
            if state.vcpus[n].asked:
                yield "busy: serve", serve(state, n)
        else:
            yield "mark: busy", having(state, n, state.word | BUSY, at="mark code")

    def step_mark_code(self, state: State, n: int) -> Iterator[Step]:
        entry = SEEN if state.vcpus[n].entry == UNSEEN else state.vcpus[n].entry
        marked = having(state, n, state.word | CODE, at="ask track", entry=entry, left=self.siblings(n))
        yield "mark: code", having(marked, n, back="mark done")

    def step_mark_done(self, state: State, n: int) -> Iterator[Step]:
        yield "mark: not busy", having(state, n, state.word & ~BUSY, at="mark", back="guest")

    def step_read(self, state: State, n: int) -> Iterator[Step]:
        yield "read", having(state, n, at="guest", translation=FRESH, doomed=0)

    # Requests to the siblings

    def siblings(self, n: int) -> int:
        return (1 << len(self.roles)) - 1 & ~(1 << n)

    def ask(self, state: State, n: int, what: int) -> Iterator[Step]:
        vcpu = state.vcpus[n]
        m = (vcpu.left & -vcpu.left).bit_length() - 1
        sibling = state.vcpus[m]
        after = having(state, m, asked=sibling.asked | what)
        left = vcpu.left & ~(1 << m)
        waits = vcpu.waits | (1 << m if sibling.inside else 0)
        yield f"ask {m}", having(after, n, left=left, waits=waits, at=vcpu.at if left else "wait")

    def step_ask_track(self, state: State, n: int) -> Iterator[Step]:
        yield from self.ask(state, n, TRACK)

    def step_ask_drop(self, state: State, n: int) -> Iterator[Step]:
        yield from self.ask(state, n, DROP)

    def step_wait(self, state: State, n: int) -> Iterator[Step]:
        vcpu = state.vcpus[n]
        if vcpu.asked:
            yield "wait: serve", serve(state, n)
        outside = sum(1 << m for m, sibling in enumerate(state.vcpus) if not sibling.inside)
        if not vcpu.waits & ~outside:
            yield "wait: done", having(state, n, waits=0, at=vcpu.back)

    # A store: to an entry that is open without a word, or to one that is seen

    def step_store(self, state: State, n: int) -> Iterator[Step]:
        match state.vcpus[n].entry:
            case 0:
                entry = SEEN if state.word & CODE else UNSEEN
                yield "store: fill", having(state, n, entry=entry)
            case 1:
                yield "store: drop my own", having(state, n, at="store modified", translation=NONE, doomed=0)
            case _:
                yield "store: unseen", self.land(state, n)

    def step_store_modified(self, state: State, n: int) -> Iterator[Step]:
        if state.word & CODE:
            yield "store: modified", having(state, n, state.word | MODIFIED, at="store land")
        else:
            yield "store: no code", having(state, n, at="store open")

    def step_store_open(self, state: State, n: int) -> Iterator[Step]:
        entry = SEEN if state.word & CODE else UNSEEN
        yield "store: open", having(state, n, at="store land", entry=entry)

    def step_store_land(self, state: State, n: int) -> Iterator[Step]:
        yield "store: land", self.land(having(state, n, at="guest"), n)

    def land(self, state: State, n: int) -> State:
        return State(
            state.word,
            tuple(v._replace(translation=OLD) if v.translation == FRESH else v for v in state.vcpus),
        )

    # IC

    def begin(self, state: State, n: int) -> State:
        """What is old now must be gone when the IC of vCPU ``n`` ends."""
        return State(
            state.word,
            tuple(v._replace(doomed=v.doomed | 1 << n) if v.translation == OLD else v for v in state.vcpus),
        )

    def step_end(self, state: State, n: int) -> Iterator[Step]:
        ended = tuple(v._replace(translation=STALE, doomed=0) if v.doomed >> n & 1 else v for v in state.vcpus)
        yield "IC: end", having(State(state.word, ended), n, at="guest", back="guest")

    def step_line(self, state: State, n: int) -> Iterator[Step]:
        begun = self.begin(state, n)
        if state.word & CODE:
            yield (
                "line: line",
                having(begun, n, at="ask drop", left=self.siblings(n), back="end", translation=NONE, doomed=0),
            )
        else:
            yield "line: no code", having(begun, n, at="end")

    def step_page(self, state: State, n: int) -> Iterator[Step]:
        begun = self.begin(state, n)
        if state.word & CODE:
            yield "line: page", having(begun, n, at="forget")
        else:
            yield "line: no code", having(begun, n, at="end")

    def step_all(self, state: State, n: int) -> Iterator[Step]:
        begun = self.begin(state, n)
        if state.word & (CODE | MODIFIED) == CODE | MODIFIED:
            yield "all: modified", having(begun, n, at="forget")
        else:
            yield "all: not modified", having(begun, n, at="end")

    # The page is data again

    def step_forget(self, state: State, n: int) -> Iterator[Step]:
        if not state.word & BUSY:
            yield "forget: busy", having(state, n, state.word | BUSY, at="forget drop")
        elif state.vcpus[n].asked:
            yield "busy: serve", serve(state, n)

    def step_forget_drop(self, state: State, n: int) -> Iterator[Step]:
        if state.word & CODE:
            yield (
                "forget: drop",
                having(state, n, at="ask drop", left=self.siblings(n), back="forget done", translation=NONE, doomed=0),
            )
        else:
            yield "forget: no code", having(state, n, at="forget done")

    def step_forget_done(self, state: State, n: int) -> Iterator[Step]:
        yield "forget: data", having(state, n, 0, at="end")


def explore(protocol: Protocol) -> tuple[int, list[str] | None]:
    """Every state that can be reached: how many, and the shortest way to stale code, if there is one.

    A state in which nobody can do anything is a deadlock: AssertionError.
    """
    start = protocol.start()
    came: dict[State, tuple[State, str] | None] = {start: None}
    wave = [start]
    while wave:
        following = []
        for state in wave:
            stuck = True
            try:
                for name, after in protocol.next(state):
                    stuck = False
                    if after not in came:
                        came[after] = (state, name)
                        following.append(after)
            except StaleCodeError:
                return len(came), way(came, state)
            assert not stuck, way(came, state)
        wave = following
    return len(came), None


def way(came: dict[State, tuple[State, str] | None], state: State) -> list[str]:
    names = []
    while (before := came[state]) is not None:
        state, name = before
        names.append(name)
    return names[::-1]
