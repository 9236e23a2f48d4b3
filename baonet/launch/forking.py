"""Where processes are forked: in the thread that asks, or in one of its own where Trio runs.

Trio's loop is of its thread, and a child that was forked there could not begin one. The system counts a child as
orphaned when the thread that made it ends (PR_SET_PDEATHSIG, prctl(2)), so such a thread lives until ``close``.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable
from typing import final

import trio


@final
class Forks:
    """``fork`` is called at once, where it may fork. What it raises comes out of here."""

    def __init__(self, fork: Callable[[], None]) -> None:
        self._over = threading.Event()
        if not trio.lowlevel.in_trio_run():
            fork()
            return
        self._done = threading.Event()
        self._error: BaseException | None = None
        threading.Thread(target=self._work, args=(fork,), name="baonet: forks", daemon=True).start()
        self._done.wait()
        if self._error is not None:
            self.close()
            raise self._error

    def _work(self, fork: Callable[[], None]) -> None:
        try:
            with warnings.catch_warnings():
                # Python 3.12 warns of threads beside this one. The one that asked holds nothing while it waits.
                warnings.simplefilter("ignore", DeprecationWarning)
                fork()
        except BaseException as error:
            self._error = error
        finally:
            self._done.set()
        self._over.wait()

    def close(self) -> None:
        """No child is left."""
        self._over.set()
