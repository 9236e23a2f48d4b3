"""A node, from the lead's first word to the end of a run: it gets its part of a machine, meets the others, and runs.

All of it before the run is asked and answered in order, so nothing here needs Trio: processes are forked when nothing
else goes on in this one, and before it has a key or a stream to another node.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Final

import trio

from baonet.actors.refusals import limited, refused
from baonet.cluster.courier import NodeCourier
from baonet.cluster.enlisted import Enlisted
from baonet.cluster.keys import KeysError
from baonet.cluster.machines import received
from baonet.cluster.meeting import Meeting, MeetingError
from baonet.cluster.parts import here, nodes_of_vms
from baonet.cluster.pulse import Heartbeat, PulseDoor, lead_keys
from baonet.cluster.state import MachineState, unpack
from baonet.cluster.stream import Stream, StreamError
from baonet.core.cpu import SIZES
from baonet.core.errors import EngineError
from baonet.hyp.vmm import plan
from baonet.launch.cores import cores
from baonet.launch.crews import Placement
from baonet.launch.local import ProcessNode
from baonet.machine import Machine
from baonet.memory.node import NodeMemory
from baonet.wire import cluster
from baonet.wire.fields import ProtocolError

LEAD: Final = -1
"""Whom a node knows by its heartbeat."""
PATIENCE: Final = 60.0
"""Seconds in which the lead goes on."""
_BESIDE_MEMORY: Final = 1 << 30
"""Bytes that the state of a machine has at most, beside its memory."""
_KNOWN: Final = (MeetingError, KeysError, ProtocolError, ValueError)
"""Have words for people."""
Machines = Callable[[Stream, cluster.Enlist], Machine]
"""How the machine comes here, with files for its images."""


def serve(lead: Stream, host: str, machines: Machines, *, keys: Path | None = None) -> None:
    """Be a node of the run of ``lead``, to its end. ``host`` is the address at which other nodes reach this one.

    ``keys``: the directory of those with which it and other nodes know each other; None: they go by the run's token.

    Whatever cannot be done here the lead is told.
    """
    try:
        with ExitStack() as stack:
            member = _enlisted(lead, host, machines, stack, keys)
            trio.run(member.run)
    except StreamError:
        return
    except (OSError, MemoryError, EngineError, ImportError, *_KNOWN) as error:
        known = isinstance(error, _KNOWN) and not limited(error)
        lead.send(cluster.Refused(str(error) if known else refused(error)))
        lead.drain(1.0)


def _asked(lead: Stream) -> tuple[cluster.Enlist, cluster.Resume | None]:
    """What the lead wants, and where the machine goes on from; it may first see how far away this node is."""
    resume = None
    while True:
        message = lead.await_message(PATIENCE)
        if isinstance(message, cluster.Enlist):
            return message, resume
        if isinstance(message, cluster.Resume):
            resume = message
            continue
        if not isinstance(message, cluster.Beat):
            raise ProtocolError(f"{type(message).__name__} came where Enlist is due")
        lead.send(message)


def _enlisted(lead: Stream, host: str, machines: Machines, stack: ExitStack, keys: Path | None) -> Enlisted:
    asked, resume = _asked(lead)
    _hear_heartbeat(lead, host, asked, stack)
    machine = machines(lead, asked)
    planned = plan(machine)
    vms = here(planned, asked)
    memory = NodeMemory(machine, SIZES, vms=vms, nodes=nodes_of_vms(planned, asked.nodes))
    stack.callback(memory.close)
    state = None if resume is None else _state(lead, resume, memory)
    for vm in sorted(vms) if state is None else ():
        memory.load(machine.vms[vm])
    meeting = Meeting(host, asked.index, asked.token)
    with closing(meeting):
        lead.send(cluster.Placed(meeting.port))
        placement = Placement(asked.placement)
        courier = NodeCourier(
            planned, memory, placement, nodes=asked.nodes, index=asked.index, heartbeat=asked.heartbeat / 1000
        )
        stack.callback(courier.close)
        if state is not None:
            courier.resume()
        node = ProcessNode(
            planned,
            memory,
            placement,
            tracing=asked.tracing,
            threads=asked.threads or cores(),
            share=courier,
            states=None if state is None else state.pcpus,
        )
        stack.callback(node.close)
        # What is forked has a copy of all that is here: keys come after it.
        streams = meeting.meet(lead.expect(cluster.Meet, PATIENCE).peers, keys)
    for peer, stream in streams.items():
        courier.connect(peer, stream)
    courier.begin()
    courier.synchronise()
    lead.send(cluster.Met(node.weakness))
    return Enlisted(lead, node, courier, planned, memory)


def _state(lead: Stream, resume: cluster.Resume, memory: NodeMemory) -> MachineState:
    """This node's part, with its memory in place."""
    data = received(lead, resume.state, "state", 2 * memory.size + _BESIDE_MEMORY)
    state = MachineState.load(unpack(data))
    memory.load_saved(state.memory)
    return state


def _hear_heartbeat(lead: Stream, host: str, asked: cluster.Enlist, stack: ExitStack) -> None:
    """Before anything that takes long: a lead that is lost meanwhile is not waited for."""
    with closing(PulseDoor(host, asked.index, asked.token)) as door:
        lead.send(cluster.Listening(door.port))
        heartbeat = Heartbeat(asked.heartbeat / 1000, ends=True)
        stack.callback(heartbeat.close)
        keys = lead_keys(asked.token, asked.index).others
        heartbeat.watch(LEAD, door.come(lead.descriptor), lead.descriptor, keys)
