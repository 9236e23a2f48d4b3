"""What every process begins with that is forked here: it belongs to its parent, which alone ends it."""

from __future__ import annotations

import _signal  # what signal makes of its own calls, members of enumerations, a child has no use for
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from baonet.core import _node

ENDINGS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
"""What a terminal, `timeout` or a batch system sends to a whole group of processes. It is for the one that leads it."""
_NUMBERS: Final = tuple(map(int, ENDINGS))
_IGNORED: Final = int(signal.SIG_IGN)
_UNBLOCK: Final = int(signal.SIG_UNBLOCK)


@contextmanager
def held() -> Iterator[None]:
    """For forking: no such signal is taken meanwhile, neither here nor in a child that does not ignore it yet.

    A Ctrl-C that came into what Python itself does around a fork would be printed and forgotten.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def belong_to(parent: int) -> None:
    """Call it first in a child of the process ``parent``. It may still be in what ``held`` holds back."""
    signal.set_wakeup_fd(-1)  # of an event loop of the parent's
    for number in _NUMBERS:
        _signal.signal(number, _IGNORED)
    _node.die_with_parent(parent)
    _signal.pthread_sigmask(_UNBLOCK, _NUMBERS)  # type: ignore[attr-defined]  # which it has
