"""What a node knows of the pages that it has, and of its pcpus that wait for one.

A pcpu that may not have a page yet waits, and tries its instruction again when the page has come. It may need several
pages at once, and what has come for it is not to go before it has had them all: otherwise two nodes could take pages
from each other for ever. So a page is held for the instruction that it came for, until that has retired, or an older
one of another node wants it. The oldest of all gets what it needs, so some instruction always does; and what a node
asks for next is younger than what it has heard of, so each is the oldest in time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import final

from baonet.coherence.messages import (
    YOUNGEST,
    Age,
    Ask,
    CoherenceError,
    FromHome,
    Gone,
    Grant,
    NodeNumber,
    Page,
    Recall,
    Returned,
    Right,
    ToHome,
)


@final
@dataclass(frozen=True, slots=True)
class Retry:
    """A pcpu may try its instruction again."""

    pcpu: int


@final
@dataclass(frozen=True, slots=True)
class PageLost:
    """The instruction of a pcpu needs a page that is lost."""

    pcpu: int
    page: Page


@final
@dataclass(frozen=True, slots=True)
class Revoke:
    """Let no pcpu have more of a page than ``right``; when they all have left it, call ``revoked``."""

    page: Page
    right: Right


Action = Retry | PageLost | Revoke


@final
@dataclass(slots=True)
class _Page:
    """``asked``: what the home has not granted yet. ``recall``: what is to be kept when no instruction holds it."""

    right: Right = Right.NONE
    asked: Ask | None = None
    recall: Recall | None = None
    revoking: Right | None = None


@final
@dataclass(slots=True)
class _Stall:
    """An instruction that waits, or is to try again: what it needs as far as is known, and for what it waits."""

    age: Age
    needs: dict[Page, Right] = field(default_factory=dict)
    waits: Page | None = None


class Residency:
    """Of node ``node``. ``home`` tells whose a page is; that node has the right to write to it at first.

    ``sends`` is what the node has to say, each with its receiver, and ``actions`` what is to be done here; the caller
    takes them out, in order, after every call. With a Grant that carries, the bytes are in place before it is heard; of
    a Returned that carries, they are read when it is sent.
    """

    def __init__(self, node: NodeNumber, home: Callable[[Page], NodeNumber]) -> None:
        self.node = node
        self.sends: list[tuple[NodeNumber, ToHome]] = []
        self.actions: list[Action] = []
        self._home = home
        self._pages: dict[Page, _Page] = {}
        self._stalls: dict[int, _Stall] = {}
        self._lost: set[NodeNumber] = set()
        self._moment = 0

    def right(self, page: Page) -> Right:
        """What pcpus may have now: less than what the node has while that is revoked."""
        entry = self._page(page)
        return entry.right if entry.revoking is None else min(entry.right, entry.revoking)

    # The pcpus

    def miss(self, pcpu: int, page: Page, right: Right) -> None:
        """A pcpu has come to an instruction that needs more of a page than it may have."""
        stall = self._stalls.get(pcpu)
        if stall is None:
            self._moment += 1
            stall = self._stalls[pcpu] = _Stall(Age(self._moment, self.node))
        stall.needs[page] = max(right, stall.needs.get(page, Right.NONE))
        stall.waits = page
        self._look(page)

    def retired(self, pcpu: int) -> None:
        """The instruction that had to wait has been done, or will not be any more."""
        stall = self._stalls.pop(pcpu, None)
        for page in stall.needs if stall is not None else ():
            self._yield(page)

    def ahead(self, page: Page) -> None:
        """Have a page here to read before an instruction needs it."""
        entry = self._page(page)
        if entry.right is Right.NONE and entry.asked is None and self._home(page) not in self._lost:
            self._ask(page, Right.READ, YOUNGEST)

    def give_back(self, page: Page) -> None:
        """Have it no more, unless an instruction needs it, or more of it is on the way."""
        entry = self._page(page)
        if entry.right is not Right.NONE and entry.asked is None:
            self._recalled(Recall(page, Right.NONE, YOUNGEST))

    def revoked(self, page: Page) -> None:
        """As ``Revoke`` has asked for."""
        entry = self._page(page)
        assert entry.revoking is not None
        had, entry.right, entry.revoking = entry.right, entry.revoking, None
        self.sends.append((self._home(page), Returned(page, entry.right, carries=had is Right.WRITE)))
        self._yield(page)
        self._look(page)

    # The homes

    def hear(self, source: NodeNumber, message: FromHome) -> None:
        """Raises CoherenceError for what the page's home has not said."""
        if self._home(message.page) != source:
            raise CoherenceError(f"node {source} is not the home of page {message.page:#x}")
        match message:
            case Grant(page, right):
                entry = self._page(page)
                entry.right = max(entry.right, right)
                if entry.asked is not None and right >= entry.asked.right:
                    entry.asked = None
                self._look(page)
            case Recall():
                self._moment = max(self._moment, message.age.moment if message.age != YOUNGEST else 0)
                self._recalled(message)
            case Gone(page):
                self._page(page).asked = None
                self._fail(page)

    def lost(self, node: NodeNumber) -> None:
        """A node is no more: what it was the home of, nobody can be asked for."""
        self._lost.add(node)
        for page in [page for page in self._pages if self._home(page) == node]:
            self._page(page).asked = None
            self._look(page)

    def _page(self, page: Page) -> _Page:
        entry = self._pages.get(page)
        if entry is None:
            entry = self._pages[page] = _Page(Right.WRITE if self._home(page) == self.node else Right.NONE)
        return entry

    def _look(self, page: Page) -> None:
        """Let those go on whose wait for a page is over, and ask for the oldest of those whose is not."""
        waiting = [(stall.age, pcpu, stall) for pcpu, stall in self._stalls.items() if stall.waits == page]
        right, wanted, oldest = self.right(page), Right.NONE, YOUNGEST
        for age, pcpu, stall in sorted(waiting, key=lambda each: each[0]):
            if stall.needs[page] <= right:
                stall.waits = None
                self.actions.append(Retry(pcpu))
            else:
                wanted, oldest = max(wanted, stall.needs[page]), min(oldest, age)
        entry = self._page(page)
        if wanted is Right.NONE or entry.revoking is not None:  # what is revoked is to be returned first
            return
        if self._home(page) in self._lost:
            self._fail(page)
        elif entry.asked is None or oldest < entry.asked.age:
            self._ask(page, wanted if entry.asked is None else max(wanted, entry.asked.right), oldest)

    def _ask(self, page: Page, right: Right, age: Age) -> None:
        self._page(page).asked = message = Ask(page, right, age)
        self.sends.append((self._home(page), message))

    def _fail(self, page: Page) -> None:
        for pcpu, stall in self._stalls.items():
            if stall.waits == page:
                stall.waits = None
                self.actions.append(PageLost(pcpu, page))

    def _recalled(self, recall: Recall) -> None:
        entry = self._page(recall.page)
        before = entry.recall
        if before is not None:
            recall = Recall(recall.page, min(recall.right, before.right), min(recall.age, before.age))
        entry.recall = recall
        self._yield(recall.page)

    def _yield(self, page: Page) -> None:
        """Do what was recalled, if no older instruction holds the page."""
        entry = self._page(page)
        recall = entry.recall
        if recall is None or entry.revoking is not None:
            return
        if entry.right <= recall.right:
            entry.recall = None
            return
        for stall in self._stalls.values():
            if recall.right < stall.needs.get(page, Right.NONE) <= entry.right and stall.age < recall.age:
                return
        entry.recall, entry.revoking = None, recall.right
        self.actions.append(Revoke(page, recall.right))
