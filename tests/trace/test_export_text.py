"""CSV and JSON, read back."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given

from baonet.hyp.armv8.cpu import Exit
from baonet.trace import export_csv, export_json
from baonet.trace.head import header
from baonet.trace.names import Names, kind
from baonet.trace.order import Row
from baonet.trace.reader import TraceReader
from baonet.trace.records import InterruptSource, Kind
from tests.trace.test_trace_reader import CACHE
from tests.trace.traces import HEADER, any_rows, footer, in_order, write

VMS = {0: "ping", 1: "pong, the other", 2: "pong, the other"}


def ignore(done: int, total: int) -> None:
    assert 0 < done <= total


def exported(path: Path, module: Any) -> str:
    out = io.BytesIO()
    with TraceReader(path) as trace:
        module.export(trace, out, ignore)
    return out.getvalue().decode()


@given(made=any_rows())
def test_csv_has_every_record(made: list[Row]) -> None:
    names = Names(header(HEADER))
    with TemporaryDirectory() as folder:
        text = exported(write(Path(folder) / "t.bnt", made), export_csv)
    head, *lines = csv.reader(io.StringIO(text))
    assert head == ["time", "pcpu", "vm", "kind", "a", "b", "c", "what"]
    packed = {"misses", "stalls"}
    assert [[*line[:7], "" if line[3] in packed else line[7]] for line in lines] == [
        [
            *(str(time), str(pcpu), VMS.get(pcpu, ""), kind(number), str(a), str(b), str(c)),
            "" if kind(number) in packed else names.of(row),
        ]
        for row in in_order(made)
        for time, number, pcpu, a, b, c in [row]
    ]


def test_csv_has_each_number_of_misses_and_stalls_by_its_name(tmp_path: Path) -> None:
    made = [
        (1, int(Kind.MISSES), 0, 2, 3 | 4 << 32, 5 | 6 << 32),
        (2, int(Kind.STALLS), 0, 20, 7 | 8 << 32, 9 | 1 << 32),
    ]
    _, *lines = exported(write(tmp_path / "t.bnt", made), export_csv).splitlines()
    assert [line.rpartition(",")[2] for line in lines] == [
        "L1I 2 L1D 3 L2 4 walks 5 others 6",
        "20 cycles: cache 7 memory 8 contention 9 translation 1",
    ]


def back(record: dict[str, Any]) -> Row:
    """The record that a line of JSON tells of; where hz is a billion."""
    number = {each.name.lower(): int(each) for each in Kind}.get(record["kind"]) or int(record["kind"])
    names = {each.name.lower(): int(each) for each in Exit}
    sources = {each.name.lower(): int(each) for each in InterruptSource} | {"sgi": InterruptSource.CPU}
    get = record.get

    def bits(name: str) -> int:
        return int(record[name], 16)

    a = b = c = 0
    match number:
        case Kind.EXIT:
            a, b = names.get(record["reason"], record["reason"]), bits("pc")
            details = [name for name in ("x0", "ipa", "register", "esr") if name in record]
            c = bits(details[0]) if details else record["intid"]
        case Kind.ACCESS:
            a, b, c = record["size"] | 0x100 * record["write"], bits("ipa"), bits("value")
        case Kind.WAIT:
            b = bits("pc")
        case Kind.RAISED:
            a, b, c = record["intid"], sources.get(record["source"], record["source"]), get("due", 0)
        case Kind.PENDING | Kind.DELIVERED | Kind.ACKNOWLEDGED | Kind.ENDED:
            a = record["intid"] | get("source", 0) << 10
        case Kind.SENT | Kind.ARRIVED:
            a = {"IpcNotify": 37, "VgicInject": 49}.get(record["message"]) or int(record["message"].split()[1])
            b, c = record["sequence"] << 16 | record["to" if number == Kind.SENT else "from"], get("due", 0)
            assert get("late", 0) == (record["time"] - c if number == Kind.ARRIVED and c else 0)
        case Kind.CONSOLE:
            a, b, c = record["uart"], record["position"], record["byte"]
        case Kind.MARK:
            b = bits("value")
        case Kind.MISSES:
            a, b, c = record["l1i"], record["l1d"] | record["l2"] << 32, record["walks"] | record["others"] << 32
        case Kind.STALLS:
            a, b = record["cycles"], record["cache"] | record["memory"] << 32
            c = record["contention"] | record["translation"] << 32
        case Kind.WAKE | Kind.ENTRY | Kind.STATE | Kind.FAULT | Kind.INPUT:
            pass
        case _:
            a, b, c = record["a"], bits("b"), bits("c")
    return record["time"], number, record["pcpu"], a, b, c


def told(row: Row) -> Row:
    """What of a record JSON tells."""
    time, number, pcpu, a, b, c = row
    match number:
        case Kind.WAKE | Kind.ENTRY | Kind.STATE | Kind.FAULT | Kind.INPUT:
            a = b = c = 0
        case Kind.WAIT | Kind.MARK:
            a = c = 0
        case Kind.RAISED:
            c = c if b == InterruptSource.TIMER else 0
    return time, number, pcpu, a, b, c


@given(made=any_rows())
def test_json_has_every_record(made: list[Row]) -> None:
    with TemporaryDirectory() as folder:
        document = json.loads(exported(write(Path(folder) / "t.bnt", made), export_json))
    assert document["header"]["vms"] == HEADER["vms"]
    assert document["footer"]["ending"] == "done"
    assert [back(record) for record in document["records"]] == [told(row) for row in in_order(made)]
    assert [record.get("vm") for record in document["records"]] == [VMS.get(row[2]) for row in in_order(made)]


def test_json_has_the_memory_system_and_its_caches(tmp_path: Path) -> None:
    system = {"preset": "cortex-a53", "changes": {"l2.size": "2MiB"}}
    end = {**footer([]), "caches": {0: {**CACHE, "pages": [[0x4000_0000, 3]]}}}
    document = json.loads(
        exported(write(tmp_path / "t.bnt", [], end=end, header={**HEADER, "memory_system": system}), export_json)
    )
    assert document["header"]["memory_system"] == system
    assert document["footer"]["caches"] == {"0": {**CACHE, "pages": [["0x40000000", 3]]}}


def test_json_of_a_killed_run_has_no_footer(tmp_path: Path) -> None:
    document = json.loads(exported(write(tmp_path / "t.bnt", [(1, Kind.WAKE, 0, 0, 0, 0)], end=None), export_json))
    assert document["footer"] is None
    assert document["records"] == [{"time": 1, "pcpu": 0, "vm": "ping", "kind": "wake", "what": "wake"}]


def test_times_are_nanoseconds(tmp_path: Path) -> None:
    faster = {**HEADER, "hz": 1_500_000_000, "mhz": 1500}
    rows = [(3, Kind.RAISED, 0, 27, InterruptSource.TIMER, 3), (3001, Kind.ARRIVED, 0, 37, 1 << 16 | 1, 1501)]
    path = write(tmp_path / "t.bnt", rows, header=faster)
    records = json.loads(exported(path, export_json))["records"]
    assert records[0]["time"] == records[0]["due"] == 2
    assert (records[1]["time"], records[1]["due"], records[1]["late"]) == (2000, 1000, 1000)
    assert [line.partition(",")[0] for line in exported(path, export_csv).splitlines()[1:]] == ["2", "2000"]


@pytest.mark.parametrize("module", [export_csv, export_json])
def test_an_export_needs_as_much_memory_for_many_records_as_for_some(tmp_path: Path, module: Any) -> None:
    def peak(count: int) -> int:
        path = write(tmp_path / "t.bnt", [(n, Kind.EXIT, n % 2, Exit.HVC, 0, n % 7) for n in range(count)])
        with TraceReader(path) as trace, (tmp_path / "out").open("wb") as out:
            tracemalloc.start()
            try:
                module.export(trace, out, ignore)
                return tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()

    assert peak(40_000) < 1.5 * peak(10_000)
