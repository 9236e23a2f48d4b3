"""A node while it runs its part of a machine: between the actors' channels here and the stream to the lead.

What actors say goes to the lead as it comes, up to a limit each that the lead has not taken yet (``WINDOW``): then that
actor is held, and its guest waits for whoever reads, as on one host.
"""

from __future__ import annotations

from collections import Counter
from typing import Final, final

import trio

from baonet.cluster.courier import NodeCourier
from baonet.cluster.saving import gathered, surveyed
from baonet.cluster.stream import Stream, StreamError
from baonet.hyp.vmm import Plan
from baonet.launch.local import ProcessNode, reload
from baonet.memory.node import NodeMemory
from baonet.wire import cluster
from baonet.wire.codec import decode, encode
from baonet.wire.fields import ProtocolError
from baonet.wire.messages import Message
from baonet.wire.port import GONE

WINDOW: Final = 1 << 18
"""Bytes that an actor may have said and the lead's agent has not taken."""
BATCH: Final = 1 << 17
"""Bytes of messages that go together at most."""
LOOK: Final = 0.1


@final
class Enlisted:
    """Over when the lead has gone, says that it is over, or does not keep to the protocol."""

    def __init__(self, lead: Stream, node: ProcessNode, courier: NodeCourier, plan: Plan, memory: NodeMemory) -> None:
        self._lead = lead
        self._node = node
        self._courier = courier
        self._plan = plan
        self._memory = memory
        self._said: Counter[int] = Counter()
        self._held: frozenset[int] = frozenset()
        self._living = node.processes

    async def run(self) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._lead.pump)
            nursery.start_soon(self._node.supervise, self._died)
            nursery.start_soon(self._hear_actors)
            nursery.start_soon(self._watch_nodes)
            await self._hear_lead()
            nursery.cancel_scope.cancel()

    async def _hear_lead(self) -> None:
        while True:
            await self._lead.wait()
            try:
                for message in self._lead.take():
                    self._obey(message)
            except (StreamError, ProtocolError):
                return

    def _obey(self, message: Message) -> None:
        match message:
            case cluster.ToActor(address, data):
                if address in self._node.carries:
                    self._node.port.send(address, decode(data))
                    self._node.kick(address)
            case cluster.Took(address, size):
                self._said[address] -= size
                self._hold()
            case cluster.Slay(address):
                self._node.kill(address)
            case cluster.Reload(vm):
                why = reload(self._plan, self._memory, vm)
                self._courier.reset(vm)
                self._lead.send(cluster.Reloaded(vm, why))
            case cluster.Read(vm, address, size):
                config = self._plan.vms[vm].config
                elsewhere = self._memory.elsewhere(config, address, size)
                data = self._memory.read(config, address, size)
                self._lead.send(cluster.Bytes(data, tuple(elsewhere), tuple(elsewhere.values())))
            case cluster.Write(vm, address, data):
                self._memory.write(self._plan.vms[vm].config, address, data)
                self._lead.send(cluster.Bytes(b"", (), ()))
            case cluster.Survey():
                self._lead.send(surveyed(self._memory, message))
            case cluster.Gather():
                self._lead.send(cluster.Bytes(gathered(self._memory, message), (), ()))
            case _:
                raise ProtocolError(f"{type(message).__name__} has no meaning while a machine runs")

    def _hold(self) -> None:
        held = frozenset(address for address, size in self._said.items() if size > WINDOW)
        if held != self._held:
            self._held = held
            self._node.port.hold(held)

    async def _hear_actors(self) -> None:
        port = self._node.port
        while True:
            await port.wait(LOOK)
            self._pass_on(port.take())
            for address, why in port.closed():
                if why != GONE:  # its end itself is told by its process
                    self._lead.send(cluster.ActorBroke(address, why))

    def _pass_on(self, taken: list[tuple[int, Message]]) -> None:
        batch: list[bytes] = []
        speaker, weight = -1, 0
        for source, message in taken:
            data = encode(message)
            if batch and (source != speaker or weight + len(data) > BATCH):
                self._say(speaker, batch, weight)
                batch, weight = [], 0
            batch.append(data)
            speaker, weight = source, weight + len(data)
        if batch:
            self._say(speaker, batch, weight)
        self._hold()

    def _say(self, address: int, batch: list[bytes], weight: int) -> None:
        self._said[address] += weight
        self._lead.send(cluster.FromActor(address, tuple(batch)))

    def _died(self, pcpu: int, why: str | None, words: str = "", *, lost: bool = False) -> None:
        self._pass_on(self._node.port.last_words(pcpu))
        self._living -= 1
        if not self._living:
            self._lead.send(self._courier.traffic())
        self._lead.send(cluster.ActorEnded(pcpu, why, words))

    async def _watch_nodes(self) -> None:
        """One that is lost is the lead's affair: it names the first."""
        while True:
            await trio.lowlevel.wait_readable(self._courier.lost)
            for node, wrong in self._courier.lost_nodes():
                self._lead.send(cluster.Lost(node, wrong))
