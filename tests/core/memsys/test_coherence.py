"""First levels of a cluster that are coherent: against the reference, and the same in whatever order pcpus go on beside
each other that have the right to the pages that they use.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baonet.core import _memsys
from tests.examples import examples

from .coherent import Coherent, Word, hear
from .pcpu import Kind, What
from .tables import DATA
from .test_cluster import EXTENTS, LENGTH, adopt, nothing, plain
from .test_pcpu import SMALL, VARIANTS, access
from .window import Cluster

PARTIES = 3
PAGE, LINE = 4096, 64
HOT = [DATA + page * PAGE + line * LINE for page in (0, 1, 8) for line in (0, 1, 2, 63)]

OWN = 0x4_0000
"""From a line of a guest's to one of the hypervisor's."""

lines = st.one_of(st.sampled_from(HOT), st.sampled_from(HOT), st.integers(0, 700).map(lambda line: DATA + line * LINE))
accesses = st.tuples(
    st.just("data"),
    lines,
    st.sampled_from([1, 1, 1, 1, 9]),
    st.sampled_from([*[Kind.LOAD, Kind.STORE] * 3, Kind.ATOMIC, Kind.ZERO, Kind.PREFETCH]),
)
others = st.one_of(
    st.tuples(st.just("touch"), lines.map(lambda line: line + OWN), st.integers(0, 1)),
    st.tuples(st.just("maintain"), lines, st.sampled_from([what for what in What if what is not What.CODE])),
    st.tuples(st.just("edge")),
)
steps = st.tuples(st.integers(0, PARTIES - 1), st.one_of(accesses, accesses, accesses, accesses, others))


def writes(kind: Kind) -> bool:
    return kind in {Kind.STORE, Kind.ATOMIC, Kind.ZERO}


class Machine:
    """Pcpus of a cluster, asked as the engine does, and a page is whose it is: everybody's to read at first.

    ``window``: what their logs have room for.
    """

    def __init__(self, variant: dict[str, int], window: int = 100_000) -> None:
        self.parameters = _memsys.CORTEX_A53 | SMALL | variant
        self.natives = [_memsys.Pcpu(self.parameters, window) for _ in range(PARTIES)]
        self.cluster = _memsys.Cluster(self.parameters, EXTENTS)
        for party, native in enumerate(self.natives):
            native.join(self.cluster, party)
        self.owners: dict[int, int | None] = {}
        self.clocks = [0] * PARTIES

    def enter(self, party: int, page: int, write: bool) -> None:
        owner = self.owners.get(page)
        if owner == party or (owner is None and not write):
            return
        self.owners[page] = party if write else None
        for each in range(PARTIES):
            if each != party:
                self.natives[each].lose(page * PAGE)

    def data(self, party: int, va: int, kind: Kind) -> int:
        if kind is not Kind.PREFETCH:
            self.enter(party, va // PAGE, writes(kind))
        return access(self.natives[party], self.clocks[party], va, 8, kind)

    def begin(self) -> None:
        for native, clock in zip(self.natives, self.clocks, strict=True):
            native.adopt(self.cluster)
            native.begin(clock)


class Both(Machine):
    def __init__(self, variant: dict[str, int]) -> None:
        super().__init__(variant)
        words: dict[int, Word] = {}
        self.references = [Coherent(self.parameters, plain, nothing, words, party) for party in range(PARTIES)]
        self.expected = Cluster(self.parameters, EXTENTS)
        self.expected.words = words
        self.outcomes = [(0, 0, 0, 0, 0)] * PARTIES
        self.begin()

    def begin(self) -> None:
        super().begin()
        for reference, outcome in zip(self.references, self.outcomes, strict=True):
            reference.records.clear()
            reference.wait = outcome[1]
            adopt(reference, self.expected)
            reference.begin(self.clocks[reference.party])

    def edge(self) -> None:
        for native, reference in zip(self.natives, self.references, strict=True):
            assert native.records() == reference.records
        self.outcomes = self.cluster.merge(list(self.natives), [0, 0, 1], LENGTH)
        assert self.outcomes == self.expected.merge([*self.references], [0, 0, 1], LENGTH)
        self.cluster.hear(self.natives)
        hear(self.references)
        for party in range(PARTIES):
            self.natives[party].settle()
            self.references[party].settle()
        end = max(self.clocks) // LENGTH * LENGTH + LENGTH
        self.clocks = [end + outcome[0] for outcome in self.outcomes]
        self.begin()

    def step(self, party: int, step: tuple[Any, ...]) -> None:
        native, reference, stall = self.natives[party], self.references[party], 0
        match step:
            case "data", va, count, kind:
                for n in range(count):
                    stall = self.data(party, va + n * LINE, kind)
                    assert stall == reference.data(self.clocks[party], va + n * LINE, 8, kind)
                    self.clocks[party] += 1 + stall
                return
            case "touch", pa, kind:
                stall = native.touch(self.clocks[party], pa, kind)
                assert stall == reference.touch(self.clocks[party], pa, kind)
            case "maintain", va, what:
                stall = native.maintain(self.clocks[party], va, what)
                assert stall == reference.maintain(self.clocks[party], va, what)
            case _:
                self.edge()
        self.clocks[party] += 1 + stall


@settings(max_examples=examples(200), deadline=None)
@given(st.sampled_from(VARIANTS), st.lists(steps, max_size=120))
def test_as_the_reference(variant: dict[str, int], trace: list[tuple[int, tuple[Any, ...]]]) -> None:
    both = Both(variant)
    for party, step in trace:
        both.step(party, step)
    both.edge()


def test_what_nobody_else_can_have_is_written_back() -> None:
    """A line of the hypervisor's, of which nothing is known, leaves the first level of a pcpu that shares others."""
    both = Both({})
    both.step(0, ("data", DATA, 1, Kind.STORE))
    for n in range(9):
        both.step(0, ("touch", DATA + OWN + n * 0x2000, int(n == 0)))
    both.cluster.merge(list(both.natives), [0, 0, 1], LENGTH)
    assert both.cluster.l2() == both.natives[0].l2()
    for native, reference in zip(both.natives, both.references, strict=True):
        for hypervisor in (False, True):
            told = {name: count for name, count in native.counters(hypervisor).items() if count}
            counted = reference.counts[hypervisor]
            corrections = {"l2_misses", "stall_correction"}  # at edges: test_cluster.py
            assert {n: c for n, c in told.items() if n not in corrections} == {
                n: c for n, c in counted.items() if c and n not in corrections
            }


@settings(max_examples=examples(100), deadline=None)
@given(
    st.sampled_from(VARIANTS),
    st.lists(st.tuples(st.integers(0, PARTIES - 1), accesses), max_size=60),
    st.lists(st.tuples(st.integers(0, PARTIES - 1), accesses), max_size=120),
)
def test_who_goes_on_first_makes_no_difference(
    variant: dict[str, int],
    before: list[tuple[int, tuple[Any, ...]]],
    beside: list[tuple[int, tuple[Any, ...]]],
) -> None:
    ends = []
    for order in (
        list,
        lambda trace: sorted(trace, key=lambda each: each[0]),
        lambda trace: sorted(trace, key=lambda each: -each[0]),
    ):
        machine = Machine(variant)
        machine.begin()
        for party, (_, va, _, kind) in before:
            machine.clocks[party] += 1 + machine.data(party, va, kind)
        for party, (_, va, _, kind) in order(beside):
            owner = machine.owners.get(va // PAGE)
            if kind is Kind.PREFETCH or owner == party or (owner is None and not writes(kind)):
                machine.clocks[party] += 1 + machine.data(party, va, kind)
        outcomes = machine.cluster.merge(list(machine.natives), [0, 0, 1], LENGTH)
        machine.cluster.hear(machine.natives)
        for native in machine.natives if order is list else reversed(machine.natives):
            native.settle()
        for party in range(PARTIES):  # what they find of each other then
            for va in HOT:
                machine.clocks[party] += 1 + machine.data(party, va, Kind.STORE if va & LINE else Kind.LOAD)
        ends.append((machine.clocks, outcomes, [native.state() for native in machine.natives], machine.cluster.l2()))
    assert ends[0] == ends[1] == ends[2]


class Elsewhere:
    """Another node, whose cluster has to know of what the pcpus of this one do."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.cluster = _memsys.Cluster(machine.parameters, EXTENTS)
        self.heard = [0] * PARTIES

    def hear(self, party: int) -> None:
        self.heard[party] = self.cluster.repeat(self.machine.natives[party], self.heard[party])

    def same(self) -> bool:
        return self.cluster.words(DATA // LINE, 1000) == self.machine.cluster.words(DATA // LINE, 1000)


@settings(max_examples=examples(100), deadline=None)
@given(
    st.sampled_from(VARIANTS),
    st.lists(
        st.tuples(
            st.lists(st.tuples(st.integers(0, PARTIES - 1), accesses, st.booleans()), max_size=40),
            st.permutations(range(PARTIES)),
            st.booleans(),
        ),
        max_size=8,
    ),
)
def test_who_is_told_what_others_do_knows_what_they_know(
    variant: dict[str, int], phases: list[tuple[list[tuple[int, tuple[Any, ...], bool]], list[int], bool]]
) -> None:
    """When it has been told all, in whatever order of the pcpus that was, whoever had written over what meanwhile."""
    machine = Machine(variant)
    machine.begin()
    elsewhere = Elsewhere(machine)
    for beside, order, ends in phases:
        for party, (_, va, _, kind), tells in beside:
            machine.clocks[party] += 1 + machine.data(party, va, kind)
            if tells:
                elsewhere.hear(party)
        for party in order:
            elsewhere.hear(party)
        assert elsewhere.same()
        if ends:
            machine.cluster.hear(machine.natives)
            elsewhere.cluster.hear(machine.natives)
            for native in machine.natives:
                native.settle()
            elsewhere.cluster.settle()
            assert elsewhere.same()


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("last", [Kind.LOAD, Kind.STORE])
def test_who_looks_on_is_told_of_one_pcpu_after_the_other(order: tuple[int, int], last: Kind) -> None:
    """Of a line that one has loaded before another's store, and uses again behind it."""
    machine = Machine({})
    machine.begin()
    elsewhere = Elsewhere(machine)
    for party, kind in ((0, Kind.LOAD), (1, Kind.STORE), (0, last)):
        machine.data(party, DATA, kind)
    for party in order:
        elsewhere.hear(party)
    assert elsewhere.same()


def test_moves_are_missed_and_nothing_is_told_twice() -> None:
    machine = Machine({})
    machine.begin()
    elsewhere, late = Elsewhere(machine), _memsys.Cluster(machine.parameters, EXTENTS)
    machine.data(0, DATA, Kind.STORE)
    elsewhere.hear(0)
    machine.data(1, DATA, Kind.STORE)
    elsewhere.hear(1)
    assert elsewhere.same()
    assert elsewhere.cluster.repeat(machine.natives[0], 0) == 1, "that is known, and does not come after the other's"
    assert elsewhere.same()
    machine.data(0, DATA, Kind.LOAD)
    with pytest.raises(ValueError, match="before number 1 are missing"):
        late.repeat(machine.natives[0], 1)


def test_what_there_is_no_room_for_is_kept_coherent_nowhere() -> None:
    parameters = _memsys.CORTEX_A53 | SMALL
    pcpu = _memsys.Pcpu(parameters, 1)
    here, there = (_memsys.Cluster(parameters, EXTENTS) for _ in range(2))
    pcpu.join(here, 0)
    for line in range(6000):
        pcpu.data(line, DATA + line * LINE, 8, Kind.LOAD)
    assert 4096 <= there.repeat(pcpu, 0) < 6000
    assert pcpu.counters()["unlogged"] > 0
    for ends in (False, True):
        if ends:
            pcpu.settle()
            there.settle()
        assert there.words(DATA // LINE, 6000) == here.words(DATA // LINE, 6000)


def ping_pong(distance: int, rounds: int = 100) -> tuple[int, int]:
    """Two pcpus write in turn, so many bytes apart, in one page: cycles of both, and lines that have changed hands."""
    machine = Machine({})
    machine.begin()
    cycles = 0
    for n in range(2 * rounds):
        machine.clocks[n % 2] += 10
        cycles += machine.data(n % 2, DATA + n % 2 * distance, Kind.STORE)
    return cycles, sum(native.counters()["snoops"] for native in machine.natives)


def test_a_line_goes_to_and_fro() -> None:
    cycles, snoops = ping_pong(0)
    assert snoops == 199
    assert cycles >= 199 * _memsys.CORTEX_A53["snoop_dirty"]


@pytest.mark.parametrize("distance", [8, 56])
def test_false_sharing_costs_what_sharing_does(distance: int) -> None:
    assert ping_pong(distance) == ping_pong(0)


def test_other_lines_of_the_same_page_cost_nothing() -> None:
    cycles, snoops = ping_pong(64)
    assert snoops == 0
    assert cycles < 200  # of the first of each, which come from memory


def test_what_all_read_is_everybodys() -> None:
    machine = Machine({})
    machine.begin()
    for n in range(300):
        machine.clocks[n % 3] += 10 + machine.data(n % 3, DATA, Kind.LOAD)
    assert [native.counters()["l1d_misses"] for native in machine.natives] == [1, 1, 1]


def test_who_has_written_is_asked_by_each_reader_once() -> None:
    machine = Machine({})
    machine.begin()
    for party in range(PARTIES):  # where it is
        machine.data(party, DATA + 8 * LINE, Kind.LOAD)
    machine.data(0, DATA, Kind.STORE)
    dirty, shared = machine.parameters["snoop_dirty"], machine.parameters["snoop_shared"]
    assert [machine.data(party, DATA, Kind.LOAD) for party in (1, 2, 1, 2, 0)] == [dirty, dirty, 0, 0, 0]
    assert [machine.data(0, DATA, Kind.STORE) for _ in range(2)] == [shared, 0]


def edge(machine: Machine) -> None:
    machine.clocks = [max(machine.clocks)] * PARTIES
    machine.cluster.merge(list(machine.natives), [0] * PARTIES, LENGTH)
    machine.cluster.hear(machine.natives)
    for native in machine.natives:
        native.settle()
    machine.begin()


def written_back(machine: Machine, *parties: int) -> int:
    """Lines that have gone to memory, when all has gone out of these first levels, and then out of the second one."""
    for party in parties:
        machine.natives[party].reset(machine.clocks[party])
    edge(machine)
    ways = machine.parameters["l2_ways"]
    for where in range(machine.parameters["l2_size"] // ways // LINE):
        for way in range(ways):
            machine.clocks[0] += 1 + machine.natives[0].maintain_way(
                machine.clocks[0], 2, where, way, What.CLEAN_INVALIDATE
            )
    edge(machine)
    return sum(owner["l2_writebacks"] for owner in machine.cluster.counters()["owners"])


@pytest.mark.parametrize("edges", [False, True], ids=["in a window", "in others"])
def test_a_line_that_was_lost_is_not_written_back(edges: bool) -> None:
    """All of a page is one's, dirty, and then another's: it goes to memory once, when the other's leaves."""
    machine = Machine({"prefetch_streams": 0, "streaming_l1": 0})
    machine.begin()
    for party in (0, 1):
        for n in range(PAGE // LINE):
            machine.clocks[party] = max(machine.clocks) + 1
            machine.clocks[party] += machine.data(party, DATA + n * LINE, Kind.STORE)
        if edges:
            edge(machine)
    assert sum(native.counters()["snoops"] for native in machine.natives) == PAGE // LINE
    assert written_back(machine, 0) == 0
    assert written_back(machine, 1) == PAGE // LINE


@pytest.mark.parametrize("what", [What.CLEAN, What.INVALIDATE, What.CLEAN_INVALIDATE])
def test_maintenance_by_address_is_of_all_first_levels(what: What) -> None:
    machine = Machine({"prefetch_streams": 0})
    machine.begin()
    machine.data(0, DATA, Kind.STORE)
    machine.natives[1].maintain(100, DATA, what)
    edge(machine)
    edge(machine)
    lines = sum(owner["lines"] for owner in machine.cluster.counters()["owners"])
    assert lines == 2, "from memory for the store, and to it"
    dirty = machine.parameters["snoop_dirty"]
    assert machine.data(2, DATA, Kind.LOAD) != dirty, "it is nobody's any more"
    again = machine.data(0, DATA, Kind.LOAD)
    assert (again > 0) == what.drops
    assert written_back(machine, 0, 1, 2) == 0
