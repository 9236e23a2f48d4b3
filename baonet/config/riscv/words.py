"""What is said to users in RISC-V's terms."""

from __future__ import annotations

from typing import Final

from baonet.config.architecture import Words

WORDS: Final = Words(
    interrupt="source",
    numbers="source number of the PLIC or the APLIC, the same as in a device tree",
    controller="the PLIC or the APLIC",
    controller_compared="PLIC, APLIC and IMSICs",
    argument="a1",
    device_interrupts="On RISC-V its sources, as in a device tree.",
    notifications="sources",
    platform_interrupt="On RISC-V its source, as in a device tree.",
    interrupt_missing="interrupt: the source of its interrupt",
    cpus="",
    no_answer="on RISC-V an access fault, for which Bao parks the hart",
    timer="On RISC-V those of `time`, by default 10000000.",
    requests="SBI's SRST, hart stop and debug console",
    calls="ECALL, an exception that Bao does not delegate",
    accesses="one of a register of the PLIC or the APLIC",
    guest_addresses="guest-physical addresses",
    address_width="in Sv39x4",
    mediated="on RISC-V with a PLIC, or an APLIC alone",
    direct="on RISC-V with an AIA, whose IMSICs have a file for each guest",
    delivery="on RISC-V what the interrupt controller makes possible, which is one of the two",
    tree_tells="on RISC-V the extensions, the PLIC, or APLIC and IMSICs",
    vm_keys="'irqc' stands right under the VM: {plic: ...} or {aplic: ..., imsic: ...}",
)
