"""What a row is, and on what it is taken."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from benchmarks.goals import Goal
from benchmarks.hosts.nodes import Nodes, waiting
from benchmarks.hosts.wire import Host

Sample: TypeAlias = Mapping[str, float]
"""By the name of the figure: seconds, bytes, bytes a second, or how often a second."""
Ways: TypeAlias = Mapping[str, Callable[[], Sample]]

HOST: Final = ("--clock", "host")
VIRTUAL: Final = ("--clock", "virtual")
MIB: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Setting:
    """``tiny``: as little as there can be, to see whether it goes."""

    hosts: tuple[Host, Host]
    keys: Path
    tiny: bool = False

    def nodes(self, *, secure: bool = False) -> AbstractContextManager[Nodes]:
        return waiting(self.hosts, self.keys if secure else None)

    def pinned(self, count: int) -> AbstractContextManager[Nodes]:
        """On one core each, the lead on that of the first."""
        return waiting(self.hosts[:count], None, [str(number) for number in range(count)])


@dataclass(frozen=True, slots=True)
class Ratio:
    """Of ``way``'s figure to ``to``'s."""

    way: str
    to: str
    figure: str
    goal: Goal | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """What ``open`` gives is taken in turn. ``units`` and ``goals``: by figure, and by way and figure.

    ``named``: it takes minutes, and is run only when it is asked for.
    """

    name: str
    title: str
    open: Callable[[Setting], AbstractContextManager[Ways]]
    units: Mapping[str, str]
    goals: Mapping[tuple[str, str], Goal]
    ratios: tuple[Ratio, ...] = ()
    named: bool = False
