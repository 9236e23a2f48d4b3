"""What is RISC-V's of a machine: the interrupt controller, what its harts have.

A hart's id is its number among the vCPUs of its VM. Interrupts are the controller's sources, as in a device tree.
"""

from __future__ import annotations

from baonet.machine.riscv.records import Aia, Plic, RiscvPlatform, RiscvVm

__all__ = ["Aia", "Plic", "RiscvPlatform", "RiscvVm"]
