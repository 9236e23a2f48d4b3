"""Figures as people read them."""

from __future__ import annotations

_SCALES = {
    "B": ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")),
    "B/s": ((1e9, "GB/s"), (1e6, "MB/s")),
    "insn/s": ((1e6, "MIPS"),),
    "/s": ((1e6, "M/s"), (1e3, "k/s")),
    "s": ((1, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns")),
}


def scaled(value: float, unit: str) -> str:
    """Three significant digits with a unit that suits."""
    for factor, name in _SCALES[unit]:
        if value >= factor:
            number = value / factor
            return f"{number:.{max(0, 2 - len(str(int(number))) + 1)}f} {name}"
    return f"{value:.3g} {unit}"
