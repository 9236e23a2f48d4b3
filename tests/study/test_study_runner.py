"""Runs as child processes, with a command that only pretends."""

from __future__ import annotations

import errno
import math
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest
import trio
import trio.testing

from baonet.machine.stamp import stamp
from baonet.study.measure import measure_file
from baonet.study.ordered import records
from baonet.study.plan import MetricSpec, Run, Study
from baonet.study.runner import Runner, seconds
from baonet.study.store import StoredRun
from baonet.trace.head import TraceError
from baonet.trace.order import Row
from baonet.trace.reader import TraceReader
from baonet.trace.records import Kind
from tests.patience import LIMIT
from tests.study.synthetic import COMMAND, footer, header, write_trace
from tests.system.machine import gone, vm, write

SPECS = (MetricSpec("trips", "round-trip"), MetricSpec("shares", "time-share"))


def runner(directory: Path, does: str, timeout: str = LIMIT, traces: Path | None = None) -> Runner:
    machine = directory / "machine.yaml"
    machine.write_text(does)
    work = directory / "work"
    work.mkdir()
    study = Study(directory / "s.yaml", machine, (), metrics=SPECS, timeout=timeout)
    return Runner(study, work, traces, command=COMMAND)


async def run(directory: Path, does: str, **settings: object) -> StoredRun:
    async with runner(directory, does) as do:
        return await do(Run(0, 0, 0, settings))


def process(row: StoredRun) -> int:
    deliveries = row.facts["deliveries"]
    assert isinstance(deliveries, dict)
    return int(deliveries["exact"])


async def test_a_run_is_measured_and_leaves_nothing(tmp_path: Path) -> None:
    row = await run(tmp_path, "trace", size=20)
    assert row.done, row.error
    assert row.digest == f"{20:064x}"
    assert list(row.measured["trips"].samples["ping", "5"].kept) == [20 * (n + 1) for n in range(37)]
    assert row.facts["mode"] == "virtual"
    assert row.facts["nanoseconds"] == 100_000
    assert gone([process(row)])
    assert [each.name for each in (tmp_path / "work").iterdir()] == ["said-1"]


@pytest.mark.parametrize("when", ["before", "meanwhile"])
async def test_a_run_of_files_that_have_changed_is_no_result(tmp_path: Path, when: str) -> None:
    """It would be among those that were made before."""
    does = runner(tmp_path, "trace")
    does = replace(does, stamps={does.study.machine: stamp(does.study.machine)})

    async def change() -> None:
        while when == "meanwhile" and not (does.work / "1-0-0").exists():  # noqa: ASYNC110 - a process makes it
            await trio.sleep(0.001)
        os.utime(does.study.machine, ns=(0, 1))

    async with does, trio.open_nursery() as nursery:
        assert (await does(Run(0, 0, 0, {"size": 20}))).done
        nursery.start_soon(change)
        if when == "before":
            await trio.testing.wait_all_tasks_blocked()
        row = await does(Run(1, 0, 0, {"size": 20}))
    assert (row.point, row.done) == (1, False)
    assert row.error == f"{does.study.machine} has changed since the study began"
    assert not (does.work / "1-0-0").exists()


async def test_one_process_does_one_run_after_another(tmp_path: Path) -> None:
    async with runner(tmp_path, "trace") as do:
        rows = [await do(Run(n, 0, 0, {"size": n})) for n in range(4)]
        assert [row.digest for row in rows] == [f"{n:064x}" for n in range(4)]
        (only,) = {process(row) for row in rows}
    assert gone([only])


async def test_as_many_processes_as_runs_at_a_time(tmp_path: Path) -> None:
    rows: list[StoredRun] = []

    async def work(point: int) -> None:
        rows.extend([await do(Run(point, n, 0, {})) for n in range(3)])

    async with runner(tmp_path, "trace") as do:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(work, 0)
            nursery.start_soon(work, 1)
        processes = {process(row) for row in rows}
    assert len(processes) == 2
    assert gone(list(processes))


async def test_a_process_that_has_another_architecture_is_for_other_runs(tmp_path: Path) -> None:
    async with runner(tmp_path, "trace") as do:
        rows = [await do(Run(n, 0, 0, {"architecture": ("armv8", "riscv")[n % 2]})) for n in range(6)]
    assert all(row.done for row in rows), [row.error for row in rows]
    processes = [process(row) for row in rows]
    assert len(set(processes[::2])) == len(set(processes[1::2])) == 1
    assert processes[0] != processes[1]


@pytest.mark.parametrize(
    ("does", "why", "stays"),
    [
        ("crash", "it was ended by SIGKILL: no more", False),
        ("raise", "status 1: Traceback", False),
        ("no-footer", "its trace could not be measured", True),
        ("fail", "status 3", True),
    ],
)
async def test_what_fails_costs_one_run(tmp_path: Path, does: str, why: str, stays: bool) -> None:
    """What went wrong otherwise than a run may is not in the process of the next."""
    async with runner(tmp_path, "trace") as do:
        before = await do(Run(0, 0, 0, {}))
        failed = await do(Run(1, 0, 0, {"does": does}))
        after = await do(Run(2, 0, 0, {}))
    assert not failed.done
    assert failed.error.startswith(why), failed.error
    assert after.done, after.error
    assert (process(before) == process(after)) == stays


async def test_a_process_that_ended_while_nobody_asked_it_costs_no_run(tmp_path: Path) -> None:
    async with runner(tmp_path, "trace") as do:
        before = process(await do(Run(0, 0, 0, {})))
        os.kill(before, signal.SIGKILL)
        assert gone([before])
        after = await do(Run(1, 0, 0, {}))
    assert after.done, after.error


async def test_what_one_run_says_is_not_told_of_the_next(tmp_path: Path) -> None:
    async with runner(tmp_path, "trace") as do:
        rows = [await do(Run(n, 0, 0, {"does": "crash"})) for n in range(2)]
    assert [row.error for row in rows] == ["it was ended by SIGKILL: no more"] * 2


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
    async with runner(tmp_path, "trace", traces=kept) as do:
        with pytest.raises(OSError, match=r"No space left on device: '.*/kept/0-0-0.bnt'$"):
            await do(Run(0, 0, 0, {"size": 5}))
    assert not list(kept.iterdir())


async def test_a_trace_can_be_kept(tmp_path: Path) -> None:
    traces = tmp_path / "traces"
    traces.mkdir()
    async with runner(tmp_path, "trace", traces=traces) as do:
        assert (await do(Run(3, 1, 2, {}))).done
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
    monkeypatch.setattr("baonet.study.runner._SLACK", 1.0)
    async with runner(tmp_path, "slow", timeout="1s") as do:
        row = await do(Run(0, 0, 0, {}))
    assert row.error == "it did not end within 2 s"


async def test_cancelling_ends_a_run_and_what_it_started(tmp_path: Path) -> None:
    file = tmp_path / "machine.yaml.pid"
    async with runner(tmp_path, "slow") as do, trio.open_nursery() as nursery:
        nursery.start_soon(do, Run(0, 0, 0, {}))
        with trio.fail_after(20):
            while not (file.exists() and file.read_text()):  # noqa: ASYNC110 - another process writes it
                await trio.sleep(0.01)
        nursery.cancel_scope.cancel()
    assert gone([int(file.read_text())])
    assert os.listdir(tmp_path / "work") == ["said-1"]


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


def mappings(pid: int) -> int:
    """Of memory of machines."""
    return Path(f"/proc/{pid}/maps").read_text().count("memfd:")


@pytest.mark.slow
async def test_the_memory_of_a_machine_lasts_no_longer_than_its_run(tmp_path: Path) -> None:
    write(tmp_path, {"vms": [vm("hello")], "clock": {"mode": "virtual"}})
    work = tmp_path / "work"
    work.mkdir()
    held = []
    async with Runner(Study(tmp_path / "s.yaml", tmp_path / "machine.yaml", (), metrics=SPECS), work) as do:
        for n in range(3):
            row = await do(Run(n, 0, 0, {}))
            assert row.done, row.error
            (child,) = do.idle
            held.append(mappings(child))
    assert held == [0, 0, 0]
