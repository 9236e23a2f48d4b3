"""The phases in the life of an actor of a machine (a pcpu, a conductor, a crew), and what leads from one to the next.

Both ends of a channel go by one table: who is told moves by what comes, who tells by what it sends. Rules:

1. Only what is in ``STEPS`` and ``CROSSING`` may be said; anything else is an error of whoever said it.
2. A phase that waits for an answer (``PATIENCE``) has an end: who does not answer in time is lost, like one that died.
3. What was on the way when the other end moved on (``CROSSING``) changes nothing.
4. The last words have an order: records, digest, statistics, ``Stopped``, and then the process ends.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from baonet.wire.control import Control, Halt, Halted, Hello, Reset, Running, Start, Stop, Stopped, VmOff, VmReset


class Phase(Enum):
    SPAWNED = "spawned"
    """It exists, and makes its core."""
    GREETED = "greeted"
    """It is there, and waits for the others."""
    STARTED = "started"
    """It was told to run, for the first time or anew, and has not said that it does."""
    RUNNING = "running"
    HALTING = "halting"
    """Its VM goes off or starts anew: it stays out of its guest, or has been told to."""
    HALTED = "halted"
    """It is out of its guest, and waits for the others of its VM."""
    STOPPING = "stopping"
    """It was told to end, and says its last words."""
    STOPPED = "stopped"
    """It has said them; its process is about to end."""
    GONE = "gone"


ENDING: Final = (Phase.STOPPING, Phase.STOPPED)
"""It was told to end, and is not gone."""

STEPS: Final[dict[tuple[Phase, type], Phase]] = {
    (Phase.SPAWNED, Hello): Phase.GREETED,
    (Phase.GREETED, Start): Phase.STARTED,
    (Phase.STARTED, Running): Phase.RUNNING,
    (Phase.STARTED, Halt): Phase.HALTING,
    (Phase.RUNNING, VmOff): Phase.HALTING,
    (Phase.RUNNING, VmReset): Phase.HALTING,
    (Phase.RUNNING, Halt): Phase.HALTING,
    (Phase.HALTING, Halt): Phase.HALTING,
    (Phase.HALTING, Halted): Phase.HALTED,
    (Phase.HALTED, Reset): Phase.STARTED,
    **{(phase, Stop): Phase.STOPPING for phase in Phase if phase not in (Phase.STOPPED, Phase.GONE)},
    (Phase.STOPPING, Stopped): Phase.STOPPED,
}
"""Who is told something, or says it, moves so. That a process ends leads to GONE from everywhere."""

CROSSING: Final[frozenset[tuple[Phase, type]]] = frozenset(
    {
        (Phase.HALTING, Running),
        (Phase.HALTING, VmOff),
        (Phase.HALTING, VmReset),
        *((Phase.STOPPING, kind) for kind in (Hello, Running, Halted, VmOff, VmReset)),
    }
)
"""What may still come from one that has been told to move on."""

PATIENCE: Final[dict[Phase, float]] = {
    Phase.SPAWNED: 30.0,
    Phase.STARTED: 30.0,
    Phase.HALTING: 30.0,
    Phase.STOPPING: 60.0,
    Phase.STOPPED: 5.0,
}
"""Seconds that a phase may last; the others end by what somebody else does, or do not have to end."""


class OutOfTurn(Exception):  # noqa: N818 - it reads as what it is
    """Something was said that the phase of who said it does not have."""


def step(phase: Phase, message: Control) -> Phase:
    """The phase after ``message``. Raises OutOfTurn."""
    kind = type(message)
    following = STEPS.get((phase, kind))
    if following is not None:
        return following
    if (phase, kind) in CROSSING:
        return phase
    raise OutOfTurn(f"{kind.__name__} is out of turn for one that is {phase.value}")
