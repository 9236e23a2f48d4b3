"""Windows: the merge against the reference, and what a pcpu alone was charged."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baonet.core import _memsys
from tests.examples import examples

from . import window
from .pcpu import Kind, Pcpu
from .tables import DATA
from .test_pcpu import SMALL, VARIANTS

EXTENTS = [(DATA, 0x100_0000)]
LENGTH = 2000


def plain(va: int, _fetch: bool) -> tuple[tuple[int, ...], int, int, bool, bool, int, int]:
    return (), 12, va, False, True, 0, 0


def nothing(ipa: int) -> tuple[tuple[int, ...], int, int, int]:
    return (), 30, ipa, 0


accesses = st.tuples(
    st.integers(0, 700).map(lambda line: DATA + line * 64),
    st.sampled_from([1, 1, 1, 12]),
    st.sampled_from([Kind.LOAD, Kind.LOAD, Kind.STORE, Kind.ZERO, Kind.PREFETCH]),
    st.sampled_from([1, 5, 40]),
    st.booleans(),
)
"""Where, how many lines in a row, how, after how many cycles, and whether the hypervisor does it."""


Access = tuple[int, int, Kind, int, bool]


def compare(variant: dict[str, int], windows: list[list[tuple[int, Access]]], *, close: bool = False) -> None:
    """What three pcpus do in each window, by their numbers: all that comes of it is what comes of it by the reference.

    ``close``: a window begins when all have done what they do in the one before, so lines may still be under way.
    """
    parameters = SMALL | variant
    natives = [_memsys.Pcpu(parameters, 100_000) for _ in range(3)]
    references = [Pcpu(_memsys.CORTEX_A53 | parameters, plain, nothing) for _ in range(3)]
    cluster = _memsys.Cluster(_memsys.CORTEX_A53 | parameters, EXTENTS)
    expected = window.Cluster(_memsys.CORTEX_A53 | parameters, EXTENTS)
    owners, clocks = [0, 1, 1], [0, 0, 0]
    outcomes = [(0, 0, 0, 0, 0)] * 3
    for n, trace in enumerate(windows):
        begin = max(clocks) if close else n * LENGTH
        for party, (native, reference) in enumerate(zip(natives, references, strict=True)):
            clocks[party] = max(clocks[party] + outcomes[party][0], begin)
            native.adopt(cluster)
            native.begin(clocks[party])
            reference.records.clear()
            reference.wait = outcomes[party][1]
            adopt(reference, expected)
        for party, (va, lines, kind, gap, hypervisor) in trace:
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


@settings(max_examples=examples(60), deadline=None)
@given(
    st.sampled_from(VARIANTS),
    st.lists(st.tuples(st.integers(0, 2), accesses), max_size=150),
    st.integers(1, 5),
)
def test_as_the_reference(variant: dict[str, int], trace: list[tuple[int, Access]], windows: int) -> None:
    compare(variant, [trace[n::windows] for n in range(windows)])


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(VARIANTS),
    st.lists(
        st.sampled_from([0, 0, 1, None]).flatmap(
            lambda party: st.lists(
                st.tuples(st.integers(0, 2) if party is None else st.just(party), accesses), min_size=1, max_size=15
            )
        ),
        min_size=2,
        max_size=12,
    ),
    st.booleans(),
)
def test_as_the_reference_where_most_windows_are_one_pcpus_own(
    variant: dict[str, int], windows: list[list[tuple[int, Access]]], close: bool
) -> None:
    compare(variant, windows, close=close)


def once(kind: Kind, at: int, lines: int = 1, gap: int = 1) -> Access:
    return DATA + at, lines, kind, gap, False


UNDER_WAY = {
    "a line": ({}, [], [once(Kind.PREFETCH, 0xD00)], once(Kind.LOAD, 0xD00)),
    # lines that the second level has, and the first has not
    "the path": (
        {"l2_on_eviction": 0, "l2_path": 40},
        [once(Kind.LOAD, 0xF00), *(once(Kind.PREFETCH, n * 64, gap=300) for n in range(8))],
        [once(Kind.PREFETCH, 0)],
        once(Kind.LOAD, 64),
    ),
}


@pytest.mark.parametrize("name", UNDER_WAY)
def test_what_is_under_way_goes_with_the_clock(name: str) -> None:
    """Who was charged too much goes on so much later: what he waits for comes later by as much, too."""
    variant, before, last, then = UNDER_WAY[name]
    contended = [(1, once(Kind.ZERO, 0x8000, 60)), (0, once(Kind.LOAD, 0xA00, 9))]
    alone = [[(0, each) for each in window] for window in (before, [once(Kind.LOAD, 0x800), *last], [then])]
    windows = [alone[0], contended, alone[1], alone[2], [contended[0], (0, once(Kind.LOAD, 0x2000, 9))]]
    compare({"prefetch_streams": 0} | variant, windows, close=True)


def test_the_channel_goes_on_with_the_first_of_those_that_have_used_it() -> None:
    """Whoever has slept was charged nothing: that is no clock at which anybody goes on."""
    contended = [(party, once(Kind.ZERO, 0x8000 * party, 60)) for party in (0, 1)]
    compare({}, [contended, [(0, once(Kind.LOAD, 0xF000, 3))], contended], close=True)


def test_what_the_hypervisor_was_charged_too_much_is_for_its_guest() -> None:
    """It has waited in vain for others, who keep its guest waiting afterwards."""
    contended = [(1, once(Kind.ZERO, 0x8000, 24)), (0, once(Kind.LOAD, 0, 9))]
    own = (DATA + 0x6000, 1, Kind.LOAD, 1, True)
    again = [(1, once(Kind.ZERO, 0xA000, 60)), (0, once(Kind.LOAD, 0x2000, 9))]
    later = [(0, own), (1, once(Kind.LOAD, 0x8000, gap=900)), (0, once(Kind.LOAD, 0xF000, gap=900)), *again]
    compare({"prefetch_streams": 0}, [contended, later])


def test_dirty_lines_that_leave_for_others_are_counted() -> None:
    variant = {"l2_on_eviction": 0, "streaming_l1": 0, "prefetch_streams": 0}
    dirty = [(0, once(Kind.STORE, 0, 600))]
    compare(variant, [dirty, [(party, once(Kind.LOAD, 0x10000 + 0x4000 * party, 90)) for party in (0, 1)]])


def test_what_is_behind_an_extent_is_none_of_it() -> None:
    """One whose last page is not whole: misses of a line there are counted, and of the next line nothing is known."""
    size = 0x1_0040
    pcpus, cluster = [_memsys.Pcpu({}, LENGTH) for _ in range(2)], _memsys.Cluster({}, [(DATA, size)])
    for party, pcpu in enumerate(pcpus):
        pcpu.join(cluster, party)
        pcpu.begin(0)
    for at in (DATA + size - 64, DATA + size):
        pcpus[0].data(0, at, 8, Kind.STORE)
    cluster.merge(list(pcpus), [0, 1], LENGTH)
    assert cluster.pages(0, 0, 17) == [0] * 16 + [1]
    assert [word > 0 for word in cluster.words((DATA + size) // 64 - 1, 2)] == [True, False]
    assert cluster.words(DATA // 64, 1) == [0]


def test_each_has_the_corrections_of_what_it_has_asked_for() -> None:
    """One pcpu touches lines for its guest, for its hypervisor, or for both, while another keeps the channel busy."""
    told = []
    for asks in ((True, False), (False, True), (True, True)):
        pcpus, cluster = [_memsys.Pcpu({}, LENGTH) for _ in range(2)], _memsys.Cluster({}, EXTENTS)
        for pcpu in pcpus:
            pcpu.begin(0)
        clocks = [0, 0]
        for n in range(50):
            clocks[1] += 1 + pcpus[1].touch(clocks[1], DATA + 0x20_0000 + n * 64, False)
            for hypervisor in (False, True):
                at = DATA + hypervisor * 0x10_0000 + n * 64 * 37
                if asks[hypervisor] and hypervisor:
                    clocks[0] += 1 + pcpus[0].touch(clocks[0], at, False)
                elif asks[hypervisor]:
                    clocks[0] += 1 + pcpus[0].data(clocks[0], at, 8, Kind.LOAD)
        charge = cluster.merge(list(pcpus), [0, 1], LENGTH)[0][0]
        pcpus[0].begin(LENGTH)
        guest, own = (pcpus[0].counters(hypervisor)["stall_correction"] for hypervisor in (False, True))
        assert guest + own == charge > 0
        told.append((guest > 0, own > 0))
    assert told == [(True, False), (False, True), (True, True)]


def adopt(reference: Pcpu, cluster: window.Cluster) -> None:
    for mine, theirs in zip(reference.l2.sets, cluster.l2.sets, strict=True):
        mine.ways = [held and type(held)(held.line, held.dirty) for held in theirs.ways]
        mine.random.state = theirs.random.state


@settings(max_examples=examples(40), deadline=None)
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
        assert cluster.merge([None, pcpu], [0, 1], LENGTH)[1] == (0, 0, 0, 0, 0)
        assert pcpu.l2() == cluster.l2()
