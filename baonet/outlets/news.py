"""That there is something new, for whoever waits to hear it."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    import trio


@final
class News:
    """Who waits hears what is told after it began to; nobody hears it twice."""

    def __init__(self) -> None:
        self._told: trio.Event | None = None  # while somebody waits

    def tell(self) -> None:
        """There is something."""
        told, self._told = self._told, None
        if told is not None:
            told.set()

    async def wait(self) -> None:
        """Until it is told."""
        import trio  # noqa: PLC0415 - who tells, and has nobody who waits, has no need of it

        if self._told is None:
            self._told = trio.Event()
        await self._told.wait()
