"""Hypervisors on four Cortex-A53 at 1.2 GHz: what an exit takes, and what it touches, as published for a ZCU104.

Times and counts are means of the raw data of J. Martins and S. Pinto, RTAS 2023, without interference, which are in
``baonet.study.published``. Times are over those without a hypervisor. Instructions and lines are what the PMU counts
at EL2; ``cycles`` is what the time leaves over them, at 0.7 cycles an instruction and 13 a line that comes from L2.
How many lines of data are a CPU's own is an estimate for all: two thirds.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from baonet.config.armv8.memory_presets import FOOTPRINT
from baonet.config.armv8.platforms import CORTEX_A53_COSTS
from baonet.config.hypervisor_preset import HypervisorPreset
from baonet.machine import Costs, ExitFootprint, HypervisorFootprint

_LIKE_BAO: Final = "estimate: no figure is known to us; as Bao's"
_RELAYED: Final = "nothing is published; it touches what `interrupt` does, and twice what `hypercall` does: an estimate"

PRESETS: Final[Mapping[str, HypervisorPreset]] = MappingProxyType(
    {
        "bao": HypervisorPreset(
            "Bao, which is what the built-in platforms have. The figures of all four are of a ZCU104 at 1.2 GHz, by "
            "the raw data of J. Martins and S. Pinto, RTAS 2023: times over those without a hypervisor; instructions "
            "and lines as counted at EL2, two thirds of those of data taken for a CPU's own; `cycles` is what the time "
            "leaves over them, at 0.7 cycles an instruction and 13 a line from L2.",
            CORTEX_A53_COSTS,
            FOOTPRINT,
            MappingProxyType(
                {
                    "hypercall": "estimate, see the costs of the built-in platforms",
                    "access": "a trapped store to GICD_SGIR: 1246 ns, 31 without; 518 to 555 instructions",
                    "interrupt": "a timer's interrupt: 906 ns, 222 without; 188 instructions",
                    "direct": "the same, direct: 223 ns",
                    "relayed": _RELAYED,
                }
            ),
        ),
        "jailhouse": HypervisorPreset(
            "Jailhouse.",
            Costs(hypercall=310, access=1910, interrupt=870, direct=0),
            HypervisorFootprint(
                hypercall=FOOTPRINT.hypercall,
                access=ExitFootprint(instructions=1324, cycles=404, text=58, private=11, shared=5),
                interrupt=ExitFootprint(instructions=225, cycles=395, text=22, private=11, shared=5),
                relayed=ExitFootprint(instructions=425, cycles=409, text=46, private=29, shared=9),
            ),
            MappingProxyType(
                {
                    "hypercall": _LIKE_BAO,
                    "access": "a trapped store to GICD_SGIR: 1941 ns; 1324 instructions",
                    "interrupt": "a timer's interrupt: 1094 ns; 225 instructions",
                    "direct": "the same, direct: 222 ns",
                    "relayed": _RELAYED,
                }
            ),
        ),
        "xen": HypervisorPreset(
            "Xen with static partitions (dom0less), of which each CPU runs one.",
            Costs(hypercall=310, access=2950, interrupt=3110, direct=0),
            HypervisorFootprint(
                hypercall=FOOTPRINT.hypercall,
                access=ExitFootprint(instructions=1266, cycles=430, text=142, private=19, shared=10),
                interrupt=ExitFootprint(instructions=1418, cycles=551, text=131, private=24, shared=13),
            ),
            MappingProxyType(
                {
                    "hypercall": "376 cycles on another core (C. Dall et al., ISCA 2016, table II), taken at 1.2 GHz; "
                    "its footprint is an estimate, Bao's",
                    "access": "a trapped store to GICD_SGIR: 2980 ns; 1266 instructions",
                    "interrupt": "a timer's interrupt: 3328 ns; 1418 instructions",
                    "direct": "nothing is published; taken as none",
                    "relayed": "nothing is published; taken as none",
                }
            ),
        ),
        "sel4": HypervisorPreset(
            "seL4 with CAmkES' monitor of VMs, which is a program at EL0. Its instructions and lines were not counted "
            "apart from the guest's, so they are in `cycles`, and what interference does to them is missing.",
            Costs(hypercall=17840, access=17840, interrupt=9500, direct=0),
            HypervisorFootprint(
                hypercall=ExitFootprint(instructions=7831, cycles=11230, text=331, private=20, shared=10),
                access=ExitFootprint(instructions=7831, cycles=11230, text=331, private=20, shared=10),
                interrupt=ExitFootprint(instructions=7722, cycles=6, text=393, private=45, shared=23),
            ),
            MappingProxyType(
                {
                    "hypercall": "estimate: as an access, which goes to the monitor too",
                    "access": "a trapped store to GICD_SGIR: 17868 ns; 7831 instructions",
                    "interrupt": "a timer's interrupt: 9726 ns; 7722 instructions; 3 of 71 lines of data are left out, "
                    "for which its time has no room",
                    "direct": "nothing is published; taken as none",
                    "relayed": "nothing is published; taken as none",
                }
            ),
        ),
    }
)
