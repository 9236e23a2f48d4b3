"""The nodes of a run, as its lead has them: to the agent they are one, with whose actors it speaks as on one host."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence, Set
from typing import Final, TypeVar, final

import trio

from baonet.actors.node import Died
from baonet.actors.visible import plain
from baonet.cluster.answers import ANSWER, PASSING, Answers
from baonet.cluster.asking import Question
from baonet.cluster.enlisting import Asked, Enlisting
from baonet.cluster.joined import Joined
from baonet.cluster.parts import PartedIsland, parted
from baonet.cluster.pulse import BEATS, Heartbeat
from baonet.cluster.remote_memory import RemoteMemory
from baonet.cluster.stream import Stream, StreamError
from baonet.cluster.terms import ClusterError
from baonet.hyp.vmm import Plan
from baonet.launch.crews import carried, first_of_each
from baonet.machine import ClockMode
from baonet.wire import cluster
from baonet.wire.codec import decode, encode
from baonet.wire.fields import ProtocolError
from baonet.wire.memory_port import MemoryPort, Switch
from baonet.wire.messages import AGENT, Message, accepted, speak
from baonet.wire.port import Port
from baonet.wire.roles import Role

ACKNOWLEDGED: Final = 1 << 15
"""Bytes of an actor that are acknowledged together."""
LOOK: Final = 0.02
"""Seconds between two looks whether what was too much has been taken."""
SETTLE: Final = 5.0
"""Seconds in which actors that have been told to end have ended."""
_T = TypeVar("_T")


@final
class _AgentPort:
    """What the agent says goes to the node that has the actor. ``inner`` has what actors say to it.

    It is no kind of ``MemoryPort``, of which a wheel has a compiled class: such a one has no others.
    """

    def __init__(self, inner: MemoryPort, tell: Callable[[int, Message], None]) -> None:
        self._inner = inner
        self._tell = tell

    @property
    def congested(self) -> bool:
        return self._inner.congested

    def hold(self, peers: Set[int]) -> None:
        self._inner.hold(peers)

    def send(self, peer: int, message: Message) -> None:
        self._tell(peer, message)

    def take(self) -> list[tuple[int, Message]]:
        return self._inner.take()

    def last_words(self, peer: int) -> list[tuple[int, Message]]:
        return self._inner.last_words(peer)

    def closed(self) -> list[tuple[int, str]]:
        return self._inner.closed()

    async def wait(self, seconds: float | None) -> None:
        await self._inner.wait(seconds)

    async def flush(self, peer: int | None = None, seconds: float = math.inf) -> None:
        await self._inner.flush(peer, seconds)

    def close(self) -> None:
        self._inner.close()


@final
class Cluster:
    """A ``Node`` of several hosts. ``nodes``: that of each pcpu, by its place in ``joined``.

    Raises ClusterError when one cannot take part.
    """

    def __init__(
        self,
        plan: Plan,
        joined: Sequence[Joined],
        nodes: Sequence[int],
        asked: Asked,
    ) -> None:
        speak(plan.machine.platform.architecture)
        self._plan, self._joined, self._nodes = plan, joined, nodes
        self.carries = carried(plan)
        self._addresses = first_of_each(plan, asked.placement, nodes)
        self._roles = {address: self._role(address) for address in self._addresses}
        self._islands = parted(plan, nodes)
        self._warn = asked.warn
        self._heartbeat = Heartbeat(asked.heartbeat)
        self._answers = Answers(joined, self._heartbeat, asked.waiting)
        self._grace = asked.heartbeat / BEATS + PASSING
        self._nursery: trio.Nursery | None = None
        try:
            enlisting = Enlisting(plan, joined, nodes, self._heartbeat, self._answers)
            self.weakness = enlisting.enlist(asked, self._islands)
        except BaseException:
            self._heartbeat.close()
            raise
        self._switch = Switch()
        self.port: Port = _AgentPort(MemoryPort(AGENT, self._switch), self._tell)
        self._actors = {address: MemoryPort(address, self._switch) for address in self._addresses}
        self._took: Counter[int] = Counter()
        self._gone: set[int] = set()
        self.memory = RemoteMemory(plan, nodes, self._islands, self._ask)
        self._reloading: dict[int, tuple[set[int], str | None, Callable[[str | None], None]]] = {}
        self._apart_pairs: set[frozenset[int]] = set()
        self._dropped: dict[frozenset[int], tuple[int, int, str]] = {}
        self._died: Died | None = None

    def _role(self, address: int) -> Role:
        if self._plan.machine.clock.mode is ClockMode.HOST:
            return Role.PCPU
        return Role.CONDUCTOR if address in self.carries else Role.CREW

    def _stream(self, address: int) -> Stream | None:
        node = self._joined[self._nodes[address]]
        return None if node.lost else node.stream

    def _tell(self, peer: int, message: Message) -> None:
        if (stream := self._stream(peer)) is not None:
            stream.send(cluster.ToActor(peer, encode(message)))

    async def supervise(self, died: Died) -> None:
        self._died = died
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            for index, node in enumerate(self._joined):
                nursery.start_soon(self._hear, index, node)
                nursery.start_soon(node.stream.pump)
            nursery.start_soon(self._acknowledge)
            try:
                await trio.sleep_forever()
            finally:
                self._nursery = None  # the last that nodes say is heard without it

    async def _hear(self, index: int, node: Joined) -> None:
        while node.lost is None:
            await node.stream.wait()
            self._listen(index, node)

    def _listen(self, index: int, node: Joined) -> None:
        try:
            for message in node.stream.take():
                self._take(index, node, message)
        except StreamError as error:
            self._lose(index, plain(self._answers.why_lost(index, error)))
        except ProtocolError as error:
            self._lose(index, plain(str(error)))

    def _take(self, index: int, node: Joined, message: Message) -> None:
        match message:
            case cluster.FromActor(address, messages):
                self._said(self._of(index, address), messages)
            case cluster.ActorBroke(address, why):
                self._end(self._of(index, address), why, "")
            case cluster.ActorEnded(address, why, words):
                self._end(self._of(index, address), why, words)
            case cluster.Reloaded(vm, why):
                self._reloaded(index, vm, why)
            case cluster.Traffic():
                node.traffic = message
            case cluster.Lost(other, wrong) if other < len(self._joined):
                if wrong:
                    self._dropped[frozenset((index, other))] = (index, other, wrong)
                if self._nursery is not None:
                    self._nursery.start_soon(self._parted, index, other)
            case cluster.Refused(why):
                raise StreamError(f"cannot go on: {why}")
            case _:
                raise ProtocolError(f"{type(message).__name__} has no meaning while a machine runs")

    def _of(self, index: int, address: int) -> int:
        """The address, which an actor of that node must have."""
        if address not in self._actors or self._nodes[address] != index:
            raise ProtocolError(f"pcpu {address} is not on this node")
        return address

    def _said(self, address: int, messages: Sequence[bytes]) -> None:
        accepts = accepted(self._roles[address], Role.AGENT)
        for data in messages:
            message = decode(data)
            if type(message) not in accepts:
                raise ProtocolError(f"{type(message).__name__} is not for pcpu {address} to say")
            if address not in self._gone:
                self._actors[address].send(AGENT, message)
            self._took[address] += len(data)
        if self._took[address] >= ACKNOWLEDGED:
            self._acknowledge_one(address)

    def _acknowledge_one(self, address: int) -> None:
        stream = self._stream(address)
        if stream is not None and self._took[address] and not self._actors[address].congested:
            stream.send(cluster.Took(address, self._took.pop(address)))

    async def _acknowledge(self) -> None:
        while True:
            await trio.sleep(LOOK)
            for address in list(self._took):
                self._acknowledge_one(address)

    def _end(self, address: int, why: str | None, words: str, *, lost: bool = False) -> None:
        if address not in self._gone and self._died is not None:
            self._gone.add(address)
            self._died(address, why, words, lost=lost)

    def _lose(self, index: int, why: str) -> None:
        node = self._joined[index]
        if node.lost is not None:
            return
        node.lost = why
        node.stream.abort()
        lost = [repr(vm.config.name) for vm in self._plan.vms if any(self._nodes[pcpu] == index for pcpu in vm.pcpus)]
        if lost:
            self._warn(f"node {index} ({node.name}) {why}, and with it VM {', '.join(lost)}")
        for address in self._addresses:
            if self._nodes[address] == index:
                self._end(address, f"was on node {index} ({node.name}), which {why}", "", lost=True)
        for vm in list(self._reloading):
            self._reloaded(index, vm, self._missing(index, vm))
        if self._plan.machine.clock.mode is ClockMode.HOST:
            for island in self._islands:
                if island.home == index:
                    self._end_all(island, f"has lost its memory's home, node {index} ({node.name}), which {why}")

    def _end_all(self, island: PartedIsland, why: str) -> None:
        for address in island.pcpus:
            if address in self.carries:
                self.kill(address)
                self._end(address, why, "", lost=True)

    async def _parted(self, index: int, other: int) -> None:
        """Two nodes have lost each other. If one of them is gone that is known by itself soon, and is what is told."""
        await trio.sleep(self._grace)
        pair = frozenset((index, other))
        if self._joined[index].lost is None and self._joined[other].lost is None and pair not in self._apart_pairs:
            self._apart_pairs.add(pair)  # each of them tells
            self._apart(index, other)

    def _apart(self, index: int, other: int) -> None:
        """What they share ends."""
        for island in self._islands:
            if index in island.nodes and other in island.nodes and island.home in (index, other):
                why = self._why_apart(index, other)
                self._warn(f"{why}, and they share an island")
                self._end_all(island, f"has lost a part of its island: {why}")

    def _why_apart(self, index: int, other: int) -> str:
        """It is known of both when one of them has dropped the other, which then has lost it."""
        index, other, wrong = self._dropped.get(frozenset((index, other)), (index, other, ""))
        one, another = (f"node {each} ({self._joined[each].name})" for each in (index, other))
        if wrong:
            return f"{one} has dropped {another}, whose message {plain(wrong)} cannot be"
        return f"{one} and {another} do not reach each other"

    async def settle(self) -> None:
        """When the machine is over: until each node that had actors has told what went between it and others.

        One that does not tell keeps nobody else from being heard.
        """
        with trio.move_on_after(SETTLE):
            async with trio.open_nursery() as nursery:
                for index in {self._nodes[address] for address in self._addresses}:
                    nursery.start_soon(self._settled, index, self._joined[index])

    async def _settled(self, index: int, node: Joined) -> None:
        while node.traffic is None and node.lost is None:
            await node.stream.wait()
            self._listen(index, node)

    def kick(self, pcpu: int) -> None:
        """Its node does that when it passes on what it is told."""

    def kill(self, pcpu: int) -> None:
        for address in self._addresses:
            concerned = address == pcpu or address in self.carries.get(pcpu, ())
            if concerned and (stream := self._stream(address)) is not None:
                stream.send(cluster.Slay(address))

    def reload(self, vm: int, loaded: Callable[[str | None], None]) -> None:
        concerned = {self._nodes[pcpu] for pcpu in self._plan.vms[vm].pcpus}
        concerned = concerned.union(*(island.nodes for island in self._islands if vm in island.vms))
        self._reloading[vm] = (set(concerned), None, loaded)
        for index in sorted(concerned):
            node = self._joined[index]
            if node.lost is None:
                node.stream.send(cluster.Reload(vm))
            else:
                self._reloaded(index, vm, self._missing(index, vm))

    def _missing(self, index: int, vm: int) -> str | None:
        """Why a VM does not start anew without a node that is lost; it does if only others of its island were there."""
        node = self._joined[index]
        has_part = any(self._nodes[pcpu] == index for pcpu in self._plan.vms[vm].pcpus)
        return f"node {index} ({node.name}) {node.lost}" if has_part else None

    def _reloaded(self, index: int, vm: int, why: str | None) -> None:
        if vm not in self._reloading:
            return
        left, known, loaded = self._reloading[vm]
        left.discard(index)
        self._reloading[vm] = (left, known or why, loaded)
        if not left:
            del self._reloading[vm]
            loaded(known or why)

    def _ask(self, index: int, message: Question, kind: type[_T]) -> _T:
        """Nothing else goes on meanwhile: the machine stands, and who asks is no task."""
        if index >= len(self._joined):
            raise ClusterError(f"a node says that node {index} has a page, which there is not")
        node = self._joined[index]
        if node.lost is not None:
            raise ClusterError(f"node {node.name} {node.lost}")
        with self._answers.named(index):
            node.stream.send(message)
            while not isinstance(answer := node.stream.await_message(ANSWER), kind):
                self._take(index, node, answer)
        return answer

    def close(self) -> None:
        """The nodes end what is left when nobody leads them any more."""
        self._heartbeat.close()
        for node in self._joined:
            node.stream.close()
        self._switch.close()
