"""Windows: the merge against the reference, what a pcpu alone was charged, and an exact interleaving."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baonet.core import _memsys

from . import window
from .pcpu import Kind, Pcpu
from .tables import DATA
from .test_pcpu import SMALL, VARIANTS

EXTENTS = [(DATA, 0x100_0000)]
LENGTH = 2000


def plain(va: int, _fetch: bool) -> tuple[tuple[int, ...], int, int, bool, bool, int, int]:
    return (), 12, va, False, True, 0, 0


def nothing(ipa: int) -> tuple[tuple[int, ...], int, int, int]:
    return (), 12, ipa, 0


accesses = st.tuples(
    st.integers(0, 700).map(lambda line: DATA + line * 64),
    st.sampled_from([1, 1, 1, 12]),
    st.sampled_from([Kind.LOAD, Kind.LOAD, Kind.STORE, Kind.ZERO, Kind.PREFETCH]),
    st.sampled_from([1, 5, 40]),
    st.booleans(),
)
"""Where, how many lines in a row, how, after how many cycles, and whether the hypervisor does it."""


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(VARIANTS),
    st.lists(st.tuples(st.integers(0, 2), accesses), max_size=150),
    st.integers(1, 5),
)
def test_as_the_reference(
    variant: dict[str, int], trace: list[tuple[int, tuple[int, int, Kind, int, bool]]], windows: int
) -> None:
    parameters = SMALL | variant
    natives = [_memsys.Pcpu(parameters, 100_000) for _ in range(3)]
    references = [Pcpu(_memsys.CORTEX_A53 | parameters, plain, nothing) for _ in range(3)]
    cluster = _memsys.Cluster(_memsys.CORTEX_A53 | parameters, EXTENTS)
    expected = window.Cluster(_memsys.CORTEX_A53 | parameters, EXTENTS)
    owners, clocks = [0, 1, 1], [0, 0, 0]
    outcomes = [(0, 0, 0, 0)] * 3
    for n in range(windows):
        for party, (native, reference) in enumerate(zip(natives, references, strict=True)):
            clocks[party] = max(clocks[party] + outcomes[party][0], n * LENGTH)
            native.adopt(cluster)
            native.begin(clocks[party])
            reference.records.clear()
            reference.wait = outcomes[party][1]
            adopt(reference, expected)
        for party, (va, lines, kind, gap, hypervisor) in trace[n::windows]:
            for line in range(lines):
                at = va + line * 64
                clocks[party] += gap
                if hypervisor:
                    stall = natives[party].touch(clocks[party], at, kind == Kind.STORE)
                    assert stall == references[party].touch(clocks[party], at, kind == Kind.STORE)
                else:
                    stall = natives[party].data(clocks[party], at, 8, kind)
                    assert stall == references[party].data(clocks[party], at, 8, kind)
                clocks[party] += stall
        outcomes = cluster.merge(list(natives), owners, LENGTH)
        assert outcomes == expected.merge(references, owners, LENGTH)
    told = cluster.counters()
    assert {n: {k: v for k, v in each.items() if v} for n, each in enumerate(told["owners"]) if any(each.values())} == {
        n: {k: v for k, v in each.items() if v} for n, each in expected.owners.items() if any(each.values())
    }
    assert {(i, j): v for i, row in enumerate(told["missed"]) for j, v in enumerate(row) if v} == +expected.missed
    for owner, row in zip(told["owners"], told["missed"], strict=True):
        assert sum(row) == owner["l2_misses"]
    assert sum(cluster.pages(0, 0, 0x1000)) == sum(owner["l2_misses"] for owner in told["owners"])


def adopt(reference: Pcpu, cluster: window.Cluster) -> None:
    for mine, theirs in zip(reference.l2.sets, cluster.l2.sets, strict=True):
        mine.ways = [held and type(held)(held.line, held.dirty) for held in theirs.ways]
        mine.random.state = theirs.random.state


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(VARIANTS), st.lists(accesses, max_size=200), st.integers(1, 4))
def test_who_is_alone_was_charged_exactly(
    variant: dict[str, int], trace: list[tuple[int, int, Kind, int, bool]], windows: int
) -> None:
    parameters = SMALL | variant
    pcpu, cluster = _memsys.Pcpu(parameters, 100_000), _memsys.Cluster(parameters, EXTENTS)
    clock = 0
    for n in range(windows):
        pcpu.adopt(cluster)
        pcpu.begin(clock)
        for va, lines, kind, gap, _ in trace[n::windows]:
            for line in range(lines):
                clock += gap
                clock += pcpu.data(clock, va + line * 64, 8, kind)
        assert cluster.merge([None, pcpu], [0, 1], LENGTH)[1] == (0, 0, 0, 0)
        assert pcpu.l2() == cluster.l2()


# ---- Against an exact interleaving ----

BASES = 0x1000_0000, 0x2000_0000, 0x3000_0000
WARM, UNTIL = 1_200_000, 4_800_000
COLORS = 8
PAGES_A_WAY = 16  # of the second level: its colours


def place(base: int, offset: int, colors: range) -> int:
    """An offset into memory of which only pages of these colours are used."""
    page, within = divmod(offset, 4096)
    mine = [n for n in range(PAGES_A_WAY) if n * COLORS // PAGES_A_WAY in colors]
    return base + (page // len(mine) * PAGES_A_WAY + mine[page % len(mine)]) * 4096 + within


def reads_at_random(base: int, size: int, colors: range) -> Iterator[tuple[int, int, Kind]]:
    seed = 1
    while True:
        seed = (seed * 6364136223846793005 + 1442695040888963407) % (1 << 64)
        yield 6, place(base, (seed >> 33) * 64 % size, colors), Kind.LOAD


def writes_and_reads(base: int, size: int, colors: range) -> Iterator[tuple[int, int, Kind]]:
    """The published neighbour: a word a line."""
    for kind in chain.from_iterable((Kind.STORE, Kind.LOAD) for _ in count()):
        for offset in range(0, size, 64):
            yield 4, place(base, offset, colors), kind


class Running:
    def __init__(self, pcpu: _memsys.Pcpu, program: Iterator[tuple[int, int, Kind]]) -> None:
        self.pcpu, self.program = pcpu, program
        self.clock = self.accesses = 0
        self.warm: tuple[int, int] | None = None
        self.next = next(program)

    @property
    def asks_at(self) -> int:
        return self.clock + self.next[0]

    def go(self) -> None:
        if not self.warm and self.clock >= WARM:
            self.warm = self.clock, self.accesses
        work, va, kind = self.next
        self.clock += work
        self.accesses += 1
        if not self.pcpu.filtered(va, 8, kind is Kind.STORE):
            self.clock += self.pcpu.data(self.clock, va, 8, kind)
        self.next = next(self.program)

    @property
    def pace(self) -> float:
        assert self.warm
        return (self.clock - self.warm[0]) / (self.accesses - self.warm[1])


def begin(parameters: dict[str, int], neighbours: int, colored: bool, window_length: int) -> list[Running]:
    mine, theirs = (range(4), range(4, 8)) if colored else (range(8), range(8))
    programs = [
        reads_at_random(BASES[0], 512 << 10, mine),
        *(writes_and_reads(base, 1 << 20, theirs) for base in BASES[1 : 1 + neighbours]),
    ]
    return [Running(_memsys.Pcpu(parameters, window_length), program) for program in programs]


def exactly(parameters: dict[str, int], neighbours: int, colored: bool) -> float:
    """Cycles an access of the first."""
    running = begin(parameters, neighbours, colored, 1000)
    cluster = _memsys.Cluster(parameters, [])
    for each in running:
        each.pcpu.share(cluster)
    while running[0].clock < UNTIL:
        min(running, key=lambda each: each.asks_at).go()
    return running[0].pace


def by_windows(parameters: dict[str, int], neighbours: int, colored: bool, length: int) -> tuple[float, float]:
    """Cycles an access of the first, and the channel's use."""
    running = begin(parameters, neighbours, colored, length)
    cluster = _memsys.Cluster(parameters, [(BASES[0], 0x3000_0000)])
    charges = [0] * len(running)
    for end in range(length, UNTIL + 1, length):
        for each, charge in zip(running, charges, strict=True):
            each.clock += charge
            each.pcpu.adopt(cluster)
            each.pcpu.begin(each.clock)
            while each.clock < end:
                each.go()
        outcomes = cluster.merge([each.pcpu for each in running], list(range(len(running))), length)
        charges = [outcome[0] for outcome in outcomes]
    told = cluster.counters()
    for owner, row in zip(told["owners"], told["missed"], strict=True):
        assert sum(row) == owner["l2_misses"]
    by_others = sum(told["missed"][0][1 : len(running)])
    assert by_others == 0 if colored else by_others > 0
    return running[0].pace, told["busy"] / UNTIL


@pytest.mark.parametrize(
    ("line", "streams", "neighbours", "colored", "lengths"),
    [
        (22, 0, 1, False, [1200, 12_000, 120_000]),
        (22, 0, 1, True, [12_000]),
        (10, 2, 1, False, [12_000]),
        (10, 2, 1, True, [12_000]),
        (12, 0, 2, False, [12_000]),
    ],
)
def test_as_an_exact_interleaving(line: int, streams: int, neighbours: int, colored: bool, lengths: list[int]) -> None:
    parameters = {"dram_line": line, "prefetch_streams": streams}
    exact = exactly(parameters, neighbours, colored)
    for length in lengths:
        pace, use = by_windows(parameters, neighbours, colored, length)
        assert use < 0.8
        assert pace == pytest.approx(exact, rel=0.02), (length, use)
