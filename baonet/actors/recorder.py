"""What a pcpu's core has recorded: its digest, and the chunks that go into the trace."""

from __future__ import annotations

import hashlib
from typing import final

from baonet.core.cpu import Core
from baonet.wire.messages import TraceChunk
from baonet.wire.port import Port


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

    def drain(self, everything: bool = False) -> None:
        """Take the full chunks from the core; with ``everything`` also what has been recorded since."""
        for records, begin, end in self._core.take_records(everything):
            self._hash.update(records)
            if self._tracing:
                self._port.send(self._reader, TraceChunk(self._pcpu, records, begin, end))

    def digest(self) -> bytes:
        """Of all that was drained: BLAKE2b, 256 bits."""
        return self._hash.digest()
