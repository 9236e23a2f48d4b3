"""How the lead comes by nodes that wait for it: it calls each, and sees whether it can run a machine with it."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Final, TypeVar, final

from baonet.cluster.identity import introduction, unlike
from baonet.cluster.joined import Joined
from baonet.cluster.keys import NO_TLS, HostRole, KeysError, client_context, find, handshake, server_context
from baonet.cluster.route import numeric
from baonet.cluster.stream import NonsenseError, SilenceError, Stream, StreamError
from baonet.cluster.terms import ClusterError
from baonet.machine.dataclass import dataclass
from baonet.wire.cluster import Beat, Introduction, Refused
from baonet.wire.messages import Message, accepted
from baonet.wire.roles import Role

PATIENCE: Final = 10.0
"""Seconds until a host that does not answer is given up."""
_ECHOES: Final = 5
"""Of which the fastest tells how far away a node is: others wait for whatever else the hosts have to do."""
_T = TypeVar("_T", bound=Message)


@final
@dataclass(frozen=True, slots=True)
class CalledNode:
    """``unlike``: why it cannot run a machine with this host. ``seconds``: from a word to its echo, if it can."""

    joined: Joined
    introduction: Introduction
    unlike: str | None
    seconds: float | None


def lead_context(keys: Path | None, *, insecure: bool, called: bool = False) -> ssl.SSLContext | None:
    """For calls of a lead, or to it, None without keys. ``keys``: where they are, None for where they usually are.

    ``insecure``: none are used. Raises ClusterError when those that were found are of no use.
    """
    try:
        found = None if insecure else find(keys)
        if found is None:
            return None
        return (server_context if called else client_context)(found, HostRole.LEAD)
    except KeysError as error:
        raise ClusterError(str(error)) from None


def dial(names: Iterable[str], context: ssl.SSLContext | None = None) -> list[Joined]:
    """The nodes that listen at these (HOST:PORT), in order. Raises ClusterError for one that cannot take part."""
    joined: list[Joined] = []
    with ExitStack() as stack:
        for name in names:
            met = call(name, context)
            stack.callback(met.joined.stream.close)
            if met.unlike is not None:
                raise ClusterError(f"node {name} {met.unlike}")
            joined.append(met.joined)
        stack.pop_all()
    return joined


def call(name: str, context: ssl.SSLContext | None) -> CalledNode:
    """Raises ClusterError when it cannot be reached, is no node, or one of us does not let the other in."""
    host, _, port = name.rpartition(":")
    address = host.removeprefix("[").removesuffix("]")
    try:
        sock = socket.create_connection((address, int(port)), timeout=PATIENCE)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        where = numeric(sock.getpeername())
    except socket.gaierror as error:
        raise ClusterError(
            f"node {name} cannot be reached: {error.strerror}: write the host as this one knows it"
        ) from None
    except OSError as error:
        why = error.strerror or str(error)
        raise ClusterError(f"node {name} cannot be reached: {why}: is 'baonet node --listen {name}' running?") from None
    if context is not None:
        sock = _secured(sock, name, context)
    return greet(Stream(sock, accepted(Role.NODE, Role.LEAD), name), name, where)


def _secured(sock: socket.socket, name: str, context: ssl.SSLContext) -> ssl.SSLSocket:
    tls = context.wrap_socket(sock, do_handshake_on_connect=False)
    try:
        handshake(tls, HostRole.NODE)
    except KeysError as error:
        tls.close()
        why = f"{error}: give it keys, or give --insecure" if str(error) == NO_TLS else str(error)
        raise ClusterError(f"node {name} is not trusted: {why}") from None
    return tls


def greet(stream: Stream, name: str, host: str) -> CalledNode:
    """Have a node introduce itself. Raises ClusterError when it is none; the stream is closed then."""
    try:
        # Whoever has keys waits for us to speak first.
        stream.send(Beat())
        met = _introduced(stream)
        joined, why = Joined(stream, name, host, met.cores), unlike(introduction(), met)
        if why is not None:
            return CalledNode(joined, met, why, None)
        _expect(stream, Beat)
        return CalledNode(joined, met, None, min(_echo(stream) for _ in range(_ECHOES)))
    except StreamError as error:
        stream.close()
        raise ClusterError(f"node {name} {error}") from None


def _introduced(stream: Stream) -> Introduction:
    """Who takes a call and says nothing of use is mostly another program, whose port was given by mistake."""
    try:
        return _expect(stream, Introduction)
    except SilenceError as error:
        raise StreamError(f"{error}: is it 'baonet node' that listens there?") from None
    except NonsenseError as error:
        raise StreamError(f"{error}: is it 'baonet node' that listens there, of the same baonet as here?") from None


def _echo(stream: Stream) -> float:
    begin = time.monotonic()
    stream.send(Beat())
    _expect(stream, Beat)
    return time.monotonic() - begin


def _expect(stream: Stream, kind: type[_T]) -> _T:
    message = stream.await_message(PATIENCE)
    if isinstance(message, Refused):
        raise StreamError(message.why)
    if not isinstance(message, kind):
        raise StreamError(f"says {type(message).__name__} where {kind.__name__} is due: it is no node of baonet")
    return message
