"""The user's terminal when it is gone: its window was closed, or the connection lost.

The kernel then sends SIGHUP, at first to the leader of the session only, and fails what is written to the terminal with
EIO; what is read is at its end, or fails so too. Which of these a process notices first is chance.
"""

from __future__ import annotations

import errno
import os
import select
import signal
import stat
from typing import Final, final

STATUS: Final = 129
"""Of a process that SIGHUP has ended, as a shell says it."""


@final
class HangUp(OSError):  # noqa: N818 - it reads as what it is
    """The terminal that was written to is gone."""


def hung_up(descriptor: int) -> bool:
    """Whether it is a terminal that is gone. ``isatty`` is false for one."""
    poll = select.poll()
    poll.register(descriptor, 0)
    return stat.S_ISCHR(os.fstat(descriptor).st_mode) and any(events & select.POLLHUP for _, events in poll.poll(0))


def reason(error: OSError, descriptor: int) -> OSError:
    """``error`` of a write to ``descriptor``, or what it means."""
    if error.errno == errno.EIO and hung_up(descriptor):
        return HangUp(error.errno, error.strerror)
    return error


def noticed() -> None:
    """The status is that of a hang-up: SIGHUP, which may come yet, and again, changes nothing of it."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
