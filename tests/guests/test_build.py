"""The committed guest images, and programs of Linux guests, are what their sources make."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

GUESTS = Path(__file__).resolve().parents[2] / "examples" / "guests"
PROGRAMS = Path(__file__).resolve().parent
COMPILER = "aarch64-linux-gnu-gcc"


def _toolchain() -> str:
    lines = (
        subprocess.run([tool, "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
        for tool in (COMPILER, "aarch64-linux-gnu-ld")
    )
    return "".join(f"{line}\n" for line in lines)


@pytest.mark.parametrize("guests", [GUESTS, PROGRAMS], ids=["images", "programs"])
def test_sources_make_what_is_committed(guests: Path) -> None:
    if not shutil.which(COMPILER):
        pytest.skip(f"{COMPILER} is not installed (Debian: gcc-aarch64-linux-gnu)")
    (toolchain,) = guests.rglob("TOOLCHAIN")
    if _toolchain() != toolchain.read_text():
        pytest.skip(f"another compiler than the one that {toolchain} names")
    check = subprocess.run(["make", "-C", guests, "check"], capture_output=True, text=True, check=False)
    assert check.returncode == 0, check.stdout + check.stderr
