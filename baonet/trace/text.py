"""A trace in a page of text: what was run, how it ended, how much of what is recorded."""

from __future__ import annotations

from baonet.machine.rate import in_seconds
from baonet.trace.counts import Counts, count
from baonet.trace.names import kind
from baonet.trace.reader import Progress, TraceReader

_LEFT = 14


def describe(trace: TraceReader, progress: Progress) -> list[str]:
    """Lines. Raises TraceError. ``progress`` gets the number of chunks."""
    counts = count(trace, progress)
    return [*_run(trace), *_end(trace, counts), "", *_table(trace, counts)]


def _line(name: str, text: str) -> str:
    return f"{name:{_LEFT}}{text}"


def seconds(trace: TraceReader, ticks: int) -> str:
    """As a decimal number with nanoseconds."""
    return f"{in_seconds(trace.header.ns(ticks))} s"


def _run(trace: TraceReader) -> list[str]:
    header = trace.header
    lines = [
        _line("file", f"{trace.path}, {trace.size} bytes, {trace.records} records in {trace.chunks} chunks"),
        _line("machine", header.machine + (f" (SHA-256 {header.config})" if header.config else "")),
        _line("platform", header.platform),
    ]
    for vm in header.vms:
        lines.append(_line("VM", f"{vm.name}: pcpu {', '.join(map(str, vm.pcpus))}"))
        if vm.arch:
            lines.append(_line("", header.architecture.names.vm(vm.arch)))
        for region in vm.regions:
            what = f"{region.kind.replace('_', ' ')} {region.name}".rstrip()
            lines.append(_line("", f"{region.base:#x} to {region.base + region.size:#x}: {what}"))
    if header.mode == "virtual":
        lengths = f"window {header.ns(header.window)} ns, slice {header.ns(header.slice)} ns"
        lines.append(_line("clock", f"virtual, {header.mhz} MHz, {lengths}"))
        lines.append(_line("latency", ", ".join(f"{k} {header.ns(v)} ns" for k, v in header.latency.items())))
        if header.memory_system is not None:
            lines.append(_line("memory system", str(header.memory_system)))
        if header.memory_system is None or any(header.costs.values()):
            lines.append(_line("costs", ", ".join(f"{k} {v} ns" for k, v in header.costs.items())))
    else:
        lines.append(_line("clock", "the host's"))
    return lines


def _end(trace: TraceReader, counts: Counts) -> list[str]:
    recorded = f"{seconds(trace, counts.first)} to {seconds(trace, counts.last)}"
    lines = [_line("recorded", recorded if counts.total else "nothing")]
    footer = trace.footer
    if footer is None:
        return [*lines, _line("end", "none: the run was killed, or goes on")]
    at = f", at {seconds(trace, footer.time)}" if footer.time >= counts.last else ""  # the host's clock tells none
    lines.append(_line("end", footer.ending + at))
    late = footer.deliveries.get("late", 0)
    if footer.digest is not None:
        latest = f" (at most {trace.header.ns(footer.deliveries.get('latest', 0))} ns)" if late else ""
        lines.append(_line("messages", f"{footer.deliveries.get('exact', 0)} on time, {late} late{latest}"))
        lines.append(_line("digest", footer.digest))
    return lines


def _table(trace: TraceReader, counts: Counts) -> list[str]:
    """A row for each kind, a column for each pcpu."""
    pcpus = trace.pcpus
    kinds = sorted({number for _, number in counts.by_kind})
    rows = [["records", *(f"pcpu {pcpu}" for pcpu in pcpus), "all"]]
    for number in kinds:
        of = [counts.by_kind[pcpu, number] for pcpu in pcpus]
        rows.append([kind(number), *map(str, of), str(sum(of))])
    sums = [sum(counts.by_kind[pcpu, number] for number in kinds) for pcpu in pcpus]
    rows.append(["all", *map(str, sums), str(counts.total)])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        f"{row[0]:{_LEFT}}" + "  ".join(f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True))
        for row in rows
    ]
