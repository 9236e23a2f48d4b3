"""The trace of a run, written as it goes: ``BNT1``, then a stream of msgpack values.

First a map that says what was run, then chunks ``[pcpu, records, host times]`` as they come, last a map that says how
the run ended. A file without the last one is of a run that was killed. docs/tracing.md has the fields.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Final, final

import msgpack

from baonet.outlets.outlet import Outlet
from baonet.wire.messages import TraceChunk

MAGIC: Final = b"BNT1\n"


@final
class TraceFile:
    """``outlet`` is where it goes, and tells what went wrong."""

    def __init__(self, outlet: Outlet, header: Mapping[str, object]) -> None:
        self._outlet = outlet
        self._outlet.write(MAGIC + self._pack(header))

    @staticmethod
    def _pack(value: object) -> bytes:
        packed: bytes = msgpack.packb(value)
        return packed

    def chunk(self, chunk: TraceChunk) -> None:
        self._outlet.write(self._pack([chunk.pcpu, chunk.records, struct.pack("<QQ", chunk.begin, chunk.end)]))

    def close(self, footer: Mapping[str, object]) -> None:
        """The last that is written; the outlet may still have it to write."""
        self._outlet.write(self._pack(footer))
