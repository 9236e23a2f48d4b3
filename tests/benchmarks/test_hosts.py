"""What is measured over several hosts: that it runs, and how it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from baonet.cli.common import load_machine
from benchmarks.goals import Goal
from benchmarks.hosts import machines
from benchmarks.hosts.__main__ import main, modelled, setting, take
from benchmarks.hosts.report import lines
from benchmarks.hosts.rows import ROWS
from benchmarks.hosts.setting import Ratio, Row, Sample, Setting
from benchmarks.hosts.windows import Model
from benchmarks.hosts.wire import LOOPBACK, pretended
from benchmarks.process import RunFailedError

NOWHERE = Setting((pretended(2)[0], pretended(2)[1]), Path("nowhere"))


def row(ways: Mapping[str, Callable[[], Sample]]) -> Row:
    @contextmanager
    def opened(_: Setting) -> Iterator[Mapping[str, Callable[[], Sample]]]:
        yield ways

    goals = {("two", "time"): Goal("<= 1 s", 1, most=True, absolute=True)}
    return Row("some", "something", opened, {"time": "s"}, goals, (Ratio("one", "two", "time", Goal(">= 1.8", 1.8)),))


def test_a_row_tells_medians_ratios_and_what_is_missed() -> None:
    given = iter([1.0, 3.0, 2.0])
    taken = take(row({"one": lambda: {"time": 3.0}, "two": lambda: {"time": next(given)}}), NOWHERE, 3)
    one, two, ratio = lines(taken)
    assert one.split() == ["one", "time", "3.00", "s", "[3.00", "s..3.00", "s]"]
    assert two.split()[:4] == ["two", "time", "2.00", "s"]
    assert two.endswith("<= 1 s          MISSED")
    assert ratio.split() == ["one", "/", "two", "time", "1.50", ">=", "1.8", "MISSED"]


def test_what_has_failed_is_told_and_not_tried_again(capsys: pytest.CaptureFixture[str]) -> None:
    tries = []

    def failing() -> Sample:
        tries.append(1)
        raise RunFailedError("no core came\nits last lines")

    taken = take(row({"one": failing, "two": lambda: {"time": 0.5}}), NOWHERE, 3)
    assert len(tries) == 1
    assert len(taken.samples["two"]) == 3
    assert any("no core came" in line and line.endswith("MISSED") for line in lines(taken))
    assert "its last lines" in capsys.readouterr().err


def test_the_model_goes_on_with_the_line_that_was_measured() -> None:
    measured = {n: {"CPU of home": 20e-6 + 10e-6 * (n - 1), "CPU of another": 5e-6} for n in (2, 4, 8)}
    model = Model.of({1: {"CPU of home": 1.0}, **measured})
    assert model.home == pytest.approx(20e-6)
    assert model.each == pytest.approx(10e-6)
    assert model.window(64, 100e-6) == pytest.approx(20e-6 + 63 * 10e-6 + 5e-6 + 100e-6)
    with pytest.raises(ValueError, match="two numbers"):
        Model.of({1: measured[2], 2: measured[2]})


def test_without_a_line_there_is_no_model() -> None:
    assert list(modelled(take(row({"1": lambda: {"time": 1.0}}), NOWHERE, 1))) == [
        "  no model: a line needs two numbers of nodes"
    ]


def test_a_row_that_there_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--only", "coffee"]) == 2
    assert capsys.readouterr().err.startswith("no row 'coffee': there are frames, pages, ")


@pytest.mark.parametrize(
    "machine",
    [
        machines.alone("spin", 250, 4),
        machines.together("spin", 8),
        machines.far(1 << 22, 3, scattered=True),
        machines.ping_pong(),
    ],
    ids=["alone", "together", "far", "ping-pong"],
)
def test_machines_are_valid(machine: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "machine.yaml"
    file.write_text(yaml.safe_dump(machine))
    assert load_machine(str(file)) is not None


@pytest.mark.slow
@pytest.mark.parametrize("chosen", [each for each in ROWS if each.name != "debian"], ids=lambda each: each.name)
def test_every_row_runs_without_namespaces(chosen: Row) -> None:
    with setting(tiny=True, local=True) as on:
        assert {host.address for host in on.hosts} == {LOOPBACK}
        taken = take(chosen, on, 1)
    assert not taken.failures
    assert all(taken.samples.values())
    assert list(lines(taken))
