"""What times of memory follow from the published figures of MiBench under Bao: python -m benchmarks.derived

Three quotients for each workload, in cycles of its 1.2 GHz, and their medians over the half that parameters of a model
may be matched with (`baonet.study.published.CALIBRATION`), over the others, and over all:

* translation: what a refill of a TLB costs with its walk, from pages of 4 KiB in stage 2 against none;
* latency: what a refill of L2 costs that colours bring, when the refills of TLBs are taken off that they bring as well;
* wait: what each refill of L2 costs more beside the neighbours, with colours in both cases.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from statistics import median
from typing import Final, final

from baonet.study import published
from baonet.study.published import MeasuredWorkload

CYCLES_PER_NS: Final = 1.2
OF_A_TRANSLATION: Final = 120
"""The median of the first quotient, near enough: it is taken off in the second."""


@final
@dataclass(frozen=True, slots=True)
class Quotients:
    """Cycles, of one workload."""

    translation: float
    latency: float
    wait: float


def _cycles(row: MeasuredWorkload) -> float:
    return row.nanoseconds * CYCLES_PER_NS


def _tlb(row: MeasuredWorkload) -> int:
    both = (row.itlb_refills_guest, row.dtlb_refills_guest, row.itlb_refills_hypervisor, row.dtlb_refills_hypervisor)
    return sum(each or 0 for each in both)


def _l2(row: MeasuredWorkload) -> int:
    return (row.l2_refills_guest or 0) + (row.l2_refills_hypervisor or 0)


def quotients(workload: str) -> Quotients:
    there = published.workloads()
    solo, pages, col, both = (there["bao", name, workload] for name in ("solo", "solo+4KiB-pages", "col", "interf+col"))
    walks = OF_A_TRANSLATION * (_tlb(col) - _tlb(solo))
    return Quotients(
        translation=(_cycles(pages) - _cycles(solo)) / (_tlb(pages) - _tlb(solo)),
        latency=(_cycles(col) - _cycles(solo) - walks) / (_l2(col) - _l2(solo)),
        wait=(_cycles(both) - _cycles(col)) / _l2(both),
    )


def medians(workloads: Sequence[str]) -> Quotients:
    return Quotients(*map(median, zip(*(astuple(quotients(each)) for each in workloads), strict=True)))


def table() -> Iterator[str]:
    names = [
        name
        for hypervisor, configuration, name in published.workloads()
        if (hypervisor, configuration) == ("bao", "col")
    ]
    yield "| workload | matched | translation | latency | wait |\n|---|---|---|---|---|"
    for name in names:
        yield _row(name, "yes" if name in published.CALIBRATION else "no", quotients(name))
    matched = [name for name in names if name in published.CALIBRATION]
    yield _row("median", "yes", medians(matched))
    yield _row("median", "no", medians([name for name in names if name not in matched]))
    yield _row("median", "all", medians(names))


def _row(name: str, matched: str, found: Quotients) -> str:
    return f"| {name} | {matched} | {' | '.join(f'{each:.0f}' for each in astuple(found))} |"


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.derived", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.parse_args()
    print("\n".join(table()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
