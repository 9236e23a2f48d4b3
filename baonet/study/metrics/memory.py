"""What memory has taken, where it takes time: as counters tell it at a run's end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, final

from baonet.study.metrics.base import Measured, TracedRun
from baonet.trace.memory import GROUPS, PcpuMemory, pcpu_memory, together

_UNTOLD: Final = "runs of a platform whose memory takes no time"
MISSES: Final = {
    "L1I": ("l1i_misses",),
    "L1D": ("l1d_misses",),
    "L2": ("l2_misses",),
    "micro-TLBs": ("utlb_i_misses", "utlb_d_misses"),
    "TLB": ("tlb_i_misses", "tlb_d_misses"),
}
"""Where a line or a translation was missed, and the counts that have it."""


class _FromTheEnd:
    """What stands at the end of a trace: these have no use for its records."""

    def __init__(self, run: TracedRun) -> None:
        self._run = run

    def _vms(self, measured: Measured) -> Iterator[tuple[str, PcpuMemory]]:
        """By VM, in the order of their pcpus."""
        found: dict[str, list[PcpuMemory]] = {}
        for pcpu, vm in sorted(self._run.vms.items()):
            memory = pcpu_memory(self._run.statistics.get(pcpu, {}))
            if memory is not None:
                found.setdefault(vm, []).append(memory)
        if not found:
            measured.note(_UNTOLD, 1)
        for vm, parts in found.items():
            yield vm, together(iter(parts))


@final
class MemoryStalls(_FromTheEnd):
    """The part of the time in which the guest ran that memory stalled it, by cause. Keys are (vm, cause)."""

    def finish(self, end: int) -> Measured:
        measured = Measured("")
        for vm, memory in self._vms(measured):
            for group in GROUPS:
                measured.values[vm, group] = memory.share(group)
        return measured


@final
class MemoryMisses(_FromTheEnd):
    """Misses in 1000 instructions of the guest. Keys are (vm, where)."""

    def finish(self, end: int) -> Measured:
        measured = Measured("")
        for vm, memory in self._vms(measured):
            for where, names in MISSES.items():
                measured.values[vm, where] = memory.per_thousand(*names)
        return measured


@final
class InstructionRate(_FromTheEnd):
    """Instructions in a cycle in which the guest ran. Keys are (vm,)."""

    def finish(self, end: int) -> Measured:
        measured = Measured("")
        for vm, memory in self._vms(measured):
            measured.values[vm,] = memory.instructions / memory.cycles if memory.cycles else 0.0
        return measured


@final
class MemoryCounts(_FromTheEnd):
    """All counters of the guest and of the hypervisor below it. Keys are (vm, whose, count)."""

    def finish(self, end: int) -> Measured:
        measured = Measured("")
        for vm, memory in self._vms(measured):
            for whose, use in (("guest", memory.guest), ("hypervisor", memory.hypervisor)):
                for name, count in use.counts.items():
                    measured.values[vm, whose, name] = count
                for cause, cycles in use.stalls.items():
                    measured.values[vm, whose, f"stalled cycles: {cause}"] = cycles
        return measured


@final
class CacheEvictions(_FromTheEnd):
    """Misses in second-level caches by who had driven the line out. Keys are (who has missed, who had)."""

    def finish(self, end: int) -> Measured:
        measured = Measured("")
        measured.note(_UNTOLD, not self._run.caches)
        for cache in self._run.caches.values():
            for owner, evictor, count in cache.misses():
                measured.values[owner, evictor] = measured.values.get((owner, evictor), 0) + count
        return measured
