"""How a VM is, and how a run ended."""

from __future__ import annotations

from enum import Enum


class VmState(Enum):
    RUNNING = "running"
    RESETTING = "resetting"
    OFF = "off"
    PARKED = "parked"
    DEAD = "dead"


class Ending(Enum):
    """Why a run ended; the value is the exit status.

    MISSED: it would be DONE, but a text that was waited for did not come.
    """

    DONE = 0
    FAILED = 1
    PARKED = 3
    TIMEOUT = 4
    IDLE = 5
    MISSED = 6
    INTERRUPTED = 130
    TERMINATED = 143
