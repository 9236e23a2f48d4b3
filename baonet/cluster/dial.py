"""How the lead comes by nodes that wait for it: it calls each, and sees whether it can run a machine with it."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from contextlib import ExitStack
from typing import Final

from baonet.cluster.identity import introduction, unlike
from baonet.cluster.lead import ClusterError, Joined
from baonet.cluster.stream import Stream, StreamError
from baonet.wire.cluster import Introduction
from baonet.wire.messages import accepted
from baonet.wire.roles import Role

PATIENCE: Final = 10.0
"""Seconds until a host that does not answer is given up."""


def dial(names: Iterable[str]) -> list[Joined]:
    """The nodes that listen at these (HOST:PORT), in order. Raises ClusterError for one that cannot take part."""
    joined: list[Joined] = []
    with ExitStack() as stack:
        for name in names:
            joined.append(node := _one(name)[0])
            stack.callback(node.stream.close)
        stack.pop_all()
    return joined


def _one(name: str) -> tuple[Joined, Introduction]:
    host, _, port = name.rpartition(":")
    address = host.removeprefix("[").removesuffix("]")
    try:
        sock = socket.create_connection((address, int(port)), timeout=PATIENCE)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        where = sock.getpeername()[0]
    except OSError as error:
        why = error.strerror or str(error)
        raise ClusterError(f"node {name} cannot be reached: {why}: is 'baonet node --listen {name}' running?") from None
    stream = Stream(sock, accepted(Role.NODE, Role.LEAD), name)
    return greet(stream, name, where)


def greet(stream: Stream, name: str, host: str) -> tuple[Joined, Introduction]:
    """Have a node introduce itself. Raises ClusterError when it is of no use; the stream is closed then."""
    why: str | None
    try:
        met = stream.await_message(PATIENCE)
        if isinstance(met, Introduction):
            why = unlike(introduction(), met)
            if why is None:
                return Joined(stream, name, host, met.cores), met
        else:
            why = f"says {type(met).__name__} where Introduction is due: it is no node of baonet"
    except StreamError as error:
        why = str(error)
    stream.close()
    raise ClusterError(f"node {name} {why}")
