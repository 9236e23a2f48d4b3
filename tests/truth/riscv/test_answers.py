"""What the probe guest answers here, and what it answered under real Bao.

``answers.json``: ``bao`` every answer that was seen, Bao at commit 738e3dc on QEMU 10.0.13 with OpenSBI 1.6, and the
strict mode here. The main suites are ``plic``, ``plic-nosstc`` (a platform without stimecmp), ``aia`` and
``aplic-direct``; in a ``-stop`` suite each probe had a machine of its own.

``kind`` says why a difference need not be a fault here. The answers of LOOSE are not the hypervisor's and change from
run to run or from image to image. Of ``qemu10`` that QEMU was at fault, and an earlier one gave what is in ``expect``.
Every other difference is in ``differences.yaml``, under the row of docs/faithfulness.md that tells why.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.truth.machines import Answers
from tests.truth.riscv.machines import IRQCS, main_answers, stop_answers

HERE = Path(__file__).parent
PAGE = HERE.parents[2] / "docs" / "faithfulness.md"
SECTION = "## What a probe guest sees on RISC-V"
LOOSE = {"race", "time", "stale", "garbage"}
STOPS = ["plic-stop", "aia-stop", "aplic-direct-stop"]
UNANSWERED = "-none-"

_ROWS: list[dict[str, Any]] = json.loads((HERE / "answers.json").read_text())


def _differences() -> dict[str, list[tuple[str, str]]]:
    listed = yaml.safe_load((HERE / "differences.yaml").read_text()) or {}
    return {row: [tuple(probe.split(" ", 1)) for probe in probes] for row, probes in listed.items()}


def _compare(suite: str, here: Answers) -> None:
    """All of a suite that has one answer, against what is expected and what is listed; 98 % and more are the same."""
    rows = [row for row in _ROWS if row["suite"] == suite and row.get("stable", True) and row.get("kind") not in LOOSE]
    found = {(suite, row["probe"]): here.get((suite, row["probe"]), UNANSWERED) for row in rows}
    expected = {(suite, row["probe"]): [row["expect"]] if "expect" in row else row["bao"] for row in rows}
    differing = {probe for probe, answers in expected.items() if found[probe] not in answers}
    listed = {probe for probes in _differences().values() for probe in probes if probe[0] == suite}
    surprises = [
        f"{' '.join(probe)}: Bao {expected[probe]}, here {found[probe]!r}"
        for probe in expected
        if probe in differing - listed
    ]
    assert surprises == []
    assert sorted(listed - differing) == [], "these are Bao's by now: take them out of differences.yaml"
    unexcused = {(suite, row["probe"]) for row in rows if row.get("kind") in (None, "qemu10")}
    assert len(differing & unexcused) <= 0.02 * len(unexcused)


@pytest.mark.parametrize("suite", list(IRQCS))
def test_answers_are_those_of_bao_but_for_what_is_listed(suite: str, tmp_path: Path) -> None:
    answers = main_answers(suite, tmp_path / "machine")
    assert {"entry.sip", "hsm.up", "ipc.several"} <= set(answers)
    assert len(answers) > 500
    _compare(suite, {(suite, probe): answer for probe, answer in answers.items()})


@pytest.mark.slow
@pytest.mark.parametrize("suite", STOPS)
def test_what_may_stop_a_hart_does_as_under_bao(suite: str, tmp_path: Path) -> None:
    probes = {row["probe"]: tuple(row["selector"]) for row in _ROWS if row["suite"] == suite}
    _compare(suite, stop_answers(suite, probes, tmp_path))


def test_every_difference_has_its_row_on_the_page() -> None:
    section = PAGE.read_text().partition(SECTION)[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ([^|]+?) \|", section, re.MULTILINE)
    assert rows[0] == "what"
    assert [row for row in rows[1:] if set(row) != {"-"}] == list(_differences())


def test_the_guest_is_what_its_source_makes() -> None:
    guest = HERE / "guest"
    tools = [shutil.which(f"riscv64-linux-gnu-{name}") for name in ("gcc", "ld")]
    if not all(tools):
        pytest.skip("riscv64-linux-gnu-gcc is not installed")
    versions = [
        subprocess.run([str(tool), "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
        for tool in tools
    ]
    if versions != (guest / "TOOLCHAIN").read_text().splitlines():
        pytest.skip("another compiler than the one that made probe.bin; see TOOLCHAIN")
    check = subprocess.run(["make", "-C", guest, "check"], capture_output=True, text=True, check=False)
    assert check.returncode == 0, check.stdout + check.stderr
