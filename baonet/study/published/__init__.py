"""What others have measured on boards, to stand beside what a study finds. ``README.md`` here has the sources."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeVar, final

from baonet.machine.dataclass import dataclass, fields

BARE: Final = "baremetal"

CALIBRATION: Final = frozenset(
    {"qsort-small", "susanc-large", "susane-small", "susans-large", "bitcount-small", "basicmath-large"}
)
"""The half of MiBench's workloads that parameters of a model may be matched with. It was chosen, alternately small and
large, before there was a model; what is said of how far a model is true is said of the others."""


@final
@dataclass(frozen=True, slots=True)
class MeasuredWorkload:
    """A program in Linux: the mean time of a run, and what was counted in it; None where nothing was.

    Refills are lines that a cache or translations that a first-level TLB had not.
    """

    hypervisor: str
    configuration: str
    workload: str
    nanoseconds: int
    instructions_guest: int | None
    instructions_hypervisor: int | None
    exceptions_guest: int | None
    exceptions_hypervisor: int | None
    l2_refills_guest: int | None
    l2_refills_hypervisor: int | None
    itlb_refills_guest: int | None
    itlb_refills_hypervisor: int | None
    dtlb_refills_guest: int | None
    dtlb_refills_hypervisor: int | None


@final
@dataclass(frozen=True, slots=True)
class MeasuredLatency:
    """Nanoseconds from a timer's deadline to the guest's handler, and means of what was counted for each interrupt.

    What the guest does between two interrupts would be in its instructions, its accesses and its refills of L1D, so
    these are None.
    """

    hypervisor: str
    configuration: str
    samples: int
    mean_ns: int
    least_ns: int
    most_ns: int
    instructions_guest: float | None
    instructions_hypervisor: float
    accesses_guest: float | None
    accesses_hypervisor: float
    l1i_refills_guest: float
    l1i_refills_hypervisor: float
    l1d_refills_guest: float | None
    l1d_refills_hypervisor: float
    l2_refills_guest: float
    l2_refills_hypervisor: float
    itlb_refills_guest: float
    itlb_refills_hypervisor: float
    dtlb_refills_guest: float
    dtlb_refills_hypervisor: float


@final
@dataclass(frozen=True, slots=True)
class MeasuredIpi:
    """Nanoseconds that the sender's store takes, and until the receiver's handler; counts are of the former."""

    hypervisor: str
    samples: int
    trap_ns: int
    end_to_end_ns: int
    instructions_hypervisor: float
    accesses_hypervisor: float
    l1i_refills_hypervisor: float
    l1d_refills_hypervisor: float
    l2_refills_hypervisor: float
    itlb_refills_hypervisor: float
    dtlb_refills_hypervisor: float


_Kind = TypeVar("_Kind", MeasuredWorkload, MeasuredLatency, MeasuredIpi)

_READ = MappingProxyType({"str": str, "int": int, "float": float})


def _rows(kind: type[_Kind], name: str) -> tuple[_Kind, ...]:
    """The rows of a file, whose columns are the fields of ``kind``."""
    columns = {each.name: str(each.type).split(" | ", maxsplit=1)[0] for each in fields(kind)}
    rows = []
    with (Path(__file__).parent / f"{name}.csv").open(newline="") as file:
        for row in csv.DictReader(file, strict=True):
            values: dict[str, Any] = {
                column: _READ[columns[column]](text) if text else None for column, text in row.items()
            }
            rows.append(kind(**values))
    return tuple(rows)


@cache
def workloads() -> Mapping[tuple[str, str, str], MeasuredWorkload]:
    """By hypervisor, configuration and workload."""
    rows = _rows(MeasuredWorkload, "mibench")
    return MappingProxyType({(row.hypervisor, row.configuration, row.workload): row for row in rows})


@cache
def interrupt_latencies() -> Mapping[tuple[str, str], MeasuredLatency]:
    """By hypervisor and configuration."""
    rows = _rows(MeasuredLatency, "interrupt-latency")
    return MappingProxyType({(row.hypervisor, row.configuration): row for row in rows})


@cache
def interprocessor_interrupts() -> Mapping[str, MeasuredIpi]:
    """By hypervisor."""
    rows = _rows(MeasuredIpi, "interprocessor-interrupt")
    return MappingProxyType({row.hypervisor: row for row in rows})


def slowdown(hypervisor: str, configuration: str, workload: str) -> float:
    """Percent that a workload takes longer than without a hypervisor. Raises KeyError for what nobody measured."""
    found = workloads()
    bare = found[BARE, "solo", workload].nanoseconds
    return 100 * (found[hypervisor, configuration, workload].nanoseconds - bare) / bare
