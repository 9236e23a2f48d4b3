"""How the lead comes by nodes that launchers start: it opens a door, and lets in who has a ticket, each once.

A ticket is made of random bytes for one number of one run, so whoever shows it tells which node it is. Others that call
are dropped without a word, and none of them is waited for.
"""

from __future__ import annotations

import hmac
import os
import select
import socket
import ssl
import time
from collections.abc import Sequence
from typing import Final, final

from baonet.cluster.answers import ANSWER
from baonet.cluster.identity import introduction, unlike
from baonet.cluster.joined import Joined
from baonet.cluster.keys import HostRole, KeysError, handshake
from baonet.cluster.route import bound, numeric, place
from baonet.cluster.starter import Starter
from baonet.cluster.stream import NonsenseError, Stream, StreamError
from baonet.cluster.terms import Awaiting, ClusterError
from baonet.document.quantities import listing
from baonet.machine.dataclass import dataclass
from baonet.wire.cluster import Beat, Introduction
from baonet.wire.messages import accepted
from baonet.wire.roles import Role

TICKET: Final = 16
"""Bytes of a ticket."""
PATIENCE: Final = 60.0
"""Seconds until a node that has not come is given up."""
CALLERS: Final = 64
"""Who has called and not introduced itself; the one that has waited longest is dropped for another."""
_INTRODUCED: Final = 10.0
"""Seconds until a caller that says nothing is dropped."""
_LOOK: Final = 0.05
_NAMED: Final = 4
"""Nodes that a line names."""
_BEAT: Final = 15.0
"""Seconds between two signs to those who wait for the others: they take it that the lead goes on."""


@final
@dataclass(slots=True)
class _Come:
    """A node that is there while others are not. ``owed``: signs that it has not answered."""

    joined: Joined
    owed: int = 0


@final
class Door:
    """Open at ``address``, ``port`` (0: any) for ``count`` nodes. Raises ClusterError when it cannot be.

    ``context``: of the lead's keys: who comes has to have some of the same CA, and to be a node.
    """

    def __init__(self, address: str, port: int, count: int, context: ssl.SSLContext | None = None) -> None:
        self.tickets = [os.urandom(TICKET) for _ in range(count)]
        try:
            self._socket = bound(address, port)
        except OSError as error:
            why = error.strerror or str(error)
            raise ClusterError(
                f"nodes cannot be waited for at {place(address, port)}: {why}: give --lead-address with an address of "
                "this host that the nodes reach"
            ) from None
        self._context = context
        self._shaking: dict[ssl.SSLSocket, tuple[str, float]] = {}
        self._turned_away = ""
        self._socket.listen(max(CALLERS, min(count, 1024)))
        self._socket.setblocking(False)
        self._callers: dict[Stream, tuple[str, float]] = {}
        self._come: dict[int, _Come] = {}
        self._beat = time.monotonic()

    @property
    def place(self) -> str:
        """HOST:PORT, where nodes are to call."""
        address = self._socket.getsockname()
        return place(numeric(address), address[1])

    def gather(
        self,
        names: Sequence[str],
        starters: Sequence[Starter],
        waiting: Awaiting,
        *,
        patience: float = PATIENCE,
        queued: bool = False,
    ) -> list[Joined]:
        """Wait for the node of each ticket, and return them in this order.

        ``names``: of the nodes, empty where they tell it themselves; ``starters``: who starts each. ``waiting`` is
        told all the time who has not come. ``queued``: the first one may take any time. Raises ClusterError.
        """
        end = time.monotonic() + patience
        try:
            while missing := [number for number in range(len(names)) if number not in self._come]:
                waiting(_missing(missing, names, starters))
                if queued and not self._come:
                    end = time.monotonic() + patience
                if not self._look(names):
                    _nobody_ended(missing, names, starters, self._turned_away)
                if time.monotonic() > end:
                    late = _missing(missing, names, starters, f" within {patience:g} s")
                    raise ClusterError(
                        f"{late} ({self.place} is to be reached from there: see --lead-address){self._turned_away}"
                    )
            for number in range(len(names)):
                self._answered(self._come[number])
            gathered = [self._come[number].joined for number in range(len(names))]
            self._come.clear()
            return gathered
        finally:
            self.close()

    def close(self) -> None:
        """Nobody else is let in."""
        for stream in [*self._callers, *(come.joined.stream for come in self._come.values())]:
            stream.close()
        for tls in self._shaking:
            tls.close()
        self._shaking.clear()
        self._callers.clear()
        self._come.clear()
        self._socket.close()

    def _look(self, names: Sequence[str]) -> bool:
        """Whether there was something to be seen."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        streams = [*self._callers, *(come.joined.stream for come in self._come.values())]
        for descriptor in [*(stream.descriptor for stream in streams), *(tls.fileno() for tls in self._shaking)]:
            poll.register(descriptor, select.POLLIN)
        ready = {descriptor for descriptor, _ in poll.poll(_LOOK * 1000)}
        for tls in [tls for tls in self._shaking if tls.fileno() in ready]:
            self._shake(tls)
        for stream in [stream for stream in self._callers if stream.descriptor in ready]:
            self._hear(stream, names)
        for come in self._come.values():
            if come.joined.stream.descriptor in ready:
                _signs(come)
        now = time.monotonic()
        for stream in [stream for stream, (_, since) in self._callers.items() if now - since > _INTRODUCED]:
            self._drop(stream)
        for tls in [tls for tls, (_, since) in self._shaking.items() if now - since > _INTRODUCED]:
            del self._shaking[tls]
            tls.close()
        if self._socket.fileno() in ready:
            self._accept()
        if now - self._beat > _BEAT:
            self._beat = now
            for come in self._come.values():
                come.joined.stream.send(Beat())
                come.owed += 1
        return bool(ready)

    def _accept(self) -> None:
        try:
            come, there = self._socket.accept()
        except OSError:  # who called is gone
            return
        come.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._context is not None:
            if len(self._shaking) == CALLERS:
                oldest = next(iter(self._shaking))
                del self._shaking[oldest]
                oldest.close()
            come.setblocking(False)
            tls = self._context.wrap_socket(come, server_side=True, do_handshake_on_connect=False)
            self._shaking[tls] = (numeric(there), time.monotonic())
        else:
            self._called(come, numeric(there))

    def _shake(self, tls: ssl.SSLSocket) -> None:
        """A caller with TLS has said something: when it has shown that it is a node, it is heard."""
        host, _ = self._shaking[tls]
        try:
            handshake(tls, HostRole.NODE)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        except KeysError as error:
            self._turned_away = f"; who called from {host} was not let in: {error}"
            del self._shaking[tls]
            tls.close()
            return
        del self._shaking[tls]
        self._called(tls, host)

    def _called(self, come: socket.socket, host: str) -> None:
        if len(self._callers) == CALLERS:
            self._drop(next(iter(self._callers)))
        stream = Stream(come, accepted(Role.NODE, Role.LEAD), "a node")
        self._callers[stream] = (host, time.monotonic())
        if self._context is not None:
            stream.send(Beat())  # whoever has keys waits for us to speak first

    def _drop(self, stream: Stream) -> None:
        del self._callers[stream]
        stream.close()

    def _hear(self, stream: Stream, names: Sequence[str]) -> None:
        """A caller has said something: who has no ticket, or says anything else, is dropped."""
        try:
            said = stream.take()
        except NonsenseError as error:
            self._turned_away = f"; who called from {self._callers[stream][0]} {error}: has it the same baonet?"
            self._drop(stream)
            return
        except StreamError:
            self._drop(stream)
            return
        if not said:
            return
        met = said[0]
        owed = int(self._context is not None)
        alone = len(said) <= 1 + owed and all(isinstance(each, Beat) for each in said[1:])
        number = self._number(met.ticket) if isinstance(met, Introduction) and alone else None
        if not isinstance(met, Introduction) or number is None:
            self._drop(stream)
            return
        name = names[number] or met.name
        why = unlike(introduction(), met)
        if why is not None:
            raise ClusterError(f"node {name} {why}")
        host, _ = self._callers.pop(stream)
        stream.name = name
        self._come[number] = _Come(Joined(stream, name, host, met.cores), 1 + owed - len(said))

    def _number(self, ticket: bytes) -> int | None:
        """Of the node that has it and has not come. Each is compared, in the same time."""
        same = [hmac.compare_digest(ticket, each) for each in self.tickets]
        number = same.index(True) if any(same) else None
        return None if number in self._come else number

    def _answered(self, come: _Come) -> None:
        """All signs, so that the next thing that it says is an answer to what it is asked."""
        while come.owed:
            try:
                come.joined.stream.await_message(ANSWER)
            except StreamError as error:
                raise ClusterError(f"node {come.joined.name} {error}") from None
            come.owed -= 1


def _missing(missing: Sequence[int], names: Sequence[str], starters: Sequence[Starter], within: str = "") -> str:
    """Who has not come, and what the starter of the first of them says."""
    who = listing([_called(number, names) for number in missing[:_NAMED]])
    if len(missing) > _NAMED:
        who = f"{', '.join(_called(number, names) for number in missing[:_NAMED])} and {len(missing) - _NAMED} others"
    nodes, have = ("node", "has") if len(missing) == 1 else ("nodes", "have")
    starter = starters[missing[0]]
    words = starter.words
    said = f": {starter.name} says '{words}'" if words else ""
    return f"{nodes} {who} {have} not come{within}{said}"


def _signs(come: _Come) -> None:
    """Of a node that waits. Raises ClusterError when it has gone."""
    try:
        said = come.joined.stream.take()
    except StreamError as error:
        raise ClusterError(f"node {come.joined.name} {error} while others had not come") from None
    if len(said) > come.owed or any(not isinstance(message, Beat) for message in said):
        raise ClusterError(f"node {come.joined.name} speaks before it is asked")
    come.owed -= len(said)


def _nobody_ended(missing: Sequence[int], names: Sequence[str], starters: Sequence[Starter], also: str) -> None:
    """Raises ClusterError when one does not come any more."""
    for number in missing:
        starter = starters[number]
        if (how := starter.ended) is not None:
            words = starter.words
            said = f": {words}" if words else ""
            raise ClusterError(f"node {_called(number, names)} has not come: {starter.name} {how}{said}{also}")


def _called(number: int, names: Sequence[str]) -> str:
    return names[number] or str(number)
