"""SiFive's U74, which is measured well. It has no hypervisor extension, and Bao does not run on it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from baonet.config.memory_preset import MemoryPreset
from baonet.machine import ExitFootprint, HypervisorFootprint, MemorySystem

_MANUAL = "SiFive FU740-C000 datasheet, table 7, as gem5's RISCVMatched cites it"
_TREE = "the device trees of FU740 and JH7110 in Linux (`i-tlb-size`, `d-tlb-size`)"
_BENCH = "sbc-bench of a VisionFive 2, results/4xOY.txt of github.com/ThomasKaiser/sbc-bench"

FOOTPRINT: Final = HypervisorFootprint(
    hypercall=ExitFootprint(instructions=100, cycles=7, text=12, private=9, shared=2),
    access=ExitFootprint(instructions=555, cycles=29, text=59, private=14, shared=7),
    interrupt=ExitFootprint(instructions=188, cycles=117, text=25, private=13, shared=6),
    relayed=ExitFootprint(instructions=188, cycles=117, text=25, private=13, shared=6),
)
"""Those of Armv8, where Bao's common code is the same."""

_SIFIVE_U74: Final = MemorySystem(
    cycles=7,
    instructions=10,
    l1i_size=32 << 10,
    l1i_ways=4,
    l1d_size=32 << 10,
    l1d_ways=8,
    l2_size=2 << 20,
    l2_ways=16,
    l2_latency=17,
    l2_store=0,
    l2_path=18,
    l2_on_eviction=0,
    utlb_instruction=40,
    utlb_data=40,
    utlb_miss=12,
    tlb_entries=512,
    tlb_ways=1,
    tlb_miss=7,
    walk_cache_entries=8,
    walk_cache_ways=8,
    ipa_cache_entries=64,
    ipa_cache_ways=4,
    dram_latency=140,
    dram_store=71,
    dram_line=6,
    dram_queue=8,
    device_load=50,
    device_store=8,
    snoop_dirty=40,
    snoop_shared=20,
    streaming_l1=0,
    streaming_l2=0,
    prefetch_streams=2,
    prefetch_strides=2,
    prefetch_lines=3,
    prefetch_reach=1,
    hypervisor=FOOTPRINT,
)
_KNOWN: Final[Mapping[str, str]] = {
    "cpi": "estimate: two instructions are issued at once, in order",
    "l1i_size": _MANUAL,
    "l1i_ways": _MANUAL,
    "l1d_size": _MANUAL,
    "l1d_ways": _MANUAL,
    "l2_size": _MANUAL,
    "l2_ways": _MANUAL,
    "l2_latency": f"{_BENCH}: a chain of loads takes 2.00 ns each in 32 KiB and 13.35 ns in 128 KiB, at 1.5 GHz",
    "l2_path": f"derived from {_BENCH}: eight independent loads out of 128 KiB take 96.4 ns at 1.5 GHz, 18 cycles each",
    "l2_on_eviction": "estimate: an inclusive directory of the first level is in it",
    "utlb_instruction": _TREE,
    "utlb_data": _TREE,
    "utlb_miss": f"derived from {_BENCH}: 18.70 ns each in 512 KiB, of which 40 pages are in the first TLB",
    "tlb_entries": f"estimate; {_BENCH} has the step to more at 2 MiB, which are 512 pages",
    "walk_cache_entries": "estimate: as of Rocket, from which these cores come (`nPTECacheEntries`)",
    "walk_cache_ways": "estimate: as of Rocket",
    "ipa_cache_entries": "estimate: it has no second stage",
    "ipa_cache_ways": "estimate: it has no second stage",
    "dram_latency": f"derived from {_BENCH}: 175 ns each in 128 MiB, less a hit of the second level and a walk",
    "dram_store": f"derived from {_BENCH}: memset fills 825 MB/s, a line in 77.5 ns",
    "dram_line": "estimate: the peak of 32 bits of LPDDR4 at 2800 MT/s; no figure of several cores is known to us",
    "prefetch_streams": f"estimate; {_BENCH}: a copy is hardly slower than a fill, so it is read ahead",
    "prefetch_lines": f"derived from {_BENCH}: one load of each line in a row reads 1379 MB/s, a line in 46 ns",
}

PRESETS: Final[Mapping[str, MemoryPreset]] = MappingProxyType(
    {
        "sifive-u74": MemoryPreset(
            "The four U74 of a StarFive JH7110 (VisionFive 2) with 2 MiB of L2, at 1.5 GHz: `clock: {mhz: 1500}`. It "
            "has no hypervisor extension, so Bao does not run on it: what the second stage and exits cost are "
            "estimates. No core that has one is measured as well.",
            _SIFIVE_U74,
            MappingProxyType(
                {
                    name: _KNOWN.get(name, "estimate")
                    for name in ("cpi", *MemorySystem.__slots__)
                    if name not in ("cycles", "instructions", "hypervisor")
                }
            ),
            MappingProxyType(dict.fromkeys(("hypercall", "access", "interrupt"), "estimate: that of Armv8"))
            | {
                "direct": "published: with an AIA no interrupt of a guest enters Bao",
                "relayed": "estimate: `interrupt`, as Bao's own interrupts come to HS mode all the same",
            },
            lacking=("ipa_cache_entries", "ipa_cache_ways", "hypervisor"),
        )
    }
)
