"""Programs of Linux guests are what their sources make. CI looks at the guests that run by themselves: make check."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

PROGRAMS = Path(__file__).resolve().parent
COMPILER = "aarch64-linux-gnu-gcc"


def _toolchain() -> str:
    lines = (
        subprocess.run([tool, "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
        for tool in (COMPILER, "aarch64-linux-gnu-ld")
    )
    return "".join(f"{line}\n" for line in lines)


def test_sources_make_what_is_committed() -> None:
    if not shutil.which(COMPILER):
        pytest.skip(f"{COMPILER} is not installed (Debian: gcc-aarch64-linux-gnu)")
    if _toolchain() != (PROGRAMS / "TOOLCHAIN").read_text():
        pytest.skip("another compiler than the one that TOOLCHAIN names")
    check = subprocess.run(["make", "-C", PROGRAMS, "check"], capture_output=True, text=True, check=False)
    assert check.returncode == 0, check.stdout + check.stderr
