"""Figures in the tables of a study's page, looked for among what the study has measured."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

_FIGURE = re.compile(r"(\d+(?:\.(\d+))?)(?: (ns|us|ms))?")
_SCALES: Final = {"ns": 1.0, "us": 1e3, "ms": 1e6, "s": 1e9}
_OTHERS: Final = "published"
"""Heads a column, or a row, of what is not ours."""


def strange(page: str, results: Iterable[Path]) -> list[str]:
    """Rows with a time that is the mean of nothing in these results, to the digits that it is told with.

    Only cells that are one number are looked at. What has no unit may be of any: it stands under one that has.
    """
    means = [mean for file in results for mean in _means(file)]
    found, head = [], None
    for line in page.splitlines():
        if not line.startswith("|"):
            head = None
            continue
        row = [cell.strip() for cell in line.strip("|").split("|")]
        head = head or row
        named = [cell for cell, name in zip(row[1:], head[1:], strict=False) if name != _OTHERS]
        cells = [] if _OTHERS in row else filter(None, map(_FIGURE.fullmatch, named))
        if not all(_is_of(cell, means) for cell in cells):
            found.append(line)
    return found


def _is_of(cell: re.Match[str], means: list[float]) -> bool:
    half = 0.5 * 10 ** -len(cell[2] or "") * 1.001
    scales = [_SCALES[cell[3]]] if cell[3] else _SCALES.values()
    return any(abs(mean / scale - float(cell[1])) <= half for mean in means for scale in scales)


def _means(file: Path) -> Iterator[float]:
    """In nanoseconds."""
    database = sqlite3.connect(file)
    try:
        for table in ("SELECT unit, sum / count FROM samples WHERE count > 0", "SELECT unit, value FROM numbers"):
            for unit, value in database.execute(table):
                yield value * _SCALES.get(unit, 1.0)
    finally:
        database.close()
