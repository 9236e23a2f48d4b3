"""The trace of a run, written as it goes: ``BNT1``, then a stream of msgpack values.

First a map that says what was run, then chunks ``[pcpu, records, host times]`` as they come, last a map that says how
the run ended. A file without the last one is of a run that was killed. docs/tracing.md has the fields.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import BinaryIO, Final, final

import msgpack

from baonet.wire.messages import TraceChunk

MAGIC: Final = b"BNT1\n"


@final
class TraceFile:
    """``error`` is what went wrong, if anything did; then nothing more is written. ``file`` is closed by ``close``."""

    def __init__(self, file: BinaryIO, header: Mapping[str, object]) -> None:
        self.error: OSError | None = None
        self._file = file
        self._write(MAGIC + self._pack(header))

    @staticmethod
    def _pack(value: object) -> bytes:
        packed: bytes = msgpack.packb(value)
        return packed

    def _write(self, data: bytes) -> None:
        if self.error is None:
            try:
                self._file.write(data)
            except OSError as error:
                self.error = error

    def chunk(self, chunk: TraceChunk) -> None:
        self._write(self._pack([chunk.pcpu, chunk.records, struct.pack("<QQ", chunk.begin, chunk.end)]))

    def close(self, footer: Mapping[str, object]) -> None:
        self._write(self._pack(footer))
        try:
            self._file.close()
        except OSError as error:
            self.error = self.error or error
