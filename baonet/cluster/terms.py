"""What a run says of its nodes, and what it hears when they cannot take part.

A run on this host has none: so this imports next to nothing, and nobody loads the network for the sake of a default.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, final

from baonet.machine.dataclass import dataclass

HEARTBEAT: Final = 3.0
"""Seconds after which a node that says nothing is lost, if nothing else was asked for."""
Awaiting = Callable[[str], None]
"""Told again and again what is waited for, for people; it may raise."""


@final
class ClusterError(Exception):
    """A node cannot take part: one line that names it."""


@final
@dataclass(frozen=True, slots=True)
class Launching:
    """How the lead is reached: at ``address`` (None: that of the route to the first host), ``port`` (0: any).

    ``command``: what is run there in place of ``baonet``, in words of a shell; None for what is found.
    """

    address: str | None = None
    port: int = 0
    command: str | None = None


FOUND: Final = Launching()
