"""The host that reads: asks for one page after the other, as a courier does for its cores.

``python -m benchmarks.hosts.taker ADDRESS PORT COUNT [KEYS]`` says how long each took, in microseconds. It is Python,
with a socket that waits. No core is woken by what comes: that is not in these figures.
"""

from __future__ import annotations

import json
import socket
import struct
import sys
import time
from pathlib import Path
from typing import Final

from baonet.cluster.keys import HostRole, client_context, handshake
from benchmarks.hosts.giver import ISLAND, PAGE, PAGES

HEAD: Final = struct.Struct("<IHH")
ASK: Final = struct.Struct("<IHH")
GET: Final = 3
WARM: Final = 500


def connected(address: str, port: int, keys: Path | None) -> socket.socket:
    sock = socket.create_connection((address, port), timeout=20)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if keys is None:
        return sock
    tls = client_context(keys, HostRole.NODE).wrap_socket(sock, do_handshake_on_connect=False)
    handshake(tls, HostRole.NODE)
    return tls


def misses(sock: socket.socket, count: int) -> list[float]:
    """Microseconds of each, after some that do not count."""
    size = HEAD.size + ASK.size + PAGE
    room = memoryview(bytearray(size))
    taken = []
    for number in range(count + WARM):
        question = HEAD.pack(ASK.size, GET, ISLAND) + ASK.pack(number * 7 % PAGES, 0, 1)
        begin = time.perf_counter_ns()
        sock.sendall(question)
        come = 0
        while come < size:
            more = sock.recv_into(room[come:])
            if not more:
                raise ConnectionError("the giver has gone")
            come += more
        taken.append((time.perf_counter_ns() - begin) / 1000)
    return taken[WARM:]


if __name__ == "__main__":
    address, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    found = misses(connected(address, port, Path(sys.argv[4]) if len(sys.argv) > 4 else None), count)
    print(json.dumps(found))
