"""The results of a study: one SQLite file, written by one process at a time, a transaction a run.

A run is there completely or not at all, so a study can be killed at any moment and go on later. The file tells what it
was made from (``fingerprint``); results of anything else are refused rather than mixed with it.

| table | what a row is |
|---|---|
| meta | a fact about the study: key, value |
| points | a configuration: number, label, JSON of its place on the axes, of its settings |
| runs | a run that has ended: which point, seed and repeat; status; the trace's digest and facts; why it failed |
| numbers | a number that a metric found in a run |
| samples | a distribution that a metric found in a run: count, extremes, sum, and the samples (doubles, zlib) |
| notes | what a reader must know about a metric of a run |
"""

from __future__ import annotations

import errno
import fcntl
import json
import math
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, final

from baonet.actors.refusals import reason
from baonet.machine.dataclass import dataclass, field
from baonet.study.metrics.base import Key, Measured
from baonet.study.reservoir import Reservoir, pack, unpack

_APPLICATION = 0x62616F53  # "baoS"
_VERSION = 1
_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE points (
    number INTEGER PRIMARY KEY, label TEXT NOT NULL, place TEXT NOT NULL, settings TEXT NOT NULL
) STRICT;
CREATE TABLE runs (
    id INTEGER PRIMARY KEY, point INTEGER NOT NULL REFERENCES points, seed INTEGER NOT NULL, repeat INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('done', 'failed')), error TEXT NOT NULL, digest TEXT NOT NULL,
    facts TEXT NOT NULL, UNIQUE (point, seed, repeat)
) STRICT;
CREATE TABLE numbers (
    run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, metric TEXT NOT NULL, key TEXT NOT NULL,
    unit TEXT NOT NULL, value REAL NOT NULL
) STRICT;
CREATE TABLE samples (
    run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, metric TEXT NOT NULL, key TEXT NOT NULL,
    unit TEXT NOT NULL, count INTEGER NOT NULL, least REAL NOT NULL, greatest REAL NOT NULL, sum REAL NOT NULL,
    kept BLOB NOT NULL
) STRICT;
CREATE TABLE notes (
    run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, metric TEXT NOT NULL, text TEXT NOT NULL,
    count INTEGER NOT NULL
) STRICT;
CREATE INDEX numbers_run ON numbers (run);
CREATE INDEX samples_run ON samples (run);
CREATE INDEX notes_run ON notes (run);
"""


class StoreError(Exception):
    """The results file cannot be used, and why, for the user."""


@final
@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run that has ended. ``facts`` are those of its trace, and the host's seconds it took."""

    point: int
    seed: int
    repeat: int
    done: bool
    error: str = ""
    digest: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)
    measured: Mapping[str, Measured] = field(default_factory=dict)


@final
@dataclass(frozen=True, slots=True)
class StoredPoint:
    """``place``: by axis, the alternative's label, and its amount and unit if it has one."""

    number: int
    label: str
    place: Mapping[str, tuple[str, float | None, str]]
    settings: Mapping[str, object]


@final
class Store:
    """An open results file. ``write`` takes the file for this process until it is closed."""

    def __init__(self, path: Path, write: bool) -> None:
        """Raises StoreError when the file is none of ours, or another process writes it."""
        self._lock = -1
        self.path = path
        self.new = write and (not path.exists() or path.stat().st_size == 0)
        try:
            if write:
                self._take(path)
            # The URI keeps a reader from making a file where there is none.
            mode = "rwc" if write else "ro"
            self._db = sqlite3.connect(f"{path.resolve().as_uri()}?mode={mode}", uri=True, isolation_level=None)
            self._db.execute("PRAGMA foreign_keys = ON")
            self._check(path)
        except sqlite3.Error as error:
            self._release()
            raise StoreError(f"{path}: {_unreadable(path) or error}") from None
        except (OSError, StoreError):
            self._release()
            raise

    def _take(self, path: Path) -> None:
        self._lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreError(f"{path}: another 'baonet study' is writing to it") from None

    def _check(self, path: Path) -> None:
        if self.new:
            with self._transaction():
                for statement in _SCHEMA.split(";\n"):
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA application_id = {_APPLICATION}")
                self._db.execute(f"PRAGMA user_version = {_VERSION}")
            return
        (application,) = self._db.execute("PRAGMA application_id").fetchone()
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if application != _APPLICATION:
            raise StoreError(f"{path}: these are not the results of a study")
        if version != _VERSION:
            raise StoreError(f"{path}: its format has version {version}; this baonet reads {_VERSION}")

    def _transaction(self) -> _Transaction:
        return _Transaction(self._db, self.path)

    def damaged(self, why: object) -> StoreError:
        """What the file says cannot be: it was not written so."""
        return StoreError(f"{self.path}: the file is damaged: {why}")

    def _rows(self, query: str, types: tuple[type, ...], *arguments: object) -> Iterator[tuple[Any, ...]]:
        """Rows whose columns have these types, whatever the file holds. Raises StoreError."""
        try:
            for row in self._db.execute(query, arguments):
                if tuple(map(type, row)) != types:
                    raise self.damaged(f"{query.partition('FROM ')[2].split()[0]} has a row {row!r:.100}")
                yield row
        except sqlite3.Error as error:
            raise self.damaged(error) from None

    def _object(self, text: str) -> dict[str, Any]:
        """A JSON object. Raises StoreError."""
        found = self.json(text)
        if not isinstance(found, dict):
            raise self.damaged(f"{text!r:.100} is no object")
        return found

    def json(self, text: str) -> Any:
        """What a text of the file says. Raises StoreError."""
        try:
            return json.loads(text, parse_constant=_no_number)
        except (ValueError, RecursionError) as error:
            raise self.damaged(f"{text!r:.100}: {error}") from None

    def close(self) -> None:
        self._db.close()
        self._release()

    def _release(self) -> None:
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # What the study is

    def meta(self) -> dict[str, str]:
        return dict(self._rows("SELECT key, value FROM meta", (str, str)))

    def describe(self, meta: Mapping[str, str], points: list[StoredPoint]) -> None:
        """Tell what the study is; what is not given any more is forgotten, with the runs of points that are gone."""
        with self._transaction():
            self._db.execute("DELETE FROM meta")
            self._db.executemany("INSERT INTO meta VALUES (?, ?)", [(key, _utf8(value)) for key, value in meta.items()])
            numbers = [point.number for point in points]
            kept = f"({', '.join(map(str, numbers))})"
            self._db.execute(f"DELETE FROM runs WHERE point NOT IN {kept}")
            self._db.execute(f"DELETE FROM points WHERE number NOT IN {kept}")
            self._db.executemany(
                "INSERT INTO points VALUES (?, ?, ?, ?) ON CONFLICT (number) DO UPDATE SET label = excluded.label, "
                "place = excluded.place, settings = excluded.settings",
                [
                    (each.number, _utf8(each.label), json.dumps(each.place), json.dumps(each.settings))
                    for each in points
                ],
            )

    def clear(self) -> None:
        """Forget everything."""
        with self._transaction():
            for table in ("runs", "points", "meta"):
                self._db.execute(f"DELETE FROM {table}")
        with _told(self.path):
            self._db.execute("VACUUM")

    def points(self) -> list[StoredPoint]:
        query = "SELECT number, label, place, settings FROM points ORDER BY number"
        return [
            StoredPoint(number, label, self._place(place), self._object(rest))
            for number, label, place, rest in self._rows(query, (int, str, str, str))
        ]

    def _place(self, text: str) -> dict[str, tuple[str, float | None, str]]:
        places = {}
        for axis, at in self._object(text).items():
            match at:
                case [str(label), int() | float() | None as amount, str(unit)] if not isinstance(amount, bool):
                    places[axis] = (label, amount, unit)
                case _:
                    raise self.damaged(f"{text!r:.100} is no place of a point")
        return places

    # Runs

    def done(self) -> set[tuple[int, int, int]]:
        """(point, seed, repeat) of every run that has succeeded."""
        return set(self._rows("SELECT point, seed, repeat FROM runs WHERE status = 'done'", (int, int, int)))

    def save(self, row: StoredRun) -> None:
        """Add a run, in place of an earlier one that failed. Raises StoreError when it cannot, as on a full disk."""
        try:
            self._save(row)
        except StoreError as error:
            raise StoreError(f"a run could not be saved: {error}") from None

    def _save(self, row: StoredRun) -> None:
        with self._transaction():
            self._db.execute(
                "DELETE FROM runs WHERE point = ? AND seed = ? AND repeat = ?", (row.point, row.seed, row.repeat)
            )
            status = "done" if row.done else "failed"
            run = self._db.execute(
                "INSERT INTO runs VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)",
                (row.point, row.seed, row.repeat, status, _utf8(row.error), row.digest, json.dumps(dict(row.facts))),
            ).lastrowid
            for metric, measured in row.measured.items():
                self._db.executemany(
                    "INSERT INTO numbers VALUES (?, ?, ?, ?, ?)",
                    [(run, metric, json.dumps(k), measured.unit, value) for k, value in measured.values.items()],
                )
                self._db.executemany(
                    "INSERT INTO samples VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    [
                        (run, metric, json.dumps(k), measured.unit, r.count, r.least, r.greatest, r.total, pack(r.kept))
                        for k, r in measured.samples.items()
                    ],
                )
                self._db.executemany(
                    "INSERT INTO notes VALUES (?, ?, ?, ?)",
                    [(run, metric, text, count) for text, count in measured.notes.items()],
                )

    def runs(self) -> Iterator[tuple[int, StoredRun]]:
        """Every run with its id, without what was measured."""
        order = "SELECT id, point, seed, repeat, status, error, digest, facts FROM runs ORDER BY point, seed, repeat"
        types = (int, int, int, int, str, str, str, str)
        for number, point, seed, repeat, status, error, digest, facts in self._rows(order, types):
            yield number, StoredRun(point, seed, repeat, status == "done", error, digest, self._object(facts))

    def measured(self, run: int) -> dict[str, Measured]:
        """What the metrics found in a run. Raises StoreError when the samples are damaged."""
        found: dict[str, Measured] = {}

        def of(metric: str, unit: str) -> Measured:
            return found.setdefault(metric, Measured(unit))

        numbers = "SELECT metric, key, unit, value FROM numbers WHERE run = ?"
        for metric, key, unit, value in self._rows(numbers, (str, str, str, float), run):
            if not math.isfinite(value):
                raise self.damaged(f"run {run}, {metric}: {value}")
            of(metric, unit).values[self._key(key)] = value
        samples = "SELECT metric, key, unit, count, least, greatest, sum, kept FROM samples WHERE run = ?"
        types = (str, str, str, int, float, float, float, bytes)
        for metric, key, unit, count, least, greatest, total, kept in self._rows(samples, types, run):
            reservoir = Reservoir()
            reservoir.count, reservoir.least, reservoir.greatest, reservoir.total = count, least, greatest, total
            try:
                reservoir.kept = unpack(kept)
                reservoir.check()
            except ValueError as error:
                raise self.damaged(f"run {run}, {metric}: {error}") from None
            of(metric, unit).samples[self._key(key)] = reservoir
        notes = "SELECT metric, text, count FROM notes WHERE run = ?"
        for metric, text, count in self._rows(notes, (str, str, int), run):
            of(metric, "").notes[text] = count
        return found

    def _key(self, text: str) -> Key:
        found = self.json(text)
        if not isinstance(found, list) or not all(isinstance(word, str) for word in found):
            raise self.damaged(f"{text!r:.100} is no key")
        return tuple(found)


def _unreadable(path: Path) -> str:
    """Why the host does not let us read it, which SQLite does not tell; nothing if it does."""
    try:
        with path.open("rb"):
            return ""
    except OSError as error:
        return error.strerror or ""


def _utf8(text: str) -> str:
    """As SQLite has it: names of files may be any bytes."""
    return text.encode("utf-8", "backslashreplace").decode()


def _no_number(text: str) -> float:
    """For NaN and the infinities, which JSON does not have and nothing here is."""
    raise ValueError(f"{text} is no number")


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """What SQLite raises, as a StoreError."""
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(f"{path}: {_why(error)}") from None


def _why(error: sqlite3.Error) -> str:
    """SQLite keeps the number of the host's error to itself."""
    failed = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_IOERR  # the rest says in what
    return reason(OSError(errno.EFBIG, str(error))) if failed else str(error)


@final
class _Transaction:
    """All or nothing, whatever happens inside."""

    def __init__(self, db: sqlite3.Connection, path: Path) -> None:
        self._db = db
        self._path = path

    def __enter__(self) -> None:
        with _told(self._path):
            self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        try:
            with _told(self._path):
                self._db.execute("COMMIT" if kind is None else "ROLLBACK")
        except StoreError:
            if kind is None:
                raise  # else what happened inside is what is to be told
        if isinstance(error, sqlite3.Error):
            raise StoreError(f"{self._path}: {_why(error)}") from None
