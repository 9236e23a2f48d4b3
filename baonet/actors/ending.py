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
    """Why a run ended, and the exit status that says so.

    PARKED and LOST have one: a VM has come to an end that is not its own, by what its guest did, or with its node.
    MISSED: it would be DONE, but a text that was waited for did not come.
    """

    DONE = "done", 0
    FAILED = "failed", 1
    PARKED = "parked", 3
    LOST = "lost", 3
    TIMEOUT = "timeout", 4
    IDLE = "idle", 5
    MISSED = "missed", 6
    INTERRUPTED = "interrupted", 130
    TERMINATED = "terminated", 143

    def __init__(self, _: str, status: int) -> None:
        self.status = status
