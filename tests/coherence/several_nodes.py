"""Nodes with cores, memory and channels, in which every step of the protocol is one of the test's.

A core's instruction reads and writes several pages at once, when its node has the rights to all of them. What it reads
is to be what was last written by anybody, and while a node may write nobody else may read.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from baonet.coherence.directory import Directory
from baonet.coherence.messages import Ask, FromHome, Grant, Returned, Right, ToHome
from baonet.coherence.residency import PageLost, Residency, Retry, Revoke

CORES = 2
PAGES = 3


@dataclass
class Instruction:
    """``tries``: it is not known to wait."""

    needs: dict[int, Right]
    tries: bool = True


@dataclass
class _Node:
    residency: Residency
    directory: Directory
    memory: dict[int, int] = field(default_factory=dict)
    running: dict[int, Instruction] = field(default_factory=dict)
    revoking: dict[int, Right] = field(default_factory=dict)
    failed: int = 0


Packet = tuple[ToHome | FromHome, int | None]


class SeveralNodes:
    """``make_directory``, ``make_residency``: another protocol, that is to be found wrong."""

    def __init__(
        self,
        count: int,
        make_directory: type[Directory] = Directory,
        make_residency: type[Residency] = Residency,
    ) -> None:
        def home_of(page: int) -> int:
            return page % count

        self.nodes = {
            node: _Node(make_residency(node, home_of), make_directory(node, home_of)) for node in range(count)
        }
        self.channels: dict[tuple[int, int], deque[Packet]] = {}
        self.ended: set[tuple[int, int]] = set()  # node and whose loss it has not been told yet
        self.written: dict[int, int] = {}

    # What may happen next

    def start(self, node: int, core: int, needs: dict[int, Right]) -> None:
        self.nodes[node].running[core] = Instruction(needs)

    def idle(self) -> Iterator[tuple[int, int]]:
        return ((n, core) for n, node in self.nodes.items() for core in range(CORES) if core not in node.running)

    def trying(self) -> list[tuple[int, int]]:
        return [(n, core) for n, node in self.nodes.items() for core, each in node.running.items() if each.tries]

    def full(self) -> list[tuple[int, int]]:
        return [ends for ends, channel in self.channels.items() if channel]

    def revoking(self) -> list[tuple[int, int]]:
        return [(n, page) for n, node in self.nodes.items() for page in node.revoking]

    # What happens

    def attempt(self, number: int, core: int) -> None:
        node = self.nodes[number]
        instruction = node.running[core]
        for page, right in instruction.needs.items():
            if node.residency.right(page) < right:
                instruction.tries = False
                node.residency.miss(core, page, right)
                self._settle(number)
                return
        for page, right in instruction.needs.items():
            assert node.memory.get(page, 0) == self.written.get(page, 0), f"node {number} reads what was page {page}"
            if right is Right.WRITE:
                node.memory[page] = self.written[page] = self.written.get(page, 0) + 1
        del node.running[core]
        node.residency.retired(core)
        self._settle(number)

    def deliver(self, source: int, target: int) -> None:
        message, data = self.channels[source, target].popleft()
        node = self.nodes[target]
        if data is not None:
            node.memory[message.page] = data
        if isinstance(message, Ask):
            node.directory.ask(source, message)
        elif isinstance(message, Returned):
            node.directory.returned(source, message)
        else:
            node.residency.hear(source, message)
        self._settle(target)

    def revoke(self, number: int, page: int) -> None:
        node = self.nodes[number]
        del node.revoking[page]
        node.residency.revoked(page)
        self._settle(number)

    def give_back(self, number: int, page: int) -> None:
        self.nodes[number].residency.give_back(page)
        self._settle(number)

    def ahead(self, number: int, page: int) -> None:
        self.nodes[number].residency.ahead(page)
        self._settle(number)

    def reset(self, number: int, core: int) -> None:
        """Whatever the core does, it does not go on with it."""
        node = self.nodes[number]
        if node.running.pop(core, None) is not None:
            node.residency.retired(core)
            self._settle(number)

    def lose(self, number: int) -> None:
        """Whatever is on the way from it comes still, and then its end."""
        self.ended |= {(other, number) for other in self.nodes if other != number}
        for ends in [ends for ends in self.channels if ends[1] == number or ends == (number, number)]:
            del self.channels[ends]
        self.ended = {ends for ends in self.ended if ends[0] != number}
        del self.nodes[number]

    def tell_lost(self, number: int, lost: int) -> None:
        assert not self.channels.get((lost, number))
        self.ended.discard((number, lost))
        node = self.nodes[number]
        node.directory.lost(lost)
        node.residency.lost(lost)
        self._settle(number)

    def tellable(self) -> list[tuple[int, int]]:
        return [(node, lost) for node, lost in self.ended if not self.channels.get((lost, node))]

    def _settle(self, number: int) -> None:
        """Take what a node says and wants."""
        node = self.nodes[number]
        for action in node.residency.actions:
            match action:
                case Retry(core):
                    if core in node.running:
                        node.running[core].tries = True
                case PageLost(core, _):
                    node.running.pop(core, None)
                    node.failed += 1
                    node.residency.retired(core)
                case Revoke(page, right):
                    assert page not in node.revoking
                    node.revoking[page] = right
        node.residency.actions.clear()
        for target, message in [*node.residency.sends, *node.directory.sends]:
            carries = isinstance(message, Grant | Returned) and message.carries and target != number
            data = node.memory.get(message.page, 0) if carries else None
            if target in self.nodes:
                self.channels.setdefault((number, target), deque()).append((message, data))
        node.residency.sends.clear()
        node.directory.sends.clear()

    # What holds

    def check(self) -> None:
        """Single writer or many readers."""
        for page in range(PAGES):
            rights = [node.residency.right(page) for node in self.nodes.values()]
            if Right.WRITE in rights:
                assert sum(right is not Right.NONE for right in rights) == 1, f"page {page}: {rights}"

    def finish(self) -> None:
        """Let everything that can happen happen, in turn, until nothing can. Then nobody waits."""
        for _ in range(10_000):
            if self.full():
                self.deliver(*self.full()[0])
            elif self.revoking():
                self.revoke(*self.revoking()[0])
            elif self.tellable():
                self.tell_lost(*self.tellable()[0])
            elif self.trying():
                self.attempt(*self.trying()[0])
            else:
                break
            self.check()
        waiting = {n: node.running for n, node in self.nodes.items() if node.running}
        assert not waiting, f"they wait for ever: {waiting}"
        assert not self.full()

    def read_all(self) -> None:
        """Every node reads every page, when nothing else is to happen."""
        for node in self.nodes:
            for page in range(PAGES):
                self.start(node, 0, {page: Right.READ})
                self.finish()
