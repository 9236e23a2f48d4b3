"""What is written for others, where the host gives no thread for it, or no room."""

from __future__ import annotations

import errno
import os
import threading
import time
from types import TracebackType

import pytest

from baonet.outlets.outlet import Outlet
from tests.patience import ANSWER


def no_thread(thread: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


def test_last_words_are_written_without_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading.Thread, "start", no_thread)
    ours, theirs = os.pipe()
    outlet = Outlet(theirs, "errors")
    with pytest.raises(OSError, match="temporarily unavailable"):
        outlet.start()
    outlet.write(b"why" * 4000)
    outlet.drain(None)
    assert (os.read(ours, 20000), outlet.waiting, outlet.stalled) == (b"why" * 4000, 0, False)
    outlet.write(bytes(1 << 20))
    outlet.drain(time.monotonic())
    assert outlet.stalled, "nobody reads"
    os.close(ours)
    os.close(theirs)


class Late(threading.Condition):
    """Whoever writes gets the lock only when the outlet has failed."""

    def __init__(self, outlet: Outlet) -> None:
        super().__init__()
        self._outlet = outlet
        self.wanted = threading.Event()

    def __enter__(self) -> bool:
        if threading.current_thread() is threading.main_thread():
            self.wanted.set()
            end = time.monotonic() + ANSWER
            while self._outlet.error is None and time.monotonic() < end:
                time.sleep(0.001)
        return super().__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, value, trace)


def test_what_is_said_just_as_an_outlet_fails_is_waited_for_by_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    outlet = Outlet(os.open(os.devnull, os.O_WRONLY), "errors")
    late, write = Late(outlet), os.write

    def fail(descriptor: int, data: bytes) -> int:
        if descriptor != outlet.descriptor:
            return write(descriptor, data)
        assert late.wanted.wait(ANSWER)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", fail)
    outlet.write(b"first")
    outlet._change = late
    outlet.start()
    outlet.write(b"second")
    outlet.drain(time.monotonic() + 1)
    assert (outlet.waiting, outlet.stalled) == (0, False)
    os.close(outlet.descriptor)
