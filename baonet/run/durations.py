"""Durations as programs give them: as machine files and the command line have them."""

from __future__ import annotations

from baonet.document import quantities


def nanoseconds(duration: str) -> int:
    """Of ``500ns``, ``10ms`` or ``2s``. Raises ValueError, also for 0."""
    try:
        found = quantities.duration(duration)
    except quantities.QuantityError as error:
        raise ValueError(f"{error}: {error.hint}") from None
    if not found:
        raise ValueError(f"{duration} is no time: write 10ms or 2s")
    return found
