"""Figures beside the published ones, as a picture: two points on a line for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from baonet.study import pictures
from baonet.study.pictures import Picture

INCHES_A_ROW: Final = 0.26
HEAD: Final = 0.9
"""Inches above and below the rows."""
LEAST: Final = 0.1
"""Where a logarithmic axis begins at the latest: what is below is drawn there."""

Points = Sequence[tuple[str, float, float]]
"""A name, the published figure, and ours."""


def draw(name: str, text: str, unit: str, panels: Mapping[str, Points]) -> Picture:
    """A panel for each of ``panels``, side by side, of the same rows. To be called inside ``pictures.style``."""
    rows = list(dict.fromkeys(row for points in panels.values() for row, _, _ in points))
    figure = pictures.figure(height=HEAD + INCHES_A_ROW * len(rows))
    all_axes = figure.subplots(1, len(panels), sharex=True, sharey=True, squeeze=False)[0]
    for axes, (title, points) in zip(all_axes, panels.items(), strict=True):
        for row, there, here in points:
            at = rows.index(row)
            ends = max(there, LEAST), max(here, LEAST)
            axes.plot(ends, [at, at], color=pictures.color(7), linewidth=1.5)
            axes.plot(ends[:1], [at], "o", color=pictures.color(1), markersize=6, label="published")
            axes.plot(ends[1:], [at], "D", color=pictures.color(0), markersize=5, label="here")
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_formatter("")
        axes.set_xlabel(unit)
        axes.set_title(title)
    first = all_axes[0]
    first.set_yticks(range(len(rows)), rows)
    first.invert_yaxis()
    handles, labels = first.get_legend_handles_labels()
    figure.legend(handles[:2], labels[:2], loc="outside lower center", ncols=2)
    return Picture(name, text, figure)
