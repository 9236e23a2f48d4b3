"""The interrupt controller that a VM has."""

from __future__ import annotations

from typing import Final

from baonet.hyp.messages import MessageFact
from baonet.hyp.riscv.controller import Controller
from baonet.hyp.riscv.irqc_messages import (
    HangInterrupt,
    ImsicMessage,
    IrqcRead,
    IrqcResult,
    IrqcWrite,
    UpdateHartLine,
)
from baonet.hyp.vcpu import Vcpu
from baonet.machine import MessageKind


def controller(vcpu: Vcpu) -> Controller:
    """That of one vcpu."""
    raise NotImplementedError(vcpu)


MESSAGES: Final[tuple[MessageFact, ...]] = (
    MessageFact(80, IrqcRead, quiet=True),
    MessageFact(81, IrqcWrite, quiet=True),
    MessageFact(82, IrqcResult),
    MessageFact(83, UpdateHartLine, of_hardware=MessageKind.SPI, interrupts=True),
    MessageFact(84, ImsicMessage, of_hardware=MessageKind.SPI),
    MessageFact(85, HangInterrupt, latency=MessageKind.SPI, interrupts=True),
)
