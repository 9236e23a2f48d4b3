"""What memory has taken in a run, by pcpu and VM, and what VMs did to each other: for ``--stats`` and for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, final

from baonet.actors.outcome import Outcome
from baonet.hyp.vmm import Plan
from baonet.machine.clusters import clusters
from baonet.run.missed_pages import MissedMemory, PhysicalNames, missed_symbols
from baonet.trace.memory import GROUPS, CacheCounts, MemoryUse, PcpuMemory, cache_counts, pcpu_memory, together

MOST_TOLD: Final = 16
"""Pages, and symbols, that ``--stats`` has."""


@final
@dataclass(frozen=True, slots=True)
class RunMemory:
    """``pcpus`` by (VM, vCPU), ``vms`` by their names, ``caches`` and ``pages`` by the clusters' numbers."""

    pcpus: Mapping[tuple[str, int], PcpuMemory]
    vms: Mapping[str, PcpuMemory]
    caches: Mapping[int, CacheCounts]
    pages: Mapping[int, list[MissedMemory]]

    def told(self) -> dict[str, Any]:
        """For ``--stats``."""
        return {
            "vms": {name: _told(memory) for name, memory in self.vms.items()},
            "vcpus": [{"vm": vm, "vcpu": vcpu, **_told(memory)} for (vm, vcpu), memory in self.pcpus.items()],
            "clusters": {str(number): self._cluster(number, cache) for number, cache in self.caches.items()},
        }

    def _cluster(self, number: int, cache: CacheCounts) -> dict[str, Any]:
        misses: dict[str, dict[str, int]] = {}
        for owner, evictor, count in cache.misses():
            misses.setdefault(owner, {})[evictor] = count
        return {
            "owners": {owner: dict(counts) for owner, counts in zip(cache.owners, cache.counts, strict=True)},
            "misses_by_who_had_evicted": misses,
            "channel": dict(cache.channel),
            "hottest_pages": [page.told() for page in self.pages[number][:MOST_TOLD]],
            "hottest_symbols": [asdict(each) for each in missed_symbols(self.pages[number])[:MOST_TOLD]],
        }


def run_memory(plan: Plan, outcome: Outcome) -> RunMemory:
    """Of a run that has ended, of a machine whose memory takes time."""
    pcpus: dict[tuple[str, int], PcpuMemory] = {}
    for vm in plan.vms:
        for vcpu, pcpu in enumerate(vm.pcpus):
            memory = pcpu_memory(outcome.statistics.get(pcpu, {}))
            if memory is not None:
                pcpus[vm.config.name, vcpu] = memory
    names = {name for name, _ in pcpus}
    vms = {
        vm.config.name: together(memory for (name, _), memory in pcpus.items() if name == vm.config.name)
        for vm in plan.vms
        if vm.config.name in names
    }
    caches = {
        cluster.number: cache_counts(
            outcome.caches[cluster.number], tuple(plan.vms[vm].config.name for vm in cluster.vms)
        )
        for cluster in clusters(plan.machine)
        if cluster.number in outcome.caches
    }
    physical = PhysicalNames(plan)
    return RunMemory(pcpus, vms, caches, {number: physical.named(cache.pages) for number, cache in caches.items()})


def _told(memory: PcpuMemory) -> dict[str, Any]:
    """Times are in cycles, and shares are of the cycles in which the guest ran."""
    return {
        "instructions": memory.instructions,
        "cycles": memory.cycles,
        "stalled": {group: round(memory.share(group), 6) for group in GROUPS},
        "guest": _use(memory.guest),
        "hypervisor": _use(memory.hypervisor),
    }


def _use(use: MemoryUse) -> dict[str, Any]:
    return {**use.counts, "stalls": dict(use.stalls)}
