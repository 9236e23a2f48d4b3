"""What is Armv8-A's of a machine: the interrupt controller, what the CPUs are, the affinity of vCPUs.

Guest addresses (``gicd``, ``gicc``, ``gicr`` of a VM) are IPAs. Interrupts are INTIDs: a device tree's SPI *n* is INTID
*n* + 32.
"""

from __future__ import annotations

from baonet.machine.armv8.records import Armv8Platform, Armv8Vm, Gic

__all__ = ["Armv8Platform", "Armv8Vm", "Gic"]
