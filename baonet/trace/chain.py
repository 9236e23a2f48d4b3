"""The digest of a pcpu: a chain of BLAKE2b over its records, a link for each window of virtual time that has any.

A link is made from the one before it and its records, so what has come so far is 32 bytes and the records of the link
that is still open: that much is saved with the machine, and the digest of a run that was saved and loaded is the one of
a run that was left alone. The links follow from the records alone, however they were cut into chunks.
"""

from __future__ import annotations

import hashlib
import struct
from typing import Final, final

from baonet.trace.records import RECORD

LINK_RECORDS: Final = 2048
"""Records of a link at most: a window with more has several, so that an open one is never large."""
_SIZE: Final = 32
_NAME: Final = b"baonet records 2"


@final
class Chain:
    """``window``: the length of a window in ticks of the records' time; it is a part of the digest."""

    def __init__(self, window: int) -> None:
        self._window = window
        self._link = struct.pack("<24sQ", _NAME, window)
        self._open = bytearray()
        self._until = 0

    def add(self, records: bytes) -> None:
        """Whole records, behind those that it has.

        A link ends before the first record at or after the end of the window in which it began.
        """
        view = memoryview(records)
        begin, until, room = 0, self._until, LINK_RECORDS - len(self._open) // RECORD.size
        for place, time in enumerate(view.cast("Q")[:: RECORD.size // 8]):
            if time >= until or place == room:
                self._close(view[RECORD.size * begin : RECORD.size * place])
                begin, until, room = place, (time // self._window + 1) * self._window, place + LINK_RECORDS
        self._open += view[RECORD.size * begin :]
        self._until = until

    def _close(self, rest: memoryview) -> None:
        if self._open or rest:
            link = hashlib.blake2b(self._link + self._open, digest_size=_SIZE)
            link.update(rest)
            self._link = link.digest()
            self._open.clear()

    def digest(self) -> bytes:
        """Of all records so far: 256 bits."""
        return hashlib.blake2b(self._link + self._open, digest_size=_SIZE).digest() if self._open else self._link

    def state(self) -> tuple[bytes, bytes]:
        """The last link, and the records of the one that is open."""
        return self._link, bytes(self._open)

    def resume(self, link: bytes, records: bytes) -> None:
        """Go on from the ``state`` of another with this window. Raises ValueError for what is none."""
        again = Chain(self._window)
        again._link = link
        if len(link) != _SIZE or len(records) % RECORD.size:
            raise ValueError("a link or a record has another length")
        again.add(records)
        if again._link != link:
            raise ValueError("the records are not those of one link")
        self._link, self._open, self._until = again._link, again._open, again._until
