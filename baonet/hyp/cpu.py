"""How the hypervisor sees its physical CPU: general registers, why it left the guest, and how it is started.

The port that ``core.Core`` and the tests' fakes implement; an architecture adds to it (its ``cpu``).
"""

from __future__ import annotations

from collections.abc import Mapping, MutableSequence, Sequence
from enum import IntEnum
from typing import Final, Protocol


class Stay(IntEnum):
    """Why a core left the guest where that is nothing to the hypervisor. An architecture's own reasons come behind."""

    WFI = 0
    BUDGET = 1
    KICKED = 2


# Kinds of ``Cpu.note``, and where an interrupt that is RAISED comes from; ``baonet.trace.records`` has all kinds.
NOTE_RAISED: Final = 5
NOTE_PENDING: Final = 6
NOTE_DELIVERED: Final = 7
NOTE_ACKNOWLEDGED: Final = 8
NOTE_ENDED: Final = 9
FROM_LINE: Final = 1
FROM_CPU: Final = 2
FROM_IPC: Final = 3


class Cpu(Protocol):
    """One physical CPU. The hypervisor touches it only while its guest is stopped, which in ``hyp`` is always so."""

    pc: int

    @property
    def x(self) -> MutableSequence[int]:
        """General registers by number: unsigned 64-bit numbers; store nothing wider or negative."""

    @property
    def exit(self) -> Sequence[int]:
        """Details of the last exit, by the architecture's indexes; which of them hold depends on the exit.

        What is read once may be kept, as of ``x``: it tells of each exit.
        """

    def reset(self, entry: int, context: int) -> None:
        """The entry state of a vcpu at ``entry``, with ``context`` in its first argument's register."""

    def restart(self, entry: int, context: int) -> None:
        """The same of a CPU that was on before: what Bao does not reset stays."""

    def note(self, kind: int, a: int, b: int, c: int) -> None:
        """Put a line into the trace of this CPU, if there is one."""

    def state(self) -> Mapping[str, int]:
        """For reports: registers of the guest's privileged level, and what it did of late, by names in lower case."""

    def uarts(self) -> Sequence[tuple[int, int, int]]:
        """(Interrupts that it has, those that the guest has enabled, characters to read) of each UART of the VM, in the
        order of its devices. The bits are those of the kind: of UARTRIS and UARTIMSC, of IER.
        """
