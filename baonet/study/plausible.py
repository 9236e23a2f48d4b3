"""Whether what a results file says can be what ``baonet study`` wrote: a damaged file is told, not drawn."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

from baonet.study.catalog import METRICS, PARTS
from baonet.study.metrics.base import Measured
from baonet.study.metrics.interrupts import STAGES, TOTAL
from baonet.study.store import StoredPoint, StoredRun

_LAST = {"interrupt-latency": (*STAGES, TOTAL)} | PARTS
"""What the last part of a key can be, of metrics where not everything is possible."""


def check_meta(meta: Mapping[str, str]) -> None:
    """Raises ValueError when what the study says of itself makes no sense."""
    _expect(_all(_json(meta, "axes", "[]"), str), "axes")
    seeds = _json(meta, "seeds", "[{}]")
    _expect(_all(seeds, dict) and len(seeds) > 0, "seeds")
    repeats = meta.get("repeats", "1")
    _expect(repeats.isascii() and repeats.isdecimal() and 0 < int(repeats[:9]) <= 10_000, "repeats")
    _expect(_words(_json(meta, "fingerprint", "{}")), "fingerprint")
    kinds = {}
    for metric in _rows(meta, "metrics", "[]"):
        match metric:
            case [str(name), str(kind), str(), dict() as ids] if kind in METRICS and _words(ids):
                kinds[name] = kind
            case _:
                raise ValueError(f"metrics {metric!r:.100}")
    for plot in _rows(meta, "plots", "null"):
        match plot:
            case [str(metric), str(kind), str() | None, str(), str(), bool() | None] if (
                metric in kinds and kind in METRICS[kinds[metric]].plots
            ):
                pass
            case _:
                raise ValueError(f"plots {plot!r:.100}")


def check_runs(meta: Mapping[str, str], points: Mapping[int, StoredPoint], rows: Iterable[StoredRun]) -> None:
    """Raises ValueError when a run is of no point or seed, or the facts of its trace are none."""
    seeds = len(json.loads(meta.get("seeds", "[{}]")))
    for row in rows:
        _expect(row.point in points and 0 <= row.seed < seeds and row.repeat >= 0, f"run {row!r:.100}")
        facts = row.facts
        for name in ("window", "slice"):
            _expect(_number(facts.get(name, 0)), f"the {name} of a run")
        for name in ("latency", "costs"):
            of = facts.get(name, {})
            _expect(isinstance(of, dict) and all(map(_number, of.values())), f"the {name} of a run")
        deliveries: Any = facts.get("deliveries") or {}
        _expect(isinstance(deliveries, dict) and all(map(_number, deliveries.values())), "the deliveries of a run")
        _expect(not deliveries or ("exact" in deliveries and "late" in deliveries), "the deliveries of a run")


def check_measured(kind: str, measured: Measured) -> None:
    """Raises ValueError when a key is none that the metric has."""
    keys = METRICS[kind].keys
    for key in (*measured.samples, *measured.values):
        _expect(0 < len(key) <= len(keys) and (len(key) == len(keys) or kind not in _FULL), f"key {key!r:.100}")
        _expect(key[-1] in _LAST.get(kind, (key[-1],)), f"key {key!r:.100}")


_FULL = frozenset(METRICS) - {"console"}


def _expect(holds: bool, what: str) -> None:
    if not holds:
        raise ValueError(f"{what}: not as it was written")


def _json(meta: Mapping[str, str], key: str, default: str) -> Any:
    try:
        return json.loads(meta.get(key, default))
    except RecursionError:
        raise ValueError(f"{key}: nested too deeply") from None


def _rows(meta: Mapping[str, str], key: str, default: str) -> list[Any]:
    found = _json(meta, key, default)
    _expect(found is None or isinstance(found, list), key)
    return found or []


def _all(found: object, kind: type) -> bool:
    return isinstance(found, list) and all(isinstance(each, kind) for each in found)


def _words(found: object) -> bool:
    return isinstance(found, dict) and all(isinstance(each, str) for each in found.values())


def _number(found: object) -> bool:
    return isinstance(found, int | float) and not isinstance(found, bool) and math.isfinite(found)
