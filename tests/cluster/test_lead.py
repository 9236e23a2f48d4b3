"""A lead of nodes that are late, or speak when all is over."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import trio

from baonet.cluster.enlisting import Asked
from baonet.cluster.joined import Joined
from baonet.cluster.lead import Cluster
from baonet.cluster.pulse import Heartbeat, PulseDoor, lead_keys
from baonet.cluster.stream import Stream, StreamError
from baonet.config import loader
from baonet.hyp.vmm import Plan, plan
from baonet.launch.crews import Placement
from baonet.wire import cluster
from baonet.wire.messages import accepted
from baonet.wire.roles import Role
from tests.patience import ANSWER
from tests.system.machine import vm, write


def _takes_part(node: Stream, says: Sequence[cluster.ClusterMessage], *, ready: bool) -> None:
    asked = node.expect(cluster.Enlist, 10)
    with closing(PulseDoor("127.0.0.1", asked.index, asked.token)) as door, closing(Heartbeat(3)) as heartbeat:
        node.send(cluster.Listening(door.port))
        keys = lead_keys(asked.token, asked.index).others
        heartbeat.watch(0, door.come(node.descriptor), node.descriptor, keys)
        if ready:
            node.send(cluster.Placed(1))
            node.expect(cluster.Meet, 10)
            node.send(cluster.Met(None))
            for message in says:
                node.send(message)
        with pytest.raises(StreamError, match="has gone"):
            _hear(node)


def _hear(lead: Stream) -> None:
    while True:
        lead.await_message(20)


@contextmanager
def _node(*says: cluster.ClusterMessage, ready: bool = True) -> Iterator[Joined]:
    """``ready``: it takes part, and then says so much; or it only lives."""
    ours, theirs = socket.socketpair()
    node = Stream(theirs, accepted(Role.LEAD, Role.NODE), "the lead")
    with ThreadPoolExecutor(1) as life:
        living = life.submit(_takes_part, node, says, ready=ready)
        joined = Joined(Stream(ours, accepted(Role.NODE, Role.LEAD), "it"), "it", "127.0.0.1", 1)
        try:
            yield joined
        finally:
            joined.stream.close()
        living.result(20)
    node.close()


def _asked(
    waiting: Callable[[str], None] = lambda why: None, warn: Callable[[str], None] = lambda text: None, nodes: int = 1
) -> Asked:
    image = cluster.Image("", 0)
    return Asked(
        Placement.PROCESS_PER_CPU, 1, False, image, [()] * nodes, lambda stream, waiting: None, 3.0, warn, waiting
    )


def _plan(directory: Path, cpus: int = 1) -> Plan:
    return plan(loader.load(write(directory, {"vms": [vm("hello", cpus=cpus)]}), (), None, plan))


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


async def _end(lead: Cluster) -> None:
    """A run, and the nodes with it."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lead.supervise, lambda *said, **more: None)
        await trio.lowlevel.checkpoint()
        nursery.cancel_scope.cancel()
    await lead.settle()


def test_who_loses_another_when_all_is_over_is_heard_to_its_end(tmp_path: Path) -> None:
    """It sees that another has gone, and says so before its own last word."""
    with _node(cluster.Lost(0, ""), cluster.Traffic(1, 2, 3, 4, (), ())) as joined:
        lead = Cluster(_plan(tmp_path), [joined], [0], _asked())
        trio.run(_end, lead)
        lead.close()
        assert joined.traffic == cluster.Traffic(1, 2, 3, 4, (), ())


def test_one_that_says_nothing_more_does_not_silence_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("baonet.cluster.lead.SETTLE", 0.5)
    with _node() as silent, _node(cluster.Traffic(1, 2, 3, 4, (), ())) as other:
        lead = Cluster(_plan(tmp_path, 2), [silent, other], [0, 1], _asked(nodes=2))
        trio.run(_end, lead)
        lead.close()
        assert other.traffic == cluster.Traffic(1, 2, 3, 4, (), ())


def test_a_node_that_says_what_cannot_be_is_named_with_what_it_said(tmp_path: Path) -> None:
    """The one that was dropped has lost the other as well, and it may be heard first."""
    said: list[str] = []
    heard = trio.Event()

    def warn(text: str) -> None:
        said.append(text)
        heard.set()

    async def run(lead: Cluster) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lead.supervise, lambda *told, **more: None)
            with trio.move_on_after(ANSWER):
                await heard.wait()
            nursery.cancel_scope.cancel()

    with _node(cluster.Lost(1, "")) as liar, _node(cluster.Lost(0, "GRANT")) as other:
        lead = Cluster(_plan(tmp_path, 2), [liar, other], [0, 1], _asked(warn=warn, nodes=2))
        trio.run(run, lead)
        lead.close()
    assert said == ["node 1 (it) has dropped node 0 (it), whose message GRANT cannot be, and they share an island"]
