"""Nodes that share pages under the host's clock, in steps of which any may be the next.

The directory and the holders are those that run; what is round them does what coherent.c and rights.c do.

Version 0 of a page is in home's memory at first; each write makes the next one, and each read is to see the last.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from baonet.core import _node

NONE, READ, WRITE = range(3)
HAS, ASKS, WAITS = range(3)
PAGES = 2
CORES = 2
HOME = 0

Say = tuple[bool, int, int, bool, bool]


@dataclass
class Lane:
    """``needs``: a right that it waits for, or is to use if ``granted``. ``cached``: its TLB, by page."""

    page: int = 0
    needs: int = NONE
    granted: bool = False
    called: bool = False
    cached: list[int] = field(default_factory=lambda: [NONE] * PAGES)
    recalls: list[tuple[int, int]] = field(default_factory=list)


class Member:
    def __init__(self, number: int) -> None:
        self.number = number
        self.holders = [_node.Holder(NONE if number else WRITE) for _ in range(PAGES)]
        self.memory = [0 if number == HOME else -1] * PAGES
        self.lanes = [Lane() for _ in range(CORES)]
        self.users: list[set[int]] = [set() for _ in range(PAGES)]
        self.deferred: list[int] = []
        self.letting: list[int] = []  # pages of which cores are still to let go
        self.rounds: set[int] = set()  # pages that go round, as home has said
        self.offered: set[int] = set()  # given back unasked since they were granted

    def may(self, page: int) -> int:
        """What its cores may do with a page at this moment."""
        return max(self.holders[page].right, *(lane.cached[page] for lane in self.lanes))


class SharedPages:
    """``count`` nodes, of which 0 is home. AssertionError: the protocol is wrong."""

    def __init__(self, count: int) -> None:
        self.members = {number: Member(number) for number in range(count)}
        self.directories = [_node.Directory() for _ in range(PAGES)]
        self.queues: dict[tuple[int, int], deque[tuple[str, int, int, int | None, bool]]] = {}
        for number in range(1, count):
            self.queues[HOME, number], self.queues[number, HOME] = deque(), deque()
        self.latest = [0] * PAGES
        self.lent = [0] * PAGES  # the version that the last writer was granted
        self.amid: dict[int, deque[Say]] = {}

    # Steps

    def step(self, choice: int, more: int) -> None:
        """One of what can happen now: ``choice`` says which, and ``more`` how."""
        if choice >= 252 and len(self.members) > 1:
            self.lose(sorted(self.members)[1 + more % (len(self.members) - 1)])
            return
        wants = [("want", number, lane) for number in self.members for lane in range(CORES)]
        can = [*self.due(), *self.rings(), *wants]
        kind, first, second = can[choice % len(can)]
        if kind != "want":
            self.do(kind, first, second)
        elif not self.members[first].lanes[second].needs:
            self.access(first, second, more % PAGES, READ + more // PAGES % 2)

    def rings(self) -> list[tuple[str, int, int]]:
        """Home says something to a node, or it to home, ahead of which a page may go."""
        others = [(number, page) for number in self.members if number != HOME for page in range(PAGES)]
        pushed = [("ring", *each) for each in others if self.directories[each[1]].goes_round(each[0])]
        return pushed + [("offer", number, page) for number, page in others if page in self.members[number].rounds]

    def due(self) -> list[tuple[str, int, int]]:
        found = [("deliver", *ends) for ends, queue in self.queues.items() if queue]
        for number, member in self.members.items():
            for index, lane in enumerate(member.lanes):
                if lane.called:
                    found.append(("call", number, index))
                if lane.recalls:
                    found.append(("serve", number, index))
                if lane.granted:
                    found.append(("use", number, index))
        return found

    def do(self, kind: str, first: int, second: int) -> None:
        getattr(self, kind)(first, second)

    def access(self, number: int, index: int, page: int, right: int) -> None:
        """By an entry of the TLB, if there is one that will do."""
        member = self.members[number]
        lane = member.lanes[index]
        if lane.cached[page] < right:
            member.users[page].add(index)
            if member.holders[page].right < right:
                lane.page, lane.needs, lane.called = page, right, True
                return
            lane.cached[page] = member.holders[page].right
        version = member.memory[page]
        assert version == self.latest[page], f"node {number} reads {version} of page {page}, not {self.latest[page]}"
        if right == WRITE:
            member.memory[page] = self.latest[page] = self.latest[page] + 1

    def use(self, number: int, index: int) -> None:
        lane = self.members[number].lanes[index]
        needs, lane.needs, lane.granted = lane.needs, NONE, False
        self.access(number, index, lane.page, needs)
        lane.called = True

    def serve(self, number: int, index: int) -> None:
        lane = self.members[number].lanes[index]
        for page, left in lane.recalls:
            lane.cached[page] = min(lane.cached[page], left)
        lane.recalls.clear()
        lane.called = True

    def call(self, number: int, index: int) -> None:
        member = self.members[number]
        lane = member.lanes[index]
        lane.called = False
        self.retry(member)
        for page in [page for page in member.letting if not self.keeps(member, page)]:
            member.letting.remove(page)
            self.gave(member, page)
        if lane.needs and not lane.granted:
            self.want(member, index)

    def deliver(self, source: int, target: int) -> None:
        kind, page, right, version, goes_round = self.take(self.queues[source, target])
        member = self.members[target]
        if kind == "want":
            for each in range(page, PAGES if version else page + 1):
                self.wanted(source, each, right, ahead=each != page)
        elif kind == "gave":
            self.returned(source, page, right, version)
        elif kind == "grant":
            if version is not None:
                assert member.holders[page].right == NONE
                member.memory[page] = version
            self.granted(member, page, right, goes_round)
        else:
            self.recalled(member, page, right)

    def lose(self, number: int) -> None:
        """It and all that is on its way; but what it said before has been delivered, or has not, by then."""
        del self.members[number], self.queues[HOME, number], self.queues[number, HOME]
        for page, directory in enumerate(self.directories):
            if directory.right(number) == WRITE:
                version = self.members[HOME].memory[page]
                assert version == self.lent[page], f"{version} of page {page} is left, not {self.lent[page]}"
                self.latest[page] = version
            self.act(page, directory.lost(number))

    def ring(self, member: int, page: int) -> None:
        self.act(page, self.directories[page].want(member, READ))

    def offer(self, number: int, page: int) -> None:
        member = self.members[number]
        member.rounds.discard(page)
        if member.holders[page].offer():
            member.offered.add(page)
            self.free(member, page)

    # What a node does

    def want(self, member: Member, index: int) -> None:
        lane = member.lanes[index]
        answer = member.holders[lane.page].want(lane.needs)
        if answer == HAS:
            lane.granted = True
        elif answer == ASKS and member.number == HOME:
            self.act(lane.page, self.directories[lane.page].want(HOME, lane.needs))
            if lane.needs == READ:
                self.ask_ahead(lane.page + 1)
        elif answer == ASKS:
            self.queues[member.number, HOME].append(("want", lane.page, lane.needs, lane.needs == READ, False))

    def granted(self, member: Member, page: int, right: int, goes_round: bool) -> None:
        done = member.holders[page].granted(right, goes_round)
        assert done, f"node {member.number} cannot be granted {right} of page {page}"
        member.offered.discard(page)
        if goes_round:
            member.rounds.add(page)
        else:
            member.rounds.discard(page)
        self.serve_waiting(member, page)

    def serve_waiting(self, member: Member, page: int) -> None:
        for index, lane in enumerate(member.lanes):
            if lane.page == page and lane.needs and not lane.granted:
                self.want(member, index)

    def recalled(self, member: Member, page: int, right: int) -> None:
        assert member.holders[page].recalled(right), f"node {member.number} has nothing of page {page} to give back"
        if page not in member.offered:
            self.free(member, page)

    def retry(self, member: Member) -> None:
        pages, member.deferred = member.deferred, []
        for page in pages:
            self.free(member, page)

    def free(self, member: Member, page: int) -> None:
        if any(lane.granted and lane.page == page for lane in member.lanes):
            member.deferred.append(page)
            return
        if not member.holders[page].free():
            return
        member.rounds.discard(page)
        left = member.holders[page].right
        for index in member.users[page]:
            member.lanes[index].recalls.append((page, left))
        if left == NONE:
            member.users[page].clear()
        if self.keeps(member, page):
            member.letting.append(page)
        else:
            self.gave(member, page)

    def keeps(self, member: Member, page: int) -> bool:
        return any(page == recall for lane in member.lanes for recall, _ in lane.recalls)

    def gave(self, member: Member, page: int) -> None:
        left, carries = member.holders[page].given()
        if member.number == HOME:
            self.act(page, self.accepted(HOME, page, left))
        else:
            version = member.memory[page] if carries else None
            self.queues[member.number, HOME].append(("gave", page, left, version, False))
            if page in member.offered:
                self.serve_waiting(member, page)

    def take(self, queue: deque[tuple[str, int, int, int | None, bool]]) -> tuple[str, int, int, int | None, bool]:
        return queue.popleft()

    # What home does

    def wanted(self, member: int, page: int, right: int, *, ahead: bool) -> None:
        directory, home = self.directories[page], self.members[HOME]
        if ahead and not (directory.rests() and directory.right(member) == NONE and self.has_at_home(page)):
            return
        if directory.rests() and home.holders[page].right == WRITE and not home.users[page]:
            right = WRITE
        self.act(page, directory.want(member, right))

    def ask_ahead(self, first: int) -> None:
        """For home, what other nodes write and nobody waits for."""
        for page in range(first, PAGES):
            if self.directories[page].rests() and self.directories[page].right(HOME) == NONE:
                self.act(page, self.directories[page].want(HOME, READ))

    def has_at_home(self, page: int) -> bool:
        return all(self.directories[page].right(number) != WRITE for number in self.members if number != HOME)

    def returned(self, member: int, page: int, left: int, version: int | None) -> None:
        assert (self.directories[page].right(member) == WRITE) == (version is not None)
        if version is not None:
            self.members[HOME].memory[page] = version
        self.act(page, self.accepted(member, page, left))

    def accepted(self, member: int, page: int, left: int) -> list[Say]:
        says = self.directories[page].gave(member, left)
        assert says is not None, f"node {member} keeps {left} of page {page}, which it was not asked to"
        again = any(not grants and number == member for grants, number, *_ in says)
        assert again or self.directories[page].gave(member, left) is None  # it does not give twice
        return says

    def act(self, page: int, says: list[Say]) -> None:
        """What comes of one is said behind the others."""
        if page in self.amid:
            self.amid[page].extend(says)
            return
        queue = self.amid[page] = deque(says)
        while queue:
            self.say(page, *queue.popleft())
        del self.amid[page]

    def say(self, page: int, grants: bool, number: int, right: int, *how: bool) -> None:
        carries, goes_round = how
        if grants and right == WRITE:
            self.lent[page] = self.latest[page]
        member = self.members[number]
        if number != HOME:
            version = self.members[HOME].memory[page] if carries else None
            self.queues[HOME, number].append(("grant" if grants else "recall", page, right, version, goes_round))
        elif not grants:
            self.recalled(member, page, right)
        elif right >= member.holders[page].right:
            self.granted(member, page, right, goes_round)

    # What holds

    def check(self) -> None:
        for page in range(PAGES):
            rights = {number: member.may(page) for number, member in self.members.items()}
            if WRITE in rights.values():
                assert sum(map(bool, rights.values())) == 1, f"page {page}: {rights}"

    def finish(self) -> None:
        """All that can happen does, and then nobody waits."""
        for _ in range(10_000):
            if not (due := self.due()):
                break
            self.do(*due[0])
            self.check()
        waiting = [(n, lane) for n, member in self.members.items() for lane in member.lanes if lane.needs]
        assert not self.due(), "they go on for ever"
        assert not waiting, f"they wait for ever: {waiting}"
        assert all(directory.rests() for directory in self.directories)

    def read_all(self) -> None:
        for number in self.members:
            for page in range(PAGES):
                self.access(number, 0, page, READ)
                self.finish()
