"""What nodes tell each other of a cluster whose memory takes time, ahead of all else; and what cannot be said."""

from __future__ import annotations

import mmap
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from baonet.core import _memsys, _node
from tests.core.bench import RAM
from tests.core.frames import FRAMES
from tests.core.joined_nodes import ISLAND, JoinedNode

NODES = [0, 1, 2, 2]
"""Of each pcpu; all of them are one cluster."""
WINDOW = 10_000
HEAD = struct.Struct("<IHH")
PAGES_WANTED = struct.Struct("<IHH")
MOVES = struct.Struct("<QIIII")
"""The first one's number, cluster, party, how many."""
REQUESTS = struct.Struct("<QII32QII")
"""Window, pcpu, 0, what is asked, how much of it that is, whether it is all."""
READ, WRITTEN = 0, 1
QUIET = {FRAMES["BEAT"]}


def shape() -> bytes:
    parameters = _memsys.CORTEX_A53 | {"l2_size": 65536}
    numbers = [parameters[name] for name in _node.MEMORY_PARAMETERS]
    return struct.pack(f"@{len(numbers)}I16QIIQ", *numbers, RAM, 0x40_0000, *[0] * 14, 1, len(NODES), WINDOW)


def moved(party: int, first: int, *moves: int, cluster: int = 0, count: int | None = None) -> bytes:
    body = MOVES.pack(first, cluster, party, len(moves) if count is None else count, 0)
    return body + b"".join(move.to_bytes(8, "little") for move in moves)


def asked(pcpu: int, *requests: int, window: int = 1, count: int | None = None) -> bytes:
    some = [*requests, *[0] * (32 - len(requests))]
    return REQUESTS.pack(window, pcpu, 0, *some, len(requests) if count is None else count, 0)


def move(line: int, kind: int) -> int:
    return (RAM // 64 + line) << 3 | kind


class Home:
    """Node 0, of which this is all peers; ``process`` says something to that of pcpu 2, which is on another node."""

    def __init__(self) -> None:
        self.node = JoinedNode(0, NODES, carries=False, pages=1, free=False)
        self.memory = mmap.mmap(-1, _node.cluster_size(shape()))
        self.node.courier.cluster(ISLAND, self.memory, shape(), 0, (0,) * len(NODES))
        relayed, self.process = socket.socketpair()
        relayed.setblocking(False)
        self.node.courier.relay(ISLAND, 2, 2, relayed.detach())
        self.streams = dict(zip((1, 2), self.node.raw(1, 2), strict=True))

    def say(self, node: int, kind: str, body: bytes) -> None:
        self.streams[node].sendall(HEAD.pack(len(body), FRAMES[kind], ISLAND) + body)

    def hear(self, node: int) -> tuple[str, bytes]:
        """What is said there next, beside that it lives."""
        while True:
            length, kind, _ = HEAD.unpack(self._exactly(node, HEAD.size))
            body = self._exactly(node, length)
            if kind not in QUIET:
                return _node.FRAMES[kind], body

    def _exactly(self, node: int, size: int) -> bytes:
        data = self.streams[node].recv(size, socket.MSG_WAITALL)
        assert len(data) == size
        return data

    def has_heard(self, node: int) -> None:
        """Returns when it has taken all that was said so far."""
        self.say(node, "GET", PAGES_WANTED.pack(0, 0, 1))
        assert self.hear(node)[0] == "PAGES"


@contextmanager
def home() -> Iterator[Home]:
    made = Home()
    try:
        yield made
    finally:
        made.node.close()
        for each in (made.process, *made.streams.values()):
            each.close()


def test_what_one_node_tells_goes_to_others_ahead_of_all_else() -> None:
    with home() as made:
        told, more = moved(1, 0, move(0, READ), move(5, WRITTEN)), moved(1, 2, move(5, READ))
        made.say(1, "MOVED", told)
        made.say(1, "ASKED", asked(2, 0x1234, 0x5678))
        made.has_heard(1)
        made.process.send(b"go on")
        assert [made.hear(2) for _ in range(2)] == [("MOVED", told), ("ASKED", asked(2, 0x1234, 0x5678))]
        assert made.hear(2) == ("SAYS", struct.pack("<I", 2) + b"go on")
        made.say(1, "MOVED", more)
        made.say(1, "MOVED", told)  # as who was loaded does
        made.has_heard(1)
        made.process.send(b"again")
        assert [made.hear(2)[0] for _ in range(2)] == ["MOVED", "SAYS"], "what was told is not told again"


WRONG = {
    "what is behind moves that are missing": ("MOVED", moved(1, 1, move(0, READ))),
    "moves that are not all there": ("MOVED", moved(1, 0, move(0, READ), count=2)),
    "billions of moves": ("MOVED", moved(1, 0, count=0xFFFFFFFF)),
    "half of a head": ("MOVED", b"\0" * 11),
    "moves of another node's pcpu": ("MOVED", moved(2, 0, move(0, READ))),
    "moves of a pcpu at home": ("MOVED", moved(0, 0, move(0, READ))),
    "moves of no pcpu": ("MOVED", moved(4, 0, move(0, READ))),
    "moves in no cluster": ("MOVED", moved(1, 0, move(0, READ), cluster=1)),
    "requests to nobody": ("ASKED", asked(4, 1)),
    "requests to itself": ("ASKED", asked(1, 1)),
    "very many requests": ("ASKED", asked(0, 1, count=33)),
    "half of the requests": ("ASKED", asked(0, 1)[:-8]),
    "the end of a window that home ends": ("EDGE", struct.pack("<QQII", 1, WINDOW, 0, 0)),
}


@pytest.mark.parametrize("name", list(WRONG))
def test_what_cannot_be_costs_the_stream(name: str) -> None:
    with home() as made:
        made.say(1, *WRONG[name])
        assert made.node.lost_nodes() == {1}


def test_more_than_a_window_can_have_costs_the_stream() -> None:
    with home() as made:
        piece = 16_384
        lines = [move(line % 64, READ) for line in range(piece)]
        with suppress(ConnectionError):
            for first in range(0, 1000 * WINDOW, piece):
                made.say(1, "MOVED", moved(1, first, *lines))
        assert made.node.lost_nodes() == {1}


def test_lines_that_no_cluster_has_are_borne() -> None:
    with home() as made:
        made.say(1, "MOVED", moved(1, 0, 2**64 - 8, WRITTEN, move(0x20_0000, READ)))
        made.has_heard(1)
