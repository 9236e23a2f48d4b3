"""What the nodes of a run answer their lead: whoever does not, or is lost meanwhile, is named."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final, TypeVar, final

from baonet.cluster.joined import Joined
from baonet.cluster.pulse import LAST_WORDS, Heartbeat
from baonet.cluster.stream import GONE, SilenceError, StreamError
from baonet.cluster.terms import Awaiting, ClusterError
from baonet.wire.fields import ProtocolError

ANSWER: Final = 30.0
"""Seconds in which a node answers."""
PASSING: Final = 0.2
"""Seconds between what one node says and what another does, though both happened together."""
_T = TypeVar("_T")


@final
class Answers:
    """``waiting`` is told while nodes are waited for, and may raise."""

    def __init__(self, joined: Sequence[Joined], heartbeat: Heartbeat, waiting: Awaiting) -> None:
        self._joined, self._heartbeat, self._waiting = joined, heartbeat, waiting

    @contextmanager
    def named(self, index: int) -> Iterator[None]:
        """What goes wrong goes wrong with this one: a ClusterError."""
        try:
            yield
        except StreamError as error:
            raise ClusterError(f"node {self._joined[index].name} {self.why_lost(index, error)}") from None
        except ProtocolError as error:
            raise ClusterError(f"node {self._joined[index].name} {error}") from None

    def why_lost(self, index: int, error: StreamError) -> str:
        return self._heartbeat.why_lost(index, str(error))

    def wait(self, index: int, kind: type[_T], seconds: float = ANSWER) -> _T:
        """What that node says next. If it waits in vain for another one that is lost, that one is named."""
        with self.named(index):
            for _ in range(round(seconds / PASSING)):
                try:
                    return self._joined[index].stream.expect(kind, PASSING)
                except SilenceError:
                    self._name_lost()
                    self._waiting(f"node {self._joined[index].name} is not ready")
                except StreamError:
                    time.sleep(LAST_WORDS + PASSING)
                    self._name_lost()
                    raise
            raise StreamError(f"has said nothing for {seconds:g} s")

    def _name_lost(self) -> None:
        if (lost := self._heartbeat.lost()) is not None:
            why = self._heartbeat.why_lost(lost, GONE)
            raise ClusterError(f"node {self._joined[lost].name} {why}")
