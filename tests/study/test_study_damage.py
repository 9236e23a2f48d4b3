"""A results file that something has damaged: one error, or a page, whatever is in it."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from baonet.cli.main import main
from baonet.study.conduct import describe, prepare, stored
from baonet.study.metrics.base import Measured
from baonet.study.report import page, undrawn
from baonet.study.results import results
from baonet.study.store import Store, StoredRun, StoreError
from tests.examples import examples
from tests.study.test_report import LATENCY, METRICS, VIRTUAL, parsed, study

FUZZ = settings(
    max_examples=examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
TABLES = ("meta", "points", "runs", "numbers", "samples", "notes")
texts = st.sampled_from(
    ["", "{}", "[]", "null", "1", "-1", "[[]]", '["a"]', '[["one way", "ipc-latency", "ns", {}]]', "nan", "1e999",
     '{"mode": "virtual", "window": "x"}', '{"deliveries": {"exact": []}}', '{"x": [1, 2]}', "[" * 5000, '"\\ud800"',
     "done", "failed", "one way", "exits", "999999999999", "[{}, {}]", '{"a": 1}', "\0", "\ud7ff"],
)  # fmt: skip
values = (
    texts
    | st.text(max_size=8)
    | st.none()
    | st.integers(-(1 << 63), (1 << 63) - 1)
    | st.floats()
    | st.binary(max_size=12)
)


def little() -> dict[str, Measured]:
    """One of everything: the bootstrap of many samples takes long."""
    found = {spec.name: Measured("ns") for spec in METRICS}
    found["one way"].add(("ping", "pong"), 1.5)
    found["stages"].add(("ping", "84", "IPC", "raised to pending"), 2)
    found["speed"].add(("ping", "64"), 3)
    found["share"].values["ping", "0", "guest"] = 0.5
    found["matrix"].values["ping", "pong", "IpcNotify"] = 7
    found["boot"].values["ping",] = 8
    found["one way"].note("lost", 3)
    return found


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results whose columns hold anything, not only what their types allow."""
    path = tmp_path_factory.mktemp("whole") / "r.sqlite"
    plan = study((LATENCY,), repeats=1)
    with Store(path, write=True) as store:
        store.describe(describe(plan) | {"fingerprint": "{}"}, [stored(point) for point in plan.points()])
        for run in plan.runs():
            store.save(StoredRun(run.point, 0, 0, True, "", f"{run.point:064x}", VIRTUAL, little()))
    db = sqlite3.connect(path)
    db.execute("PRAGMA writable_schema = ON")
    db.execute("UPDATE sqlite_schema SET sql = replace(replace(sql, ') STRICT', ')'), ' NOT NULL', '')")
    db.commit()
    db.close()
    return path


def outcome(path: Path) -> str:
    """What is shown of a file, or why nothing is."""
    try:
        with Store(path, write=False) as store:
            found = results(store)
    except StoreError as error:
        return str(error)
    parsed(page(found, undrawn(found)))
    return ""


def test_an_undamaged_file_is_shown(whole: Path) -> None:
    assert outcome(whole) == ""


@FUZZ
@given(data=st.data(), table=st.sampled_from(TABLES), value=values)
def test_any_value_in_any_cell(whole: Path, tmp_path: Path, data: st.DataObject, table: str, value: object) -> None:
    path = tmp_path / "r.sqlite"
    path.write_bytes(whole.read_bytes())
    db = sqlite3.connect(path)
    db.execute("PRAGMA ignore_check_constraints = ON")
    columns = [name for _, name, *_ in db.execute(f"PRAGMA table_info({table})")]
    rows = [row for (row,) in db.execute(f"SELECT rowid FROM {table}")]
    column, row = data.draw(st.sampled_from(columns)), data.draw(st.sampled_from(rows))
    try:
        db.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (value, row))
    except (sqlite3.Error, UnicodeEncodeError):
        return  # SQLite does not let it in
    finally:
        db.commit()
        db.close()
    outcome(path)
    plan = study((LATENCY,), repeats=1)
    try:
        with Store(path, write=True) as store:
            prepare(plan, store, {})
    except StoreError:
        return


@FUZZ
@given(changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=8))
def test_any_bytes_anywhere(whole: Path, tmp_path: Path, changes: list[tuple[float, int]]) -> None:
    path = tmp_path / "r.sqlite"
    content = bytearray(whole.read_bytes())
    for place, byte in changes:
        content[int(place * len(content))] = byte
    path.write_bytes(content)
    outcome(path)


@FUZZ
@given(length=st.floats(0, 1))
def test_a_file_that_is_cut_short(whole: Path, tmp_path: Path, length: float) -> None:
    path = tmp_path / "r.sqlite"
    content = whole.read_bytes()
    path.write_bytes(content[: int(length * len(content))])
    if length < 1:
        assert outcome(path) or length > 0.9


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("UPDATE meta SET value = '{' WHERE key = 'metrics'", "the file is damaged: "),
        ("UPDATE meta SET value = '[[1]]' WHERE key = 'plots'", "plots [1]"),
        ("UPDATE points SET place = '[]'", "'[]' is no object"),
        ("UPDATE runs SET facts = '{\"nanoseconds\": NaN}'", "NaN is no number"),
        ("UPDATE runs SET facts = '{\"host_seconds\": -Infinity}'", "-Infinity is no number"),
        ("UPDATE runs SET point = 7 WHERE id = 1", "not as it was written"),
        ("UPDATE samples SET kept = x'00'", "not packed samples"),
        ("UPDATE numbers SET value = 'x'", "numbers has a row"),
        ("DROP TABLE notes", "no such table: notes"),
    ],
)
def test_the_command_says_it_in_one_line(
    whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], statement: str, why: str
) -> None:
    path = tmp_path / "r.sqlite"
    path.write_bytes(whole.read_bytes())
    db = sqlite3.connect(path)
    db.execute(statement)
    db.commit()
    db.close()
    assert main(["report", str(path), "-o", str(tmp_path / "r.html")]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"baonet report: {path}: the file is damaged: ")
    assert why in error
    assert error.count("\n") == 1
    assert not (tmp_path / "r.html").exists()


def test_results_of_a_study_that_has_not_begun_are_not_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a disk leaves them that was full at once."""
    path = tmp_path / "r.sqlite"
    Store(path, write=True).close()
    assert main(["report", str(path), "-o", str(tmp_path / "r.html")]) == 2
    assert capsys.readouterr().err == (
        f"baonet report: {path}: there is nothing in it yet: 'baonet study' has not begun\n"
    )
    assert not (tmp_path / "r.html").exists()


@pytest.mark.parametrize("options", [["-o", "{no}/r.html"], ["-o", "{full}"], ["--svg", "/dev/null", "-o", "{page}"]])
def test_a_page_that_cannot_be_written_is_no_page_with_failures(
    whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str]
) -> None:
    """Status 1 is for a page that says what is missing."""
    places = {"no": str(tmp_path / "no"), "full": "/dev/full", "page": str(tmp_path / "r.html")}
    assert main(["report", str(whole), *(each.format(**places) for each in options)]) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert re.fullmatch(r"baonet report: \S+: (No such file or directory|No space left on device|File exists)", last)
