"""The committed guest images are what their sources make."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

GUESTS = Path(__file__).resolve().parents[2] / "examples" / "guests"
COMPILER = "aarch64-linux-gnu-gcc"


def _toolchain() -> str:
    lines = (
        subprocess.run([tool, "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
        for tool in (COMPILER, "aarch64-linux-gnu-ld")
    )
    return "".join(f"{line}\n" for line in lines)


def test_sources_make_the_committed_images() -> None:
    if not shutil.which(COMPILER):
        pytest.skip(f"{COMPILER} is not installed (Debian: gcc-aarch64-linux-gnu)")
    if _toolchain() != (GUESTS / "bin" / "TOOLCHAIN").read_text():
        pytest.skip("another compiler than the one that made examples/guests/bin; see its TOOLCHAIN")
    check = subprocess.run(["make", "-C", GUESTS, "check"], capture_output=True, text=True, check=False)
    assert check.returncode == 0, check.stdout + check.stderr
