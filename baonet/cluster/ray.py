"""Nodes by Ray: one on each node of its cluster that has a core free.

What speaks to Ray is a process of its own (``baonet.cluster.ray_nodes``): Ray takes signals and starts threads, which a
lead has its own ideas of.
"""

from __future__ import annotations

import json
import os
import select
import sys
import time
from collections.abc import Sequence
from typing import Final

from baonet.cluster.starter import Starter, node_command
from baonet.cluster.terms import Awaiting, ClusterError

PATIENCE: Final = 60.0
"""Seconds in which Ray tells of its nodes."""
_LOOK: Final = 0.05
_LONGEST: Final = 1 << 16


def start(address: str) -> Starter:
    """Raises ClusterError, OSError."""
    return Starter("ray", [sys.executable, "-m", "baonet.cluster.ray_nodes", address], heard=True)


def addresses(starter: Starter, waiting: Awaiting) -> list[str]:
    """Of the hosts that will have a node, by their numbers. Raises ClusterError when Ray does not tell."""
    end = time.monotonic() + PATIENCE
    told = bytearray()
    while not told.endswith(b"\n"):
        waiting("Ray has not told of its nodes")
        if select.select([starter.output], [], [], _LOOK)[0]:
            piece = os.read(starter.output, _LONGEST)
            told += piece
            if not piece:
                raise ClusterError(f"--on ray: {starter.words or 'it has ended without a word'}")
        if time.monotonic() > end:
            said = f": it says: {starter.words}" if starter.words else ""
            raise ClusterError(f"--on ray: Ray has not told of its nodes within {PATIENCE:g} s{said}")
    found: list[str] = json.loads(told)
    return found


def go_on(starter: Starter, tickets: Sequence[bytes], words: Sequence[str], command: str | None) -> None:
    """Have them started. Each node takes its own of the tickets."""
    python = None if command is not None else ["-m", "baonet", *words]
    starter.tell(json.dumps([[ticket.hex() for ticket in tickets], python, node_command(command, words)]))
