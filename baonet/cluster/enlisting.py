"""How a lead begins a run: each node gets its part of the machine, and meets those that it shares memory with."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final, final

from baonet.cluster.answers import ANSWER, Answers
from baonet.cluster.joined import Joined
from baonet.cluster.machines import announced, send
from baonet.cluster.meeting import TOKEN
from baonet.cluster.parts import PartedIsland, meetings
from baonet.cluster.pulse import DIALS, Heartbeat, dial, lead_keys
from baonet.cluster.route import place
from baonet.cluster.state import MachineState, pack
from baonet.cluster.stream import Stream
from baonet.cluster.terms import Awaiting, ClusterError
from baonet.hyp.vmm import Plan
from baonet.launch.crews import Placement
from baonet.machine.dataclass import dataclass
from baonet.wire import cluster

STARTING: Final = 0.2
"""Seconds more for each pcpu whose process a node starts: that takes a core about 15 ms, and the host may be busy."""


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
class Enlisting:
    """Of the nodes ``joined``; ``nodes``: that of each pcpu, by its place there."""

    def __init__(
        self, plan: Plan, joined: Sequence[Joined], nodes: Sequence[int], heartbeat: Heartbeat, answers: Answers
    ) -> None:
        self._plan, self._joined, self._nodes = plan, joined, nodes
        self._heartbeat, self._answers = heartbeat, answers
        self._token = os.urandom(TOKEN)

    def enlist(self, asked: Asked, islands: Sequence[PartedIsland]) -> str | None:
        """What is weak about how two of them reach each other, if anything. Raises ClusterError when one cannot take
        part."""
        states = [self._state_of(index, asked.state) for index in range(len(self._joined))]
        for index, state in enumerate(states):
            self._call(index, asked, state)
        for index in range(len(self._joined)):
            self._begin_heartbeat(index)
        for index, node in enumerate(self._joined):
            with self._answers.named(index):
                asked.send_machine(node.stream, asked.waiting)
                send(node.stream, states[index], asked.waiting)
        return self._have_them_meet(islands)

    def _state_of(self, index: int, state: MachineState | None) -> bytes:
        """What that node needs of it; nothing where there is none."""
        return b"" if state is None else pack(state.of_node(self._plan, self._nodes, index).save())

    def _call(self, index: int, asked: Asked, state: bytes) -> None:
        stream = self._joined[index].stream
        if asked.state is not None:
            stream.send(cluster.Resume(announced(state)))
        stream.send(
            cluster.Enlist(
                index,
                tuple(self._nodes),
                asked.machine,
                asked.images[index],
                asked.placement.value,
                asked.threads,
                asked.tracing,
                self._token,
                round(asked.heartbeat * 1000),
            )
        )

    def _begin_heartbeat(self, index: int) -> None:
        node = self._joined[index]
        port = self._answers.wait(index, cluster.Listening, DIALS).port
        try:
            stream = dial(node.host, port, self._token, index)
        except OSError as error:
            raise ClusterError(
                f"node {node.name} takes no heartbeat at {place(node.host, port)}: {error.strerror or error}: "
                "the lead and the nodes need all TCP ports between them"
            ) from None
        self._heartbeat.watch(index, stream, node.stream.descriptor, lead_keys(self._token, index))

    def _have_them_meet(self, islands: Sequence[PartedIsland]) -> str | None:
        every = range(len(self._joined))
        ports = [self._answers.wait(index, cluster.Placed).port for index in every]
        pairs = meetings(islands)
        for index, node in enumerate(self._joined):
            others = sorted({other for pair in pairs if index in pair for other in pair} - {index})
            node.stream.send(
                cluster.Meet(tuple(cluster.Peer(each, self._joined[each].host, ports[each]) for each in others))
            )
        pcpus = Counter(self._nodes)
        weakness = None
        for index in every:
            met = self._answers.wait(index, cluster.Met, ANSWER + STARTING * pcpus[index])
            weakness = met.weakness or weakness
        return weakness
