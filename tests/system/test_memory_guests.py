"""The guests of the memory studies do the work that they say, on both architectures; what it costs is not asked."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.system.machine import GUESTS, Result, run

PLATFORMS = {"qemu-aarch64-virt": "bin", "qemu-riscv64-virt": "bin-riscv"}
PAGE, LINE = 4096, 64
MASK = (1 << 64) - 1
SLOW = pytest.mark.slow

pytestmark = pytest.mark.parametrize("platform", PLATFORMS)


def guest(directory: Path, platform: str, name: str, command_line: str, *options: str, **fields: Any) -> Result:
    """One guest by itself, in virtual time; its counter counts nanoseconds."""
    vm = {
        "name": name,
        "image": {"path": str(GUESTS.parent / PLATFORMS[platform] / f"{name}.elf")},
        "command_line": command_line,
        "device_tree": "auto",
        "cpus": 1,
        "memory": [{"size": "32MiB"}],
        "devices": ["uart0"],
    }
    machine = {"platform": {"extends": platform, "timer_frequency": 1_000_000_000}, "vms": [vm | fields]}
    return run(directory, machine, "--clock", "virtual", *options)


def numbers(pattern: str, result: Result) -> list[int]:
    """The groups of the only match."""
    assert result.status == 0, result.err
    (found,) = re.findall(pattern, result.out)
    return [int(each, 0) for each in ([found] if isinstance(found, str) else found)]


class Random:
    """The numbers that ``membench`` draws."""

    def __init__(self) -> None:
        self.state = 1

    def __call__(self) -> int:
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) & MASK
        return self.state >> 32


def word(at: int) -> int:
    """What ``membench`` fills its memory with."""
    return at * 0x9E3779B97F4A7C15 & MASK


def random_reads(size: int, passes: int) -> int:
    draw = Random()
    places = [draw() * (size // 8) >> 32 for _ in range(passes * size // LINE)]
    return sum(word(8 * place) for place in places) & MASK


def strided_reads(size: int, passes: int, step: int) -> int:
    return passes * sum(word(at) for at in range(0, size, step)) & MASK


def sorted_sum(size: int, passes: int) -> int:
    draw = Random()
    drawn = [[draw() for _ in range(size // 4)] for _ in range(passes)]
    return sum(place * value for place, value in enumerate(sorted(drawn[-1]))) & MASK


@pytest.mark.parametrize(
    ("work", "name", "expected"),
    [
        (0, "random-reads", random_reads(48 * 1024, 5)),
        pytest.param(1, "lines", strided_reads(48 * 1024, 5, LINE), marks=SLOW),
        pytest.param(2, "pages", strided_reads(48 * 1024, 5, PAGE + LINE), marks=SLOW),
        (3, "sort", sorted_sum(48 * 1024, 5)),
    ],
)
def test_work_on_memory_has_the_result_that_it_should(
    tmp_path: Path, platform: str, work: int, name: str, expected: int
) -> None:
    result = guest(tmp_path, platform, "membench", f"work={work} size=48KiB passes=3 warmup=2")
    least, mean, most, found = numbers(
        rf"membench: {name} of 49152 bytes, 3 passes, min/mean/max (\d+)/(\d+)/(\d+) ns, result (\w+)\n", result
    )
    assert found == expected
    assert 0 < least <= mean <= most


def test_a_timer_is_late_by_what_the_hypervisor_takes(tmp_path: Path, platform: str) -> None:
    means = []
    for cost in ("0ns", "3us"):
        changed = [f"platform.costs={{interrupt: {cost}, hypercall: 0ns, access: 0ns, direct: 0ns}}"]
        if platform == "qemu-riscv64-virt":  # where the timer is the hypervisor's
            changed += ["platform.extends=qemu-riscv64-virt-plic", "platform.sstc=false"]
        options = [f"--set={each}" for each in changed]
        result = guest(tmp_path, platform, "irqlat", "period=50us count=20 warmup=2", *options)
        least, mean, most = numbers(r"irqlat: 20 interrupts, latency min/mean/max (\d+)/(\d+)/(\d+) ns\n", result)
        assert 0 < least <= mean <= most
        means.append(mean)
    assert means[1] - means[0] == pytest.approx(3000, abs=100)


def test_who_asks_for_too_much_memory_is_told(tmp_path: Path, platform: str) -> None:
    assert "a size of 4 KiB to 16 MiB" in guest(tmp_path, platform, "membench", "size=17MiB").out
    assert "a walk of 1048576 bytes at most" in guest(tmp_path, platform, "irqlat", "walk=2MiB").out
    assert "a size of 16 MiB at most for all vCPUs" in guest(tmp_path, platform, "membound", "size=9MiB", cpus=2).out


@pytest.mark.parametrize(
    ("parameters", "does"),
    [
        pytest.param("size=64KiB reads=0", "each writes 65536 bytes", marks=SLOW),
        pytest.param("size=64KiB", "each writes and reads 65536 bytes", marks=SLOW),
        ("size=64KiB after=1ms", "each writes and reads 65536 bytes"),
        pytest.param("size=0", "quiet", marks=SLOW),
    ],
)
def test_a_neighbour_never_ends(tmp_path: Path, platform: str, parameters: str, does: str) -> None:
    result = guest(tmp_path, platform, "membound", parameters, "--for", "2ms", cpus=2)
    assert result.status == 0, result.err
    assert f"membound: 2 vCPUs, {does}\n" in result.out
    assert "done" not in result.out
