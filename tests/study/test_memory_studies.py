"""The studies of memory: each of their runs can begin, and what they call by a published name is what that was."""

from __future__ import annotations

from pathlib import Path

import pytest

from baonet.study import published
from baonet.study.study_file import read
from tests.guests import automotive
from tests.system.machine import baonet

STUDIES = Path(__file__).parents[2] / "examples" / "studies"
RUNS = {
    "memory-colors": 32,
    "memory-hypervisors": 20,
    "memory-interrupt-latency": 10,
    "memory-pages": 14,
    "memory-stream": 4,
    "memory-working-set": 44,
}
PLATFORMS = ["qemu-aarch64-virt", "qemu-riscv64-virt"]


def labels(name: str, axis: str) -> list[str]:
    axes = {each.name: each for each in read(STUDIES / f"{name}.yaml").axes}
    return [each.label for each in axes[axis].alternatives]


def test_all_are_tested() -> None:
    assert {path.stem for path in STUDIES.glob("memory-*.yaml")} == {*RUNS, "memory-boot", "memory-linux"}


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("name", RUNS)
def test_each_run_can_begin(tmp_path: Path, name: str, platform: str) -> None:
    options = [f"--set=platform={platform}", "--list", "-o", tmp_path / "results.sqlite"]
    result = baonet("study", STUDIES / f"{name}.yaml", *options)
    if name == "memory-hypervisors" and platform == "qemu-riscv64-virt":
        assert "no figures of bao are known for riscv" in result.err
        return
    assert result.status == 0, result.err
    assert result.out.count("to do") == RUNS[name]


@pytest.mark.parametrize("name", [*RUNS, "memory-boot", "memory-linux"])
def test_pictures_are_along_an_axis(name: str) -> None:
    """Else each combination of several has a place of its own, with all of its names below."""
    study = read(STUDIES / f"{name}.yaml")
    assert len(study.axes) == 1 or (study.plots and all(each.axis for each in study.plots))


def test_latencies_have_their_published_ones() -> None:
    rows = published.interrupt_latencies()
    for configuration in labels("memory-interrupt-latency", "configuration"):
        assert ("bao", configuration) in rows
    hypervisors = [label.lower() for label in labels("memory-hypervisors", "hypervisor")]
    assert all((each, "interf") in rows for each in hypervisors)


def test_workloads_have_their_published_ones() -> None:
    rows = published.workloads()
    measured = [metric.name for metric in read(STUDIES / "memory-linux.yaml").metrics]
    assert measured == list(automotive.WORKLOADS)
    for configuration in labels("memory-linux", "configuration"):
        assert all(("bao", configuration, workload) in rows for workload in measured)
