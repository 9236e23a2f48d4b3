"""The ready studies by window: what is run, and what is read from the results."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from benchmarks import studies
from tests.system.machine import baonet


@pytest.mark.parametrize("name", studies.READY)
def test_a_ready_study_is_run_in_virtual_time_at_each_window(name: str, tmp_path: Path) -> None:
    file = tmp_path / "swept.yaml"
    file.write_text(yaml.safe_dump(studies.swept(name, ("1us", "100us")), sort_keys=False))
    listed = baonet("study", file, "--list")
    assert listed.status == 0, listed.err
    assert listed.out.count("clock.window 1us") == listed.out.count("clock.window 100us") > 0, listed.out
    assert "run.clock" not in listed.out


@pytest.mark.slow
def test_medians_are_put_side_by_side(tmp_path: Path) -> None:
    study = studies.swept("boot-time", ("1us", "10us"))
    study["sweep"] = {"vms.0.command_line": ["memory=1MiB devices=2 wait=1us"], "clock.window": ["1us", "10us"]}
    del study["plots"]
    study["machine"] = str(studies.STUDIES / "machines" / "boot-time.yaml")
    file, results = tmp_path / "boot.yaml", tmp_path / "boot.sqlite"
    file.write_text(yaml.safe_dump(study, sort_keys=False))
    assert baonet("study", file, "-o", results, "-j", "1").status == 0
    found = studies.medians(results)
    assert found
    assert all(set(windows) == {"1us", "10us"} for windows in found.values())
    assert all(studies.spread(windows) == 0 for windows in found.values()), "it is alone in its island"
    assert studies.spread({"1us": 2.0, "10us": 3.0}) == 0.5
