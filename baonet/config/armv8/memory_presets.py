"""The Cortex-A53 of a Zynq UltraScale+: sizes from manuals, times from measurements that are published."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from baonet.config.memory_preset import MemoryPreset
from baonet.machine import ExitFootprint, HypervisorFootprint, MemorySystem

_TRM = "Arm DDI 0500 (Cortex-A53 TRM)"
_UG1085 = "AMD UG1085 (Zynq UltraScale+ TRM), L2 Memory Subsystem"
_CAQA = "J. L. Hennessy and D. A. Patterson, *Computer Architecture*, 6th edition, 2.6"
_BENCH = "sbc-bench of 36 boards with a Cortex-A53 (ramlat, results/ of github.com/ThomasKaiser/sbc-bench)"
_MARTINS = "the raw data of J. Martins and S. Pinto, RTAS 2023"

FOOTPRINT: Final = HypervisorFootprint(
    hypercall=ExitFootprint(instructions=100, cycles=7, text=12, private=9, shared=2),
    access=ExitFootprint(instructions=555, cycles=29, text=59, private=14, shared=7),
    interrupt=ExitFootprint(instructions=188, cycles=117, text=25, private=13, shared=6),
    relayed=ExitFootprint(instructions=388, cycles=131, text=49, private=31, shared=10),
)
"""Of Bao."""

FOOTPRINT_SOURCES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "hypercall": "estimate: no figure of Bao is known to us; with cold first-level caches it takes the 376 cycles "
        "of its cost",
        "access": f"{_MARTINS}: instructions and first-level misses at EL2 of a trapped store to GICD_SGIR; cycles: "
        "what its 1215 ns at 1.2 GHz leave over an L2 hit for each. How much of it is private is an estimate",
        "interrupt": f"{_MARTINS}: instructions and first-level misses at EL2 of a timer interrupt; cycles: what its "
        "684 ns at 1.2 GHz leave over an L2 hit for each. How much of it is private is an estimate",
        "direct": f"{_MARTINS}: 223 ns with direct injection, 222 ns without a hypervisor",
        "relayed": "estimate: `interrupt`, and `hypercall` twice: it comes by way of the firmware at EL3, which is "
        "told of its end too (Arm DEN 0054, SDEI). No figure is known to us",
    }
)

_CORTEX_A53: Final = MemorySystem(
    cycles=7,
    instructions=10,
    l1i_size=32 << 10,
    l1i_ways=2,
    l1d_size=32 << 10,
    l1d_ways=4,
    l2_size=1 << 20,
    l2_ways=16,
    l2_latency=13,
    l2_store=0,
    l2_path=10,
    l2_on_eviction=1,
    utlb_instruction=10,
    utlb_data=10,
    utlb_miss=2,
    tlb_entries=512,
    tlb_ways=4,
    tlb_miss=7,
    walk_cache_entries=64,
    walk_cache_ways=4,
    ipa_cache_entries=64,
    ipa_cache_ways=4,
    dram_latency=83,
    dram_store=16,
    dram_line=18,
    dram_queue=8,
    device_load=50,
    device_store=8,
    snoop_dirty=40,
    snoop_shared=20,
    streaming_l1=4,
    streaming_l2=128,
    prefetch_streams=2,
    prefetch_strides=2,
    prefetch_lines=5,
    prefetch_reach=4,
    hypervisor=FOOTPRINT,
)

PRESETS: Final[Mapping[str, MemoryPreset]] = MappingProxyType(
    {
        "cortex-a53": MemoryPreset(
            "Four Cortex-A53 with 1 MiB of L2, as on the ZCU104, where they run at 1.2 GHz: `clock: {mhz: 1200}`.",
            _CORTEX_A53,
            MappingProxyType(
                {
                    "cpi": f"{_MARTINS}: MiBench's bitcount, which hardly misses, retires 1.42 instructions a cycle",
                    "l1i_size": "AMD UG1085, APU",
                    "l1i_ways": f"{_TRM}, 2.1",
                    "l1d_size": "AMD UG1085, APU",
                    "l1d_ways": f"{_TRM}, 2.1",
                    "l2_size": _UG1085,
                    "l2_ways": f"{_UG1085}; {_TRM}, 2.1.7",
                    "l2_latency": _CAQA,
                    "l2_store": "estimate: the store buffer hides it",
                    "l2_path": f"derived from {_BENCH}: of eight independent loads out of 256 KiB each takes 10 "
                    "cycles (9.6 to 10.0 where L2 has so much, from 1.2 to 2.3 GHz); a fill takes at least 8.6 a line",
                    "l2_on_eviction": f"{_TRM}, 7.6",
                    "utlb_instruction": f"{_TRM}, 5.1",
                    "utlb_data": f"{_TRM}, 5.1",
                    "utlb_miss": _CAQA,
                    "tlb_entries": f"{_TRM}, 5.1",
                    "tlb_ways": f"{_TRM}, 5.1",
                    "tlb_miss": f"{_CAQA}: 20 cycles of a miss, less an L2 hit for a descriptor",
                    "walk_cache_entries": f"{_TRM}, 5.1",
                    "walk_cache_ways": f"{_TRM}, 5.1",
                    "ipa_cache_entries": f"{_TRM}, 5.1",
                    "ipa_cache_ways": f"{_TRM}, 5.1",
                    "dram_latency": f"derived from {_MARTINS}: an L2 miss more is some 100 cycles more at 1.2 GHz",
                    "dram_store": "estimate",
                    "dram_line": f"derived from {_MARTINS}: what each L2 miss waits beside two neighbours that write",
                    "dram_queue": "estimate",
                    "device_load": "estimate",
                    "device_store": "estimate",
                    "snoop_dirty": "estimate",
                    "snoop_shared": "estimate",
                    "streaming_l1": f"{_TRM}, CPUACTLR_EL1.L1RADIS at reset",
                    "streaming_l2": f"{_TRM}, CPUACTLR_EL1.RADIS at reset",
                    "prefetch_streams": f"{_TRM}, CPUACTLR_EL1.NPFSTRM at reset",
                    "prefetch_strides": f"{_TRM}, CPUACTLR_EL1.STRIDE at reset",
                    "prefetch_lines": f"{_TRM}, CPUACTLR_EL1.L1PCTL at reset",
                    "prefetch_reach": f"{_TRM}, 6.6.2",
                }
            ),
            FOOTPRINT_SOURCES,
        )
    }
)
