"""Amounts with their units: read as people write them in a sweep, and shown as people read them in a report."""

from __future__ import annotations

import math
import re
from typing import final

from baonet.machine.dataclass import dataclass

_AMOUNT = re.compile(r"(-?\d+(?:_\d+)*(?:\.\d+)?)\s?([A-Za-z]*)")
_SCALES: dict[str, tuple[str, float]] = {
    "": ("", 1),
    "ns": ("ns", 1),
    "us": ("ns", 1e3),
    "ms": ("ns", 1e6),
    "s": ("ns", 1e9),
    "B": ("B", 1),
    "KiB": ("B", 1 << 10),
    "MiB": ("B", 1 << 20),
    "GiB": ("B", 1 << 30),
}
_SHOWN = {
    "ns": ((1e9, "s"), (1e6, "ms"), (1e3, "µs"), (1, "ns")),
    "s": ((1, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")),
    "B": ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"), (1, "B")),
    "B/s": ((1e9, "GB/s"), (1e6, "MB/s"), (1e3, "kB/s"), (1, "B/s")),
}


@final
@dataclass(frozen=True, slots=True)
class Amount:
    """``value`` in ``unit``: nanoseconds, bytes, or a plain number."""

    value: float
    unit: str = ""


def amount(value: object) -> Amount | None:
    """The amount that a value of a YAML file writes, such as ``10``, ``0.5``, ``64KiB`` or ``10us``; else None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return Amount(value)
    match = _AMOUNT.fullmatch(value) if isinstance(value, str) else None
    if match is None or match[2] not in _SCALES:
        return None
    unit, scale = _SCALES[match[2]]
    return Amount(float(match[1].replace("_", "")) * scale, unit)


def scale(largest: float, unit: str) -> tuple[float, str]:
    """How many of ``unit`` make one of the unit in which numbers up to ``largest`` read best, and its name."""
    for factor, name in _SHOWN.get(unit, ()):
        if abs(largest) >= factor:
            return factor, name
    return (_SHOWN[unit][-1]) if unit in _SHOWN else (1, unit)


def show(value: float, unit: str = "") -> str:
    """A number with its unit: four digits, and every digit of a whole number that is small."""
    factor, name = scale(value, unit)
    text = number(value / factor)
    return f"{text} {name}" if name else text


def number(value: float) -> str:
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    if float(value).is_integer() and abs(value) < 100_000:
        return f"{value:.0f}"
    if abs(value) >= 1000:
        return f"{value:,.0f}".replace(",", "\N{NARROW NO-BREAK SPACE}") if abs(value) < 1e9 else f"{value:.4g}"
    return f"{value:.4g}"
