"""Programs of Linux guests are what their sources make. CI looks at the guests that run by themselves: make check."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

PROGRAMS = Path(__file__).resolve().parent
TOOLS = {"armv8": (PROGRAMS, "aarch64-linux-gnu"), "riscv": (PROGRAMS / "riscv", "riscv64-linux-gnu")}


@pytest.mark.parametrize("architecture", list(TOOLS))
def test_sources_make_what_is_committed(architecture: str) -> None:
    directory, prefix = TOOLS[architecture]
    tools = [f"{prefix}-gcc", f"{prefix}-ld"]
    if not all(map(shutil.which, tools)):
        pytest.skip(f"{tools[0]} is not installed (Debian: gcc-{prefix})")
    versions = [
        subprocess.run([tool, "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
        for tool in tools
    ]
    if versions != (directory / "TOOLCHAIN").read_text().splitlines():
        pytest.skip("another compiler than the one that TOOLCHAIN names")
    check = subprocess.run(
        ["make", "-C", PROGRAMS, f"check-{architecture}"], capture_output=True, text=True, check=False
    )
    assert check.returncode == 0, check.stdout + check.stderr
