"""What the probe guest answers here, and what it answered under real Bao.

``answers.json``: (suite, probe, every answer that was seen); Bao at commit 738e3dc on QEMU 7.2.22, Cortex-A53, GICv3,
and the strict mode here. Answers that tell the time or an address of the guest's code are not in it. ``gicv3`` is the
main suite, ``gicv3-alone:n`` a probe that had a machine of its own, ``gicv3-stop`` what came of one that may stop its
CPU.
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

from tests.truth.machines import Answers, answers, main_answers

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "faithfulness.md"
MAIN = "gicv3"
"""The suite of one machine, and of most answers."""
SECTION = "## What a probe guest sees"
UNANSWERED = "-none-"
"""Of a probe that came to nothing: a register that is UNDEFINED, or a guest that stopped before it."""


def _expected() -> dict[tuple[str, str], list[Any]]:
    return {(suite, probe): seen for suite, probe, *seen in json.loads((HERE / "answers.json").read_text())}


def _differences() -> dict[str, list[tuple[str, str]]]:
    listed = yaml.safe_load((HERE / "differences.yaml").read_text())
    return {row: [tuple(probe.split(" ", 1)) for probe in probes] for row, probes in listed.items()}


def _listed() -> set[tuple[str, str]]:
    return {probe for probes in _differences().values() for probe in probes}


@pytest.fixture(scope="module")
def main(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    return main_answers(tmp_path_factory.mktemp("truth"))


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    probes = {int(suite.partition(":")[2]) for suite, _ in _expected() if suite.startswith("gicv3-alone:")}
    probes |= {int(probe) for suite, probe in _expected() if suite == "gicv3-stop"}
    return answers(sorted(probes), tmp_path_factory.mktemp("truth"))


def test_answers_are_those_of_bao_but_for_what_is_listed(main: Answers) -> None:
    _compare(main, {MAIN})


@pytest.mark.slow
def test_answers_of_a_machine_of_its_own_are_those_of_bao_but_for_what_is_listed(alone: Answers) -> None:
    _compare(alone, {suite for suite, _ in _expected().keys() | _listed()} - {MAIN})


def _compare(here: Answers, suites: set[str]) -> None:
    listed = {probe for probe in _listed() if probe[0] in suites}
    found = {probe: (seen, here.get(probe, UNANSWERED)) for probe, seen in _expected().items() if probe[0] in suites}
    differing = {probe: (seen, answer) for probe, (seen, answer) in found.items() if answer not in seen}
    surprises = [
        f"{' '.join(probe)}: Bao {seen}, here {answer!r}"
        for probe, (seen, answer) in differing.items()
        if probe not in listed
    ]
    assert surprises == []
    assert sorted(listed - set(differing)) == [], "these are Bao's by now: take them out of differences.yaml"


def test_no_probe_goes_unanswered(main: Answers) -> None:
    """Every probe of the guest's that was run came to its end."""
    names = {probe for _, probe in main}
    assert {"entry.x", "off.timer"} <= names
    assert len(names) > 1000


def test_every_difference_has_its_row_on_the_page() -> None:
    section = PAGE.read_text().partition(SECTION)[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ([^|]+?) \|", section, re.MULTILINE)
    assert rows[0] == "what"
    assert [row for row in rows[1:] if set(row) != {"-"}] == list(_differences())


def test_the_guest_is_what_its_source_makes() -> None:
    guest = HERE / "guest"
    tools = [shutil.which(f"aarch64-linux-gnu-{name}") for name in ("gcc", "ld")]
    if not all(tools):
        pytest.skip("aarch64-linux-gnu-gcc is not installed")
    versions = [
        subprocess.run([str(tool), "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
        for tool in tools
    ]
    if versions != (guest / "TOOLCHAIN").read_text().splitlines():
        pytest.skip("another compiler than the one that made probe.bin; see TOOLCHAIN")
    check = subprocess.run(["make", "-C", guest, "check"], capture_output=True, text=True, check=False)
    assert check.returncode == 0, check.stdout + check.stderr
