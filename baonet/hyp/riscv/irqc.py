"""The interrupt controller that a VM has."""

from __future__ import annotations

from functools import partial
from typing import Final

from baonet.hyp.messages import MessageFact
from baonet.hyp.riscv.controller import Controller
from baonet.hyp.riscv.imsic import ImsicPages
from baonet.hyp.riscv.irqc_messages import (
    HangInterrupt,
    ImsicMessage,
    IrqcRead,
    IrqcResult,
    IrqcWrite,
    UpdateHartLine,
)
from baonet.hyp.riscv.shared_controller import SharedController
from baonet.hyp.riscv.vaplic import Vaplic
from baonet.hyp.riscv.vplic import Vplic
from baonet.hyp.vcpu import Vcpu
from baonet.machine import Faithful, MessageKind
from baonet.machine.riscv import Plic, RiscvPlatform, RiscvVm


def controller(vcpu: Vcpu) -> Controller:
    """That of one vcpu."""
    irqc = RiscvVm.of(vcpu.config).irqc
    machine = vcpu.plan.machine
    hardware, vcpus = vcpu.config.interrupts, len(vcpu.vm.pcpus)
    strict = machine.faithful is Faithful.STRICT
    if isinstance(irqc, Plic):
        physical = RiscvPlatform.of(machine.platform).irqc
        assert isinstance(physical, Plic), "Bao gives a VM what its platform has"
        plic = partial(
            Vplic,
            base=irqc.base,
            cpus=machine.platform.cpus,
            vcpus=vcpus,
            hardware=hardware,
            priority_bits=physical.priority_bits,
            strict=strict,
        )
        return SharedController(vcpu, plic)
    pages = None if irqc.imsic is None else ImsicPages(irqc.imsic, vcpus, irqc.identities)
    aplic = partial(Vaplic, base=irqc.aplic, pages=pages, vcpus=vcpus, hardware=hardware, strict=strict)
    return SharedController(vcpu, aplic, pages)


MESSAGES: Final[tuple[MessageFact, ...]] = (
    MessageFact(57, IrqcRead, quiet=True),
    MessageFact(58, IrqcWrite, quiet=True),
    MessageFact(59, IrqcResult),
    MessageFact(60, UpdateHartLine, of_hardware=MessageKind.SPI, interrupts=True),
    MessageFact(61, ImsicMessage, of_hardware=MessageKind.SPI, quiet=True),
    MessageFact(62, HangInterrupt, latency=MessageKind.SPI, interrupts=True),
)
