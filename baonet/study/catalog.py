"""The metrics that a study can ask for, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import final

from baonet.machine.dataclass import dataclass
from baonet.study.metrics.base import Metric, TracedRun
from baonet.study.metrics.console import ConsoleNumbers, ConsoleTime
from baonet.study.metrics.counts import Exits, MessageMatrix
from baonet.study.metrics.interrupts import InterruptLatency
from baonet.study.metrics.ipc import IpcLatency
from baonet.study.metrics.marks import Numbers, RoundTrip, Throughput
from baonet.study.metrics.memory import CacheEvictions, InstructionRate, MemoryCounts, MemoryMisses, MemoryStalls
from baonet.study.metrics.shares import SHARES, TimeShare
from baonet.study.plan import MetricSpec
from baonet.trace.memory import GROUPS

_SAMPLES = ("histogram", "cdf", "percentiles")
PARTS = {"time-share": SHARES, "memory-stalls": tuple(GROUPS)}
"""Metrics of parts of the time, and which parts there are: the last of their keys' parts."""
CONSOLE, CONSOLE_TIME = "console", "console-time"


@final
@dataclass(frozen=True, slots=True)
class Entry:
    """``keys`` names the parts of the keys of what it measures; ``takes`` the options that it heeds.

    ``plots`` are the pictures that can be made of it, the most telling first.
    """

    text: str
    keys: tuple[str, ...]
    make: Callable[[MetricSpec, TracedRun], Metric]
    plots: tuple[str, ...]
    takes: frozenset[str] = frozenset()


METRICS: dict[str, Entry] = {
    "ipc-latency": Entry(
        "One-way latency of notifications: sent, to acknowledged by the receiving guest.",
        ("from", "to"),
        lambda spec, run: IpcLatency(run),
        _SAMPLES,
    ),
    "round-trip": Entry(
        "Time between a guest's begin and end markers of the same id.",
        ("VM", "id"),
        lambda spec, run: RoundTrip(run),
        _SAMPLES,
        frozenset({"ids"}),
    ),
    "throughput": Entry(
        "Bytes per second: what a guest says it moved between begin and end of an id.",
        ("VM", "id"),
        lambda spec, run: Throughput(run),
        ("percentiles", "histogram", "cdf"),
        frozenset({"ids"}),
    ),
    "numbers": Entry(
        "Numbers that guests have measured themselves, told with markers.",
        ("VM", "id"),
        lambda spec, run: Numbers(run, spec.unit),
        _SAMPLES,
        frozenset({"ids", "unit"}),
    ),
    "interrupt-latency": Entry(
        "Interrupt latency by stage: raised, pending, delivered, acknowledged, ended.",
        ("VM", "interrupt", "source", "stage"),
        lambda spec, run: InterruptLatency(run, frozenset(spec.interrupts)),
        ("stages", *_SAMPLES),
        frozenset({"interrupts"}),
    ),
    "time-share": Entry(
        "Part of the time that each pcpu spends in its guest, in the hypervisor, waiting, and off.",
        ("VM", "pcpu", "share"),
        lambda spec, run: TimeShare(run),
        ("shares", "bars"),
    ),
    "messages": Entry(
        "Messages between VMs, by kind.",
        ("from", "to", "message"),
        lambda spec, run: MessageMatrix(run),
        ("heatmap", "bars"),
    ),
    "exits": Entry(
        "Exits to the hypervisor by reason.",
        ("VM", "reason"),
        lambda spec, run: Exits(run),
        ("bars",),
    ),
    "memory-stalls": Entry(
        "Part of the time in which a guest runs that memory stalls it, by cause.",
        ("VM", "cause"),
        lambda spec, run: MemoryStalls(run),
        ("shares", "bars"),
    ),
    "memory-misses": Entry(
        "Misses of caches and TLBs in 1000 instructions.",
        ("VM", "where"),
        lambda spec, run: MemoryMisses(run),
        ("bars",),
    ),
    "instruction-rate": Entry(
        "Instructions in a cycle in which a guest runs.",
        ("VM",),
        lambda spec, run: InstructionRate(run),
        ("bars",),
    ),
    "memory-counts": Entry(
        "All that is counted of caches, TLBs and memory.",
        ("VM", "whose", "count"),
        lambda spec, run: MemoryCounts(run),
        ("bars",),
    ),
    "cache-evictions": Entry(
        "Misses in the shared cache, by who had driven the line out.",
        ("missed by", "driven out by"),
        lambda spec, run: CacheEvictions(run),
        ("heatmap", "bars"),
    ),
    CONSOLE: Entry(
        "Numbers in what guests print: the groups of a regular expression.",
        ("VM", "group"),
        lambda spec, run: ConsoleNumbers(run, spec.pattern, spec.unit, spec.vm),
        _SAMPLES,
        frozenset({"vm", "unit"}),
    ),
    CONSOLE_TIME: Entry(
        "When a guest has first printed what matches a regular expression, in virtual time since the start.",
        ("VM",),
        lambda spec, run: ConsoleTime(run, spec.pattern, spec.vm),
        ("bars",),
        frozenset({"vm"}),
    ),
}
