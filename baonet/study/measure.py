"""Measures one trace, in the process that made it: this is Python at work for seconds."""

from __future__ import annotations

import dataclasses
from array import array
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, final

import msgpack

from baonet.study.catalog import METRICS
from baonet.study.metrics.base import Measured, RecordsMetric, TracedRun, kinds_for
from baonet.study.ordered import records
from baonet.study.plan import MetricSpec
from baonet.study.reservoir import Reservoir, pack, unpack
from baonet.trace.head import TraceError
from baonet.trace.order import Row
from baonet.trace.reader import TraceReader


@final
@dataclasses.dataclass(frozen=True, slots=True)
class Result:
    """What a trace told: ``facts`` are of its header and footer, ``measured`` is by the metrics' names."""

    digest: str
    facts: Mapping[str, object]
    measured: Mapping[str, Measured]


def measure(run: TracedRun, specs: Sequence[MetricSpec], history: Iterable[Row], end: int) -> dict[str, Measured]:
    """Show what happened to every metric that wants it."""
    metrics = {spec.name: METRICS[spec.kind].make(spec, run) for spec in specs}
    shown = [metric for metric in metrics.values() if isinstance(metric, RecordsMetric)]
    by_kind = {kind: [metric.take for metric in shown if kind in metric.kinds] for kind in sorted(kinds_for(shown))}
    for record in history:
        for take in by_kind.get(record[1], ()):
            take(record)
    return {name: metric.finish(end) for name, metric in metrics.items()}


def measure_file(path: Path, specs: Sequence[MetricSpec]) -> Result:
    """Raises TraceError, also when the trace has no end: the run was killed."""
    with TraceReader(path) as trace:
        header, footer = trace.header, trace.footer
        if footer is None:
            raise TraceError("the trace has no end: the run was killed")
        access = header.rate.ticks(header.costs.get("access", 0)) if header.mode == "virtual" else 0
        ends = footer.statistics, footer.caches
        run = TracedRun(header.rate, header.names(), header.architecture, access, *ends)
        kinds = kinds_for(METRICS[spec.kind].make(spec, run) for spec in specs)
        measured = measure(run, specs, records(trace, kinds), footer.time)
    facts = {
        "mode": header.mode,
        "platform": header.platform,
        "mhz": header.mhz,
        "memory_system": "" if header.memory_system is None else str(header.memory_system),
        "window": run.ns(header.window),
        "slice": run.ns(header.slice),
        "latency": {name: run.ns(ticks) for name, ticks in header.latency.items()},
        "costs": dict(header.costs),
        "ending": footer.ending,
        "nanoseconds": run.ns(footer.time),
        "deliveries": dict(footer.deliveries),
        "trace_bytes": trace.size,
    }
    return Result(footer.digest or "", facts, measured)


def dump(result: Result) -> bytes:
    """A result as bytes."""
    measured = {
        name: {
            "unit": each.unit,
            "values": [[list(key), value] for key, value in each.values.items()],
            "samples": [
                [list(key), r.count, r.least, r.greatest, r.total, pack(r.kept)] for key, r in each.samples.items()
            ],
            "notes": each.notes,
        }
        for name, each in result.measured.items()
    }
    packed: bytes = msgpack.packb({"digest": result.digest, "facts": dict(result.facts), "measured": measured})
    return packed


def load(data: bytes) -> Result:
    """The result of ``dump``."""
    value: Any = msgpack.unpackb(data, strict_map_key=False)
    measured = {}
    for name, each in value["measured"].items():
        found = measured[name] = Measured(each["unit"], notes=each["notes"])
        found.values.update((tuple(key), number) for key, number in each["values"])
        for key, count, least, greatest, total, kept in each["samples"]:
            reservoir = found.samples[tuple(key)] = Reservoir()
            reservoir.count, reservoir.least, reservoir.greatest, reservoir.total = count, least, greatest, total
            reservoir.kept = array("d", unpack(kept))
    return Result(value["digest"], value["facts"], measured)
