"""How the hypervisor sees a RISC-V hart: why it left the guest, and the registers of HS mode that it needs.

Numbers are those of the privileged architecture (causes, bits of hvip), and of the AIA for a guest's interrupt file.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Final, Protocol

from baonet.hyp.cpu import Cpu


class RiscvExit(IntEnum):
    """Why the core left the guest; the first three are those of ``Stay``.

    The PC is past an ECALL; at a TRAP it is on the instruction. A TRAP is every exception that Bao does not delegate
    but the call. INTERRUPT: the hypervisor's own timer has fired, which a guest has only without Sstc.
    """

    WFI = 0
    BUDGET = 1
    KICKED = 2
    ECALL = 3
    TRAP = 4
    INTERRUPT = 5
    LINE = 6
    FAULT = 7


# Indexes of ``Cpu.exit``.
EXIT_CAUSE: Final = 0  # scause
EXIT_TVAL: Final = 1  # stval: a virtual address, or what an instruction was
EXIT_IPA: Final = 2  # of a guest page fault: the guest-physical address (htval << 2, with stval's lowest bits)
EXIT_NUMBER: Final = 3  # of INTERRUPT and LINE
EXIT_VALUE: Final = 4  # of LINE: sequence << 1 | level
EXIT_INSTRUCTION: Final = 5  # 16 or 32 bits at the PC; 0 where the fetch itself has failed
EXIT_IMPLICIT: Final = 6  # of a guest page fault: 1 if a walk of the guest's tables has it

# scause (privileged architecture, 21.1.6 and table 29).
FETCH_MISALIGNED: Final = 0
FETCH_ACCESS: Final = 1
ILLEGAL_INSTRUCTION: Final = 2
BREAKPOINT: Final = 3
LOAD_MISALIGNED: Final = 4
LOAD_ACCESS: Final = 5
STORE_MISALIGNED: Final = 6
STORE_ACCESS: Final = 7
ECALL_FROM_U: Final = 8
ECALL_FROM_VS: Final = 10
FETCH_PAGE: Final = 12
LOAD_PAGE: Final = 13
STORE_PAGE: Final = 15
FETCH_GUEST_PAGE: Final = 20
LOAD_GUEST_PAGE: Final = 21
VIRTUAL_INSTRUCTION: Final = 22
STORE_GUEST_PAGE: Final = 23

# Interrupts, by their causes at VS level.
SOFTWARE: Final = 1
TIMER: Final = 5
EXTERNAL: Final = 9

# What interrupts are called in traces and metrics: a source of the controller has its own number; those that a hart has
# of its own follow: LOCAL with the cause, MESSAGES with the identity in its interrupt file.
LOCAL: Final = 1024
MESSAGES: Final = 2048
IDENTITIES: Final = 2048

# Of ``fence``: what of a hart is to be forgotten.
FENCE_I: Final = 0
FENCE_VMA: Final = 1
FENCE_VMA_ASID: Final = 2


class RiscvCpu(Cpu, Protocol):
    """``x`` are x0 to x31: x0 is 0 whatever is stored. The entry state is VS mode with translation off, x10 the hart's
    id and x11 ``context``; sstatus has FS and XS dirty (Bao: vcpu_arch_reset), stimecmp is 0, all else 0.

    ``state`` has the CSRs of the guest's supervisor by their names (without Sstc ``stimecmp`` is all ones), ``time``
    and ``privilege``, 1 in S mode. ``exceptions``: how many the guest has taken itself since it was entered;
    ``last_cause``, ``last_epc``, ``last_tval``: what the last of them put there.
    """

    software: bool
    """hvip.VSSIP. The guest can set and clear it too (sip)."""
    external: bool
    """hvip.VSEIP: what a controller without messages has for the guest. The file of one with messages adds to it."""
    timer: bool
    """hvip.VSTIP: without Sstc, what the timer of SBI has for the guest. stimecmp adds to it."""

    def set_timer(self, deadline: int) -> None:
        """vstimecmp, or without Sstc the hypervisor's own timer, in ticks of ``time``; all ones: never."""

    def inject(self, identity: int) -> None:
        """A store to seteipnum_le of the hart's guest interrupt file: an identity that it has not is ignored.

        The file is there, and keeps what it has, whether the hart is started or not.
        """

    def clear_file(self) -> None:
        """The guest interrupt file is as at first: the VM starts anew."""

    def file(self) -> tuple[int, int, Sequence[int], Sequence[int]]:
        """Of the guest interrupt file: eidelivery, eithreshold, identities that are pending, that are enabled."""

    def fence(self, pcpus: Sequence[int], what: int, start: int, size: int, asid: int) -> None:
        """Have harts of the VM (this one may be among them) forget translations, or what they have of code.

        When this returns, or at the latest before this hart's guest goes on, all of them have. ``size`` all ones, or
        0 with ``start`` 0: everything.
        """

    def put_output(self, data: bytes) -> None:
        """Have the first UART of the VM send characters, as if its guest had."""

    def take_input(self, most: int) -> bytes:
        """Characters that wait at the first UART of the VM, at most so many: the guest does not get them any more."""

    def read_memory(self, ipa: int, size: int) -> bytes | None:
        """RAM of the VM at a guest-physical address; None unless all of it is."""

    def write_memory(self, ipa: int, data: bytes) -> None:
        """RAM of the VM at a guest-physical address; all of it is."""
