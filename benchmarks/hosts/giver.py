"""The host that has the pages: a courier as nodes have it, with one peer.

``python -m benchmarks.hosts.giver ADDRESS [KEYS]`` says its port, and serves until its standard input ends.
"""

from __future__ import annotations

import array
import mmap
import os
import select
import socket
import sys
from pathlib import Path
from typing import Final

from baonet.cluster.meeting import node_keys
from baonet.core import _node

ISLAND: Final = 1
PAGES: Final = 1024
PAGE: Final = 4096


def serve(address: str, keys: Path | None) -> None:
    read = None if keys is None else node_keys(keys)
    with socket.create_server((address, 0)) as server:
        print(server.getsockname()[1], flush=True)
        come, _ = server.accept()
    come.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    link = _node.Link(come.detach(), read, called=True)
    while waits := link.shake():
        select.select([link] if waits == 1 else [], [link] if waits == 2 else [], [])
    bell, caller = socket.socketpair(type=socket.SOCK_SEQPACKET)
    _, told = os.pipe()
    courier = _node.Courier(0, bell.fileno(), told, 3600.0)
    courier.peer(1)
    nodes, places = array.array("H", [0, 1]), array.array("H", [0, 0xFFFF])
    ledger, slots = (mmap.mmap(-1, size) for size in (_node.LEDGER_SIZE + 2 * _node.LANE_SIZE, 2 * _node.SLOT_SIZE))
    courier.island(ISLAND, 2, 0, ledger, slots, nodes, places, 1, caller.fileno())
    courier.table(ISLAND, 0, PAGES, bytearray(16 * PAGES), bytearray(os.urandom(PAGE)) * PAGES, False)
    courier.connect(1, link)
    courier.begin()
    sys.stdin.read()
    courier.close(caller.fileno())


if __name__ == "__main__":
    serve(sys.argv[1], Path(sys.argv[2]) if len(sys.argv) > 2 else None)
