"""How the hypervisor sees an Armv8 CPU: why it left the guest, and the virtual CPU interface's registers.

``ich`` has the layouts of the Arm GIC architecture's ICH_*_EL2 registers (IHI 0069H, 12.4), for GICv2 VMs too: there
the vINTID field of a list register holds the INTID in bits 9:0 and, for an SGI, the source vcpu in bits 12:10 (as
GICV_IAR shows it, IHI 0048B, 5.5.4).
"""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence
from enum import IntEnum
from typing import Final, Protocol

from baonet.hyp.cpu import Cpu


class Exit(IntEnum):
    """Why the core left the guest; the first three are those of ``Stay``. The PC is past an HVC; at any other trapped
    instruction it is on it.
    """

    WFI = 0
    BUDGET = 1
    KICKED = 2
    HVC = 3
    SMC = 4
    DATA_ABORT = 5
    SYSTEM_REGISTER = 6
    INTERRUPT = 7
    MAINTENANCE = 8
    DEACTIVATED = 9
    LINE = 10
    FAULT = 11


# Indexes of ``Cpu.exit``.
EXIT_ESR: Final = 0  # ESR_EL2
EXIT_FAR: Final = 1  # FAR_EL2, a virtual address
EXIT_IPA: Final = 2  # the guest-physical address, with its page offset
EXIT_INTID: Final = 3  # of INTERRUPT, DEACTIVATED, LINE
EXIT_VALUE: Final = 4  # of SYSTEM_REGISTER: what is written; of LINE: sequence << 1 | level
EXIT_REGISTER: Final = 5  # of SYSTEM_REGISTER: op0 << 14 | op1 << 11 | CRn << 7 | CRm << 3 | op2

# Indexes of ``Cpu.ich``.
ICH_LR0: Final = 0
ICH_LISTS: Final = 16
ICH_HCR: Final = 16
ICH_VMCR: Final = 17
ICH_AP0R0: Final = 18
ICH_AP1R0: Final = 22
ICH_REGISTERS: Final = 26

# ICH_LR<n>_EL2 (IHI 0069H, 12.4.9). PINTID is for hardware interrupts only, EOI for software ones only.
LR_VINTID: Final = 0xFFFF_FFFF
LR_PINTID_SHIFT: Final = 32
LR_PINTID: Final = 0x1FFF << LR_PINTID_SHIFT
LR_EOI: Final = 1 << 41
LR_PRIORITY_SHIFT: Final = 48
LR_PRIORITY: Final = 0xFF << LR_PRIORITY_SHIFT
LR_GROUP: Final = 1 << 60
LR_HW: Final = 1 << 61
LR_PENDING: Final = 1 << 62
LR_ACTIVE: Final = 1 << 63
LR_STATE: Final = LR_PENDING | LR_ACTIVE
LR_STATE_SHIFT: Final = 62
LR_SOURCE_SHIFT: Final = 10  # GICv2 SGIs, within the vINTID field

# ICH_HCR_EL2 (IHI 0069H, 12.4.8).
HCR_EN: Final = 1 << 0
HCR_UIE: Final = 1 << 1
HCR_LRENPIE: Final = 1 << 2
HCR_NPIE: Final = 1 << 3
HCR_VGRP0EIE: Final = 1 << 4
HCR_VGRP0DIE: Final = 1 << 5
HCR_VGRP1EIE: Final = 1 << 6
HCR_VGRP1DIE: Final = 1 << 7
HCR_EOICOUNT_SHIFT: Final = 27
HCR_EOICOUNT: Final = 0x1F << HCR_EOICOUNT_SHIFT

# ICH_VMCR_EL2 (IHI 0069H, 12.4.11).
VMCR_VENG0: Final = 1 << 0
VMCR_VENG1: Final = 1 << 1
VMCR_VACKCTL: Final = 1 << 2
VMCR_VFIQEN: Final = 1 << 3
VMCR_VCBPR: Final = 1 << 4
VMCR_VEOIM: Final = 1 << 9
VMCR_VBPR1_SHIFT: Final = 18
VMCR_VBPR0_SHIFT: Final = 21
VMCR_VPMR_SHIFT: Final = 24


class Armv8Cpu(Cpu, Protocol):
    """``x`` are x0 to x30; the entry state is EL1h, DAIF masked, MMU off, x0 = ``context``, all else and ``ich`` 0.

    ``state`` has ``pstate``, as SPSR_EL2 would have it, and registers of EL1. ``exceptions``: how many the guest has
    taken itself since it was entered; ``last_esr``, ``last_elr``, ``last_far`` and ``last_spsr``: what the last of them
    put there.
    """

    @property
    def ich(self) -> MutableSequence[int]:
        """The virtual CPU interface's registers by ``ICH_*`` index: unsigned 64-bit numbers."""

    def timers(self) -> Sequence[tuple[int, bool, int, int, int]]:
        """(INTID, whether the VM has it, CTL, CVAL, the counter now) of each timer."""

    def deactivate(self, intid: int) -> None:
        """Deactivate a physical PPI: what GICR_ICACTIVER0 does. It fires again if its line is high."""
