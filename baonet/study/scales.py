"""The axes of drawings: scales, ticks in units that people read, names in place of numbers, and the legend."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from baonet.study.choice import Layout
from baonet.study.units import number, show

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

STEEP = 50
"""A scale is logarithmic when its numbers reach over more than this factor."""
_MOST_TICKS = 12
_NAME = 18
"""Characters of a name along x before it goes on in another line."""


def steep(values: Sequence[float]) -> bool:
    return min(values, default=0) > 0 and max(values) / min(values) > STEEP


def logarithmic(axis: Axis, values: Sequence[float]) -> None:
    """Plain numbers on a logarithmic scale, at 1, 2 and 5 of each decade where there are few decades."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter  # noqa: PLC0415 - the extra may be absent

    few = math.log10(max(values) / min(values)) < 3.5
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if few else (1,), numticks=30))
    axis.set_major_formatter(FuncFormatter(lambda value, _: number(float(f"{value:.6g}"))))
    axis.set_minor_formatter(NullFormatter())


def along(axes: Axes, placed: Layout, xs: Sequence[float], factor: float, unit: str) -> None:
    """The x axis of a layout. ``xs`` are what is drawn: amounts in ``unit``, of which ``factor`` base units are one."""
    if placed.axis is None:
        names(axes, placed.ticks)
    elif steep(xs):
        axes.set_xscale("log")
        axes.set_xlabel(placed.axis)
        places = _apart(sorted(set(xs)))
        if len(places) <= _MOST_TICKS:
            axes.set_xticks(places, [show(x * factor, placed.unit) for x in places])
            axes.set_xticks([], minor=True)
        else:
            axes.set_xlabel(f"{placed.axis}, {unit}" if unit else placed.axis)
            logarithmic(axes.xaxis, xs)
    else:
        axes.set_xlabel(f"{placed.axis}, {unit}" if unit else placed.axis)


def _apart(xs: Sequence[float]) -> list[float]:
    """Those of them whose names have room beside each other on a logarithmic scale."""
    room = math.log(xs[-1] / xs[0]) / _MOST_TICKS / 1.5
    found = [xs[-1]]
    for x in reversed(xs):
        if math.log(found[-1] / x) >= room:
            found.append(x)
    return found[::-1]


def from_zero(axes: Axes, values: Sequence[float]) -> None:
    """The y axis from 0 to a little over the greatest value, unless there is a negative one."""
    if min(values) >= 0 and max(values) > 0:
        axes.set_ylim(0, 1.08 * max(values))


def names(axes: Axes, texts: Sequence[str]) -> None:
    """Text instead of numbers along x."""
    axes.set_xlim(-0.5, len(texts) - 0.5)
    turned = len(texts) > 6
    wrapped = [text if turned else textwrap.fill(text, _NAME) for text in texts]
    axes.set_xticks(range(len(texts)), wrapped, rotation=30 if turned else 0, ha="right" if turned else "center")


def beside(x: float, n: int, count: int, width: float = 0.8) -> float:
    """Where the n-th of so many things is that are all at x, side by side."""
    return x + (n - (count - 1) / 2) * width / count


def legend(figure: Any) -> None:
    """Under the drawing, which grows by it. ``figure`` is a Figure; a subfigure has no height to set."""
    labels = [str(text) for axes in figure.axes for text in axes.get_legend_handles_labels()[1]]
    if not any(labels):
        return
    columns = max(1, min(4, int(85 / (max(map(len, labels)) + 7))))
    figure.set_figheight(figure.get_figheight() + 0.2 * math.ceil(len(labels) / columns))
    figure.legend(loc="outside lower center", ncols=columns)
