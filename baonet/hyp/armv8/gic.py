"""Numbers of the GIC architecture: INTID ranges, register offsets and fields.

Sources: Arm IHI 0069H (GICv3) 12.8 GICD, 12.10 GICR; Arm IHI 0048B (GICv2) 4.1 GICD; what Bao's guests were seen to
read of the physical GICs for the identification registers.
"""

from __future__ import annotations

from typing import Final

SGIS: Final = 16
PRIVATE: Final = 32  # SGIs and PPIs; SPIs start here
MAX_INTERRUPTS: Final = 1020

LOWEST_PRIORITY: Final = 0xFF
IMPLEMENTED_PRIORITY: Final = 0xF8  # 5 bits, as on Cortex-A53 and GIC-400
PRIORITY_BITS: Final = 5
MINIMUM_BPR0: Final = 2
MINIMUM_BPR1: Final = 3

CONFIG_EDGE: Final = 0b10

# GICD, both versions.
GICD_SIZE: Final = 0x10000
GICD_CTLR: Final = 0x0000
GICD_TYPER: Final = 0x0004
GICD_IIDR: Final = 0x0008
GICD_ISENABLER: Final = 0x0100
GICD_ICENABLER: Final = 0x0180
GICD_ISPENDR: Final = 0x0200
GICD_ICPENDR: Final = 0x0280
GICD_ISACTIVER: Final = 0x0300
GICD_ICACTIVER: Final = 0x0380
GICD_IPRIORITYR: Final = 0x0400
GICD_ITARGETSR: Final = 0x0800
GICD_ICFGR: Final = 0x0C00
GICD_SGIR: Final = 0x0F00
GICD_IROUTER: Final = 0x6000  # version 3
GICD_ID: Final = 0xFFD0  # version 3: PIDR4..7, PIDR0..3, CIDR0..3

CTLR_ENABLE_GRP1A: Final = 1 << 1  # version 3, one security state seen
CTLR_ENABLE_GRP0: Final = 1 << 0  # version 2
CTLR_ARE_NS: Final = 1 << 4

IROUTER_MASK: Final = (1 << 40) - 1
IROUTER_IRM: Final = 1 << 31
AFFINITY_MASK: Final = 0xFF_FFFF  # Aff2, Aff1, Aff0

# GICR: a frame of two 64 KiB pages for each vcpu. Offsets of the second one include the first.
GICR_SIZE: Final = 0x20000
GICR_CTLR: Final = 0x0000
GICR_TYPER: Final = 0x0008
GICR_ID: Final = 0xFFD0
GICR_SGI_BASE: Final = 0x10000
GICR_TYPER_LAST: Final = 1 << 4

# What the physical interrupt controllers say of themselves, which Bao shows to its guests.
GICD_V3_IIDR: Final = 0x43B
GICD_V2_IIDR: Final = 0x0200_143B  # GIC-400
GICD_V3_ID: Final = (0x44, 0, 0, 0, 0x92, 0xB4, 0x3B, 0, 0x0D, 0xF0, 0x05, 0xB1)
GICR_V3_ID: Final = (0x44, 0, 0, 0, 0x93, 0xB4, 0x3B, 0, 0x0D, 0xF0, 0x05, 0xB1)

# ICC_SGI1R_EL1.
SGI1R_INTID_SHIFT: Final = 24
SGI1R_IRM: Final = 1 << 40
SGI1R_LIST: Final = 0xFFFF
SGI1R_AFF1_SHIFT: Final = 16
SGI1R_OTHER_AFFINITY: Final = 0xFF << 48 | 0xF << 44 | 0xFF << 32  # Aff3, the range of Aff0, Aff2

# GICD_SGIR of version 2.
SGIR_FILTER_SHIFT: Final = 24
SGIR_LIST_SHIFT: Final = 16
