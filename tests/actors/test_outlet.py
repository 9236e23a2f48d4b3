"""What is written for others, where the host gives no thread for it."""

from __future__ import annotations

import os
import threading
import time

import pytest

from baonet.outlets.outlet import Outlet


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
