"""What the pcpus of one VM say to each other about its virtual interrupt controller.

Bao keeps interrupts in memory that all pcpus of the VM share, under locks; its messages (UPDATE_ENABLE, ROUTE, INJECT,
SET_REG of ``vgic.c``) only tell who has to look. Here every interrupt has one home, so the messages carry it. They are
the packets between distributor and redistributor that the architecture knows (IHI 0069H, A.2): SPIs live in the
distributor, on the VM's master pcpu; one that can be delivered is forwarded to the pcpu of its target vcpu, which
alone knows its state until it releases it. Channels between two pcpus must be FIFO.

A vcpu numbers vcpus of its VM; an ``intid`` is below 1020; a ``priority`` has 8 bits.
"""

from __future__ import annotations

from typing import final

from baonet.hyp.messages import HypMessage, SpiLine
from baonet.machine.dataclass import dataclass


@final
@dataclass(frozen=True, slots=True)
class VgicUpdateEnable(HypMessage):
    """GICD_CTLR's enable bit is now this: the master to every other pcpu of the VM (Bao: UPDATE_ENABLE)."""

    enabled: bool


@final
@dataclass(frozen=True, slots=True)
class VgicInject(HypMessage):
    """SGI ``intid`` from vcpu ``source`` to the receiver's vcpu (Bao: INJECT)."""

    intid: int
    source: int


@final
@dataclass(frozen=True, slots=True)
class VgicForward(HypMessage):
    """The receiver's vcpu is to get this SPI (Bao: ROUTE); it holds it until it releases it.

    ``hardware``: a device's; the guest's deactivation is to reach the device's line.
    """

    intid: int
    priority: int
    hardware: bool
    pending: bool
    active: bool


@final
@dataclass(frozen=True, slots=True)
class VgicRecall(HypMessage):
    """The guest changes something of an SPI that the receiver holds: release it (Bao: SET_REG).

    One that is active stays, because its vcpu will end it; with ``deactivate`` it does not.
    """

    intid: int
    deactivate: bool


@final
@dataclass(frozen=True, slots=True)
class VgicRelease(HypMessage):
    """The answer to a recall, or the guest has ended the SPI.

    ``pending`` goes back to the distributor. ``active``: it is still active, and held, until another release.
    """

    intid: int
    pending: bool
    active: bool


@final
@dataclass(frozen=True, slots=True)
class VgicRead(HypMessage):
    """A vcpu loads from a register whose home is the receiver; it is paused until ``VgicResult``.

    ``address`` is an IPA, ``size`` 1, 4 or 8 bytes, checked by the sender.
    """

    address: int
    size: int


@final
@dataclass(frozen=True, slots=True)
class VgicWrite(HypMessage):
    """A vcpu stores to a register whose home is the receiver; it is paused until ``VgicResult``."""

    address: int
    size: int
    value: int


@final
@dataclass(frozen=True, slots=True)
class VgicResult(HypMessage):
    """The access of a paused vcpu is done; ``value`` is what a load gets, 0 for a store."""

    value: int


VgicMessage = (
    VgicUpdateEnable | VgicInject | VgicForward | VgicRecall | VgicRelease | VgicRead | VgicWrite | VgicResult | SpiLine
)
