"""Runs as child processes, with a command that only pretends."""

from __future__ import annotations

import errno
import math
import os
from dataclasses import replace
from pathlib import Path

import pytest
import trio
import trio.testing

from baonet.machine.stamp import stamp
from baonet.study.child import ChildRunner, seconds
from baonet.study.measure import measure_file
from baonet.study.ordered import records
from baonet.study.plan import MetricSpec, Run, Study
from baonet.study.store import StoredRun
from baonet.trace.head import TraceError
from baonet.trace.order import Row
from baonet.trace.reader import TraceReader
from baonet.trace.records import Kind
from tests.patience import LIMIT
from tests.study.synthetic import COMMAND, footer, header, write_trace
from tests.system.machine import gone

SPECS = (MetricSpec("trips", "round-trip"), MetricSpec("shares", "time-share"))


def runner(directory: Path, does: str, timeout: str = LIMIT, traces: Path | None = None) -> ChildRunner:
    machine = directory / "machine.yaml"
    machine.write_text(does)
    work = directory / "work"
    work.mkdir()
    return ChildRunner(Study(directory / "s.yaml", machine, (), metrics=SPECS, timeout=timeout), COMMAND, work, traces)


async def run(directory: Path, does: str, **settings: object) -> StoredRun:
    return await runner(directory, does)(Run(0, 0, 0, settings))


async def test_a_run_is_measured_and_leaves_nothing(tmp_path: Path) -> None:
    row = await run(tmp_path, "trace", size=20)
    assert row.done, row.error
    assert row.digest == f"{20:064x}"
    assert list(row.measured["trips"].samples["ping", "5"].kept) == [20 * (n + 1) for n in range(37)]
    assert row.facts["mode"] == "virtual"
    assert row.facts["nanoseconds"] == 100_000
    assert not list((tmp_path / "work").iterdir())


@pytest.mark.parametrize("when", ["before", "meanwhile"])
async def test_a_run_of_files_that_have_changed_is_no_result(tmp_path: Path, when: str) -> None:
    """It would be among those that were made before."""
    does = runner(tmp_path, "trace")
    does = replace(does, stamps={does.study.machine: stamp(does.study.machine)})
    assert (await does(Run(0, 0, 0, {"size": 20}))).done

    async def change() -> None:
        while when == "meanwhile" and not list(does.work.iterdir()):  # noqa: ASYNC110 - a process makes it
            await trio.sleep(0.001)
        os.utime(does.study.machine, ns=(0, 1))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(change)
        if when == "before":
            await trio.testing.wait_all_tasks_blocked()
        row = await does(Run(1, 0, 0, {"size": 20}))
    assert (row.point, row.done) == (1, False)
    assert row.error == f"{does.study.machine} has changed since the study began"
    assert not list(does.work.iterdir())


async def test_a_trace_for_which_there_is_no_room_is_told_by_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between file systems, of which the second is full."""

    def move(trace: Path, place: Path) -> None:
        place.write_bytes(trace.read_bytes()[:100])
        raise OSError(errno.ENOSPC, "No space left on device", str(trace), None, str(place))

    monkeypatch.setattr("shutil.move", move)
    kept = tmp_path / "kept"
    kept.mkdir()
    with pytest.raises(OSError, match=r"No space left on device: '.*/kept/0-0-0.bnt'$"):
        await runner(tmp_path, "trace", traces=kept)(Run(0, 0, 0, {"size": 5}))
    assert not list(kept.iterdir())


async def test_a_trace_can_be_kept(tmp_path: Path) -> None:
    traces = tmp_path / "traces"
    traces.mkdir()
    assert (await runner(tmp_path, "trace", traces=traces)(Run(3, 1, 2, {}))).done
    with TraceReader(traces / "3-1-2.bnt") as trace:
        assert trace.footer is not None


@pytest.mark.parametrize(
    ("does", "why"),
    [
        ("fail", "status 3, a guest did what Bao stops it for: VM 'ping' did something"),
        ("no-footer", "its trace could not be measured: the trace has no end: the run was killed"),
    ],
)
async def test_a_failure_says_why(tmp_path: Path, does: str, why: str) -> None:
    row = await run(tmp_path, does)
    assert not row.done
    assert row.error == why


async def test_a_run_that_does_not_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("baonet.study.child._SLACK", 1.0)
    row = await runner(tmp_path, "slow", timeout="1s")(Run(0, 0, 0, {}))
    assert row.error == "it did not end within 2 s"


async def test_cancelling_ends_a_run_and_what_it_started(tmp_path: Path) -> None:
    do = runner(tmp_path, "slow")
    file = tmp_path / "machine.yaml.pid"
    async with trio.open_nursery() as nursery:
        nursery.start_soon(do, Run(0, 0, 0, {}))
        with trio.fail_after(20):
            while not (file.exists() and file.read_text()):  # noqa: ASYNC110 - another process writes it
                await trio.sleep(0.01)
        nursery.cancel_scope.cancel()
    assert gone([int(file.read_text())])
    assert not os.listdir(tmp_path / "work")


@pytest.mark.parametrize(("text", "value"), [("500ms", 0.5), ("30s", 30), ("2m", 120), ("1.5h", 5400), ("1min", 60)])
def test_durations_of_the_host(text: str, value: float) -> None:
    assert math.isclose(seconds(text), value)


def test_records_of_all_pcpus_are_in_the_order_of_time(tmp_path: Path) -> None:
    chunks: list[list[Row]] = [
        [(time, Kind.MARK, 0, 0, time, 0) for time in range(0, 100, 3)],
        [(time, Kind.MARK, 0, 0, time, 0) for time in range(500, 600, 3)],
        [(time, Kind.MARK, 1, 0, time, 0) for time in range(50, 5000, 7)],
        [(time, Kind.EXIT, 2, 0, time, 0) for time in range(0, 5000, 7)],
        [(time, Kind.MARK, 0, 0, time, 0) for time in range(4000, 4100, 3)],
    ]
    with TraceReader(write_trace(tmp_path / "t.bnt", chunks)) as trace:
        found = list(records(trace, {Kind.MARK}))
    assert found == sorted(record for chunk in chunks for record in chunk if record[1] == Kind.MARK)


def test_what_is_sent_at_a_moment_is_sent_before_it_arrives(tmp_path: Path) -> None:
    chunks: list[list[Row]] = [[(5, Kind.ARRIVED, 0, 37, 1, 5)], [(5, Kind.SENT, 1, 37, 0, 5)]]
    with TraceReader(write_trace(tmp_path / "t.bnt", chunks)) as trace:
        assert [record[1] for record in records(trace, set(Kind))] == [Kind.SENT, Kind.ARRIVED]


def test_a_trace_that_was_cut_is_readable_and_not_measured(tmp_path: Path) -> None:
    marks: list[Row] = [(time, Kind.MARK, 0, 0, 0, 0) for time in range(10)]
    whole = write_trace(tmp_path / "t.bnt", [marks, marks[5:]]).read_bytes()
    file = tmp_path / "cut.bnt"
    for length in range(len(whole) - len(marks) * 16, len(whole)):
        file.write_bytes(whole[:length])
        with pytest.raises(TraceError, match="no end"):
            measure_file(file, SPECS)


def test_time_is_told_in_nanoseconds(tmp_path: Path) -> None:
    file = write_trace(tmp_path / "t.bnt", [], header(hz=62_500_000), footer(time=125))
    assert measure_file(file, SPECS).facts["nanoseconds"] == 2000
