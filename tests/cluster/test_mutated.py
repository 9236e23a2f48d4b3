"""What the litmus guests are worth between nodes: with a protocol that is wrong they do not find everything right."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.system.digests import ROOT
from tests.system.machine import write
from tests.system.test_litmus import litmus

MUTATIONS = {
    "a page is granted before all have let go of it": (
        "release.c",
        "    if (pending_waits(at->part, pending)) {",
        "    if (pending->from && pending_waits(at->part, pending)) {",
    ),
    "who may read is not told that another may write": (
        "directory.c",
        "        recall(page, (unsigned)__builtin_ctzll(rest), RIGHT_NONE, says);",
        "        page->readers &= ~rest;",
    ),
    "nothing": ("directory.c", "#include", "#include"),
}


def mutated(directory: Path, file: str, right: str, wrong: str) -> None:
    """A build in the directory of which one line is another."""
    shutil.copytree(ROOT / "baonet", directory / "baonet", ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    for each in ("setup.py", "pyproject.toml", "README.md"):
        shutil.copy(ROOT / each, directory)
    source = directory / "baonet" / "core" / "native" / "node" / file
    text = source.read_text()
    assert right in text, "the protocol has been changed: mutate what is there now"
    source.write_text(text.replace(right, wrong))
    command = [sys.executable, "setup.py", "-q", "build_ext", "--inplace"]
    subprocess.run(command, cwd=directory, env=os.environ | {"BAONET_PURE": "1"}, check=True, capture_output=True)


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_wrong_protocol_is_caught(tmp_path: Path, mutation: str) -> None:
    """What is forbidden is seen, or a guest waits for ever for what another has written."""
    mutated(tmp_path / "build", *MUTATIONS[mutation])
    machine = write(tmp_path, litmus(2, 1_000, 1))
    options = ["--on", "local:2", "--place", "spread", "--timeout", "60s"]
    result = subprocess.run(
        [sys.executable, "-m", "baonet", "run", str(machine), *options],
        cwd=tmp_path / "build",
        env=os.environ | {"PYTHONPATH": str(tmp_path / "build")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stdout, result.stderr
    assert ("litmus: nothing forbidden" in result.stdout) is (mutation == "nothing"), result.stdout + result.stderr
