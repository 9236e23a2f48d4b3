"""What waits for somebody who takes it: a buffer with a bound, and a word when there is room again."""

from __future__ import annotations

from collections.abc import Callable


class Backlog:
    """Bytes for one reader. It takes more than ``limit``: who fills it looks at ``full``, and finishes what it is at.

    ``error`` is what went wrong with the reader, ``stalled`` that nobody waits for it any more. ``relieved`` is called,
    in any thread, when nothing waits any more, and when there is room again.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.error: OSError | None = None
        self.stalled = False
        self.relieved: Callable[[], None] = lambda: None
        self._bytes = bytearray()

    @property
    def full(self) -> bool:
        return len(self._bytes) > self.limit

    @property
    def waiting(self) -> int:
        """Bytes that have not been taken."""
        return len(self._bytes)

    def start(self) -> None:
        """In the task that waits for it. Raises OSError."""

    def drain(self, deadline: float | None) -> None:
        """Block until all is taken, at most until ``deadline`` (of ``time.monotonic``); not where a task takes it."""

    def _taken(self, size: int) -> bool:
        """Forget the first bytes; whether that is to be told."""
        was_full = self.full
        del self._bytes[:size]
        return not self._bytes or (was_full and not self.full)
