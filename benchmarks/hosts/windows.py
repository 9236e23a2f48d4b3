"""What a window of virtual time costs by the number of nodes, and what that says of more of them.

An island of a VM on each node, which only counts, is run with short windows and with long ones, the work the same: what
the short ones take longer is the cost of a window. On nodes that share the cores of one host it is mostly CPU time, and
so told apart: of the island's home, which speaks to every node, and of each other node, which speaks to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from statistics import mean, median
from typing import Final

from benchmarks.hosts.machines import SPREAD, together
from benchmarks.hosts.nodes import Nodes, waiting
from benchmarks.hosts.setting import VIRTUAL, Sample, Setting, Ways
from benchmarks.hosts.wire import pretended

COUNTS: Final = (1, 2, 3, 4, 6, 8)
SHORT_US: Final = 10
LONG_US: Final = 1000
HOSTS: Final = 64


def _taken(nodes: Nodes, window_us: int, length_ms: int) -> tuple[float, list[float]]:
    """Seconds of a run, and CPU seconds of each node."""
    before = nodes.cpu_seconds()
    window = ("--set", f"clock.window={window_us}us", "--for", f"{length_ms}ms")
    run = nodes.run(together("spin", len(nodes.daemons)), *SPREAD, *VIRTUAL, *window)
    return run.seconds, [after - each for each, after in zip(before, nodes.cpu_seconds(), strict=True)]


def _window(nodes: Nodes, length_ms: int) -> Sample:
    short, spent_short = _taken(nodes, SHORT_US, length_ms)
    long, spent_long = _taken(nodes, LONG_US, length_ms)
    more = length_ms * 1000 / SHORT_US - length_ms * 1000 / LONG_US
    home, *others = ((a - b) / more for a, b in zip(spent_short, spent_long, strict=True))
    found = {"time": (short - long) / more, "CPU of home": home}
    return found | ({"CPU of another": mean(others)} if others else {})


@contextmanager
def windows(setting: Setting) -> Iterator[Ways]:
    counts, length = ((1, 2), 4) if setting.tiny else (COUNTS, 100)
    with ExitStack() as stack:
        yield {
            str(count): lambda nodes=nodes: _window(nodes, length)  # type: ignore[misc]
            for count in counts
            for nodes in (stack.enter_context(waiting(pretended(count))),)
        }


@dataclass(frozen=True, slots=True)
class Model:
    """Seconds a window: of home's CPU without others and for each other node, and of another node's CPU."""

    home: float
    each: float
    other: float

    @classmethod
    def of(cls, found: Mapping[int, Sample]) -> Model:
        """By the number of nodes, two or more of them; a straight line through home's CPU time. Raises ValueError."""
        split = {count: sample for count, sample in found.items() if count > 1}
        if len(split) < 2:
            raise ValueError("a line needs two numbers of nodes")
        others = [count - 1 for count in split]
        spent = [sample["CPU of home"] for sample in split.values()]
        middle, height = mean(others), mean(spent)
        slope = sum((x - middle) * (y - height) for x, y in zip(others, spent, strict=True))
        each = slope / sum((x - middle) ** 2 for x in others)
        return cls(height - each * middle, each, median(sample["CPU of another"] for sample in split.values()))

    def window(self, hosts: int, away: float) -> float:
        """Where each node has cores of its own; ``away``: seconds there and back. What guests compute comes on top."""
        return self.home + self.each * (hosts - 1) + self.other + away
