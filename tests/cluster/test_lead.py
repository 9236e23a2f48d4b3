"""A lead of nodes that are late, or speak when all is over."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import trio

from baonet.cluster.joined import Joined
from baonet.cluster.lead import Asked, Cluster
from baonet.cluster.pulse import Heartbeat, PulseDoor, lead_keys
from baonet.cluster.stream import Stream, StreamError
from baonet.config import loader
from baonet.hyp.vmm import Plan, plan
from baonet.launch.crews import Placement
from baonet.wire import cluster
from baonet.wire.messages import accepted
from baonet.wire.roles import Role
from tests.system.machine import vm, write


def _takes_part(node: Stream, *, ready: bool) -> None:
    asked = node.expect(cluster.Enlist, 10)
    with closing(PulseDoor("127.0.0.1", asked.index, asked.token)) as door, closing(Heartbeat(3)) as heartbeat:
        node.send(cluster.Listening(door.port))
        keys = lead_keys(asked.token, asked.index).others
        heartbeat.watch(0, door.come(node.descriptor), node.descriptor, keys)
        if ready:
            node.send(cluster.Placed(1))
            node.expect(cluster.Meet, 10)
            node.send(cluster.Met(None))
            node.send(cluster.Lost(0))
            node.send(cluster.Traffic(1, 2, 3, 4, (), ()))
        with pytest.raises(StreamError, match="has gone"):
            node.await_message(20)


@contextmanager
def _node(*, ready: bool = True) -> Iterator[Joined]:
    """``ready``: it takes part; or it only lives."""
    ours, theirs = socket.socketpair()
    node = Stream(theirs, accepted(Role.LEAD, Role.NODE), "the lead")
    with ThreadPoolExecutor(1) as life:
        living = life.submit(_takes_part, node, ready=ready)
        joined = Joined(Stream(ours, accepted(Role.NODE, Role.LEAD), "it"), "it", "127.0.0.1", 1)
        try:
            yield joined
        finally:
            joined.stream.close()
        living.result(20)
    node.close()


def _asked(waiting: Callable[[str], None] = lambda why: None) -> Asked:
    image = cluster.Image("", 0)
    return Asked(
        Placement.PROCESS_PER_CPU, 1, False, image, [()], lambda stream, waiting: None, 3.0, lambda text: None, waiting
    )


def _plan(directory: Path) -> Plan:
    return plan(loader.load(write(directory, {"vms": [vm("hello")]}), (), None, plan))


def test_who_waits_for_nodes_can_have_enough(tmp_path: Path) -> None:
    """Of one that lives, and has very much to do."""

    def waiting(why: str) -> None:
        assert why == "node it is not ready"
        raise KeyboardInterrupt

    with _node(ready=False) as joined:
        began = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            Cluster(_plan(tmp_path), [joined], [0], _asked(waiting))
        assert time.monotonic() - began < 3


def test_who_loses_another_when_all_is_over_is_heard_to_its_end(tmp_path: Path) -> None:
    """A run ends, and the nodes with it: one sees that another has gone, and says so before its own last word."""

    async def run(lead: Cluster) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lead.supervise, lambda *said, **more: None)
            await trio.lowlevel.checkpoint()
            nursery.cancel_scope.cancel()
        await lead.settle()

    with _node() as joined:
        lead = Cluster(_plan(tmp_path), [joined], [0], _asked())
        trio.run(run, lead)
        lead.close()
        assert joined.traffic == cluster.Traffic(1, 2, 3, 4, (), ())
