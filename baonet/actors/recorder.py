"""What a pcpu's core has recorded: its digest, and the chunks that go into the trace."""

from __future__ import annotations

import hashlib
from typing import Final, final

from baonet.core.cpu import Core
from baonet.machine.saved import Saved, StateForm
from baonet.wire.messages import TraceChunk
from baonet.wire.port import Port

_FORM: Final = StateForm("a recorder", 1, drained=int)


@final
class Recorder:
    """``tracing``: the records are wanted, so they go to ``reader``; their digest is made in any case."""

    def __init__(self, pcpu: int, core: Core, port: Port, reader: int, tracing: bool) -> None:
        self._pcpu = pcpu
        self._core = core
        self._port = port
        self._reader = reader
        self._tracing = tracing
        self._hash = hashlib.blake2b(digest_size=32)
        self._drained = 0

    def drain(self, everything: bool = False) -> None:
        """Take the full chunks from the core; with ``everything`` also what has been recorded since."""
        for records, begin, end in self._core.take_records(everything):
            self._hash.update(records)
            self._drained += len(records)
            if self._tracing:
                self._port.send(self._reader, TraceChunk(self._pcpu, records, begin, end))

    def digest(self) -> bytes:
        """Of all that was drained, since it was loaded if it was: BLAKE2b, 256 bits."""
        return self._hash.digest()

    def save(self) -> Saved:
        """How many bytes it has drained; what the core still has, the core keeps.

        The digest cannot be kept: it is of what comes after.
        """
        return _FORM.save(drained=self._drained)

    def load(self, data: object) -> None:
        """Go on behind what another has drained. Raises StateError for what is not its state."""
        self._drained = _FORM.load(data)["drained"]
        self._hash = hashlib.blake2b(digest_size=32)
