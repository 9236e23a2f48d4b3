"""The nodes of a run, as its lead has them: to the agent they are one, with whose actors it speaks as on one host."""

from __future__ import annotations

import math
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import contextmanager
from typing import Final, TypeVar, final

import trio

from baonet.actors.node import Died
from baonet.actors.visible import plain
from baonet.cluster.asking import Question
from baonet.cluster.joined import Joined
from baonet.cluster.machines import announced, send
from baonet.cluster.meeting import TOKEN
from baonet.cluster.parts import PartedIsland, meetings, parted
from baonet.cluster.pulse import BEATS, DIALS, LAST_WORDS, Heartbeat, dial, lead_keys
from baonet.cluster.remote_memory import RemoteMemory
from baonet.cluster.route import place
from baonet.cluster.state import MachineState, pack
from baonet.cluster.stream import GONE, SilenceError, Stream, StreamError
from baonet.cluster.terms import Awaiting, ClusterError
from baonet.hyp.vmm import Plan
from baonet.launch.crews import Placement, carried, first_of_each
from baonet.machine import ClockMode
from baonet.machine.dataclass import dataclass
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
ANSWER: Final = 30.0
"""Seconds in which a node answers."""
_PASSING: Final = 0.2
"""Seconds between what one node says and what another does, though both happened together."""
STARTING: Final = 0.2
"""Seconds more for each pcpu whose process it starts: that takes a core about 15 ms, and the host may be busy."""
SETTLE: Final = 5.0
"""Seconds in which actors that have been told to end have ended."""
_T = TypeVar("_T")


@final
@dataclass(frozen=True, slots=True)
class Asked:
    """How the machine is to be run, as in ``Enlist``; ``send_machine`` gives a node what it wants of it. ``images``: by
    node.

    ``heartbeat``: seconds after which a node that says nothing is lost. ``warn`` is told of that when it happens.
    ``waiting`` is told while nodes are waited for, and may raise. ``state``: where the machine goes on from.
    """

    placement: Placement
    threads: int
    tracing: bool
    machine: cluster.Image
    images: Sequence[tuple[cluster.Image, ...]]
    send_machine: Callable[[Stream, Awaiting], None]
    heartbeat: float
    warn: Callable[[str], None]
    waiting: Awaiting
    state: MachineState | None = None


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
        self.weakness: str | None = None
        self._warn, self._waiting = asked.warn, asked.waiting
        self._heartbeat = Heartbeat(asked.heartbeat)
        self._grace = asked.heartbeat / BEATS + _PASSING
        self._nursery: trio.Nursery | None = None
        try:
            self._enlist(asked)
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

    @contextmanager
    def _named(self, index: int) -> Iterator[None]:
        """What goes wrong goes wrong with this one."""
        try:
            yield
        except StreamError as error:
            raise ClusterError(f"node {self._joined[index].name} {self._why_lost(index, error)}") from None
        except ProtocolError as error:
            raise ClusterError(f"node {self._joined[index].name} {error}") from None

    def _why_lost(self, index: int, error: StreamError) -> str:
        return self._heartbeat.why_lost(index, str(error))

    def _await(self, index: int, kind: type[_T], seconds: float = ANSWER) -> _T:
        """What that node says next. If it waits in vain for another one that is lost, that one is named."""
        with self._named(index):
            for _ in range(round(seconds / _PASSING)):
                try:
                    return self._joined[index].stream.expect(kind, _PASSING)
                except SilenceError:
                    self._name_lost()
                    self._waiting(f"node {self._joined[index].name} is not ready")
                except StreamError:
                    time.sleep(LAST_WORDS + _PASSING)
                    self._name_lost()
                    raise
            raise StreamError(f"has said nothing for {seconds:g} s")

    def _name_lost(self) -> None:
        if (lost := self._heartbeat.lost()) is not None:
            why = self._heartbeat.why_lost(lost, GONE)
            raise ClusterError(f"node {self._joined[lost].name} {why}")

    def _begin_heartbeat(self, index: int, token: bytes) -> None:
        node = self._joined[index]
        port = self._await(index, cluster.Listening, DIALS).port
        try:
            stream = dial(node.host, port, token, index)
        except OSError as error:
            raise ClusterError(
                f"node {node.name} takes no heartbeat at {place(node.host, port)}: {error.strerror or error}: "
                "the lead and the nodes need all TCP ports between them"
            ) from None
        self._heartbeat.watch(index, stream, node.stream.descriptor, lead_keys(token, index))

    def _enlist(self, asked: Asked) -> None:
        token = os.urandom(TOKEN)
        states = [self._state_of(index, asked.state) for index in range(len(self._joined))]
        for index, node in enumerate(self._joined):
            if asked.state is not None:
                node.stream.send(cluster.Resume(announced(states[index])))
            node.stream.send(
                cluster.Enlist(
                    index,
                    tuple(self._nodes),
                    asked.machine,
                    asked.images[index],
                    asked.placement.value,
                    asked.threads,
                    asked.tracing,
                    token,
                    round(asked.heartbeat * 1000),
                )
            )
        for index in range(len(self._joined)):
            self._begin_heartbeat(index, token)
        for index, node in enumerate(self._joined):
            with self._named(index):
                asked.send_machine(node.stream, self._waiting)
                send(node.stream, states[index], self._waiting)
        ports = [self._await(index, cluster.Placed).port for index in range(len(self._joined))]
        pairs = meetings(self._islands)
        for index, node in enumerate(self._joined):
            others = sorted({other for pair in pairs if index in pair for other in pair} - {index})
            node.stream.send(
                cluster.Meet(tuple(cluster.Peer(each, self._joined[each].host, ports[each]) for each in others))
            )
        pcpus = Counter(self._nodes)
        for index in range(len(self._joined)):
            self.weakness = self._await(index, cluster.Met, ANSWER + STARTING * pcpus[index]).weakness or self.weakness

    def _state_of(self, index: int, state: MachineState | None) -> bytes:
        """What that node needs of it; nothing where there is none."""
        return b"" if state is None else pack(state.of_node(self._plan, self._nodes, index).save())

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
            self._lose(index, plain(self._why_lost(index, error)))
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
        with self._named(index):
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
