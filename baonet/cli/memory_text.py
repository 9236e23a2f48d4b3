"""What memory has taken in a run, as tables for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import starmap

from baonet.actors.outcome import Outcome
from baonet.hyp.vmm import Plan
from baonet.run.memory_use import RunMemory
from baonet.run.missed_pages import missed_symbols
from baonet.trace.memory import GROUPS, CacheCounts, pcpu_memory

_PAGES = 5
_MISSES = {
    "L1I": ("l1i_misses",),
    "L1D": ("l1d_misses",),
    "L2": ("l2_misses",),
    "walks": ("tlb_i_misses", "tlb_d_misses"),
}
"""Columns of misses, and the counts that are in each."""


def memory_text(memory: RunMemory) -> Iterator[str]:
    """Lines."""
    yield "memory by vCPU: misses in 1000 instructions, and the part of its guest's time that each cause stalled it"
    rows = [["VM", "vCPU", "instructions", "cycles each", *_MISSES, *GROUPS, "all stalls"]]
    for (vm, vcpu), use in memory.pcpus.items():
        misses = [f"{use.per_thousand(*names):.2f}" for names in _MISSES.values()]
        shares = [_percent(use.share(group)) for group in GROUPS]
        each = f"{use.cycles_each:.2f}"
        rows.append([vm, str(vcpu), _number(use.instructions), each, *misses, *shares, _percent(use.stalled)])
    yield from _table(rows, texts=1)
    for number, cache in memory.caches.items():
        yield f"second-level cache of cluster {number}: misses of each, by who had driven the line out"
        yield from _table(_matrix(cache), texts=1)
        for place, page in enumerate(memory.pages[number][:_PAGES]):
            before = "most misses in a page:" if not place else "then"
            yield f"  {before} {_number(page.misses)}, {page}"
        for place, symbol in enumerate(missed_symbols(memory.pages[number])[:_PAGES]):
            before = "most misses in the pages of a symbol:" if not place else "then"
            yield f"  {before} {_number(symbol.misses)}, {symbol}"


def unlogged_text(plan: Plan, outcome: Outcome) -> Iterator[str]:
    """A line for each vCPU that has asked for more in a window than can be put in order."""
    for vm in plan.vms:
        for vcpu, pcpu in enumerate(vm.pcpus):
            memory = pcpu_memory(outcome.statistics.get(pcpu, {}))
            uses = () if memory is None else (memory.guest, memory.hypervisor)
            lacking = sum(use.counts.get("unlogged", 0) for use in uses)
            if lacking:
                yield (
                    f"VM '{vm.config.name}', vCPU {vcpu} asked its second-level cache {_number(lacking)} times when "
                    "the log of a window had no room: others have not felt it, and the cluster's counters lack "
                    "it; give 'clock.window' a smaller value, or 'memory_system.cpi' a larger one"
                )


def _matrix(cache: CacheCounts) -> list[list[str]]:
    rows = [["", *cache.evictors, "all"]]
    for owner, counts in zip(cache.owners, cache.missed, strict=True):
        rows.append([owner, *(_number(count) for count in counts), _number(sum(counts))])
    return rows


def _number(count: int) -> str:
    return f"{count:,}".replace(",", " ")


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _table(rows: Sequence[Sequence[str]], texts: int) -> Iterator[str]:
    """The first ``texts`` columns are text, the others numbers."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]

    def cell(place: int, text: str) -> str:
        return text.ljust(widths[place]) if place < texts else text.rjust(widths[place])

    for row in rows:
        yield "  " + "  ".join(starmap(cell, enumerate(row))).rstrip()
