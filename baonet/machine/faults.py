"""What is done to a machine on purpose while it runs."""

from __future__ import annotations

from enum import Enum
from typing import TypeAlias

from baonet.machine.dataclass import dataclass


class MessageKind(Enum):
    """``IPI``: between pcpus of a VM; ``IPC``: a notification between VMs; ``SPI``: a device's interrupt."""

    IPI = "ipi"
    IPC = "ipc"
    SPI = "spi"


class Disturbance(Enum):
    """What happens to a message. ``REORDER`` is a ``DELAY`` after which later messages of its channel do not wait."""

    DROP = "drop"
    DELAY = "delay"
    DUPLICATE = "duplicate"
    REORDER = "reorder"


@dataclass(frozen=True, slots=True)
class MessageFault:
    """A disturbance of messages that are sent from ``after`` until before ``until`` (None: to the end).

    ``source`` and ``target`` are VM numbers, None for any. Of those messages each is chosen with ``probability``, by
    random numbers from ``seed`` that are this rule's own, until ``count`` were chosen (None: no end). ``by`` is how
    much later a delayed or reordered one arrives; 0 for the others. Times are nanoseconds of virtual time.
    """

    kind: Disturbance
    message: MessageKind
    source: int | None = None
    target: int | None = None
    probability: float = 1.0
    seed: int = 0
    after: int = 0
    until: int | None = None
    count: int | None = None
    by: int = 0


@dataclass(frozen=True, slots=True)
class StallFault:
    """A pcpu makes no progress for ``duration`` from ``at``, in nanoseconds of virtual time."""

    pcpu: int
    at: int
    duration: int


@dataclass(frozen=True, slots=True)
class CrashFault:
    """A pcpu stops for ever at ``at`` nanoseconds of virtual time."""

    pcpu: int
    at: int


@dataclass(frozen=True, slots=True)
class FlipFault:
    """``count`` different bits of a shared memory object flip at ``at`` nanoseconds of virtual time.

    ``shmem`` is the index in ``Machine.shared_memory``. ``offset`` is in bytes, ``bit`` from 0, the least significant;
    what is None is chosen at random, from ``seed``.
    """

    shmem: int
    at: int
    offset: int | None = None
    bit: int | None = None
    count: int = 1
    seed: int = 0


Fault: TypeAlias = MessageFault | StallFault | CrashFault | FlipFault
