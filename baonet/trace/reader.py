"""Reads a trace file of any size, with a little of it in memory at a time.

A file is read twice. The first time tells where the chunks of each pcpu are, and whether the file is whole; then any of
them can be had: all as they were written, or, since a pcpu that waits for a second writes nothing meanwhile, those of
all pcpus side by side (``trace_order``).
"""

from __future__ import annotations

import os
import stat
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self, final

import msgpack

from baonet.trace.head import Footer, Header, TraceError, footer, header
from baonet.trace.records import RECORD
from baonet.trace.writer import MAGIC

_LARGEST: Final = 4 << 20
"""Bytes of one value. A chunk has at most 64 KiB; the last value has the counters of every pcpu."""
_READ: Final = 1 << 18

Progress = Callable[[int, int], None]
"""Is told how much is done, and of how much."""


@final
class TraceReader:
    """``footer`` is None of a run that was killed; ``rest`` is then the number of bytes of a value that is cut off.
    ``records`` is how many there are.

    Open files are closed by ``close``, or at the end of a ``with``. What is appended meanwhile is not seen.
    """

    def __init__(self, path: Path, progress: Progress | None = None) -> None:
        """Raises TraceError, and OSError when the file cannot be read."""
        self.path = path
        self.footer: Footer | None = None
        self.rest = 0
        self.records = 0
        self._order = array("H")
        self._places: dict[int, array[int]] = {}
        self._file: BinaryIO = path.open("rb", buffering=0)
        try:
            self.size = self._regular()
            self.header = self._index(progress)
        except BaseException:
            self._file.close()
            raise

    def _regular(self) -> int:
        status = os.fstat(self._file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise TraceError("not a file that can be read twice")
        return status.st_size

    def _index(self, progress: Progress | None) -> Header:
        if self._file.read(len(MAGIC)) != MAGIC:
            raise TraceError("not a trace")
        values = msgpack.Unpacker(self._file, read_size=_READ, max_buffer_size=_LARGEST, strict_map_key=False)
        first: Header | None = None
        at = 0
        try:
            for value in values:
                end = values.tell()
                if first is None:
                    first = header(value)
                elif self.footer is not None:
                    raise TraceError(f"damaged: it goes on behind its end, at byte {len(MAGIC) + at}")
                elif isinstance(value, dict):
                    self.footer = footer(value)
                else:
                    self._place(value, at, end)
                at = end
                if progress is not None:
                    progress(at, self.size)
        except (ValueError, TypeError, RecursionError, msgpack.UnpackException) as error:
            raise TraceError(f"damaged at byte {len(MAGIC) + at}: {error or type(error).__name__}") from None
        if first is None:
            raise TraceError("cut off before its header ends")
        self.rest = self.size - len(MAGIC) - at
        return first

    def _place(self, value: object, at: int, end: int) -> None:
        pcpu, records = _chunk(value, at)
        self.records += len(records) // RECORD.size
        self._order.append(pcpu)
        self._places.setdefault(pcpu, array("Q")).extend((at + len(MAGIC), end - at))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()

    @property
    def pcpus(self) -> tuple[int, ...]:
        """Those that have records."""
        return tuple(sorted(self._places))

    @property
    def chunks(self) -> int:
        return len(self._order)

    def of(self, pcpu: int) -> Iterator[bytes]:
        """The chunks of one pcpu: whole records."""
        places = self._places.get(pcpu, array("Q"))
        for index in range(0, len(places), 2):
            at, length = places[index : index + 2]
            try:
                value = msgpack.unpackb(os.pread(self._file.fileno(), length, at))
            except ValueError:
                raise TraceError("changed while it was read") from None
            yield _chunk(value, at - len(MAGIC))[1]

    def all(self) -> Iterator[tuple[int, bytes]]:
        """Pcpu and records of all chunks, as they were written."""
        sources = {pcpu: self.of(pcpu) for pcpu in self._places}
        for pcpu in self._order:
            yield pcpu, next(sources[pcpu])


def _chunk(value: object, at: int) -> tuple[int, bytes]:
    match value:
        case [int(pcpu), bytes(records), bytes()] if 0 <= pcpu < 1 << 16 and records and not len(records) % RECORD.size:
            return pcpu, records
    raise TraceError(f"damaged: no records where they are due, at byte {len(MAGIC) + at}")
