"""How far a study is: one line that is written over on a terminal, a line now and then anywhere else."""

from __future__ import annotations

import select
from collections.abc import Callable
from typing import TextIO, final

_BAR = 20
_QUIET = 10.0  # seconds between two lines where nothing can be written over


@final
class ProgressLine:
    """``clock`` gives seconds. ``live``: a line on ``out`` can be written over.

    What was done in an earlier call counts as done, and not for the time that is left.
    """

    def __init__(self, out: TextIO, total: int, done: int, clock: Callable[[], float], *, live: bool = False) -> None:
        self._out = out
        self._clock = clock
        self._live = live
        self._began = self._shown = clock()
        self._width = 0
        self.total, self.done, self.failed, self.under_way = total, done, 0, 0
        self._earlier = done

    def started(self) -> None:
        self.under_way += 1
        self.tick()

    def ended(self, failed: bool) -> None:
        self.under_way -= 1
        self.done += not failed
        self.failed += failed
        self.tick()

    def tick(self) -> None:
        """Show it, if it is time to."""
        now = self._clock()
        if self._live:
            self._write("\r" + self.line().ljust(self._width))
            self._width = len(self.line())
        elif now - self._shown >= _QUIET:
            self._shown = now
            self._write(self.line() + "\n")

    def say(self, text: str) -> None:
        """A line of its own, above the moving one."""
        clear = "\r" + " " * self._width + "\r" if self._live else ""
        self._write(f"{clear}{text}\n")
        if self._live:
            self.tick()

    def close(self) -> None:
        """The last state, and the end of the line."""
        self._write(("\r" if self._live else "") + self.line().ljust(self._width) + "\n")

    def line(self) -> str:
        ended = self.done + self.failed
        part = ended / self.total if self.total else 1.0
        bar = "#" * int(part * _BAR)
        words = [f"[{bar:{_BAR}}] {ended}/{self.total} runs"]
        if self.under_way:
            words.append(f"{self.under_way} under way")
        if self.failed:
            words.append(f"{self.failed} failed")
        here = ended - self._earlier
        if here > 0 and ended < self.total:
            left = (self._clock() - self._began) / here * (self.total - ended)
            words.append(f"about {duration(left)} left")
        return ", ".join(words)

    def _write(self, text: str) -> None:
        """Not where the reader has stopped, or the disk of a log is full: results have what failed."""
        if self._taken():
            try:
                self._out.write(text)
                self._out.flush()
            except BrokenPipeError:
                raise
            except OSError:
                return

    def _taken(self) -> bool:
        try:
            descriptor = self._out.fileno()
        except OSError:  # not a file
            return True
        poll = select.poll()
        poll.register(descriptor, select.POLLOUT)
        return bool(poll.poll(0))


def duration(seconds: float) -> str:
    """As people say it: 40 s, 3 min, 2 h 10 min."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"
