"""The interrupt controller that a VM has."""

from __future__ import annotations

from typing import Final

from baonet.hyp.messages import MessageFact
from baonet.hyp.riscv.controller import Controller
from baonet.hyp.riscv.irqc_messages import IrqcResult
from baonet.hyp.vcpu import Vcpu


def controller(vcpu: Vcpu) -> Controller:
    """That of one vcpu."""
    raise NotImplementedError(vcpu)


MESSAGES: Final[tuple[MessageFact, ...]] = (MessageFact(78, IrqcResult),)
