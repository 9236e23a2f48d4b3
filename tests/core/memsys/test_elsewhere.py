"""A cluster whose pcpus are on several nodes: each has one of its own, and of pcpus elsewhere their logs and moves."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from baonet.core import _memsys

from .pcpu import Kind, What
from .tables import DATA
from .test_cluster import EXTENTS, LENGTH
from .test_coherence import OWN, PARTIES, Machine, accesses, lines
from .test_pcpu import VARIANTS

OWNERS = [0, 0, 1]


class Spread(Machine):
    """``places``: the node of each pcpu."""

    def __init__(self, variant: dict[str, int], places: list[int], window: int = 100_000) -> None:
        super().__init__(variant, window)
        self.clusters = [_memsys.Cluster(self.parameters, EXTENTS) for _ in range(PARTIES)]
        self.places = places
        for party, native in enumerate(self.natives):
            native.join(self.clusters[places[party]], party)
        self.heard = [[0] * PARTIES for _ in self.clusters]

    def begin(self) -> None:
        for party, native in enumerate(self.natives):
            native.adopt(self.clusters[self.places[party]])
            native.begin(self.clocks[party])

    def step(self, party: int, step: tuple[Any, ...]) -> None:
        native = self.natives[party]
        match step:
            case "data", va, lines, kind:
                for line in range(lines):
                    self.clocks[party] += 1 + self.data(party, va + line * 64, kind)
                    self.tell(party)
            case "touch", pa, kind:
                self.clocks[party] += 1 + native.touch(self.clocks[party], pa, kind)
            case "wait", cycles:
                self.clocks[party] += cycles
            case "maintain", va, what:
                self.clocks[party] += 1 + native.maintain(self.clocks[party], va, what)
            case _:
                native.reset(self.clocks[party])
        self.tell(party)

    def tell(self, party: int) -> None:
        for node, cluster in enumerate(self.clusters):
            if node != self.places[party]:
                self.heard[node][party] = cluster.repeat(self.natives[party], self.heard[node][party])

    def end(self) -> int:
        return max(self.clocks) // LENGTH * LENGTH + LENGTH

    def edge(self) -> list[Any]:
        """What a node tells of it, which is what all do."""
        for party in range(PARTIES):
            self.tell(party)
        told = [each.merge([*self.natives], OWNERS, LENGTH) for each in self.clusters]
        for cluster in self.clusters:
            cluster.hear(self.natives)
        for native in self.natives:
            native.settle()
        for cluster in self.clusters:
            cluster.settle()
        ends = [
            [outcome, each.counters(), each.state(), each.l2(), each.pages(0, 0, 0x100)]
            for outcome, each in zip(told, self.clusters, strict=True)
        ]
        assert ends[0] == ends[1] == ends[2]
        end = self.end()
        self.clocks = [end + outcome[0] for outcome in told[0]]
        return [ends[0], self.clocks, [native.state() for native in self.natives]]


others = st.one_of(
    st.tuples(st.just("touch"), lines.map(lambda line: line + OWN), st.integers(0, 1)),
    st.tuples(st.just("maintain"), lines, st.sampled_from([what for what in What if what is not What.CODE])),
)
steps = st.tuples(st.integers(0, PARTIES - 1), st.one_of(accesses, accesses, accesses, others, st.just(("reset",))))


def alone(party: int) -> st.SearchStrategy[list[tuple[int, tuple[Any, ...]]]]:
    """What it does, and at times, before that, what another does who asks for nothing with it."""
    own = st.lists(st.tuples(st.just(party), st.one_of(accesses, accesses, accesses, others)), max_size=15)
    quiet = st.sampled_from([[], [], [], *([(other, ("reset",))] for other in range(PARTIES))])
    return st.builds(lambda first, then: [*first, *then], quiet, own)


windows = st.one_of(alone(0), alone(0), alone(1), st.lists(steps, max_size=15))


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(VARIANTS), st.lists(windows, min_size=2, max_size=8), st.sampled_from([[0, 1, 1], [2, 0, 1]]))
@example({}, [[], [(1, ("reset",)), (0, ("data", DATA, 1, Kind.LOAD))]], [0, 1, 1])
def test_what_a_window_comes_to_is_the_same_wherever_pcpus_are(
    variant: dict[str, int], trace: list[list[tuple[int, tuple[Any, ...]]]], places: list[int]
) -> None:
    """Also where one is alone, whose node need not read its log: so do all others."""
    ends = []
    for each in ([0, 0, 0], places):
        machine, told = Spread(variant, each), []
        for window in trace:
            machine.begin()
            for party, step in window:
                machine.step(party, step)
            told.append(machine.edge())
        ends.append(told)
    assert ends[0] == ends[1]
