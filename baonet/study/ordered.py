"""The records of a whole machine in the order of time, from a trace file of any size.

Within a pcpu a trace is in order, between pcpus it is not: one that waits for a second writes nothing meanwhile. So the
file is read twice, first to find where the chunks of each pcpu are, then all pcpus side by side, a chunk of each in
memory. Records of the same time come in the order of their kinds, so that what is sent is sent before it arrives.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, final

import msgpack

from baonet.study.metrics.base import Record, Run
from baonet.wire.trace import RECORD

MAGIC = b"BNT1\n"
_LARGEST = 1 << 20  # bytes of one value; a chunk has at most 64 KiB


class TraceError(Exception):
    """The file is no trace, or a damaged one, and why."""


@final
class OrderedTrace:
    """``header`` and ``footer`` as the contract of the file has them; the footer is None of a run that was killed."""

    def __init__(self, path: Path) -> None:
        """Raises TraceError, and OSError when the file cannot be read."""
        self.path = path
        self.header: dict[str, Any] = {}
        self.footer: dict[str, Any] | None = None
        self._chunks: dict[int, list[int]] = {}
        with path.open("rb") as file:
            if file.read(len(MAGIC)) != MAGIC:
                raise TraceError(f"{path}: not a trace")
            try:
                self._index(msgpack.Unpacker(file, max_buffer_size=_LARGEST, strict_map_key=False))
            except (ValueError, TypeError, msgpack.UnpackException) as error:
                raise TraceError(f"{path}: damaged: {error}") from None

    def _index(self, values: msgpack.Unpacker) -> None:
        at = len(MAGIC)
        for value in values:
            if isinstance(value, list):
                self._chunks.setdefault(int(value[0]), []).append(at)
            elif isinstance(value, dict) and not self.header:
                self.header = value
            elif isinstance(value, dict):
                self.footer = value
            at = len(MAGIC) + values.tell()
        if not self.header.get("hz"):
            raise TraceError(f"{self.path}: its header is missing")

    @property
    def run(self) -> Run:
        vms = {int(pcpu): str(vm["name"]) for vm in self.header["vms"] for pcpu in vm["pcpus"]}
        return Run(int(self.header["hz"]), vms, self.header.get("mode") == "virtual")

    def records(self, kinds: Collection[int]) -> Iterator[Record]:
        """The records of these kinds."""
        return heapq.merge(*(self._of(offsets, frozenset(kinds)) for _, offsets in sorted(self._chunks.items())))

    def _of(self, offsets: list[int], kinds: frozenset[int]) -> Iterator[Record]:
        """Those of one pcpu. The file is opened for each chunk: there may be more pcpus than open files."""
        for offset in offsets:
            with self.path.open("rb") as file:
                file.seek(offset)
                chunk: Any = next(msgpack.Unpacker(file, read_size=1 << 17, max_buffer_size=_LARGEST))
            for record in RECORD.iter_unpack(chunk[1]):
                if record[1] in kinds:
                    yield record
