"""What every process begins with that is forked here: it belongs to its parent, which alone ends it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from baonet.core import _node

ENDINGS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
"""What a terminal, `timeout` or a batch system sends to a whole group of processes. It is for the one that leads it."""


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
    for number in ENDINGS:
        signal.signal(number, signal.SIG_IGN)
    _node.die_with_parent(parent)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDINGS)
