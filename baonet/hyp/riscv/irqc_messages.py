"""What the pcpus of one VM say to each other about its interrupt controller.

Bao keeps a vPLIC and a vAPLIC in memory that all pcpus of the VM share, under a lock, and its one message
(UPDATE_HART_LINE of ``vplic.c`` and ``vaplic.c``) tells a hart to look there. Here they are on the VM's master pcpu,
their home, which is asked, and which says what a hart's line is. Channels between two pcpus must be FIFO.
"""

from __future__ import annotations

from typing import Final, final

from baonet.hyp.messages import HypMessage
from baonet.machine.dataclass import dataclass

UNCHANGED: Final = -1
"""Of ``signalled``: the access does nothing to it."""


@final
@dataclass(frozen=True, slots=True)
class IrqcRead(HypMessage):
    """A vcpu loads from a register of the controller; it is paused until ``IrqcResult``.

    ``address`` is an IPA; it and ``size``, in bytes, are checked by the sender.
    """

    address: int
    size: int


@final
@dataclass(frozen=True, slots=True)
class IrqcWrite(HypMessage):
    """A vcpu stores to a register of the controller; it is paused until ``IrqcResult``. ``value`` has 32 bits."""

    address: int
    size: int
    value: int


@final
@dataclass(frozen=True, slots=True)
class IrqcResult(HypMessage):
    """The access of a paused vcpu is done; ``value`` is what a load gets, 0 for a store.

    ``signalled``: a source for which the receiver's external interrupt is pending now, 0 if it is not, or UNCHANGED.
    ``source``: what the access has claimed or completed, else 0.
    """

    value: int
    signalled: int = UNCHANGED
    source: int = 0


@final
@dataclass(frozen=True, slots=True)
class UpdateHartLine(HypMessage):
    """The receiver's external interrupt is pending now, for source ``signalled``, or with 0 it is not.

    ``hardware``: as a device's line has risen.
    """

    signalled: int
    hardware: bool = False


@final
@dataclass(frozen=True, slots=True)
class ImsicMessage(HypMessage):
    """Identity ``identity`` becomes pending in the receiver's guest interrupt file.

    It is another hart's store to its page, or a message of the APLIC: on hardware neither enters the hypervisor.
    ``hardware``: as a device's line has changed.
    """

    identity: int
    hardware: bool = False


@final
@dataclass(frozen=True, slots=True)
class HangInterrupt(HypMessage):
    """Source ``source`` is one that Bao never comes back from; it has interrupted the receiver."""

    source: int


IrqcMessage = IrqcRead | IrqcWrite | IrqcResult | UpdateHartLine | ImsicMessage | HangInterrupt
