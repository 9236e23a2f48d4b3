"""The GIC virtual CPU interface in plain Python: what hardware does with the list registers that a hypervisor fills.

Written from the architecture, for tests: it stands behind the fake CPU's ``ich``, and checks the native one. Sources:
Arm IHI 0069H, 4.8 (prioritization), 6 (virtual interrupts), 12.3 (ICV_*), 12.4 (ICH_*); Arm IHI 0048B, 5 (GICV, GICH).
5 priority and preemption bits, 16-bit INTIDs, no LPIs. What a guest may not do (an end that does not match the last
acknowledge) is resolved as: an EOIR only drops a priority of its own group that is the highest, and then deactivates
whatever it names; EOIcount stays at its maximum.
"""

from __future__ import annotations

from collections.abc import MutableSequence
from enum import IntEnum

from baonet.hyp.armv8.cpu import (
    HCR_EN,
    HCR_EOICOUNT,
    HCR_EOICOUNT_SHIFT,
    HCR_LRENPIE,
    HCR_NPIE,
    HCR_UIE,
    HCR_VGRP0DIE,
    HCR_VGRP0EIE,
    HCR_VGRP1DIE,
    HCR_VGRP1EIE,
    ICH_AP0R0,
    ICH_AP1R0,
    ICH_HCR,
    ICH_VMCR,
    LR_ACTIVE,
    LR_EOI,
    LR_GROUP,
    LR_HW,
    LR_PENDING,
    LR_PINTID,
    LR_PINTID_SHIFT,
    LR_PRIORITY,
    LR_PRIORITY_SHIFT,
    LR_STATE,
    LR_VINTID,
    VMCR_VACKCTL,
    VMCR_VBPR0_SHIFT,
    VMCR_VBPR1_SHIFT,
    VMCR_VCBPR,
    VMCR_VENG0,
    VMCR_VENG1,
    VMCR_VEOIM,
    VMCR_VFIQEN,
    VMCR_VPMR_SHIFT,
)

SPURIOUS = 1023
SPURIOUS_GROUP1 = 1022
IDLE = 0xFF

MISR_EOI, MISR_U, MISR_LRENP, MISR_NP, MISR_VGRP0E, MISR_VGRP0D, MISR_VGRP1E, MISR_VGRP1D = (1 << n for n in range(8))

_PRIORITY_BITS = 5
_IMPLEMENTED = 0xF8
_MINIMUM_BPR = (2, 3)
_BPR_SHIFT = (VMCR_VBPR0_SHIFT, VMCR_VBPR1_SHIFT)
_AP = (ICH_AP0R0, ICH_AP1R0)


def _encoding(crn: int, crm: int, op2: int) -> int:
    return 3 << 14 | crn << 7 | crm << 3 | op2


class Icc(IntEnum):
    """ICC_*_EL1, encoded as in ``EXIT_REGISTER``."""

    PMR = _encoding(4, 6, 0)
    IAR0 = _encoding(12, 8, 0)
    EOIR0 = _encoding(12, 8, 1)
    HPPIR0 = _encoding(12, 8, 2)
    BPR0 = _encoding(12, 8, 3)
    AP0R0 = _encoding(12, 8, 4)
    AP1R0 = _encoding(12, 9, 0)
    DIR = _encoding(12, 11, 1)
    RPR = _encoding(12, 11, 3)
    IAR1 = _encoding(12, 12, 0)
    EOIR1 = _encoding(12, 12, 1)
    HPPIR1 = _encoding(12, 12, 2)
    BPR1 = _encoding(12, 12, 3)
    CTLR = _encoding(12, 12, 4)
    IGRPEN0 = _encoding(12, 12, 6)
    IGRPEN1 = _encoding(12, 12, 7)


class Gicv(IntEnum):
    """Offsets in the GICV frame."""

    CTLR = 0x00
    PMR = 0x04
    BPR = 0x08
    IAR = 0x0C
    EOIR = 0x10
    RPR = 0x14
    HPPIR = 0x18
    ABPR = 0x1C
    AIAR = 0x20
    AEOIR = 0x24
    AHPPIR = 0x28
    APR0 = 0xD0
    DIR = 0x1000


_GICV_CTLR_BITS = VMCR_VENG0 | VMCR_VENG1 | VMCR_VACKCTL | VMCR_VFIQEN | VMCR_VCBPR | VMCR_VEOIM


class VirtualInterface:
    """Works on ``ich``, a list with ``baonet.hyp.cpu``'s layout, and keeps nothing else.

    ``deactivated`` collects the pINTIDs of hardware interrupts that the guest has deactivated; the user empties it.
    """

    def __init__(self, ich: MutableSequence[int], list_registers: int = 4, version: int = 3) -> None:
        self.ich = ich
        self.lists = range(list_registers)
        self.version = version
        self.deactivated: list[int] = []

    # Prioritization

    @property
    def _vmcr(self) -> int:
        return self.ich[ICH_VMCR]

    def _set(self, mask: int, value: int) -> None:
        self.ich[ICH_VMCR] = self.ich[ICH_VMCR] & ~mask | value & mask

    def _bpr(self, group: int) -> int:
        return self._vmcr >> _BPR_SHIFT[group] & 7

    def _set_bpr(self, group: int, value: int) -> None:
        self._set(7 << _BPR_SHIFT[group], max(value & 7, _MINIMUM_BPR[group]) << _BPR_SHIFT[group])

    def _group_mask(self, group: int) -> int:
        """Which bits of a priority are its group priority."""
        subpriority = self._bpr(1) if group and not self._vmcr & VMCR_VCBPR else self._bpr(0) + 1
        return 0xFF << subpriority & _IMPLEMENTED

    @property
    def pmr(self) -> int:
        return self._vmcr >> VMCR_VPMR_SHIFT & 0xFF

    @property
    def rpr(self) -> int:
        """The running priority: the highest active one."""
        active = self.ich[ICH_AP0R0] | self.ich[ICH_AP1R0]
        return _lowest_bit(active) << (8 - _PRIORITY_BITS) if active else IDLE

    def highest_pending(self) -> int:
        """The list register of the best pending interrupt of an enabled group, ties by number; -1 for none."""
        best, best_priority = -1, IDLE
        for n in self.lists:
            lr = self.ich[n]
            group_enable = VMCR_VENG1 if lr & LR_GROUP else VMCR_VENG0
            if lr & LR_STATE == LR_PENDING and self._vmcr & group_enable and _priority(lr) < best_priority:
                best, best_priority = n, _priority(lr)
        return best

    def signalled(self) -> int:
        """The list register whose interrupt is signalled to the guest; -1 for none."""
        n = self.highest_pending()
        if n < 0 or not self.ich[ICH_HCR] & HCR_EN:
            return -1
        priority = _priority(self.ich[n])
        if priority >= self.pmr:
            return -1
        mask = self._group_mask(_group(self.ich[n]))
        if self.rpr != IDLE and priority & mask >= self.rpr & mask:
            return -1
        return n

    @property
    def fiq(self) -> bool:
        n = self.signalled()
        as_fiq = self.version == 3 or bool(self._vmcr & VMCR_VFIQEN)
        return n >= 0 and not self.ich[n] & LR_GROUP and as_fiq

    @property
    def irq(self) -> bool:
        return self.signalled() >= 0 and not self.fiq

    # Acknowledge and end

    def acknowledge(self, group: int) -> int:
        n = self.signalled()
        if n < 0 or _group(self.ich[n]) != group:
            return SPURIOUS
        lr = self.ich[n]
        self.ich[_AP[group]] |= 1 << ((_priority(lr) & self._group_mask(group)) >> (8 - _PRIORITY_BITS))
        self.ich[n] = lr & ~LR_STATE | LR_ACTIVE
        return lr & LR_VINTID

    def _deactivate(self, intid: int) -> None:
        for n in self.lists:
            lr = self.ich[n]
            if lr & LR_ACTIVE and lr & LR_VINTID == intid:
                self.ich[n] = lr & ~LR_ACTIVE
                if lr & LR_HW:
                    self.deactivated.append((lr & LR_PINTID) >> LR_PINTID_SHIFT)
                return
        hcr = self.ich[ICH_HCR]
        if hcr & HCR_EOICOUNT != HCR_EOICOUNT:
            self.ich[ICH_HCR] = hcr + (1 << HCR_EOICOUNT_SHIFT)

    def end(self, intid: int, group: int) -> None:
        """EOIR: priority drop, and deactivation unless the EOI mode splits them."""
        if 1020 <= intid <= SPURIOUS:
            return
        active, other = self.ich[_AP[group]], self.ich[_AP[1 - group]]
        if not active or (other and _lowest_bit(other) < _lowest_bit(active)):
            return
        self.ich[_AP[group]] = active & active - 1
        if not self._vmcr & VMCR_VEOIM:
            self._deactivate(intid)

    def deactivate(self, intid: int) -> None:
        """DIR: does something only in the EOI mode that splits."""
        if self._vmcr & VMCR_VEOIM and not 1020 <= intid <= SPURIOUS:
            self._deactivate(intid)

    def highest(self, group: int) -> int:
        """HPPIR: whatever masks it."""
        n = self.highest_pending()
        return self.ich[n] & LR_VINTID if n >= 0 and _group(self.ich[n]) == group else SPURIOUS

    # Maintenance

    @property
    def misr(self) -> int:
        """ICH_MISR_EL2."""
        hcr, vmcr = self.ich[ICH_HCR], self._vmcr
        states = [self.ich[n] & LR_STATE for n in self.lists]
        misr = 0
        if any(self.ich[n] & (LR_STATE | LR_HW | LR_EOI) == LR_EOI for n in self.lists):
            misr |= MISR_EOI
        if hcr & HCR_UIE and sum(map(bool, states)) <= 1:
            misr |= MISR_U
        if hcr & HCR_LRENPIE and hcr & HCR_EOICOUNT:
            misr |= MISR_LRENP
        if hcr & HCR_NPIE and LR_PENDING not in states:
            misr |= MISR_NP
        for enable, bit, wanted, condition in (
            (HCR_VGRP0EIE, VMCR_VENG0, True, MISR_VGRP0E),
            (HCR_VGRP0DIE, VMCR_VENG0, False, MISR_VGRP0D),
            (HCR_VGRP1EIE, VMCR_VENG1, True, MISR_VGRP1E),
            (HCR_VGRP1DIE, VMCR_VENG1, False, MISR_VGRP1D),
        ):
            if hcr & enable and bool(vmcr & bit) is wanted:
                misr |= condition
        return misr

    @property
    def maintenance(self) -> bool:
        """The maintenance interrupt's line."""
        return bool(self.ich[ICH_HCR] & HCR_EN) and self.misr != 0

    # GICv3: system registers

    def read(self, register: int) -> int:
        vmcr = self._vmcr
        match register:
            case Icc.IAR0 | Icc.IAR1:
                return self.acknowledge(int(register == Icc.IAR1))
            case Icc.HPPIR0 | Icc.HPPIR1:
                return self.highest(int(register == Icc.HPPIR1))
            case Icc.PMR:
                return self.pmr
            case Icc.RPR:
                return self.rpr
            case Icc.BPR0:
                return self._bpr(0)
            case Icc.BPR1:
                return min(self._bpr(0) + 1, 7) if vmcr & VMCR_VCBPR else self._bpr(1)
            case Icc.CTLR:
                split = 2 if vmcr & VMCR_VEOIM else 0
                return 0x8800 | (_PRIORITY_BITS - 1) << 8 | split | (1 if vmcr & VMCR_VCBPR else 0)
            case Icc.IGRPEN0 | Icc.IGRPEN1:
                return int(bool(vmcr & (VMCR_VENG1 if register == Icc.IGRPEN1 else VMCR_VENG0)))
            case Icc.AP0R0 | Icc.AP1R0:
                return self.ich[_AP[int(register == Icc.AP1R0)]]
        raise ValueError(f"register {register:#x} cannot be read")

    def write(self, register: int, value: int) -> None:
        match register:
            case Icc.EOIR0 | Icc.EOIR1:
                self.end(value & 0xFF_FFFF, int(register == Icc.EOIR1))
            case Icc.DIR:
                self.deactivate(value & 0xFF_FFFF)
            case Icc.PMR:
                self._set(0xFF << VMCR_VPMR_SHIFT, (value & _IMPLEMENTED) << VMCR_VPMR_SHIFT)
            case Icc.BPR0:
                self._set_bpr(0, value)
            case Icc.BPR1:
                if not self._vmcr & VMCR_VCBPR:
                    self._set_bpr(1, value)
            case Icc.CTLR:
                bits = (VMCR_VCBPR if value & 1 else 0) | (VMCR_VEOIM if value & 2 else 0)
                self._set(VMCR_VCBPR | VMCR_VEOIM, bits)
            case Icc.IGRPEN0 | Icc.IGRPEN1:
                bit = VMCR_VENG1 if register == Icc.IGRPEN1 else VMCR_VENG0
                self._set(bit, bit if value & 1 else 0)
            case Icc.AP0R0 | Icc.AP1R0:
                self.ich[_AP[int(register == Icc.AP1R0)]] = value & 0xFFFF_FFFF
            case _:
                raise ValueError(f"register {register:#x} cannot be written")

    # GICv2: the GICV frame. One priority stack for both groups: GICH_APR is AP0R0 and AP1R0 together.

    def read_frame(self, offset: int) -> int:
        n = self.highest_pending()
        group = _group(self.ich[n]) if n >= 0 else 0
        hidden = group == 1 and not self._vmcr & VMCR_VACKCTL
        match offset:
            case Gicv.CTLR:
                return self._vmcr & _GICV_CTLR_BITS
            case Gicv.PMR:
                return self.pmr
            case Gicv.BPR:
                return self._bpr(0)
            case Gicv.ABPR:
                return self._bpr(1)
            case Gicv.IAR:
                if hidden:
                    return SPURIOUS_GROUP1 if self.signalled() >= 0 else SPURIOUS
                return self.acknowledge(group)
            case Gicv.AIAR:
                return self.acknowledge(1)
            case Gicv.RPR:
                return self.rpr
            case Gicv.HPPIR:
                return SPURIOUS_GROUP1 if hidden else self.highest(group)
            case Gicv.AHPPIR:
                return self.highest(1)
            case Gicv.APR0:
                return self.ich[ICH_AP0R0] | self.ich[ICH_AP1R0]
        raise ValueError(f"GICV + {offset:#x} cannot be read")

    def write_frame(self, offset: int, value: int) -> None:
        intid = value & 0x1FFF
        match offset:
            case Gicv.CTLR:
                self._set(_GICV_CTLR_BITS, value)
            case Gicv.PMR:
                self.write(Icc.PMR, value)
            case Gicv.BPR:
                self._set_bpr(0, value)
            case Gicv.ABPR:
                self._set_bpr(1, value)
            case Gicv.AEOIR:
                self.end(intid, 1)
            case Gicv.EOIR:
                ap0, ap1 = self.ich[ICH_AP0R0], self.ich[ICH_AP1R0]
                self.end(intid, int(not ap0 or (ap1 != 0 and _lowest_bit(ap1) < _lowest_bit(ap0))))
            case Gicv.DIR:
                self.deactivate(intid)
            case Gicv.APR0:
                self.ich[ICH_AP0R0], self.ich[ICH_AP1R0] = value & 0xFFFF_FFFF, 0
            case _:
                raise ValueError(f"GICV + {offset:#x} cannot be written")


def _lowest_bit(bits: int) -> int:
    return (bits & -bits).bit_length() - 1


def _priority(lr: int) -> int:
    return (lr & LR_PRIORITY) >> LR_PRIORITY_SHIFT & _IMPLEMENTED


def _group(lr: int) -> int:
    return int(bool(lr & LR_GROUP))
