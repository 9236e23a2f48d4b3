"""An alarm: a descriptor that becomes readable at a time, to the microsecond.

epoll, and so Trio's deadlines, count milliseconds; a guest's timer interrupt must not be that late.
"""

from __future__ import annotations

import ctypes
import os
from typing import final

_CLOCK_MONOTONIC = 1
_NONBLOCK_CLOEXEC = os.O_NONBLOCK | os.O_CLOEXEC


class _Timespec(ctypes.Structure):
    _fields_ = [("seconds", ctypes.c_int64), ("nanoseconds", ctypes.c_int64)]


class _Setting(ctypes.Structure):
    _fields_ = [("interval", _Timespec), ("value", _Timespec)]


_libc = ctypes.CDLL(None, use_errno=True)


@final
class Alarm:
    """Linux's timerfd. Raises OSError when the host has none left."""

    def __init__(self) -> None:
        self.descriptor: int = _libc.timerfd_create(_CLOCK_MONOTONIC, _NONBLOCK_CLOEXEC)
        if self.descriptor < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")
        self._setting = _Setting()
        self._pointer = ctypes.byref(self._setting)

    def set(self, seconds: float) -> None:
        """Ring once, after ``seconds``; a setting before is forgotten."""
        value = self._setting.value
        value.seconds, value.nanoseconds = divmod(max(1, int(seconds * 1e9)), 1_000_000_000)
        _libc.timerfd_settime(self.descriptor, 0, self._pointer, None)

    def clear(self) -> None:
        """Do not ring, and forget that it rang."""
        self._setting.value.seconds = self._setting.value.nanoseconds = 0
        _libc.timerfd_settime(self.descriptor, 0, self._pointer, None)

    def close(self) -> None:
        os.close(self.descriptor)
