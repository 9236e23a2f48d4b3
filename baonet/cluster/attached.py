"""A node whose standard input somebody holds who started it: its first line is the ticket, its end that of the node.

What a node does is in a child: whoever waits for the end of the input can do so whatever the child waits for, and
nothing is left of the node when this process is killed.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import traceback
from collections.abc import Callable, Mapping
from typing import Final, NoReturn

from baonet.cluster.slurm import NODE_ID
from baonet.core.child import ENDINGS, belong_to, held

_LONGEST: Final = 1 << 16
_GRACE: Final = 2.0
"""Seconds in which a node ends by itself when its lead has gone."""


def first_line() -> str:
    """Of standard input, and no byte behind it."""
    line = bytearray()
    while len(line) < _LONGEST and (byte := os.read(0, 1)) not in (b"", b"\n"):
        line += byte
    return line.decode(errors="replace")


def ticket(text: str, environment: Mapping[str, str]) -> bytes | None:
    """That of this node: the only one, or of several (Slurm gives all nodes the same) the one of its number."""
    texts = text.strip().split(",")
    number = environment.get(NODE_ID, "") if len(texts) > 1 else "0"
    if not number.isdecimal() or int(number) >= len(texts):
        return None
    try:
        return bytes.fromhex(texts[int(number)]) or None
    except ValueError:
        return None


def attached(live: Callable[[], int]) -> int:
    """The status of ``live``, which a child does; 1 when standard input has ended before."""
    parent = os.getpid()
    for number in ENDINGS:
        signal.signal(number, signal.SIG_DFL)
    sys.stdout.flush()
    sys.stderr.flush()
    with held():
        child = os.fork()
        if child == 0:
            _live(live, parent)
    ended = os.pidfd_open(child)
    while True:
        ready, _, _ = select.select([0, ended], [], [])
        if ended in ready:
            break
        if not os.read(0, _LONGEST):
            if not select.select([ended], [], [], _GRACE)[0]:
                os.kill(child, signal.SIGKILL)
            break
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return status if status >= 0 else 128 - status


def _live(live: Callable[[], int], parent: int) -> NoReturn:
    status = 1
    try:
        belong_to(parent)
        os.dup2(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC), 0)
        status = live()
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
