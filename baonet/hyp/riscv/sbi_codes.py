"""Numbers of the Supervisor Binary Interface: extensions, functions, errors (RISC-V SBI specification 2.0).

A call has its extension in a7 and its function in a6, arguments from a0 on; it returns an error in a0, a value in a1.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from baonet.hyp.vcpu import MASK64

A0: Final = 10
A1: Final = 11
A2: Final = 12
A3: Final = 13
A4: Final = 14
A6: Final = 16
A7: Final = 17

# Extensions.
LEGACY_PUTCHAR: Final = 0x01
LEGACY_GETCHAR: Final = 0x02
LEGACY_SHUTDOWN: Final = 0x08
BASE: Final = 0x10
TIME: Final = 0x5449_4D45
IPI: Final = 0x0073_5049
RFENCE: Final = 0x5246_4E43
HSM: Final = 0x0048_534D
SRST: Final = 0x5352_5354
DBCN: Final = 0x4442_434E
BAO: Final = 0x0800_0BA0
"""Bao's own: the function is the hypercall's id."""

# Functions.
BASE_SPEC_VERSION: Final = 0
BASE_PROBE: Final = 3
SET_TIMER: Final = 0
SEND_IPI: Final = 0
REMOTE_FENCE_I: Final = 0
REMOTE_SFENCE_VMA: Final = 1
REMOTE_SFENCE_VMA_ASID: Final = 2
HART_START: Final = 0
HART_STOP: Final = 1
HART_STATUS: Final = 2
HART_SUSPEND: Final = 3
SYSTEM_RESET: Final = 0
CONSOLE_WRITE: Final = 0
CONSOLE_READ: Final = 1
CONSOLE_WRITE_BYTE: Final = 2
HYPERCALL_IPC: Final = 1
HYPERCALL_REMIO: Final = 2

# Errors.
SUCCESS: Final = 0
FAILED: Final = -1
NOT_SUPPORTED: Final = -2
INVALID_PARAM: Final = -3
ALREADY_AVAILABLE: Final = -6

Answer = tuple[int, int] | None
"""What a call leaves in a0 and a1, as registers have it; None: it is there already, or comes later, or never."""

OK: Final = (SUCCESS, 0)
UNSUPPORTED: Final = (NOT_SUPPORTED & MASK64, 0)
INVALID: Final = (INVALID_PARAM & MASK64, 0)


class HartState(IntEnum):
    """As HART_STATUS tells it. Bao has no other for a hart that sleeps, and none here is ever amid a start."""

    STARTED = 0
    STOPPED = 1
