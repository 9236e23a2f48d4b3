"""What is said to users in Armv8-A's terms."""

from __future__ import annotations

from typing import Final

from baonet.config.architecture import Words

WORDS: Final = Words(
    interrupt="INTID",
    numbers="interrupt number of the GIC, as in Bao: a device tree's SPI n is INTID n + 32, its PPI n is INTID n + 16",
    controller="the GIC",
    controller_compared="GIC",
    argument="x0",
    device_interrupts="INTIDs of the device. A device tree's SPI n is INTID n + 32, its PPI n is n + 16.",
    notifications="INTIDs of SPIs",
    platform_interrupt="INTID of its interrupt, an SPI. A device tree's SPI n is INTID n + 32.",
    interrupt_missing="interrupt: the INTID of its interrupt, an SPI",
    cpus="at most 8 with a GIC of version 2",
    no_answer="an external abort at EL1",
    timer="CNTFRQ_EL0: ticks of the generic timer per second. Default 62500000, as on QEMU.",
    requests="PSCI SYSTEM_OFF and SYSTEM_RESET",
    calls="HVC, SMC, a trapped system register",
    accesses="one of a register of the GIC's distributor",
    mediated="as Bao does on Arm",
    direct="as with direct injection on Arm, which patches to Bao and Jailhouse have",
    delivery="`mediated` on Arm",
    guest_addresses="IPAs",
    address_width="as on the Cortex-A53",
    tree_tells="on Armv8 PSCI (by SMC), the generic timer and the GIC",
    vm_keys="'gic' stands right under the VM, with gicd, gicc and gicr",
)
