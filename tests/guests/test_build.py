"""Committed guests are what their sources make. CI builds those again that run by themselves: make check.

Who has no cross compiler sees by digests that a source was changed and its images were not.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

PROGRAMS = Path(__file__).resolve().parent
ROOT = PROGRAMS.parents[1]
COMMITTED = sorted(file.parent for part in ("examples", "tests") for file in (ROOT / part).glob("**/TOOLCHAIN"))
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


@pytest.mark.parametrize("images", COMMITTED, ids=lambda images: str(images.relative_to(ROOT)))
def test_digests_are_of_the_sources_and_images_beside_them(images: Path) -> None:
    made_in = next(each for each in (images, images.parent) if (each / "Makefile").exists())
    lines = (line.split("  ") for line in (images / "SOURCES").read_text().splitlines())
    told = {name: digest for digest, name in lines}
    assert {"Makefile", *(file.name for file in images.glob("*.elf"))} <= set(told)
    found = {name: _digest(made_in / name, images / name) for name in told}
    changed = [name for name, digest in told.items() if found[name] != digest]
    assert changed == [], f"run make -C {made_in.relative_to(ROOT)} and commit what it writes"


def _digest(*places: Path) -> str:
    """Of a source, or of an image that was made of them."""
    return next((hashlib.sha256(file.read_bytes()).hexdigest() for file in places if file.exists()), "is gone")


def test_all_that_is_built_beside_its_sources_has_digests() -> None:
    names = ["examples/guests/bin", "examples/guests/bin-riscv", "examples/linux/bin", "examples/linux/bin-riscv"]
    names += ["tests/guests", "tests/guests/riscv", "tests/truth/guest", "tests/truth/riscv/guest"]
    assert [str(each.relative_to(ROOT)) for each in COMMITTED] == names
