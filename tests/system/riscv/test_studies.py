"""The four studies of messages, interrupts and starts on RISC-V: runs of each, and all that it measures of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from baonet.study.measure import measure_file
from baonet.study.one_run import perform
from baonet.study.study_file import read, with_settings

pytestmark = pytest.mark.slow

STUDIES = Path(__file__).parents[3] / "examples" / "studies"
PLATFORMS = ["qemu-riscv64-virt", "qemu-riscv64-virt-plic"]


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("name", ["ping-pong", "interrupt-latency", "noisy-neighbour", "boot-time"])
def test_its_first_and_its_last_run(tmp_path: Path, name: str, platform: str) -> None:
    plan = with_settings(read(STUDIES / f"{name}.yaml"), [f"platform={platform}"])
    points, trace = plan.points(), tmp_path / "run.bnt"
    for point in (points[0], points[-1]):
        answer = perform(plan.request(point.settings), str(trace))
        assert answer.status in plan.accept, answer.said
        result = measure_file(trace, plan.metrics)
        assert result.facts["platform"]
        nothing = [metric for metric, found in result.measured.items() if not (found.values or found.samples)]
        assert nothing == [], point.label
