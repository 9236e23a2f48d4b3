"""The programs for Linux: they compute what they should, are what their sources make, and say the same in a guest."""

from __future__ import annotations

import math
import re
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.guests import automotive
from tests.system.machine import baonet, write

SOURCES = automotive.PROGRAMS
RUN = re.compile(r"(\S+), run (\d+): (\d+) ns, output ([0-9a-f]{16}) of (\d+) bytes")
QUICK = ["qsort-small", "susanc-small", "susane-small", "susans-small", "bitcount-small", "basicmath-small"]
WIDTH, HEIGHT = 40, 30

ARCHITECTURES = {
    "qemu-aarch64-virt": ("linux-cloud.image", 0x40200000, "initrd-automotive.cpio.gz", "console=ttyAMA0"),
    "qemu-riscv64-virt": ("linux-riscv64.image", 0x80200000, "initrd-automotive-riscv64.cpio.gz", "console=ttyS0"),
}


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the programs as the host runs them, and `inputs`."""
    directory = tmp_path_factory.mktemp("automotive")
    make: list[str | Path] = ["make", "-s", "-C", SOURCES, f"{directory}/bin/automotive", f"OUT={directory}", "ARMV8="]
    subprocess.run(make, check=True)
    for name in automotive.PROGRAM_NAMES:
        (directory / name).symlink_to("bin/automotive")
    (directory / "inputs.d").mkdir()
    run(directory, "inputs", "inputs.d")
    return directory


def run(native: Path, program: str, *arguments: str) -> str:
    command = [str(native / program), *arguments]
    return subprocess.run(command, cwd=native, check=True, capture_output=True, text=True).stdout


def checksum(data: bytes) -> str:
    """FNV-1a, of 64 bits."""
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 & (1 << 64) - 1
    return f"{value:016x}"


def picture(rows: list[bytes]) -> bytes:
    return f"P5\n{len(rows[0])} {len(rows)}\n255\n".encode() + b"".join(rows)


def drawn_by(native: Path, tmp_path: Path, way: str, rows: list[bytes]) -> list[bytes]:
    source, target = tmp_path / "in.pgm", tmp_path / "out.pgm"
    source.write_bytes(picture(rows))
    run(native, "image", way, str(source), str(target))
    pixels = target.read_bytes()[len(picture(rows)) - len(rows) * len(rows[0]) :]
    return [pixels[at : at + len(rows[0])] for at in range(0, len(pixels), len(rows[0]))]


def rectangle() -> list[bytes]:
    """White on grey, from (10, 8) to (29, 19)."""
    line = bytes(200 if 10 <= x < 30 else 100 for x in range(WIDTH))
    return [line if 8 <= y < 20 else bytes([100]) * WIDTH for y in range(HEIGHT)]


def changed(before: list[bytes], after: list[bytes]) -> set[tuple[int, int]]:
    return {(x, y) for y in range(HEIGHT) for x in range(WIDTH) if before[y][x] != after[y][x]}


def test_words_are_sorted(native: Path) -> None:
    words = (native / "inputs.d" / "words").read_text().split()
    assert len(words) == 10_000
    assert run(native, "sort", "words", "inputs.d/words").split("\n\n")[1].split() == sorted(words)


def test_points_are_sorted_by_their_distance(native: Path) -> None:
    points = [tuple(map(int, line.split())) for line in (native / "inputs.d" / "points").read_text().splitlines()]
    lines = run(native, "sort", "points", "inputs.d/points").split("\n\n")[1].splitlines()
    printed = [tuple(map(int, line.split())) for line in lines]
    assert len(printed) == 50_000
    assert sorted(printed) == sorted(points)
    distances = [math.dist(point, (0, 0, 0)) for point in printed]
    assert all(b > a * (1 - 1e-12) for a, b in pairwise(distances))


def test_all_ways_count_the_same_bits(native: Path) -> None:
    counts = re.findall(r"> (\d+) bits", run(native, "bits", "1000"))
    assert counts == [str(sum((1013904223 + 13 * n).bit_count() for n in range(1000)))] * 7


def test_roots_and_angles_are_right(native: Path) -> None:
    out = run(native, "arithmetic", "small")
    roots = re.findall(r"root of (\d+) is (\d+)", out)
    assert len(roots) == 1001
    assert all(math.isqrt(int(square)) == int(root) for square, root in roots)
    angles = re.findall(r"(\d+) degrees = (\S+) radians", out)
    assert len(angles) == 361
    assert all(abs(math.radians(int(degrees)) - float(radians)) < 1e-12 for degrees, radians in angles)


def test_roots_solve_their_equations(native: Path) -> None:
    lines = re.findall(r"Solutions:(.*)", run(native, "arithmetic", "small"))
    equations = [
        (1.0 + a, 10.0 - b, 5 + c / 4, -1.0 - d)
        for a in range(9)
        for b in range(10)
        for c in range(40)
        for d in range(10)
    ]
    assert len(lines) == len(equations)
    for line, (a, b, c, d) in zip(lines, equations, strict=True):
        roots = [float(root) for root in line.split()]
        assert len(roots) in (1, 3)
        for x in roots:  # printed with six decimals
            assert abs(((a * x + b) * x + c) * x + d) < 1e-5 * (1 + abs((3 * a * x + 2 * b) * x + c))


def test_a_rectangle_has_four_corners(native: Path, tmp_path: Path) -> None:
    before = rectangle()
    found = changed(before, drawn_by(native, tmp_path, "corners", before))
    corners = [(10, 8), (29, 8), (10, 19), (29, 19)]
    assert all(any(math.dist(corner, each) <= 2 for each in found) for corner in corners)
    assert all(any(math.dist(corner, each) <= 4 for corner in corners) for each in found)


def test_edges_are_those_of_the_rectangle(native: Path, tmp_path: Path) -> None:
    before = rectangle()
    found = changed(before, drawn_by(native, tmp_path, "edges", before))
    top = {(x, y) for x, y in found if 14 <= x < 26 and y < 14}
    assert top in [{(x, y) for x in range(14, 26)} for y in (7, 8)]  # of either side, one pixel wide
    assert not any(14 <= x < 26 and 11 <= y < 17 for x, y in found)


def test_smoothing_takes_noise_and_leaves_edges(native: Path, tmp_path: Path) -> None:
    noisy = [
        bytes(value + (7 * x + 3 * y) % 5 - 2 for x, value in enumerate(line)) for y, line in enumerate(rectangle())
    ]
    after = drawn_by(native, tmp_path, "smooth", noisy)
    inside = [after[y][x] for y in range(10, 18) for x in range(12, 28)]
    outside = [after[y][x] for y in range(22, 23) for x in range(10, 30)]
    assert all(198 <= each <= 201 for each in inside)
    assert all(98 <= each <= 101 for each in outside)


def c_library(cross: str) -> Path:
    """Its path, or the mere name of a file where there is none."""
    asked = subprocess.run([f"{cross}-gcc", "-print-file-name=libc.a"], capture_output=True, text=True, check=True)
    return Path(asked.stdout.strip())


@pytest.mark.slow  # that the committed ones are of these sources is in test_build.py
def test_sources_make_what_is_committed() -> None:
    for cross in ("aarch64-linux-gnu", "riscv64-linux-gnu"):
        if not shutil.which(f"{cross}-gcc") or not c_library(cross).is_absolute():
            pytest.skip(f"{cross}-gcc, or a C library for it, is not installed")
    check = subprocess.run(["make", "-s", "-C", SOURCES, "check"], capture_output=True, text=True, check=False)
    if check.returncode and "TOOLCHAIN" in check.stdout:
        pytest.skip("another compiler or C library than those that TOOLCHAIN names")
    assert check.returncode == 0, check.stdout + check.stderr


def machine(cache: Path, platform: str, command: str, **fields: Any) -> dict[str, Any]:
    image, base, initrd, console = ARCHITECTURES[platform]
    vm = {
        "name": "linux",
        "image": {"path": str(cache / image), "base": base},
        "initrd": {"path": str(cache / initrd)},
        "command_line": f"{console} quiet rdinit=/bin/measure -- {command}",
        "device_tree": "auto",
        "cpus": 1,
        "memory": [{"size": "256MiB"}],
        "devices": ["uart0"],
    }
    return {"platform": platform, "vms": [vm | fields]}


@pytest.mark.guests
@pytest.mark.timeout(600)
@pytest.mark.parametrize("platform", ARCHITECTURES)
def test_workloads_say_in_linux_what_they_say_on_the_host(
    tmp_path: Path, guest_cache: Path, native: Path, platform: str
) -> None:
    automotive.write(guest_cache)
    file = write(tmp_path, machine(guest_cache, platform, f"warmup=0 runs=2 {' '.join(QUICK)}"))
    result = baonet("run", file, "--clock", "virtual", "--timeout", "300s", seconds=320)
    assert result.status == 0, result.out[-2000:] + result.err
    runs = RUN.findall(result.out)
    assert [(name, number) for name, number, *_ in runs] == [(name, number) for name in QUICK for number in "12"]
    for name, _, took, printed, size in runs:
        program, *arguments = (
            automotive.WORKLOADS[name].replace("/inputs/", "inputs.d/").replace("/output", "out").split()
        )
        told = run(
            native, program, *(each for each in arguments if each != ">" and (each != "out" or program == "image"))
        )
        expected = (native / "out").read_bytes() if program == "image" else told.encode()
        assert (printed, int(size)) == (checksum(expected), len(expected)), name
        assert int(took) > 1_000_000


@pytest.mark.guests
@pytest.mark.parametrize("platform", ARCHITECTURES)
@pytest.mark.parametrize(("name", "runs"), [("memory-linux", 5), ("memory-boot", 4)])
def test_each_run_of_a_study_can_begin(tmp_path: Path, guest_cache: Path, platform: str, name: str, runs: int) -> None:
    automotive.write(guest_cache)
    study = Path(__file__).parents[2] / "examples" / "studies" / f"{name}.yaml"
    result = baonet("study", study, f"--set=platform={platform}", "--list", "-o", tmp_path / "results.sqlite")
    assert result.status == 0, result.err
    assert result.out.count("to do") == runs
