"""What the harts of a VM tell each other about SBI calls (Bao's ``sbi.c``).

Bao keeps the state of each hart in memory that all pcpus share, under a lock. Here it is on the hart's own pcpu, and
who asks is paused until the answer.
"""

from __future__ import annotations

from typing import final

from baonet.hyp.messages import HypMessage
from baonet.machine.dataclass import dataclass


@final
@dataclass(frozen=True, slots=True)
class SbiHartStart(HypMessage):
    """Start the receiver's hart, if it is stopped, at ``entry`` with a1 = ``opaque`` (Bao: HART_START).

    Answered by ``SbiResult``.
    """

    entry: int
    opaque: int


@final
@dataclass(frozen=True, slots=True)
class SbiHartStatus(HypMessage):
    """How is the receiver's hart? Answered by ``SbiResult``."""


@final
@dataclass(frozen=True, slots=True)
class SbiResult(HypMessage):
    """What the asking hart gets in a0, a signed error code, and in a1."""

    error: int
    value: int


@final
@dataclass(frozen=True, slots=True)
class SbiSendIpi(HypMessage):
    """The receiver's hart has a supervisor software interrupt now (Bao: SEND_IPI)."""
