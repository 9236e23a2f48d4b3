"""docs/studies.md names everything that a study file can say."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from baonet.document.models import described
from baonet.study.catalog import CONSOLE, CONSOLE_TIME, METRICS
from baonet.study.plan import RUN_OPTIONS
from baonet.study.reservoir import KEPT
from baonet.study.study_fields import FIELDS, PLOTS, AlternativeModel, MetricModel, PlotModel
from baonet.study.study_file import read

PAGE = (Path(__file__).parents[2] / "docs" / "studies.md").read_text()


@pytest.mark.parametrize("word", [*FIELDS, *RUN_OPTIONS, *PLOTS, *sorted({*METRICS} - {CONSOLE, CONSOLE_TIME})])
def test_every_word_is_explained(word: str) -> None:
    assert f"`{word}`" in PAGE


@pytest.mark.parametrize("model", [AlternativeModel, MetricModel, PlotModel])
def test_every_option_is_named(model: type[MetricModel]) -> None:
    for each in described(model):
        assert f"`{each.name}" in PAGE or f"{each.name}: " in PAGE, each.name


def test_the_example_is_a_study(tmp_path: Path) -> None:
    file = tmp_path / "latency.yaml"
    file.write_text(PAGE.split("```yaml\n")[1].partition("```")[0])
    study = read(file)
    assert len(study.points()) == 8
    assert len(list(study.runs())) == 16
    plots = yaml.safe_load(PAGE.split("```yaml\n")[2].partition("```")[0])
    file.write_text(file.read_text() + yaml.safe_dump(plots))
    assert read(file).plots


def test_numbers_are_current() -> None:
    assert f"up to {KEPT:,} samples".replace(",", " ") in PAGE
