"""A record of a trace by the names of what is in it."""

from __future__ import annotations

from typing import NamedTuple


class Record(NamedTuple):
    time: int
    kind: int
    pcpu: int
    a: int
    b: int
    c: int
