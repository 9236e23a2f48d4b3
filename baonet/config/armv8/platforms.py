"""Armv8-A's built-in platforms. Memory maps are those of Bao's descriptions and of QEMU's ``virt`` machine."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from baonet.config.architecture import CostTable
from baonet.document.quantities import human_duration
from baonet.machine import Cache, Costs, Platform, PlatformDevice, RamBank
from baonet.machine.armv8 import Armv8Platform, Gic
from baonet.machine.dataclass import replace

CPU_MODELS: Mapping[str, int] = MappingProxyType(
    {"cortex-a53": 0x410FD034, "cortex-a57": 0x411FD070, "cortex-a72": 0x410FD083, "max": 0x000F0510}
)
"""What a CPU can be, with its MIDR_EL1 (Cortex-A53 r0p4, A57 r1p0, A72 r0p3, QEMU's ``max``)."""

TIMER_FREQUENCY = 62_500_000
CORTEX_A53_CACHE = Cache(llc_size=0x100000, llc_ways=16, l1_size=0x8000, l1_ways=4)
"""L2 of 1 MiB and 16 ways, L1D of 32 KiB and 4: the ZCU104, and what QEMU's model tells in CCSIDR_EL1."""

CORTEX_A53_COSTS = Costs(hypercall=310, access=1210, interrupt=680, direct=0)
"""Of Bao on the four Cortex-A53 of a ZCU104, at 1.2 GHz; ``COSTS`` says whence.

Means of 200 samples: interrupts 222 ns bare, 906 ns under Bao, 223 ns with direct injection; a store to GICD_SGIR
31 ns bare, 1246 ns under Bao.
"""

COST_SOURCES: Mapping[str, str] = MappingProxyType(
    {
        "interrupt": "measured: a timer interrupt reaches the handler after 906 ns under Bao, after 222 ns without",
        "direct": "measured: 223 ns with the same authors' patch for direct injection, so nothing is added",
        "relayed": "not modelled: nothing is published; what it touches where memory takes time is an estimate",
        "access": "measured for one register: a store to GICD_SGIR takes 1246 ns under Bao, 31 ns without; it has Bao "
        "send an SGI too, so it is an upper estimate for the other registers",
        "hypercall": "estimate: no figure of Bao is known to us; 376 cycles of Xen on Armv8 (C. Dall et al., *ARM "
        "Virtualization: Performance and Architectural Implications*, ISCA 2016, table II), taken at 1.2 GHz",
    }
)
"""Where each of ``CORTEX_A53_COSTS`` comes from, in Markdown."""
_COST_ROWS = "\n".join(
    f"| `{name}` | {human_duration(getattr(CORTEX_A53_COSTS, name))} | {source} |"
    for name, source in COST_SOURCES.items()
)

_COSTS_PAGE = f"""\
The costs are those of Bao on a ZCU104 (Cortex-A53 at 1.2 GHz, GIC-400), as far as there are public figures. Measured
ones are means of the raw data of J. Martins and S. Pinto, *Shedding Light on Static Partitioning Hypervisors for
Arm-based Mixed-Criticality Systems*, RTAS 2023, runs without interference, as in commit 3e2f006 of
<https://github.com/ESRGv3/shedding-light-static-partitioning-hypervisors>.

| cost | default | from |
|---|---|---|
{_COST_ROWS}

For the platforms of QEMU, which no hardware is like, they are an estimate: their CPUs are the same, but no figure for
a GICv3 is among those. With another CPU, clock or hypervisor all of them are to be measured and given.
"""

COSTS = CostTable(
    CORTEX_A53_COSTS,
    COST_SOURCES,
    "Measured on a ZCU104 at 1.2 GHz: J. Martins and S. Pinto, RTAS 2023; docs/configuration.md has it whole.",
    _COSTS_PAGE,
)


def cortex_a53(gic: Gic, state_type_bit: int = 16) -> Armv8Platform:
    return Armv8Platform(gic, "cortex-a53", CPU_MODELS["cortex-a53"], state_type_bit)


BLANK = Platform(
    name="custom",
    cpus=1,
    ram=(),
    arch=cortex_a53(Gic(version=3, gicd=0)),
    devices=(),
    timer_frequency=TIMER_FREQUENCY,
)
"""What a platform is that extends none."""

_QEMU = Platform(
    name="qemu-aarch64-virt",
    cpus=4,
    ram=(RamBank(0x40000000, 4 << 30),),
    arch=cortex_a53(Gic(version=3, gicd=0x08000000, gicr=0x080A0000)),
    devices=(PlatformDevice("uart0", "pl011", 0x09000000, 0x1000, 33),),
    timer_frequency=TIMER_FREQUENCY,
    cache=CORTEX_A53_CACHE,
    costs=CORTEX_A53_COSTS,
)

_ZCU104 = Platform(
    name="zcu104",
    cpus=4,
    ram=(RamBank(0x00080000, 0x7FF00000 - 0x16000),),
    arch=cortex_a53(Gic(version=2, gicd=0xF9010000, gicc=0xF9020000, interrupts=192), state_type_bit=30),
    devices=(
        PlatformDevice("uart0", "pl011", 0xFF000000, 0x1000, 53),
        PlatformDevice("uart1", "pl011", 0xFF010000, 0x1000, 54),
    ),
    timer_frequency=100_000_000,
    standby=False,
    powerdown=True,
    cache=CORTEX_A53_CACHE,
    costs=CORTEX_A53_COSTS,
)

BUILTIN: Mapping[str, tuple[Platform, str]] = MappingProxyType(
    {
        "qemu-aarch64-virt": (
            _QEMU,
            "QEMU's `virt` machine as Bao knows it: 4 Cortex-A53, 4 GiB of RAM, GICv3, one PL011. Page colours: 8 of "
            "2 pages.",
        ),
        "qemu-aarch64-virt-gicv2": (
            replace(
                _QEMU,
                name="qemu-aarch64-virt-gicv2",
                arch=cortex_a53(Gic(version=2, gicd=0x08000000, gicc=0x08010000, interrupts=288)),
            ),
            "The same with a GICv2 (`-M virt,gic-version=2`); at most 8 CPUs.",
        ),
        "zcu104": (
            _ZCU104,
            "AMD/Xilinx ZCU104 (Zynq UltraScale+): 4 Cortex-A53, 2 GiB of RAM, GICv2 (GIC-400), page colours: 8 of 2 "
            "pages. The memory map, the interrupts and the PSCI states are the board's, but its two UARTs, which are "
            "Cadence ones on the board, are modelled as PL011: a guest built for the board needs its console driver "
            "changed, a device tree that baonet generates says so by itself. There is no SMMU.",
        ),
    }
)
