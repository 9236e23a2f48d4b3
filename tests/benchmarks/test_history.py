"""What is recorded of benchmarks, and the page that is made of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import history
from benchmarks.history import Recording
from benchmarks.job import Figure
from benchmarks.report import Row

ROOT = Path(history.__file__).resolve().parents[1]
CPUINFO = "processor : 0\nmodel name\t: A CPU @ 2 GHz\nprocessor : 1\nmodel name\t: A CPU @ 2 GHz\n"
ONE = Recording(
    "0123456789",
    "2026-11-30 12:00",
    "A CPU",
    2,
    (0.5, 1.25),
    False,
    5,
    {"loop": ("/s", 30.0, 60.0), "start": ("s", 0.25, None)},
)


def test_a_recording_comes_back_as_it_was() -> None:
    other = replace(ONE, commit="abc+", compiled=True)
    assert history.read(history.dump(ONE) + history.dump(other)) == [ONE, other]
    with pytest.raises(ValueError, match="line 2 is no recording"):
        history.read(history.dump(ONE) + "{}\n")


def test_what_was_measured_is_recorded_by_its_median(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "commit", lambda: "abc")
    rows = [Row(Figure(name, "/s", lambda run: None)) for name in ("both", "ours", "neither")]
    rows[0].samples = {"baonet": [1.0, 3.00049, 9.0], "QEMU": [4.0]}
    rows[1].samples = {"baonet": [7.0]}
    made = history.recorded(rows, "baonet", "QEMU", load=(1.0, 2.0), compiled=True, runs=3)
    assert made.figures == {"both": ("/s", 3.0, 4.0), "ours": ("/s", 7.0, None)}
    assert (made.load, made.compiled, made.runs) == ((1.0, 2.0), True, 3)


def test_the_page_has_a_column_for_each_of_the_last_recordings() -> None:
    many = [replace(ONE, figures={"loop": ("/s", float(number), None)}) for number in range(history.SHOWN)]
    text = history.page([ONE, *many])
    assert "| 1 | `0123456789` | 2026-11-30 12:00 | A CPU, 2 CPUs | 0.5 to 1.2 | not compiled | 5 |" in text
    assert "| figure | 2 | 3 | 4 | 5 | 6 | 7 | goal |" in text
    assert "| loop | 0 /s | 1 /s |" in text
    assert "start" not in text, "that is of the first recording"
    assert "| loop | 30 /s (0.50) |  |\n| start | 250 ms |  |\n" in history.page([ONE])


def test_the_page_has_the_goals_of_now() -> None:
    made = replace(ONE, figures={"integer loop": ("insn/s", 1e9, 2e9)})
    assert history.page([made]).endswith("| integer loop | 1000 MIPS (0.50) | >= 1 x QEMU |\n")


def test_adding_writes_the_page_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for directory in ("benchmarks", "docs"):
        (tmp_path / directory).mkdir()
    monkeypatch.setattr(history, "top", lambda: tmp_path)
    history.add(ONE)
    file = history.add(replace(ONE, commit="second"))
    assert file.read_text() == history.page([ONE, replace(ONE, commit="second")])


def test_the_page_is_current() -> None:
    assert history.page_file(ROOT).read_text() == history.page(history.read(history.store(ROOT).read_text()))


def test_the_model_of_the_host() -> None:
    assert history.processor(CPUINFO) == "A CPU @ 2 GHz"
    assert history.processor("") == "unknown"
