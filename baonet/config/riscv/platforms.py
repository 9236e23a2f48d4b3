"""RISC-V's built-in platforms. Memory maps are those of Bao's descriptions and of QEMU's ``virt`` machine."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from baonet.config.architecture import CostTable
from baonet.document.quantities import human_duration
from baonet.machine import Costs, Platform, PlatformDevice, RamBank
from baonet.machine.dataclass import replace
from baonet.machine.riscv import Aia, Plic, RiscvPlatform

TIMER_FREQUENCY = 10_000_000
RV64_COSTS = Costs(hypercall=310, access=1210, interrupt=680, direct=0)
"""Estimates, but for ``direct``; ``COSTS`` says whence."""

COST_SOURCES: Mapping[str, str] = MappingProxyType(
    {
        "hypercall": "estimate: that of Armv8, an exit and the return from it on a core that issues in order too",
        "access": "estimate: that of Armv8. On RISC-V Bao also reads the instruction from the guest's memory and "
        "decodes it; on Armv8 what was measured has Bao send an SGI as well",
        "interrupt": "estimate: that of Armv8. To what a PLIC costs a guest come its accesses to claim and complete, "
        "two `access`",
        "direct": 'published: with an AIA no interrupt of a guest enters Bao (*"Interrupting" the Status Quo*, IEEE '
        "Access, 2024), so nothing is added",
        "relayed": "not modelled: nothing is published; what it touches where memory takes time is an estimate",
    }
)
"""Where each of ``RV64_COSTS`` comes from, in Markdown."""
_COST_ROWS = "\n".join(
    f"| `{name}` | {human_duration(getattr(RV64_COSTS, name))} | {source} |" for name, source in COST_SOURCES.items()
)

_COSTS_PAGE = f"""\
Those of the RISC-V platforms are estimates: no figure of Bao on a RISC-V board is known to us. What is published is of
cores in simulators and FPGAs: B. Sá, J. Martins and S. Pinto, *A First Look at RISC-V Virtualization from an Embedded
Systems Perspective*, IEEE Transactions on Computers 71(9), 2022 (<https://arxiv.org/abs/2103.14951>), with Rocket, and
*"Interrupting" the Status Quo: A First Glance at the RISC-V Advanced Interrupt Architecture (AIA)*, IEEE Access, 2024.
By the latter's abstract a guest's interrupt under Bao takes about 99.5 % less with an AIA, which delivers it directly,
than with a PLIC, of which every access is emulated.

| cost | default | from |
|---|---|---|
{_COST_ROWS}

On a board all of them are to be measured and given.
"""

COSTS = CostTable(
    RV64_COSTS,
    COST_SOURCES,
    "Estimates: no figures of Bao on a RISC-V board are known; docs/configuration.md has it whole.",
    _COSTS_PAGE,
)

BLANK = Platform(
    name="custom", cpus=1, ram=(), arch=RiscvPlatform(Plic(base=0)), devices=(), timer_frequency=TIMER_FREQUENCY
)
"""What a platform is that extends none."""

_QEMU = Platform(
    name="qemu-riscv64-virt",
    cpus=4,
    ram=(RamBank(0x80200000, (4 << 30) - (2 << 20)),),
    arch=RiscvPlatform(Aia(aplic=0x0D000000, imsic=0x28000000)),
    devices=(PlatformDevice("uart0", "16550", 0x10000000, 0x1000, 10),),
    timer_frequency=TIMER_FREQUENCY,
    costs=RV64_COSTS,
)

BUILTIN: Mapping[str, tuple[Platform, str]] = MappingProxyType(
    {
        "qemu-riscv64-virt": (
            _QEMU,
            "QEMU's `virt` machine as Bao knows it since its AIA support (`-M virt,aia=aplic-imsic,aia-guests=1`): 4 "
            "harts (RV64GC with Sstc, Zicbom, Zicboz and Svpbmt), 4 GiB of RAM, of which the firmware has the first "
            "2 MiB, APLIC and IMSICs, one 16550. Interrupts reach guests without the hypervisor. No page colours: Bao "
            "knows no cache of it.",
        ),
        "qemu-riscv64-virt-plic": (
            replace(_QEMU, name="qemu-riscv64-virt-plic", arch=RiscvPlatform(Plic(base=0x0C000000))),
            "The same with a PLIC (`-M virt`), as in Bao 2.0.0 and its demos: the hypervisor takes every interrupt of "
            "a device, and emulates every access to the PLIC.",
        ),
    }
)
