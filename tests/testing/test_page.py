"""The programs of docs/library.md, as they stand there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import baonet
from tests.patience import PROCESS
from tests.system.digests import ROOT
from tests.testing.test_plugin import pytest_on

TEXT = (ROOT / "docs" / "library.md").read_text()


def programs() -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


def beside(directory: Path) -> None:
    for name in ("configs", "examples"):
        (directory / name).symlink_to(ROOT / name)


def said_by(program: str, directory: Path) -> str:
    command = [sys.executable, "-W", "error", "-c", program]
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=PROCESS, check=True).stdout


def test_the_first_program_says_where_the_guest_is_and_repeats(tmp_path: Path) -> None:
    beside(tmp_path)
    said = [said_by(programs()[0], tmp_path) for _ in range(2)]
    assert re.search(r"batch 1:\.\.\. at \d+ ns: pc 0x40\w+, counter \d+\nDONE [0-9a-f]{64}\n$", said[0])
    assert said[0] == said[1]


def test_the_program_that_saves_goes_on(tmp_path: Path) -> None:
    beside(tmp_path)
    program = next(program for program in programs() if "run.save" in program)
    assert re.fullmatch(r"\d+ ns\n", said_by(program, tmp_path))


def test_the_tests_of_the_page_pass(tmp_path: Path) -> None:
    beside(tmp_path)
    result = pytest_on(tmp_path, next(program for program in programs() if "def test_" in program))
    assert result.status == 0, result.out + result.err
    assert "2 passed" in result.out


def test_the_page_names_every_error() -> None:
    errors = {name for name in baonet.__all__ if name.endswith("Error") and name != "EngineError"}
    assert errors <= set(re.findall(r"`baonet\.(\w+)`", TEXT))
