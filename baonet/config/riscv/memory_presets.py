"""SiFive's U74, whose geometry is public. It has no hypervisor extension; no core with one is documented so well."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from baonet.config.memory_preset import MemoryPreset
from baonet.machine import ExitFootprint, HypervisorFootprint, MemorySystem

_MANUAL = "SiFive FU740-C000 datasheet, table 7, as gem5's RISCVMatched cites it"
_TREE = "the FU740's device tree in Linux (`i-tlb-size`, `d-tlb-size`)"
_GEM5 = "gem5's RISCVMatched, which was fitted to a HiFive Unmatched"

FOOTPRINT: Final = HypervisorFootprint(
    hypercall=ExitFootprint(instructions=100, cycles=7, text=12, private=9, shared=2),
    access=ExitFootprint(instructions=555, cycles=29, text=59, private=14, shared=7),
    interrupt=ExitFootprint(instructions=188, cycles=117, text=25, private=13, shared=6),
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
    l2_latency=20,
    l2_store=0,
    l2_on_eviction=0,
    utlb_instruction=40,
    utlb_data=40,
    utlb_miss=4,
    tlb_entries=512,
    tlb_ways=1,
    tlb_miss=7,
    walk_cache_entries=64,
    walk_cache_ways=4,
    ipa_cache_entries=64,
    ipa_cache_ways=4,
    dram_latency=100,
    dram_store=20,
    dram_line=16,
    dram_queue=8,
    device_load=50,
    device_store=8,
    snoop_dirty=40,
    snoop_shared=20,
    streaming_l1=0,
    streaming_l2=0,
    prefetch_streams=0,
    prefetch_strides=2,
    prefetch_lines=1,
    prefetch_reach=4,
    hypervisor=FOOTPRINT,
)
_KNOWN: Final[Mapping[str, str]] = {
    "l1i_size": _MANUAL,
    "l1i_ways": _MANUAL,
    "l1d_size": _MANUAL,
    "l1d_ways": _MANUAL,
    "l2_size": _MANUAL,
    "l2_ways": _MANUAL,
    "l2_latency": f"{_GEM5} (`data_latency`)",
    "l2_on_eviction": "estimate: an inclusive directory of the first level is in it",
    "utlb_instruction": _TREE,
    "utlb_data": _TREE,
}

PRESETS: Final[Mapping[str, MemoryPreset]] = MappingProxyType(
    {
        "sifive-u74": MemoryPreset(
            "The four U74 of a SiFive FU740 with 2 MiB of L2, at 1.2 GHz. It has no hypervisor extension, and no core "
            "that has one is documented as well: Bao does not run on it, and most of its times are estimates.",
            _SIFIVE_U74,
            MappingProxyType(
                {
                    name: _KNOWN.get(name, "estimate")
                    for name in ("cpi", *MemorySystem.__slots__)
                    if name not in ("cycles", "instructions", "hypervisor")
                }
            ),
            MappingProxyType(dict.fromkeys(("hypercall", "access", "interrupt"), "estimate: that of Armv8"))
            | {"direct": "published: with an AIA no interrupt of a guest enters Bao"},
        )
    }
)
