"""The digest of a pcpu: a chain of BLAKE2b over its records, a link for each window of virtual time that has any.

A link is made from the one before it and its records, so what has come so far is 32 bytes and the records of the link
that is still open: that much is saved with the machine, and the digest of a run that was saved and loaded is the one of
a run that was left alone. The links follow from the records alone, however they were cut into chunks.
"""

from __future__ import annotations

import struct
from _blake2 import blake2b  # that of hashlib, which would load OpenSSL
from typing import Final, final

from baonet.core import _node

LINK_RECORDS: Final = 2048
"""Records of a link at most: a window with more has several, so that an open one is never large."""
_NAME: Final = b"baonet records 2"


@final
class Chain:
    """``window``: the length of a window in ticks of the records' time; it is a part of the digest."""

    def __init__(self, window: int) -> None:
        self._window = window
        self._link = struct.pack("<24sQ", _NAME, window)
        self._open = b""

    def add(self, records: bytes) -> None:
        """Whole records, behind those that it has.

        A link ends before the first record at or after the end of the window in which it began.
        """
        self._link, self._open = _node.chain(self._window, LINK_RECORDS, self._link, self._open, records)

    def digest(self) -> bytes:
        """Of all records so far: 256 bits."""
        return blake2b(self._link + self._open, digest_size=32).digest() if self._open else self._link

    def state(self) -> tuple[bytes, bytes]:
        """The last link, and the records of the one that is open."""
        return self._link, self._open

    def resume(self, link: bytes, records: bytes) -> None:
        """Go on from the ``state`` of another with this window. Raises ValueError for what is none."""
        if _node.chain(self._window, LINK_RECORDS, link, b"", records) != (link, records):
            raise ValueError("the records are not those of one link")
        self._link, self._open = link, records
