"""The committed guest images, and programs of Linux guests, are what their sources make."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

GUESTS = Path(__file__).resolve().parents[2] / "examples" / "guests"
PROGRAMS = Path(__file__).resolve().parent
CASES = {
    "images": (GUESTS, "bin/TOOLCHAIN", "aarch64-linux-gnu", "check"),
    "programs": (PROGRAMS, "TOOLCHAIN", "aarch64-linux-gnu", "check"),
    "images-riscv": (GUESTS, "bin-riscv/TOOLCHAIN", "riscv64-linux-gnu", "check-riscv"),
}


def _toolchain(target: str) -> str:
    lines = (
        subprocess.run([tool, "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
        for tool in (f"{target}-gcc", f"{target}-ld")
    )
    return "".join(f"{line}\n" for line in lines)


@pytest.mark.parametrize(("directory", "toolchain", "target", "goal"), CASES.values(), ids=CASES)
def test_sources_make_what_is_committed(directory: Path, toolchain: str, target: str, goal: str) -> None:
    if not shutil.which(f"{target}-gcc"):
        pytest.skip(f"{target}-gcc is not installed (Debian: gcc-{target})")
    if _toolchain(target) != (directory / toolchain).read_text():
        pytest.skip(f"another compiler than the one that {toolchain} names")
    check = subprocess.run(["make", "-C", directory, goal], capture_output=True, text=True, check=False)
    assert check.returncode == 0, check.stdout + check.stderr
