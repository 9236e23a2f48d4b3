"""Conducting a study: what runs, what is saved, and what an end in the middle leaves."""

from __future__ import annotations

import io
import os
import signal
from contextlib import suppress
from pathlib import Path

import pytest
import trio

from baonet.study.conduct import Do, conduct, prepare
from baonet.study.fingerprint import changes
from baonet.study.plan import Alternative, Axis, MetricSpec, Run, Study
from baonet.study.progress import ProgressLine, duration
from baonet.study.store import Store, StoredRun, StoreError

PRINT = {"the machine file m.yaml": "1"}


def study(values: int = 3, repeats: int = 2) -> Study:
    axis = Axis("x", tuple(Alternative(str(n), {"x": n}) for n in range(values)))
    return Study(Path("s.yaml"), Path("m.yaml"), (axis,), repeats=repeats, metrics=(MetricSpec("exits", "exits"),))


def quiet(total: int = 6) -> ProgressLine:
    return ProgressLine(io.StringIO(), total, 0, lambda: 0.0)


def row(run: Run, done: bool = True, digest: str = "d") -> StoredRun:
    return StoredRun(run.point, run.seed, run.repeat, done, "" if done else "why\nmore", digest, {"mode": "virtual"})


async def runs_in(path: Path, do: Do, jobs: int = 2, plan: Study | None = None) -> list[int]:
    """Conduct what is missing; how many were done and how many failed."""
    with Store(path, write=True) as store:
        outcome = await conduct(prepare(plan or study(), store, PRINT), store, do, jobs, quiet())
    return [outcome.done, outcome.failed]


async def test_a_second_call_does_what_is_missing(tmp_path: Path) -> None:
    calls: list[tuple[int, int, int]] = []

    async def do(run: Run) -> StoredRun:
        calls.append((run.point, run.seed, run.repeat))
        await trio.lowlevel.checkpoint()
        return row(run, done=len(calls) > 6 or run.point != 1 or run.repeat != 1)

    file = tmp_path / "r.sqlite"
    assert await runs_in(file, do) == [5, 1]
    assert await runs_in(file, do) == [1, 0]
    assert calls[6:] == [(1, 0, 1)]
    assert await runs_in(file, do) == [0, 0]
    assert await runs_in(file, do, plan=study(repeats=3)) == [3, 0]
    assert [repeat for _, _, repeat in calls[7:]] == [2, 2, 2]


async def test_so_many_at_a_time(tmp_path: Path) -> None:
    now = most = 0

    async def do(run: Run) -> StoredRun:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await trio.testing.wait_all_tasks_blocked(0.001)
        now -= 1
        return row(run)

    await runs_in(tmp_path / "r.sqlite", do, jobs=3)
    assert most == 3
    with trio.fail_after(20):  # not a task for each that could be
        await runs_in(tmp_path / "all.sqlite", do, jobs=10**11)
    assert 3 < most <= 6


async def test_a_signal_that_is_ignored_ends_nothing(tmp_path: Path) -> None:
    """Of nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)

    async def do(run: Run) -> StoredRun:
        os.kill(os.getpid(), signal.SIGHUP)
        await trio.lowlevel.checkpoint()
        return row(run)

    try:
        assert await runs_in(tmp_path / "r.sqlite", do) == [6, 0]
    finally:
        signal.signal(signal.SIGHUP, before)


async def test_a_signal_ends_it_and_what_has_ended_is_saved(tmp_path: Path) -> None:
    cancelled = 0

    async def do(run: Run) -> StoredRun:
        nonlocal cancelled
        if run.point == 2:
            os.kill(os.getpid(), signal.SIGINT)
            try:
                await trio.sleep_forever()
            finally:
                cancelled += 1
        return row(run)

    with Store(tmp_path / "r.sqlite", write=True) as store:
        outcome = await conduct(prepare(study(), store, PRINT), store, do, 1, quiet())
        assert outcome.signal == signal.SIGINT
        assert cancelled == 1
        assert store.done() == {(0, 0, 0), (1, 0, 0)}


async def test_different_digests_are_told(tmp_path: Path) -> None:
    async def do(run: Run) -> StoredRun:
        await trio.lowlevel.checkpoint()
        return row(run, digest=str(run.point + run.repeat * (run.point == 1)))

    with Store(tmp_path / "r.sqlite", write=True) as store:
        outcome = await conduct(prepare(study(), store, PRINT), store, do, 1, quiet())
    (found,) = outcome.disagreements
    assert found.points == ("x 1",)


def test_results_of_something_else_are_refused(tmp_path: Path) -> None:
    with Store(tmp_path / "r.sqlite", write=True) as store:
        assert len(prepare(study(), store, PRINT)) == 6
        with pytest.raises(StoreError, match=r"a change of the machine file m\.yaml"):
            prepare(study(), store, {"the machine file m.yaml": "2"})
        store.clear()
        assert len(prepare(study(), store, {"the machine file m.yaml": "2"})) == 6


def test_changes_name_what_came_what_went_and_what_differs() -> None:
    assert changes({"a": "1", "b": "1", "c": "1"}, {"a": "1", "b": "2", "d": "1"}) == ["b", "c", "d"]


def test_progress_on_a_terminal_is_one_line() -> None:
    now = 0.0
    out = io.StringIO()
    progress = ProgressLine(out, 10, 4, lambda: now, live=True)
    progress.started()
    now = 30.0
    progress.ended(failed=False)
    assert progress.line() == "[##########          ] 5/10 runs, about 2 min left"
    progress.say("point 3: failed")
    progress.started()
    progress.ended(failed=True)
    progress.close()
    lines = out.getvalue().split("\n")
    assert lines[0].endswith("\rpoint 3: failed")
    assert lines[1].rstrip().endswith("6/10 runs, 1 failed, about 60 s left")
    assert lines[2] == ""


def test_progress_in_a_log_is_a_line_now_and_then() -> None:
    now = 0.0
    out = io.StringIO()
    progress = ProgressLine(out, 2, 0, lambda: now)
    for now in (0.0, 5.0, 11.0, 12.0, 22.0):  # noqa: B007 - the clock reads it
        progress.tick()
    assert out.getvalue().count("\n") == 2
    assert "\r" not in out.getvalue()


def test_a_log_without_room_does_not_end_the_study() -> None:
    full = Path("/dev/full").open("w")  # noqa: SIM115 - closing it tries once more
    progress = ProgressLine(full, 2, 0, lambda: 0.0)
    progress.say("point 0: failed")
    progress.ended(failed=False)
    progress.close()
    with suppress(OSError):
        full.close()
    assert progress.done == 1


@pytest.mark.parametrize(("seconds", "text"), [(3, "3 s"), (99, "99 s"), (300, "5 min"), (7800, "2 h 10 min")])
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text
