"""What a test waits for, with an end."""

from __future__ import annotations

import time
from collections.abc import Callable


def within(seconds: float, condition: Callable[[], bool]) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"it has not come about in {seconds:g} s"
        time.sleep(0.02)
