"""What a pcpu alone in a window has come to is taken over: as by reading its log, whatever was before or comes after.

Of a pcpu elsewhere a node has the log alone, and reads it. So the cluster of such a node is what one here has to be.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples

from .pcpu import Kind
from .tables import DATA
from .test_coherence import PARTIES
from .test_elsewhere import Spread, windows
from .test_pcpu import VARIANTS

Window = list[tuple[int, tuple[Any, ...]]]
LINE, SET = 64, 0x2000
"""From a line to the next, and to the next of its set, in both levels."""


class Close(Spread):
    """All pcpus are of the first cluster. A window ends when all have done what they do: lines are under way then."""

    def __init__(self, variant: dict[str, int], window: int = 100_000) -> None:
        super().__init__(variant, [0] * PARTIES, window)

    def end(self) -> int:
        return max(self.clocks)

    def go(self, *windows: Window) -> list[list[Any]]:
        """What each has come to."""
        told = []
        for window in windows:
            self.begin()
            for party, step in window:
                self.step(party, step)
            told.append(self.edge())
        return told


def data(kind: Kind, at: int, lines: int = 1) -> tuple[Any, ...]:
    return "data", DATA + at, lines, kind


def load(at: int, lines: int = 1) -> tuple[Any, ...]:
    return data(Kind.LOAD, at, lines)


@settings(max_examples=examples(50))
@given(st.sampled_from(VARIANTS), st.lists(windows, min_size=2, max_size=8))
def test_as_if_its_log_had_been_read(variant: dict[str, int], trace: list[Window]) -> None:
    Close(variant).go(*trace)


def test_lines_under_way_are_taken_over() -> None:
    """They come when they were said to, to whom others keep waiting afterwards."""
    ahead: Window = [(0, data(Kind.PREFETCH, n * LINE)) for n in range(3)]
    shared: Window = [(1, load(0x8000, 9)), *((0, load(n * LINE)) for n in range(3)), (0, load(0x4000, 9))]
    told = Close({}).go([(0, load(0x6000))], ahead, shared)
    assert told[-1][0][0][0][0] > 0, "it is charged what others have kept it waiting"


def test_lines_of_the_second_level_are_under_way_as_long() -> None:
    variant = {"l2_on_eviction": 0, "prefetch_streams": 0}
    before: list[Window] = [[(0, load(0))], [(0, ("reset",))], [(0, load(0x8000))]]
    Close(variant).go(*before, [(0, data(Kind.PREFETCH, 0))])


AHEAD: Window = [(0, step) for n in range(2400) for step in (data(Kind.PREFETCH, 0x8000 + n * LINE), ("wait", 200))]
FULL: Window = [(0, load(n * LINE)) for n in range(4200)]
NOT_TOLD: dict[str, tuple[dict[str, int], list[Window]]] = {
    "more than there is room for": ({"prefetch_streams": 0}, [FULL]),
    "more misses than there is room for": ({"l2_on_eviction": 0, "prefetch_streams": 0}, [AHEAD]),
    "what was asked for late": ({}, [[(0, ("wait", 1 << 40)), (0, data(Kind.PREFETCH, 0x8000))]]),
    "what came by the path late": (
        {"l2_on_eviction": 0, "prefetch_streams": 0},
        [[(0, load(0))], [(0, ("reset",))], [(0, load(0x8000))], [(0, ("wait", 1 << 40)), (0, load(0))]],
    ),
    "what was asked for ahead in vain": (
        {},
        [
            [(0, data(Kind.PREFETCH, 0))],
            [(1, data(Kind.STORE, 0)), (1, ("wait", 500))],
            [(0, load(0)), (0, load(0x8000))],
        ],
    ),
    "a reset": ({}, [[(0, data(Kind.PREFETCH, 0))], [(0, ("reset",)), (0, load(0x8000))]]),
}


@pytest.mark.parametrize("name", NOT_TOLD)
def test_what_its_log_does_not_tell_is_not_taken_over(name: str) -> None:
    variant, trace = NOT_TOLD[name]
    Close(variant, window=1).go([(0, load(0x6000))], *trace, [(0, load(0x8_0000))], [(0, load(0x8_1000))])


FROM_ANOTHER: dict[str, tuple[dict[str, int], list[Window]]] = {
    # its replica has the line that another has driven out: a store waits for the path in vain
    "the path": (
        {"dram_line": 1, "dram_store": 0, "l2_store": 0, "l2_path": 40, "l2_on_eviction": 0, "prefetch_streams": 0},
        [
            [(0, load(0)), (0, load(LINE))],
            [(0, ("reset",))],
            [
                *((1, load(n * SET)) for n in range(1, 40)),
                *((0, step) for step in (("wait", 100_000), data(Kind.STORE, 0), ("wait", 5))),
            ],
            [(0, load(LINE))],
        ],
    ),
    "lines under way": (
        {"dram_latency": 500},
        [
            [(0, load(0x6000)), (1, load(0x4000))],
            [
                *((1, data(Kind.PREFETCH, 0x8000 + n * LINE)) for n in range(9)),
                *((0, step) for step in (("wait", 50), data(Kind.PREFETCH, 0), ("wait", 300))),
            ],
            [],
            [(0, load(0))],
        ],
    ),
    # who takes a line from another asks the second level for nothing
    "a line that has been taken": (
        {},
        [
            [(0, data(Kind.STORE, 0))],
            [(0, load(0x6000))],
            [(1, data(Kind.STORE, 0)), *((0, load(n * SET)) for n in range(1, 9))],
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FROM_ANOTHER)
def test_what_is_left_of_others_is_not_taken_over(name: str) -> None:
    variant, trace = FROM_ANOTHER[name]
    Close(variant).go(*trace, [(0, load(0x8_0000))])


def test_who_has_begun_with_something_else_is_not_taken_over() -> None:
    machine = Close({"l2_on_eviction": 0})
    machine.go([(0, load(0, 2))], [(0, load(0x4000, 2)), (0, ("wait", 500))])
    for native, clock in zip(machine.natives, machine.clocks, strict=True):
        native.begin(clock)
    machine.step(1, load(0x6000, 2))
    machine.edge()
