"""The heartbeat between a lead and its nodes: a small stream beside that for control, served without Python.

A node opens a door for it as soon as it is enlisted, and the lead dials that with what only the two know. From there on
each of them knows within the heartbeat time that the other is no more, whatever phase a run is in. What is lost so has
its control stream shut down, so it is found where somebody waits for that.

The stream is in the clear, and each beat has a code by a key that is made of the run's token: who does not know that
can end the stream, and keep nobody alive.
"""

from __future__ import annotations

import hashlib
import hmac
import select
import socket
import time
from collections.abc import Sequence
from typing import Final, final

from baonet.cluster.route import bound
from baonet.core import _node
from baonet.machine.dataclass import dataclass

BEATS: Final = _node.BEATS
"""Of each, in that time."""
PATIENCE: Final = 60.0
"""Seconds in which the lead's heartbeat begins: it dials one node after the other."""
LAST_WORDS: Final = 0.5
"""Seconds between the end of a peer's pulse and its loss: what it said before may still be read."""
DIALS: Final = 10.0
"""Seconds in which a node is to take that."""
GRACE: Final = 1
"""Seconds in which a node ends by itself when its lead is lost; then it is killed."""
_GREETING: Final = 32


def _greeting(token: bytes, index: int) -> bytes:
    """Nobody who sees it learns the token."""
    return hmac.digest(token, f"pulse {index}".encode(), hashlib.sha256)


@final
@dataclass(frozen=True, slots=True)
class BeatKeys:
    """Of what one end says, and of what it hears."""

    says: bytes
    hears: bytes

    @property
    def others(self) -> BeatKeys:
        """Those of the other end."""
        return BeatKeys(self.hears, self.says)


def lead_keys(token: bytes, index: int) -> BeatKeys:
    """Those of the lead with the node ``index``."""
    says, hears = (hmac.digest(token, f"{who} {index}".encode(), hashlib.sha256) for who in ("lead", "node"))
    return BeatKeys(says, hears)


@final
class PulseDoor:
    """On a node: where its lead's heartbeat comes in, on the address ``host``. Raises OSError when there is none."""

    def __init__(self, host: str, index: int, token: bytes) -> None:
        self._greeting = _greeting(token, index)
        self._listener = bound(host, 0)
        self._listener.listen()

    @property
    def port(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    def come(self, control: int, seconds: float = PATIENCE) -> socket.socket:
        """The lead's stream. Raises OSError when it does not come, or has ended ``control``; others are sent away."""
        end = time.monotonic() + seconds
        wanted = select.poll()
        wanted.register(self._listener, select.POLLIN)
        wanted.register(control, select.POLLRDHUP)
        while True:
            ready = [descriptor for descriptor, _ in wanted.poll(max(end - time.monotonic(), 0) * 1000)]
            if not ready:
                raise TimeoutError(f"the lead's heartbeat has not begun within {seconds:g} s")
            if control in ready:
                raise ConnectionError("the lead has gone")
            stream, _ = self._listener.accept()
            try:
                stream.settimeout(min(max(end - time.monotonic(), 0.001), 2.0))
                greeting = stream.recv(_GREETING, socket.MSG_WAITALL)
            except OSError:
                greeting = b""
            if hmac.compare_digest(greeting, self._greeting):
                return stream
            stream.close()

    def close(self) -> None:
        self._listener.close()


def dial(host: str, port: int, token: bytes, index: int) -> socket.socket:
    """To the node ``index``. Raises OSError."""
    stream = socket.create_connection((host, port), timeout=DIALS)
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    stream.sendall(_greeting(token, index))
    return stream


@final
class Heartbeat:
    """``seconds`` without a word, and a peer is lost. On a node, ``ends``: it does not outlive its lead."""

    def __init__(self, seconds: float, *, ends: bool = False) -> None:
        self._seconds = seconds
        self._pulse = _node.Pulse(seconds, GRACE if ends else 0)
        self._numbers: dict[int, int] = {}

    def watch(self, peer: int, stream: socket.socket, control: int, keys: BeatKeys) -> None:
        """From now on. ``stream`` belongs to the heartbeat, ``control`` is the descriptor that is shut down."""
        with stream:
            self._pulse.watch(stream.fileno(), control, keys.says, keys.hears)
        self._numbers[peer] = len(self._numbers)

    def why_lost(self, peer: int, otherwise: str) -> str:
        """Why a peer is: it said nothing, or ``otherwise``. Reads behind its name."""
        number = self._numbers.get(peer)
        silent = number is not None and self._pulse.silent(number)
        return f"has not been heard of for {self._seconds:g} s" if silent else otherwise

    def lost(self) -> int | None:
        """The first, by its number, of those that are."""
        return min((peer for peer, number in self._numbers.items() if self._pulse.lost(number)), default=None)

    def longest(self) -> Sequence[float]:
        """Seconds of the longest silence of each peer that was none yet."""
        return [self._pulse.longest(number) for number in self._numbers.values()]

    def close(self) -> None:
        self._pulse.close()
