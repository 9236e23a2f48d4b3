"""The results file: whole runs or none, and nobody else's results."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from baonet.study import measure
from baonet.study.determinism import compare
from baonet.study.metrics.base import Measured
from baonet.study.store import Store, StoredPoint, StoredRun, StoreError


def point(number: int, **settings_: object) -> StoredPoint:
    return StoredPoint(number, f"point {number}", {"x": (str(number), float(number), "ns")}, settings_)


def measured() -> dict[str, Measured]:
    found = Measured("ns")
    for sample in (3.0, 1.0, 2.0):
        found.add(("ping", "pong"), sample)
    found.values["ping", "0"] = 0.5
    found.note("lost", 2)
    return {"latency": found}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "results.sqlite"
    with Store(file, write=True) as store:
        store.describe({"title": "t"}, [point(0, a=1), point(1, a=2)])
    return file


def test_a_run_comes_back_as_it_was(path: Path) -> None:
    row = StoredRun(1, 0, 2, done=True, digest="ab", facts={"mode": "virtual"}, measured=measured())
    with Store(path, write=True) as store:
        store.save(row)
    with Store(path, write=False) as store:
        assert store.points() == [point(0, a=1), point(1, a=2)]
        assert store.meta() == {"title": "t"}
        assert store.done() == {(1, 0, 2)}
        ((number, found),) = store.runs()
        assert (found.point, found.seed, found.repeat, found.done, found.digest) == (1, 0, 2, True, "ab")
        back = store.measured(number)["latency"]
    assert list(back.samples["ping", "pong"].kept) == [3, 1, 2]
    assert back.samples["ping", "pong"].total == 6
    assert back.values == {("ping", "0"): 0.5}
    assert back.notes == {"lost": 2}


def test_a_failure_is_kept_and_then_replaced(path: Path) -> None:
    with Store(path, write=True) as store:
        store.save(StoredRun(0, 0, 0, done=False, error="status 4"))
        assert store.done() == set()
        store.save(StoredRun(0, 0, 0, done=True))
        assert store.done() == {(0, 0, 0)}
        assert len(list(store.runs())) == 1


def test_a_run_that_cannot_be_saved_leaves_nothing(path: Path) -> None:
    broken = measured()
    broken["latency"].values["ping", "0"] = None  # type: ignore[assignment]
    with Store(path, write=True) as store:
        store.save(StoredRun(0, 0, 0, done=False, error="before"))
        with pytest.raises(StoreError, match="could not be saved"):
            store.save(StoredRun(0, 0, 0, done=True, measured=broken))
        assert [row.error for _, row in store.runs()] == ["before"]


def test_points_that_are_gone_take_their_runs_along(path: Path) -> None:
    with Store(path, write=True) as store:
        store.save(StoredRun(0, 0, 0, done=True, measured=measured()))
        store.save(StoredRun(1, 0, 0, done=True, measured=measured()))
        store.describe({}, [point(1, a=3)])
        assert store.done() == {(1, 0, 0)}
        store.clear()
        assert not store.done()
        assert not store.points()
        assert not store.meta()


def test_one_writer_at_a_time_and_any_reader(path: Path) -> None:
    with Store(path, write=True) as store:
        with pytest.raises(StoreError, match="another 'baonet study' is writing"):
            Store(path, write=True)
        with Store(path, write=False) as reader:
            assert reader.meta() == {"title": "t"}
        store.save(StoredRun(0, 0, 0, done=True))
    with Store(path, write=True) as store:
        assert store.done() == {(0, 0, 0)}


def test_what_is_no_results_file_is_left_alone(tmp_path: Path) -> None:
    other = tmp_path / "other.sqlite"
    db = sqlite3.connect(other)
    db.execute("CREATE TABLE mine (x)")
    db.commit()
    db.close()
    text = tmp_path / "notes.txt"
    text.write_text("not a database, and long enough to see it" * 100)
    for file, why in ((other, "not the results of a study"), (text, "not a database")):
        before = file.read_bytes()
        with pytest.raises(StoreError, match=why):
            Store(file, write=True)
        assert file.read_bytes() == before
    with pytest.raises(StoreError, match="No such file"):
        Store(tmp_path / "absent.sqlite", write=False)
    assert not (tmp_path / "absent.sqlite").exists()


def test_a_newer_format_is_refused(path: Path) -> None:
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(StoreError, match="version 99"):
        Store(path, write=False)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 2), st.integers(0, 2), st.booleans()), min_size=1, max_size=12)
)
def test_the_last_that_was_saved_of_each_run_counts(path: Path, steps: list[tuple[int, int, int, bool]]) -> None:
    with Store(path, write=True) as store:
        store.clear()
        store.describe({}, [point(0), point(1)])
        for number, seed, repeat, done in steps:
            store.save(StoredRun(number, seed, repeat, done, measured=measured() if done else {}))
    last = {(number, seed, repeat): done for number, seed, repeat, done in steps}
    with Store(path, write=False) as store:
        assert store.done() == {run for run, done in last.items() if done}
        for number, row in store.runs():
            assert bool(store.measured(number)) == row.done


def test_a_result_passes_between_processes() -> None:
    result = measure.Result("digest", {"mode": "virtual", "nanoseconds": 5.0}, measured())
    back = measure.load(measure.dump(result))
    assert (back.digest, back.facts) == (result.digest, result.facts)
    assert measure.dump(back) == measure.dump(result)


def virtual(number: int, seed: int, digest: str, mode: str = "virtual") -> StoredRun:
    return StoredRun(number, seed, 0, done=True, digest=digest, facts={"mode": mode})


def test_runs_of_one_configuration_must_agree() -> None:
    points = {0: point(0, a=1), 1: point(1, a=1, **{"run.placement": "one-process"}), 2: point(2, a=2)}
    agreed = [virtual(0, 0, "x"), virtual(1, 0, "x"), virtual(0, 1, "y"), virtual(2, 0, "z"), virtual(2, 0, "z")]
    assert not compare(points, agreed)
    (found,) = compare(points, [*agreed, virtual(1, 1, "other")])
    assert (found.points, found.seed, found.digests) == (("point 0", "point 1"), 1, ("y", "other"))
    assert "runs of one configuration differ" in str(found)
    assert not compare(points, [virtual(0, 0, "x", "host"), virtual(0, 0, "y", "host")])
    failed = StoredRun(0, 0, 1, done=False, digest="other", facts={"mode": "virtual"})
    assert not compare(points, [*agreed, failed])
