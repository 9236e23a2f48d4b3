"""What guests have printed, kept for programs that wait for it."""

from __future__ import annotations

import re
from typing import Final, final

KEPT: Final = 1 << 24
"""Bytes of a console that are kept, the last ones."""


@final
class Transcript:
    """One VM's. ``seen``: what ``find`` has found, and all before it, in bytes from the beginning."""

    def __init__(self) -> None:
        self.seen = 0
        self._dropped = 0
        self._data = bytearray()
        self._wanted: bytes | re.Pattern[bytes] = b""
        self._searched = 0

    def add(self, data: bytes) -> None:
        self._data += data
        if len(self._data) > 2 * KEPT:
            dropped = len(self._data) - KEPT
            del self._data[:dropped]
            self._dropped += dropped

    @property
    def total(self) -> int:
        """Bytes printed so far."""
        return self._dropped + len(self._data)

    def since(self, place: int) -> bytes:
        """What came behind the first ``place`` bytes, as far as it is kept."""
        return bytes(self._data[max(0, place - self._dropped) :])

    @property
    def text(self) -> str:
        """All that is kept; bytes that are no UTF-8 are shown as escapes."""
        return self._data.decode("utf-8", "backslashreplace")

    def tail(self, lines: int) -> str:
        """The last lines."""
        return "\n".join(bytes(self._data[-1 << 16 :]).decode("utf-8", "backslashreplace").splitlines()[-lines:])

    def find(self, wanted: bytes | re.Pattern[bytes]) -> bytes | None:
        """What was printed since the last that was found, up to and with ``wanted``; None if it has not come yet."""
        start = max(self.seen, self._dropped)
        if wanted != self._wanted:
            self._wanted, self._searched = wanted, start
        if isinstance(wanted, bytes):
            # What was searched before has no more of it than the beginning.
            place = self._data.find(wanted, max(start, self._searched - len(wanted)) - self._dropped)
            end = -1 if place < 0 else place + len(wanted)
            self._searched = self._dropped + len(self._data)
        else:
            found = wanted.search(self._data, start - self._dropped)
            end = -1 if found is None else found.end()
        if end < 0:
            return None
        self.seen = self._searched = self._dropped + end
        return bytes(self._data[start - self._dropped : end])
