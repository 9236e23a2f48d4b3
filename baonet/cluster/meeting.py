"""How the nodes of a run come by the streams between them: of two the one with the higher number dials.

Whoever dials says the run's token and its number first, and is let in when both are as the lead has told. With keys all
of it is in TLS, and nothing is heard of who has no certificate of a node.
"""

from __future__ import annotations

import _ssl
import hmac
import select
import socket
import struct
import time
from collections.abc import Generator, Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Final, final

from baonet.cluster.keys import CA, CERTIFICATE, KEY, HostRole, KeysError, holder, native_refusal, read_key, refuse_role
from baonet.cluster.route import bound, place, seen_from
from baonet.core import _node
from baonet.machine.dataclass import dataclass
from baonet.wire.cluster import Peer

TOKEN: Final = 16
"""Bytes of a token."""
PATIENCE: Final = 15.0
MOST: Final = 64
"""Callers that have not shown yet who they are. The oldest makes room."""
_GREETING: Final = struct.Struct(f"<4s{TOKEN}sH")
_MAGIC: Final = b"bao1"
_WELCOME: Final = b"\x06"
_READS, _WRITES = 1, 2
_Steps = Generator[int, None, int | None]
"""Yields what it waits for, _READS or _WRITES; returns the other's number, None for somebody else."""


@final
class MeetingError(Exception):
    """A node was not there, or was somebody else: one line for people."""


def node_keys(directory: Path) -> _node.Keys:
    """Raises KeysError."""
    read_key(directory / KEY)
    library = getattr(_ssl, "__file__", "")
    files = [str(directory / name) for name in (CA, CERTIFICATE, KEY)]
    missing = ""
    # A Python that has OpenSSL inside may hide its functions; then that of the host does as well.
    for each in (library, "libssl.so.3", "libssl.so.1.1"):
        try:
            return _node.Keys(each, *files)
        except ValueError as error:
            reason = str(error.args[0])
            if not reason.startswith(("no function", "no library")):
                raise KeysError(f"{directory / CERTIFICATE} cannot be used between nodes: {reason}") from None
            missing = missing or reason
    raise KeysError(
        f"OpenSSL cannot be used between nodes, it has {missing}: install libssl 3, or use a Python with it"
    )


@final
@dataclass(slots=True)
class _Party:
    """A connection, until it is known who that is. ``come``: it has called."""

    steps: _Steps
    waits: int
    come: bool


@final
class Meeting:
    """The place at which other nodes reach this one, on the address ``host``. Raises OSError when there is none."""

    def __init__(self, host: str, index: int, token: bytes) -> None:
        self._host = host
        self._index = index
        self._token = token
        self._keys: _node.Keys | None = None
        self._listener = bound(host, 0)
        self._listener.listen(4 * MOST)
        self._listener.setblocking(False)

    @property
    def port(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    def meet(self, peers: Iterable[Peer], keys: Path | None = None, seconds: float = PATIENCE) -> dict[int, _node.Link]:
        """The stream to each of ``peers``, by their numbers. ``keys``: the directory of this node's.

        Raises MeetingError when one does not come, and KeysError.
        """
        end = time.monotonic() + seconds
        missing = {peer.node: peer for peer in peers}
        if missing and keys is not None:
            self._keys = node_keys(keys)
        going: dict[_node.Link, _Party] = {}
        found: dict[int, _node.Link] = {}
        with ExitStack() as stack:
            for node, peer in sorted(missing.items()):
                if node < self._index:
                    link = self._dialled(peer, end)
                    stack.callback(link.close)
                    going[link] = _Party(self._introduced(link, peer), _WRITES, come=False)
            while missing:
                for link in self._ready(going, end, min(missing)):
                    try:
                        going[link].waits = next(going[link].steps)
                    except StopIteration as done:
                        del going[link]
                        if done.value in missing:
                            found[done.value] = link
                            del missing[done.value]
                        else:
                            link.close()
                self._accept(going)
            stack.pop_all()
        for link in going:
            link.close()
        return found

    def _ready(self, going: dict[_node.Link, _Party], end: float, awaited: int) -> list[_node.Link]:
        poll = select.poll()  # a node may have more descriptors than `select` bears
        poll.register(self._listener, select.POLLIN)
        for link, party in going.items():
            poll.register(link, select.POLLIN if party.waits == _READS else select.POLLOUT)
        ready = {descriptor for descriptor, _ in poll.poll(max(end - time.monotonic(), 0) * 1000)}
        if not ready:
            raise MeetingError(f"node {awaited} has not come in time")
        return [link for link in going if link.fileno() in ready]

    def _accept(self, going: dict[_node.Link, _Party]) -> None:
        try:
            come, _ = self._listener.accept()
            come.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError:
            return
        strangers = [link for link, party in going.items() if party.come]
        if len(strangers) >= MOST:
            del going[strangers[0]]
            strangers[0].close()
        link = _node.Link(come.detach(), self._keys, called=True)
        going[link] = _Party(self._greeted(link), _READS, come=True)

    def _dialled(self, peer: Peer, end: float) -> _node.Link:
        try:
            there = (seen_from(self._host, peer.host), peer.port)
            stream = socket.create_connection(there, timeout=max(end - time.monotonic(), 0.001))
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            why = error.strerror or str(error)
            raise MeetingError(f"node {peer.node} at {place(peer.host, peer.port)} cannot be reached: {why}") from None
        return _node.Link(stream.detach(), self._keys)

    def _introduced(self, link: _node.Link, peer: Peer) -> _Steps:
        """To one that was dialled. Raises MeetingError."""
        called = f"node {peer.node} at {place(peer.host, peer.port)}"
        try:
            yield from self._shaken(link)
            link.say(_GREETING.pack(_MAGIC, self._token, self._index))
            if (yield from _read(link, 1)) != _WELCOME:
                raise MeetingError(f"{called} did not let node {self._index} in")
        except ValueError as error:
            raise MeetingError(f"{called}: {native_refusal(error)}") from None
        except KeysError as error:
            raise MeetingError(f"{called}: {error}") from None
        return peer.node

    def _greeted(self, link: _node.Link) -> _Steps:
        """One that has come."""
        try:
            yield from self._shaken(link)
            data = yield from _read(link, _GREETING.size)
        except (ValueError, KeysError):
            return None
        if len(data) < _GREETING.size:
            return None
        magic, token, node = _GREETING.unpack(data)
        if magic != _MAGIC or not hmac.compare_digest(token, self._token) or not link.say(_WELCOME):
            return None
        return int(node)

    def _shaken(self, link: _node.Link) -> Generator[int, None, None]:
        """Raises ValueError as ``Link.shake``, and KeysError for who is no node."""
        while waits := link.shake():
            yield waits
        if self._keys is not None:
            name, unit = (text.decode(errors="replace") for text in link.subject())
            refuse_role(*holder([name], [unit]), HostRole.NODE)

    def close(self) -> None:
        self._listener.close()


def _read(link: _node.Link, size: int) -> Generator[int, None, bytes]:
    """So many bytes, or less if it ends before. Raises ValueError as ``Link.read``."""
    data = b""
    while len(data) < size:
        more = link.read(size - len(data))
        if more is None:
            yield _READS
        elif more:
            data += more
        else:
            break
    return data
