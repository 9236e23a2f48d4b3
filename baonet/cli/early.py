"""Signals that end a run, from its first line until the run itself takes them, and after it.

Python's own way, an exception wherever the program is, is lost in what may not raise (a callback of the collector, a
finalizer, ctypes), and then nothing ends. So a handler ends the process while there is nothing to clean up, and later
only notes what came, which is looked at between the steps of the start, none of which waits for anybody.
"""

from __future__ import annotations

import os
import signal
import time
from types import FrameType
from typing import Any, Final, final

from baonet.actors.ending import Ending
from baonet.cli.interrupted import say_ended

ENDINGS: Final = {
    signal.SIGINT: Ending.INTERRUPTED,
    signal.SIGTERM: Ending.TERMINATED,
    signal.SIGHUP: Ending.TERMINATED,
    signal.SIGQUIT: Ending.TERMINATED,
}
_LOOK: Final = 0.05
"""Seconds between two looks whether somebody has come to read."""


class Ended(Exception):  # noqa: N818 - it reads as what it is
    """The run is over before it began: ``ending``, and what to say of it."""

    def __init__(self, ending: Ending, text: str) -> None:
        super().__init__(text)
        self.ending = ending


@final
class Early:
    """As a context: takes the signals that are not ignored (nohup), and gives them back. ``limit``: of ``--timeout``"""

    def __init__(self, limit: float | None) -> None:
        self.signal: signal.Signals | None = None
        """The first that came while they were held."""
        self._limit = limit
        self._began = time.monotonic()
        self._held = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Early:
        for number in ENDINGS:
            before = signal.getsignal(number)
            if before is not signal.SIG_IGN:
                self._before[number] = before
                signal.signal(number, self._come)
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    @property
    def ending(self) -> Ending | None:
        """What it asked for."""
        return None if self.signal is None else ENDINGS[self.signal]

    def hold(self) -> None:
        """From now on there is something to clean up."""
        self._held = True

    def release(self) -> None:
        """The signals are no longer ours."""
        for number, before in self._before.items():
            signal.signal(number, before)
        self._before.clear()

    def check(self) -> None:
        """Between two steps. Raises Ended."""
        if self.signal is not None:
            raise Ended(ENDINGS[self.signal], f"ended by {self.signal.name}")

    def wait(self, name: str) -> None:
        """A moment, for whoever is to read ``name``. Raises Ended."""
        self.waited(f"nobody reads {name}")
        time.sleep(_LOOK)

    def waited(self, why: str) -> None:
        """Between two looks at what is waited for; ``why`` it is, for people. Raises Ended."""
        self.check()
        if self._limit is not None and time.monotonic() - self._began >= self._limit:
            raise Ended(Ending.TIMEOUT, f"timeout after {self._limit:g} s: {why}")

    def _come(self, number: int, _: FrameType | None) -> None:
        ending = ENDINGS[signal.Signals(number)]
        if not self._held:
            say_ended(number)
            os._exit(ending.status)
        self.signal = self.signal or signal.Signals(number)
