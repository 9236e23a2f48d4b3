"""What a home knows of its pages: who has them, and who waits for them.

One request a page is served at a time, the oldest first. All who have more than it leaves them are recalled, and it is
granted when they all have answered, or are lost. A request that is older than the one that is served has the same
recalls sent again with its age: who holds the page for an instruction lets go for an older one alone (``residency``).

The bytes of a page that nobody may write to are the home's, whether or not its own pcpus may read them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import final

from baonet.coherence.messages import (
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
)


@final
@dataclass(slots=True)
class _Entry:
    """``served``: whose request; ``recalled``: what was last told to those who have not returned so much yet."""

    writer: NodeNumber | None
    readers: set[NodeNumber] = field(default_factory=set)
    requests: dict[NodeNumber, tuple[Right, Age]] = field(default_factory=dict)
    served: NodeNumber | None = None
    recalled: dict[NodeNumber, Recall] = field(default_factory=dict)
    gone: bool = False

    def right(self, node: NodeNumber) -> Right:
        """It has that, or it is on its way there, or back."""
        if node == self.writer:
            return Right.WRITE
        return Right.READ if node in self.readers else Right.NONE


class Directory:
    """Of the pages whose home is ``home``, which has all of them to itself at first; ``home_of`` tells whose a page is.

    ``sends`` is what it has to say, in order, each with its receiver; the caller takes it out after every call. Whoever
    calls passes each message on once, in the order in which its node has said it.
    """

    def __init__(self, home: NodeNumber, home_of: Callable[[Page], NodeNumber]) -> None:
        self.home = home
        self._home_of = home_of
        self.sends: list[tuple[NodeNumber, FromHome]] = []
        self._entries: dict[Page, _Entry] = {}
        self._lost: set[NodeNumber] = set()

    def ask(self, node: NodeNumber, message: Ask) -> None:
        """Raises CoherenceError for a request that nobody makes, or of another home's page."""
        if message.right is Right.NONE:
            raise CoherenceError(f"node {node} asks for no right to page {message.page:#x}")
        if node in self._lost:
            return
        entry = self._entry(message.page)
        if message.right <= entry.right(node):  # said again, when it had been granted
            return
        right, age = entry.requests.get(node, (message.right, message.age))
        entry.requests[node] = max(right, message.right), min(age, message.age)
        self._go_on(message.page, entry)

    def returned(self, node: NodeNumber, message: Returned) -> None:
        """The bytes, if it carries them, are in place. Raises CoherenceError for what the node does not have."""
        if node in self._lost:
            return
        entry = self._entry(message.page)
        had = entry.right(node)
        if message.right >= had or message.carries is not (had is Right.WRITE):
            raise CoherenceError(f"node {node} returns page {message.page:#x}, to which it has the right {had.name}")
        self._keep(entry, node, message.right)
        self._go_on(message.page, entry)

    def lost(self, node: NodeNumber) -> None:
        """A node is no more, and all that it had said has been taken."""
        self._lost.add(node)
        for page, entry in self._entries.items():
            entry.requests.pop(node, None)
            if entry.served == node:
                entry.served = None
            entry.gone |= entry.writer == node
            self._keep(entry, node, Right.NONE)
            self._go_on(page, entry)

    def _entry(self, page: Page) -> _Entry:
        entry = self._entries.get(page)
        if entry is None:
            if self._home_of(page) != self.home:
                raise CoherenceError(f"the home of page {page:#x} is another than node {self.home}")
            entry = self._entries[page] = _Entry(self.home)
        return entry

    @staticmethod
    def _keep(entry: _Entry, node: NodeNumber, right: Right) -> None:
        if entry.writer == node:
            entry.writer = None
        if right is Right.READ:
            entry.readers.add(node)
        else:
            entry.readers.discard(node)
        if node in entry.recalled and right <= entry.recalled[node].right:
            del entry.recalled[node]

    def _go_on(self, page: Page, entry: _Entry) -> None:
        """Serve as many requests as nobody has to be waited for."""
        while entry.requests:
            if entry.gone:
                self._refuse(page, entry)
                return
            if entry.served is None:
                entry.served = min(entry.requests, key=lambda node: entry.requests[node][1])
            if not self._recall(page, entry, entry.served):
                return
            self._grant(page, entry, entry.served)

    def _refuse(self, page: Page, entry: _Entry) -> None:
        self.sends += ((node, Gone(page)) for node in entry.requests)
        entry.requests.clear()
        entry.served = None

    def _recall(self, page: Page, entry: _Entry, served: NodeNumber) -> bool:
        """Whether nobody has more of the page than a request leaves; who has is told, and again for an older one."""
        writes = entry.requests[served][0] is Right.WRITE
        having = {entry.writer, *entry.readers} if writes else {entry.writer}
        awaited = {node: Right.NONE if writes else Right.READ for node in having if node is not None and node != served}
        for node, earlier in entry.recalled.items():  # for somebody who is lost: it is still to be returned
            if node in awaited or node == served:
                awaited[node] = min(awaited.get(node, earlier.right), earlier.right)
        oldest = min(age for _, age in entry.requests.values())
        for node, right in sorted(awaited.items()):
            recall = Recall(page, right, oldest)
            if entry.recalled.get(node) != recall:
                entry.recalled[node] = recall
                self.sends.append((node, recall))
        return not awaited

    def _grant(self, page: Page, entry: _Entry, node: NodeNumber) -> None:
        right, _ = entry.requests.pop(node)
        carries = entry.right(node) is Right.NONE and node != self.home
        if right is Right.WRITE:
            entry.writer = node
            entry.readers.clear()
        else:
            entry.readers.add(node)
        self.sends.append((node, Grant(page, right, carries)))
        entry.served = None
