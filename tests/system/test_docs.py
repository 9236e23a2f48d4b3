"""The commands of the pages, as they stand there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ["README.md", "docs/virtual-time.md", "docs/tracing.md", "examples/studies/README.md"]
STUDIES = sorted(path.name for path in (ROOT / "docs" / "studies").glob("*.md"))
NEEDS_MORE = re.compile(r"linux|make |tests/guests/fetch|^for |--console")


def commands(page: str) -> list[str]:
    """Of shell blocks and of indented lines, without comments and what needs a terminal or Debian's kernel."""
    text = (ROOT / page).read_text()
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    blocks += re.findall(r"^ {4}(baonet .*\n)", text, re.MULTILINE)
    lines = [line.split("  #")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line and not NEEDS_MORE.search(line)]


def run(lines: list[str], directory: Path) -> None:
    """As a user would in a clone, with the environment active; what they write stays in ``directory``."""
    for name in ("configs", "examples", "docs"):
        (directory / name).symlink_to(ROOT / name)
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for line in lines:
        done = subprocess.run(
            ["bash", "-ec", line],
            cwd=directory,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout[-1000:]}\n{done.stderr[-1000:]}"


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_of_a_page_work(page: str, tmp_path: Path) -> None:
    found = commands(page)
    run([line for line in found if "baonet study" not in line and "baonet report" not in line], tmp_path)
    assert found or page == "README.md"


@pytest.mark.guests
@pytest.mark.parametrize("page", STUDIES)
def test_the_study_of_a_page_works(page: str, tmp_path: Path) -> None:
    found = commands(f"docs/studies/{page}")
    assert found
    run(found, tmp_path)
    assert list(tmp_path.glob("*.html"))
