"""How the nodes of a run come by the streams between them: of two the one with the higher number dials.

Whoever dials says the run's token and its number first, and is let in when both are as the lead has told.
"""

from __future__ import annotations

import hmac
import socket
import struct
import time
from collections.abc import Iterable
from typing import Final, final

from baonet.wire.cluster import Peer

TOKEN: Final = 16
"""Bytes of a token."""
PATIENCE: Final = 15.0
_GREETING: Final = struct.Struct(f"<4s{TOKEN}sH")
_MAGIC: Final = b"bao1"
_WELCOME: Final = b"\x06"


@final
class MeetingError(Exception):
    """A node was not there, or was somebody else: one line for people."""


@final
class Meeting:
    """The place at which other nodes reach this one, on the address ``host``. Raises OSError when there is none."""

    def __init__(self, host: str, index: int, token: bytes) -> None:
        self._index = index
        self._token = token
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.socket(family, socket.SOCK_STREAM)
        self._listener.bind((host, 0))
        self._listener.listen(64)

    @property
    def port(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    def meet(self, peers: Iterable[Peer], seconds: float = PATIENCE) -> dict[int, socket.socket]:
        """The stream to each of ``peers``, by their numbers. Raises MeetingError."""
        end = time.monotonic() + seconds
        expected = {peer.node: peer for peer in peers}
        found = {node: self._dial(peer, end) for node, peer in sorted(expected.items()) if node < self._index}
        while missing := expected.keys() - found.keys():
            left = end - time.monotonic()
            self._listener.settimeout(max(left, 0.001))
            try:
                come, _ = self._listener.accept()
            except TimeoutError:
                raise MeetingError(f"node {min(missing)} has not come within {seconds:g} s") from None
            node = self._greeted(come, end)
            if node in missing:
                found[node] = come
            else:
                come.close()
        for stream in found.values():
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            stream.setblocking(False)
        return found

    def _dial(self, peer: Peer, end: float) -> socket.socket:
        try:
            stream = socket.create_connection((peer.host, peer.port), timeout=max(end - time.monotonic(), 0.001))
            stream.sendall(_GREETING.pack(_MAGIC, self._token, self._index))
            if stream.recv(1) != _WELCOME:
                raise MeetingError(f"node {peer.node} at {peer.host}:{peer.port} did not let node {self._index} in")
        except OSError as error:
            why = error.strerror or str(error)
            raise MeetingError(f"node {peer.node} at {peer.host}:{peer.port} cannot be reached: {why}") from None
        return stream

    def _greeted(self, come: socket.socket, end: float) -> int | None:
        """Who that is; None for somebody else."""
        try:
            come.settimeout(min(max(end - time.monotonic(), 0.001), 2.0))
            data = bytearray()
            while len(data) < _GREETING.size and (more := come.recv(_GREETING.size - len(data))):
                data += more
            magic, token, node = _GREETING.unpack(data)
            if magic != _MAGIC or not hmac.compare_digest(token, self._token):
                return None
            come.sendall(_WELCOME)
        except (OSError, struct.error):
            return None
        return int(node)

    def close(self) -> None:
        self._listener.close()
