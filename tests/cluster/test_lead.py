"""What a node may say at any time, at the wrong time."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import trio

from baonet.cluster.joined import Joined
from baonet.cluster.lead import Asked, Cluster
from baonet.cluster.pulse import Heartbeat, PulseDoor, lead_keys
from baonet.cluster.stream import Stream
from baonet.config import loader
from baonet.hyp.vmm import plan
from baonet.launch.crews import Placement
from baonet.wire import cluster
from baonet.wire.messages import accepted
from baonet.wire.roles import Role
from tests.system.machine import vm, write


def _takes_part(node: Stream) -> None:
    asked = node.expect(cluster.Enlist, 10)
    with closing(PulseDoor("127.0.0.1", asked.index, asked.token)) as door, closing(Heartbeat(3)) as heartbeat:
        node.send(cluster.Listening(door.port))
        keys = lead_keys(asked.token, asked.index).others
        heartbeat.watch(0, door.come(node.descriptor), node.descriptor, keys)
        node.send(cluster.Placed(1))
        node.expect(cluster.Meet, 10)
        node.send(cluster.Met(None))
        node.send(cluster.Lost(0))
        node.send(cluster.Traffic(1, 2, 3, 4, (), ()))
        with pytest.raises(Exception, match="has gone"):
            node.await_message(20)


@contextmanager
def _node() -> Iterator[Joined]:
    ours, theirs = socket.socketpair()
    node = Stream(theirs, accepted(Role.LEAD, Role.NODE), "the lead")
    life = threading.Thread(target=_takes_part, args=(node,))
    life.start()
    joined = Joined(Stream(ours, accepted(Role.NODE, Role.LEAD), "it"), "it", "127.0.0.1", 1)
    try:
        yield joined
    finally:
        joined.stream.close()
        life.join()
        node.close()


def test_who_loses_another_when_all_is_over_is_heard_to_its_end(tmp_path: Path) -> None:
    """A run ends, and the nodes with it: one sees that another has gone, and says so before its own last word."""
    planned = plan(loader.load(write(tmp_path, {"vms": [vm("hello")]}), (), None, plan))
    asked = Asked(Placement.PROCESS_PER_CPU, 1, False, cluster.Image("", 0), (), lambda stream: None, 3.0, print)

    async def run(lead: Cluster) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lead.supervise, lambda *said, **more: None)
            await trio.lowlevel.checkpoint()
            nursery.cancel_scope.cancel()
        await lead.settle()

    with _node() as joined:
        lead = Cluster(planned, [joined], [0], asked)
        trio.run(run, lead)
        lead.close()
        assert joined.traffic == cluster.Traffic(1, 2, 3, 4, (), ())
