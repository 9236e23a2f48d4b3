"""Reading traces: whole, cut off, damaged, foreign; and of any size in little memory."""

from __future__ import annotations

import tracemalloc
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baonet.trace.counts import count
from baonet.trace.digest import verify
from baonet.trace.head import TraceError
from baonet.trace.order import Row, batches, rows
from baonet.trace.reader import TraceReader
from baonet.trace.records import RECORD, Kind
from tests.examples import examples
from tests.trace.traces import HEADER, any_rows, by_pcpu, chunk, footer, in_order, write


def ignore(done: int, total: int) -> None:
    assert done <= total


def records(count: int, pcpu: int = 0, first: int = 0, step: int = 1) -> list[Row]:
    return [(first + step * n, Kind.MARK, pcpu, 0, n, 0) for n in range(count)]


def test_header_and_footer(tmp_path: Path) -> None:
    made = records(10) + records(5, pcpu=2)
    with TraceReader(write(tmp_path / "t.bnt", made, size=4), ignore) as trace:
        assert trace.header.names() == {0: "ping", 1: "pong, the other", 2: "pong, the other"}
        assert (trace.records, trace.chunks, trace.pcpus, trace.rest) == (15, 5, (0, 2), 0)
        assert trace.footer is not None
        assert (trace.footer.ending, trace.footer.time) == ("done", 9)
        assert trace.footer.digest == footer(made)["digest"]
        assert list(trace.of(1)) == []


@given(made=any_rows(), size=st.integers(1, 5))
def test_every_record_comes_back_in_its_order(made: list[Row], size: int) -> None:
    with TemporaryDirectory() as folder, TraceReader(write(Path(folder) / "t.bnt", made, size=size)) as trace:
        assert list(rows(trace)) == in_order(made)
        for pcpu, part in by_pcpu(made).items():
            assert [row for data in trace.of(pcpu) for row in RECORD.iter_unpack(data)] == part
        seen = by_pcpu(row for _, data in trace.all() for row in RECORD.iter_unpack(data))
        assert seen == by_pcpu(made)
        counts = count(trace, ignore)
        assert counts.total == len(made)
        assert all(counts.by_kind[row[2], row[1]] for row in made)
        assert not made or (counts.first, counts.last) == (made[0][0], made[-1][0])
        verdict = verify(trace, ignore)
        assert verdict.same
        assert not verdict.disordered


def test_many_records_at_one_time(tmp_path: Path) -> None:
    made = records(50, step=0) + records(50, pcpu=1, step=0) + records(3, first=1)
    with TraceReader(write(tmp_path / "t.bnt", made, size=7)) as trace:
        assert list(rows(trace)) == in_order(made)


def test_a_pcpu_that_is_silent_for_long_holds_up_nothing(tmp_path: Path) -> None:
    """Two records a second apart, and a lot from another pcpu in between: a few chunks are in memory, not all."""
    made = [(0, Kind.MARK, 1, 0, 0, 0), (10**9, Kind.MARK, 1, 0, 0, 0), *records(2048 * 40)]
    path = write(tmp_path / "t.bnt", made)
    tracemalloc.start()
    try:
        with TraceReader(path) as trace:
            assert sum(len(batch) for batch in batches(trace)) == len(made)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < path.stat().st_size


def test_a_file_that_is_cut_off_anywhere_is_readable_up_to_there(tmp_path: Path) -> None:
    made = records(6) + records(3, pcpu=1)
    whole = write(tmp_path / "whole.bnt", made, size=2).read_bytes()
    path = tmp_path / "cut.bnt"
    header = len(b"BNT1\n" + value(dict(HEADER)))
    best = 0
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        if length < header:
            with pytest.raises(TraceError, match=r"not a trace|cut off before its header ends"):
                TraceReader(path)
        else:
            with TraceReader(path) as trace:
                assert trace.footer is None
                assert trace.records >= best
                assert len(list(rows(trace))) == trace.records
                best = trace.records
    assert best == len(made)


@settings(max_examples=examples(200))
@given(st.data())
def test_a_damaged_file_is_refused_or_read_but_never_a_surprise(data: st.DataObject) -> None:
    with TemporaryDirectory() as folder:
        path = write(Path(folder) / "t.bnt", records(6) + records(3, pcpu=1), size=2)
        content = bytearray(path.read_bytes())
        for _ in range(data.draw(st.integers(1, 3))):
            content[data.draw(st.integers(5, len(content) - 1))] = data.draw(st.integers(0, 255))
        path.write_bytes(content)
        with suppress(TraceError), TraceReader(path) as trace:
            assert len(list(rows(trace))) == trace.records
            verify(trace, ignore)


def value(content: object) -> bytes:
    packed: bytes = msgpack.packb(content)
    return packed


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "not a trace"),
        (b"\x7fELF", "not a trace"),
        (b"BNT1\n", "cut off before its header ends"),
        (b"BNT1\n" + value([1, 2]), "damaged: it begins without a header"),
        (
            b"BNT1\n" + value({**HEADER, "version": 4}),
            "a newer baonet: its version is 4, and this",
        ),
        (
            b"BNT1\n" + value({**HEADER, "version": 1}),
            "an older baonet: its version is 1, and this",
        ),
        (b"BNT1\n" + value({**HEADER, "hz": 0}), "damaged: its hz is 0"),
        (b"BNT1\n" + value({**HEADER, "window": 0}), "damaged: its window is 0"),
        (b"BNT1\n" + value({**HEADER, "vms": [{"name": 7}]}), "damaged: its VM"),
        (b"BNT1\n" + value({**HEADER, "memory_system": 7}), "damaged: its memory system is 7"),
        (
            b"BNT1\n" + value({**HEADER, "memory_system": {"preset": "cortex-a53", "changes": {"cpi": 1}}}),
            "damaged: its memory system's change is 1",
        ),
        (b"BNT1\n" + value(HEADER) + value(5), "no records where they are due"),
        (b"BNT1\n" + value(HEADER) + value([0, b"short", b""]), "no records where they are due"),
        (b"BNT1\n" + value(HEADER) + value({"time": "late"}), "damaged: its ending is None"),
        (b"BNT1\n" + value(HEADER) + value(footer([])) + value([0, bytes(32), b""]), "goes on behind its end"),
        (b"BNT1\n" + value(HEADER) + b"\xc1", "damaged at byte"),
    ],
)
def test_what_is_no_trace_is_refused_in_a_few_words(tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / "t.bnt"
    path.write_bytes(content)
    with pytest.raises(TraceError, match=why):
        TraceReader(path)


def test_a_pipe_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="read twice"):
        TraceReader(Path("/dev/null"))


def test_a_trace_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "t.bnt", records(8), size=2)
    with TraceReader(path) as trace:
        path.write_bytes(path.read_bytes()[: -len(path.read_bytes()) // 2])
        with pytest.raises(TraceError):
            list(rows(trace))


def test_what_is_appended_later_is_not_seen(tmp_path: Path) -> None:
    path = write(tmp_path / "t.bnt", records(4), end=None)
    with TraceReader(path) as trace:
        with path.open("ab") as file:
            file.write(chunk(records(4, first=9)))
        assert len(list(rows(trace))) == 4


def test_verification_finds_another_record_and_another_order(tmp_path: Path) -> None:
    made = records(6) + records(3, pcpu=1)
    other = [*made[:2], (made[2][0], Kind.MARK, 0, 1, 0, 0), *made[3:]]
    with TraceReader(write(tmp_path / "t.bnt", other, size=2, end=footer(made))) as trace:
        verdict = verify(trace, ignore)
        assert (verdict.same, verdict.differing, verdict.disordered) == (False, (0,), ())
    lost = [row for row in made if row[2] == 0]
    with TraceReader(write(tmp_path / "t.bnt", lost, end=footer(made))) as trace:
        assert verify(trace, ignore).differing == (1,)
    swapped = [made[1], made[0], *made[2:]]
    with TraceReader(write(tmp_path / "t.bnt", swapped)) as trace:
        verdict = verify(trace, ignore)
        assert (verdict.same, verdict.disordered) == (True, (0,))
    with TraceReader(write(tmp_path / "t.bnt", made, header={**HEADER, "window": 10_001})) as trace:
        assert verify(trace, ignore).differing == (0, 1)
    wrong = {**footer(made), "digest": "00" * 32}
    with TraceReader(write(tmp_path / "t.bnt", made, end=wrong)) as trace:
        verdict = verify(trace, ignore)
        assert (verdict.same, verdict.differing) == (False, ())


CACHE = {
    "vms": ["ping", "pong"],
    "counts": [{"l2_misses": 5}, {"l2_misses": 2}, {}],
    "missed": [[1, 2, 0, 2], [0, 0, 1, 1], [0, 0, 0, 0]],
    "channel": {"windows": 3},
    "pages": [[0x4000_0000, 4]],
}


def test_what_vms_did_to_each_other_in_a_cache_is_in_the_footer(tmp_path: Path) -> None:
    with TraceReader(write(tmp_path / "t.bnt", [], end={**footer([]), "caches": {0: CACHE}})) as trace:
        assert trace.footer is not None
        cache = trace.footer.caches[0]
    misses = {(owner, evictor): count for owner, evictor, count in cache.misses() if count}
    assert misses["ping", "pong"] == 2
    assert misses["pong", "hypervisor"] == 1
    assert misses["ping", "nobody"] == 2
    assert cache.pages == ((0x4000_0000, 4),)


@pytest.mark.parametrize(
    ("field", "wrong"), [("vms", ["ping"]), ("missed", [[1, 2, 0], [0, 0, 1, 1], [0, 0, 0, 0]]), ("pages", [[1]])]
)
def test_a_cache_of_other_vms_than_it_says_is_damaged(tmp_path: Path, field: str, wrong: object) -> None:
    path = write(tmp_path / "t.bnt", [], end={**footer([]), "caches": {0: {**CACHE, field: wrong}}})
    with pytest.raises(TraceError, match="is not of so many VMs"), TraceReader(path):
        pass
