"""A trace says of which architecture its machine is, and that one's words are read from it."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from baonet.hyp import wings
from baonet.machine import Rate
from baonet.study.metrics.base import TracedRun
from baonet.study.metrics.counts import Exits
from baonet.trace import export_json
from baonet.trace.head import TraceError, header
from baonet.trace.names import Names
from baonet.trace.reader import TraceReader
from baonet.trace.records import InterruptSource, Kind
from baonet.trace.text import describe
from tests.hyp.test_architecture import Exit, Toy
from tests.trace.traces import HEADER, UART, write

TOY = {
    **HEADER,
    "architecture": "toy",
    "vms": [{"name": "ping", "pcpus": [0], "toyic": {"at": 0x2000}, "regions": [UART]}],
}


@pytest.fixture
def _toy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wings, "ARCHITECTURES", {**wings.ARCHITECTURES, "toy": Toy()})


def test_a_trace_without_the_name_is_of_the_first() -> None:
    assert header(HEADER) == header({**HEADER, "architecture": "armv8"})
    assert header(HEADER).architecture is wings.ARCHITECTURES["armv8"]


def test_an_architecture_that_is_not_known_is_told() -> None:
    with pytest.raises(TraceError, match="of a machine of toy, and this baonet knows armv8, riscv: read it with"):
        header(TOY)


@pytest.mark.usefixtures("_toy")
@pytest.mark.parametrize(
    ("kind", "a", "b", "c", "name"),
    [
        (Kind.EXIT, Exit.TRAP, 0, 0x2000, "trap TOY_ENABLE"),
        (Kind.EXIT, Exit.TRAP, 0, 0x0900_0018, "trap uart0+0x18"),
        (Kind.EXIT, Exit.CALL, 0, 0, "call"),
        (Kind.EXIT, 99, 0, 0, "exit 99"),
        (Kind.ACCESS, 0x104, 0x2000, 1, "store TOY_ENABLE"),
        (Kind.RAISED, 3, InterruptSource.LINE, 0, "toy 3 raised by line"),
        (Kind.RAISED, 3, InterruptSource.CPU, 0, "toy 3 raised by poke"),
        (Kind.RAISED, 3, 9, 0, "toy 3 raised by source 9"),
        (Kind.ACKNOWLEDGED, 0x203, 0, 0, "toy 3 acknowledged"),
    ],
)
def test_the_architecture_of_a_trace_names_its_records(kind: int, a: int, b: int, c: int, name: str) -> None:
    assert Names(header(TOY)).of((0, kind, 0, a, b, c)) == name


@pytest.mark.usefixtures("_toy")
def test_what_readers_make_of_such_a_trace(tmp_path: Path) -> None:
    rows = [(10, Kind.EXIT, 0, int(Exit.TRAP), 0x40, 0x2000), (20, Kind.ACKNOWLEDGED, 0, 0x203, 0, 0)]
    with TraceReader(write(tmp_path / "t.bnt", rows, header=TOY)) as trace:
        out = io.BytesIO()
        export_json.export(trace, out, lambda done, of: None)
        document = json.loads(out.getvalue())
        assert document["header"]["vms"][0]["toyic"] == {"at": 0x2000}
        trap, acknowledged = document["records"]
        assert (trap["reason"], trap["cause"], trap["what"]) == ("trap", "0x2000", "trap TOY_ENABLE")
        assert (acknowledged["number"], acknowledged["source"]) == (3, 2)
        assert any("controller 0x2000" in line for line in describe(trace, lambda done, of: None))
        metric = Exits(TracedRun(Rate(1), {0: "ping"}, trace.header.architecture))
        metric.take(rows[0])
    assert metric.finish(30).values == {("ping", "trap"): 1}
