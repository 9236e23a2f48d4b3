"""One pcpu's memory system against the reference, on traces that Hypothesis makes: every stall, every counter, and
everything that it asks of the second level, in its order.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from baonet.core import _memsys
from tests.examples import examples

from .pcpu import Kind, Pcpu, What
from .tables import BLOCKS, DATA, DEVICES, GLOBAL, NOWHERE, PAGES, PLAIN, stage2, walk
from .translation import CACHED, CODE_UNCACHED, DATA_UNCACHED, DEVICE, OFF, Tlbi, Walk

# Small, so that a short trace fills all of it.
SMALL = {
    "l1i_size": 8192,
    "l1i_ways": 2,
    "l1d_size": 16384,
    "l1d_ways": 2,
    "l2_size": 32768,
    "l2_ways": 4,
    "utlb_instruction": 2,
    "utlb_data": 3,
    "tlb_entries": 16,
    "tlb_ways": 2,
    "walk_cache_entries": 4,
    "walk_cache_ways": 2,
    "ipa_cache_entries": 8,
    "ipa_cache_ways": 2,
    "streaming_l1": 2,
    "streaming_l2": 4,
}
VARIANTS = [
    {},
    {"l2_on_eviction": 0},
    {"prefetch_streams": 0},
    {"streaming_l1": 0},
    {"dram_line": 80, "dram_queue": 1},
    {"l2_path": 0},
    {"l2_path": 40},
]

# Few places, near each other: that they meet is what is to be tried.
addresses = st.builds(
    lambda region, page, offset: region + page * 0x1000 + offset,
    st.sampled_from([PAGES, PAGES, PAGES, BLOCKS, GLOBAL, PLAIN, DEVICES, NOWHERE]),
    st.sampled_from([0, 1, 2, 3, 4, 5, 0x200, 0x201, 0x400]),
    st.integers(0, 63).flatmap(lambda line: st.sampled_from([0, 8, 16, 48, 56, 60]).map(lambda at: line * 64 + at)),
)
runs = st.tuples(  # of stores or loads of one stride, as programs make them
    st.just("run"),
    addresses,
    st.sampled_from([8, 16, 64, 128, -64]),
    st.integers(1, 40),
    st.sampled_from([8, 16, 64]),
    st.sampled_from([Kind.LOAD, Kind.STORE]),
)
steps = st.one_of(
    runs,
    st.tuples(st.just("data"), addresses, st.sampled_from([1, 4, 8, 16, 64]), st.sampled_from(list(Kind))),
    st.tuples(st.just("data"), addresses, st.just(8), st.sampled_from([Kind.LOAD, Kind.STORE])),
    st.tuples(st.just("fetch"), addresses, st.sampled_from([4, 32, 200])),
    st.tuples(st.just("touch"), st.integers(0, 255).map(lambda n: DATA + n * 64), st.integers(0, 2)),
    st.tuples(
        st.just("context"), st.sampled_from([0, 1, 2, 1 | OFF, DATA_UNCACHED, 1 | CODE_UNCACHED, OFF | CODE_UNCACHED])
    ),
    st.tuples(st.just("tlbi"), st.sampled_from(list(Tlbi)), st.integers(0, 2), addresses),
    st.tuples(st.just("maintain"), addresses, st.sampled_from(list(What))),
    st.tuples(st.just("way"), st.integers(1, 2), st.integers(0, 130), st.integers(0, 4), st.sampled_from(list(What))),
    st.tuples(st.just("forget"), addresses, st.sampled_from([64, 4096]), st.sampled_from(list(What))),
)


def access(pcpu: _memsys.Pcpu, now: int, va: int, size: int, kind: Kind) -> int:
    """As the engine asks: loads and stores come to the filters first."""
    if kind not in {Kind.LOAD, Kind.STORE}:
        return pcpu.data(now, va, size, kind)
    return 0 if pcpu.filtered(va, size, kind is Kind.STORE) else pcpu.access(now, va, size, kind is Kind.STORE)


class Both:
    """The native one, asked as the engine does: by the filters first; and the reference."""

    def __init__(self, parameters: dict[str, int], walk: Walk = walk) -> None:
        self.native = _memsys.Pcpu(parameters, 1_000_000, walk, stage2)
        self.reference = Pcpu(_memsys.CORTEX_A53 | parameters, walk, stage2)
        self.now = 1000
        self.native.begin(self.now)

    def data(self, va: int, size: int, kind: Kind) -> None:
        stall = access(self.native, self.now, va, size, kind)
        assert stall == self.reference.data(self.now, va, size, kind)
        self.now += 1 + stall

    def fetch(self, va: int, size: int) -> None:
        stall = self.native.fetch(self.now, va, size)
        assert stall == self.reference.fetch(self.now, va, size)
        self.now += 1 + stall

    def step(self, step: tuple[Any, ...]) -> None:
        native, reference = self.native, self.reference
        match step:
            case "run", va, stride, count, size, kind:
                for n in range(count):
                    self.data(va + n * stride, size, kind)
            case "data", va, size, kind:
                self.data(va, size, kind)
            case "fetch", va, size:
                self.fetch(va, size)
            case "touch", pa, kind:
                stall = native.touch(self.now, pa, kind)
                assert stall == reference.touch(self.now, pa, kind)
                self.now += 1 + stall
            case "context", context:
                native.context(context)
                reference.context = context
            case "tlbi", kind, asid, va:
                native.tlbi(kind, asid, va)
                reference.tlbi(kind, asid, va)
            case "maintain", va, what:
                stall = native.maintain(self.now, va, what)
                assert stall == reference.maintain(self.now, va, what)
                self.now += 1 + stall
            case "way", level, where, way, what:
                stall = native.maintain_way(self.now, level, where, way, what)
                assert stall == reference.maintain_way(self.now, level, where, way, what)
                self.now += 1 + stall
            case "forget", va, size, what:
                pa = DATA + (va & 0xFF_FFFF)
                native.forget(self.now, pa, size, what)
                reference.forget(self.now, pa, size, what)

    def compare(self) -> None:
        assert self.native.records() == self.reference.records
        for hypervisor in (False, True):
            told = {name: count for name, count in self.native.counters(hypervisor).items() if count}
            assert told == {name: count for name, count in self.reference.counts[hypervisor].items() if count}


@settings(max_examples=examples(150), deadline=None)
@given(st.sampled_from(VARIANTS), st.lists(steps, max_size=80))
@example({}, [("fetch", NOWHERE, 4)] * 2)  # the second asks again, though no line has left
def test_as_the_reference(variant: dict[str, int], trace: list[tuple[Any, ...]]) -> None:
    both = Both(SMALL | variant)
    for step in trace:
        both.step(step)
    both.compare()


@settings(max_examples=20, deadline=None)
@given(st.lists(steps, max_size=40), st.lists(steps, max_size=40))
def test_goes_on_from_its_bytes(before: list[tuple[Any, ...]], after: list[tuple[Any, ...]]) -> None:
    both = Both(SMALL)
    for step in before:
        both.step(step)
    other = _memsys.Pcpu(SMALL, 1_000_000, walk, stage2)
    other.load_state(both.native.state())
    assert other.state() == both.native.state()
    for step in after:
        if step[0] in {"context", "tlbi"}:
            both.step(step)
            getattr(other, step[0])(*step[1:])
    assert other.state() == both.native.state()


def test_a_page_that_is_a_device_makes_none_of_what_is_beside_it() -> None:
    """In one block of stage 1, and with no tables of stage 2 that tell how far the page reaches."""
    block, device = 0x4000_0000, 0x4010_0000

    def in_block(va: int, _fetch: bool) -> tuple[list[int], int, int, bool, bool, int, int]:
        return [block], 30, va, False, True, CACHED, CACHED

    def beside(ipa: int) -> tuple[list[int], int, int, int]:
        return ([], 12, ipa, DEVICE) if ipa // 4096 == device // 4096 else ([], 30, ipa, CACHED)

    pcpu = _memsys.Pcpu({}, 1_000_000, in_block, beside)
    pcpu.begin(0)
    for nth, va in enumerate((device, device + 4096, device + 8192)):
        pcpu.data(1000 * nth, va, 8, Kind.LOAD)
    counts = pcpu.counters()
    assert (counts["uncached"], counts["l1d_misses"]) == (1, 2)


def test_a_line_that_is_being_written_is_so_at_each_of_its_addresses() -> None:
    """In another set, as the L1D is indexed virtually: what is known of it there is not what stores do."""

    def aliased(va: int, _fetch: bool) -> tuple[list[int], int, int, bool, bool, int, int]:
        return [PLAIN], 12, DATA + (va % 4096), True, True, CACHED, CACHED

    both, one, other = Both({"streaming_l1": 2}, aliased), PAGES + 0x2C0, PAGES + 0x12C0
    rest, lines = range(one + 8, one + 64, 8), range(other + 0x540, other + 0x740, 8)
    for va in [one, one + 0x400, one, other, *rest, *lines]:
        both.data(va, 8, Kind.STORE)
    both.compare()
    assert both.native.counters()["streamed"] == 7


def test_data_are_where_their_page_is_now() -> None:
    """What is known of its lines is kept while the micro-TLB has it not, and holds if it is where it was."""
    where = [DATA]

    def moving(va: int, _fetch: bool) -> tuple[list[int], int, int, bool, bool, int, int]:
        return [PLAIN], 12, where[0] + va % 4096, True, True, CACHED, CACHED

    pcpu = _memsys.Pcpu({}, 1_000_000, moving, lambda ipa: ([], 30, ipa, CACHED))
    pcpu.begin(0)
    for pa, misses in [(DATA, 1), (DATA, 1), (DATA + 4096, 2), (DATA, 2)]:
        where[0] = pa
        pcpu.tlbi(Tlbi.ALL, 0, 0)
        for _ in range(2):
            access(pcpu, 0, PAGES + 32, 8, Kind.LOAD)
        assert pcpu.counters()["l1d_misses"] == misses


def test_of_two_entries_for_a_page_the_first_translates_in_every_context() -> None:
    """One of an ASID's, and one for all that has come when another ASID was translated by."""
    where, page = [(DATA, False)], PAGES + 64 * 0x1000

    def moving(va: int, _fetch: bool) -> tuple[list[int], int, int, bool, bool, int, int]:
        pa, for_all = where[0] if va // 0x1000 == page // 0x1000 else (DATA + 0x2000, True)
        return [PLAIN], 12, pa + va % 4096, True, for_all, CACHED, CACHED

    both = Both({}, moving)

    def comes_back(to: int) -> None:
        for other in range(10):  # the micro-TLB's pages
            both.data(PAGES + other * 0x1000, 8, Kind.LOAD)
        both.data(to, 8, Kind.LOAD)

    both.step(("context", 1))
    comes_back(page)
    where[0] = (DATA + 0x1000, True)
    both.step(("context", 2))
    for at in (page, page, page + 64):
        comes_back(at)
    both.step(("context", 1))
    comes_back(page + 64)


def test_code_is_where_its_page_is_now() -> None:
    """What is known of its lines is kept while the micro-TLB has it not, and holds if it is where it was."""
    where = [DATA]

    def moving(va: int, _fetch: bool) -> tuple[list[int], int, int, bool, bool, int, int]:
        return [PLAIN], 12, where[0] + va % 4096, True, True, CACHED, CACHED

    pcpu = _memsys.Pcpu({}, 1_000_000, moving, lambda ipa: ([], 30, ipa, CACHED))
    pcpu.begin(0)
    for pa, misses in [(DATA, 2), (DATA, 2), (DATA + 4096, 4), (DATA, 4)]:
        where[0] = pa
        pcpu.tlbi(Tlbi.ALL, 0, 0)
        for _ in range(2):
            pcpu.fetch(0, PAGES + 32, 64)
        assert pcpu.counters()["l1i_misses"] == misses


@pytest.mark.parametrize("kind", [Kind.LOAD, Kind.STORE])
def test_a_stream_out_of_the_second_level_is_as_fast_as_the_path(kind: Kind) -> None:
    pcpu, now = _memsys.Pcpu({"l2_path": 40}, 1_000_000), 0  # 40: longer than a hit takes
    lines = [PAGES + n * 64 for n in range(2048)]
    for line in lines:
        pcpu.data(now, line, 8, Kind.LOAD)
    begin = now = 1_000_000
    for line in lines:
        now += 1 + pcpu.data(now, line, 8, kind)
    assert (now - begin) / len(lines) == pytest.approx(40, rel=0.05)


def test_after_a_reset_nothing_of_its_own_is_left() -> None:
    """It fetches and translates anew, and a stride that it was at has to come twice again."""
    pcpu = _memsys.Pcpu({}, 100_000)
    pcpu.begin(0)

    def goes_on(line: int) -> list[int]:
        before = pcpu.counters()
        pcpu.fetch(10_000 * line, PAGES, 4)
        pcpu.data(10_000 * line + 5000, PAGES + 0x1000 + line * 64, 8, Kind.LOAD)
        after = pcpu.counters()
        return [after[name] - before[name] for name in ("l1i_misses", "tlb_i_misses", "prefetches")]

    for line in range(4):
        ahead = goes_on(line)
    assert ahead[:2] == [0, 0]
    assert ahead[2] > 0
    pcpu.reset(38_000)
    assert goes_on(4) == [1, 1, 0]


@pytest.mark.parametrize("what", [What.CLEAN, What.INVALIDATE, What.CLEAN_INVALIDATE])
def test_a_line_that_is_invalidated_is_not_on_its_way_any_more(what: What) -> None:
    pcpu = _memsys.Pcpu({"prefetch_streams": 0}, 100_000)
    pcpu.begin(0)
    pcpu.data(0, PAGES, 8, Kind.LOAD)
    pcpu.data(1000, PAGES + 512, 8, Kind.PREFETCH)
    pcpu.maintain(1010, PAGES + 512, what)
    pcpu.data(2000, PAGES + 512, 8, Kind.LOAD)
    assert pcpu.counters()["prefetches_used"] == (not what.drops)
