"""Debian's kernel and U-Boot in virtual time: a whole session, typed by a script, is the same in every placement."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_terminal import terminal
from tests.guests.test_boot import linux
from tests.system.machine import UART, Result, baonet, write

pytestmark = [pytest.mark.guests, pytest.mark.timeout(600)]


def session(directory: Path, machine: dict[str, Any], placement: str, *options: str) -> tuple[Result, str]:
    """A run to its end, and its digest."""
    file = write(directory, machine)
    console = machine["vms"][0]["name"]
    result = baonet("run", file, "--clock", "virtual", "--placement", placement, "--console", console, *options)
    found = re.search(r"digest ([0-9a-f]{64})", result.err)
    assert found, result.err
    return result, found[1]


def test_linux_does_the_same_in_every_run(tmp_path: Path, guest_cache: Path) -> None:
    typed = "cat /proc/interrupts; nproc; cat /proc/uptime; head -c 16 /dev/urandom | md5sum; poweroff\n"
    machine = {
        "vms": [linux(guest_cache, cpus=4)],
        "input": [{"vm": "linux", "at": "2s", "text": typed}],
    }
    runs = [session(tmp_path, machine, placement) for placement in ("process-per-island", "one-process")]
    (first, digest), (second, again) = runs
    assert first.status == second.status == 0, first.out[-2000:] + first.err
    assert first.out == second.out
    assert digest == again
    assert re.search(r"GICv3\s+33\s+Level\s+uart-pl011", first.out), first.out[-2000:]
    assert re.search(r"\n4\r?\n", first.out[first.out.rindex("IPI") :])
    assert not re.search(r"Oops|BUG:|WARNING:|rcu.*stall", first.out), first.out


@pytest.mark.parametrize(("cpus", "placement"), [(17, "process-per-cpu"), (32, "one-process"), (64, "one-process")])
def test_linux_on_more_cpus_than_a_target_list_names(
    tmp_path: Path, guest_cache: Path, cpus: int, placement: str
) -> None:
    """Every CPU is brought up, and reached by SGI: Linux moves a task there by one."""
    last = f"taskset -c {cpus - 1} grep -w ^processor.*{cpus - 1} /proc/cpuinfo"
    machine = {
        "platform": {"extends": "qemu-aarch64-virt", "cpus": cpus},
        "vms": [linux(guest_cache, cpus=cpus)],
        "input": [{"vm": "linux", "at": "3s", "text": f"nproc; {last}; grep IPI[01] /proc/interrupts; poweroff\n"}],
    }
    result, _ = session(tmp_path, machine, placement)
    assert result.status == 0, result.out[-2000:] + result.err
    shown = result.out[result.out.rindex("shell ready") :]
    assert re.search(rf"\n{cpus}\r?\n", shown), shown
    assert re.search(rf"\nprocessor\s*: {cpus - 1}\r?\n", shown), shown
    rescheduling, calls = re.findall(r"\nIPI[01]:((?:\s+\d+)+)", shown)
    received = [[int(count) for count in each.split()] for each in (rescheduling, calls)]
    assert [len(each) for each in received] == [cpus] * 2
    assert all(map(sum, zip(*received, strict=True))), received
    assert not re.search(r"Oops|BUG:|WARNING:|rcu.*stall", result.out), result.out


def test_a_32_bit_user_land_does_the_same_in_every_run(tmp_path: Path, guest_cache: Path) -> None:
    """Debian's armhf busybox under the arm64 kernel, which also takes about as long as the arm64 one."""
    work = "dd if=/dev/zero bs=64k count=160 2>/dev/null | md5sum; seq 1 4000 | sort | sha1sum"
    typed = f"head -c 5 /proc/self/exe | od -An -tx1; cat /proc/uptime; {work}; cat /proc/uptime; poweroff\n"

    def run(initrd: str, placement: str) -> tuple[Result, str, float]:
        machine = {
            "vms": [linux(guest_cache, cpus=2, initrd=initrd)],
            "input": [{"vm": "linux", "at": "2s", "text": typed}],
        }
        result, digest = session(tmp_path, machine, placement)
        assert result.status == 0, result.out[-2000:] + result.err
        began, ended = re.findall(r"\n(\d+\.\d\d) \d+\.\d\d\r?\n", result.out)
        return result, digest, float(ended) - float(began)

    placements = ("process-per-island", "process-per-island", "one-process")
    (first, digest, took), *others = [run("initrd-armhf.cpio.gz", placement) for placement in placements]
    assert [(result.out, again) for result, again, _ in others] == [(first.out, digest)] * 2
    assert "7f 45 4c 46 01" in first.out, "an ELF file of 32 bits"
    assert not re.search(r"Oops|BUG:|WARNING:|rcu.*stall|Segmentation|Illegal", first.out), first.out
    other, _, took_in_64_bits = run("initrd.cpio.gz", "one-process")
    assert re.findall("[0-9a-f]{32,40}  -", other.out) == re.findall("[0-9a-f]{32,40}  -", first.out)
    assert 0.5 < took / took_in_64_bits < 2, (took, took_in_64_bits)


def u_boot(cache: Path) -> dict[str, Any]:
    return {
        "name": "uboot",
        "image": {"path": str(cache / "u-boot.bin"), "base": 0},
        "device_tree": {"path": "auto", "base": 0x40000000},
        "cpus": 1,
        "memory": [{"base": 0x40000000, "size": "256MiB"}, {"base": 0, "size": "128MiB"}],
        "devices": [UART],
    }


def test_u_boot_does_the_same_in_every_run(tmp_path: Path, guest_cache: Path) -> None:
    typed = [("1s", "\n"), ("2s", "version; reset\n"), ("3s", "\n"), ("4s", "poweroff\n")]
    machine = {"vms": [u_boot(guest_cache)], "input": [{"vm": "uboot", "at": at, "text": text} for at, text in typed]}
    runs = [session(tmp_path, machine, placement) for placement in ("process-per-cpu", "one-process")]
    (first, digest), (second, again) = runs
    assert first.status == second.status == 0, first.out[-2000:] + first.err
    assert (first.out, digest) == (second.out, again)
    assert first.out.count("Hit any key") == 2
    assert "GNU ld" in first.out


def test_u_boot_has_its_data_in_the_caches_that_it_has_enabled(tmp_path: Path, guest_cache: Path) -> None:
    """Stage 1 comes first. What is not cached is before that, and its UART."""
    platform = {"extends": "qemu-aarch64-virt", "memory_system": "cortex-a53"}
    file = write(tmp_path, {"platform": platform, "clock": {"mhz": 1200}, "vms": [u_boot(guest_cache)]})
    stats = tmp_path / "stats.json"
    result = baonet("run", file, "--clock", "virtual", "--for", "500ms", "--stats", stats)
    assert result.status == 0, result.err
    uboot = json.loads(stats.read_text())["memory"]["vms"]["uboot"]
    assert uboot["guest"]["uncached"] < (uboot["guest"]["loads"] + uboot["guest"]["stores"]) / 5
    assert uboot["cycles"] < 2 * uboot["instructions"]


def test_a_live_linux_session_again(tmp_path: Path, guest_cache: Path) -> None:
    """Its idle moments too: a guest that sleeps for its next timer wakes for what is typed."""
    typed = tmp_path / "typed.yaml"
    machine = {"vms": [linux(guest_cache, cpus=2)]}
    with terminal(tmp_path, machine, "--clock", "virtual", "--console", "linux", "--record", str(typed)) as user:
        user.wait_for(b"shell ready")
        time.sleep(1.5)
        user.type(b"cat /proc/interrupts\r")
        user.wait_for(b"arch_timer")
        time.sleep(0.5)
        began = time.monotonic()
        user.type(b"echo END-OF-$((6*7))\r")
        user.wait_for(b"END-OF-42")
        assert time.monotonic() - began < 1.5  # it is not behind what it was not awake for
        user.type(b"poweroff\r")
        assert user.end() == 0, user.shown[-2000:]
    live = re.search(rb"baonet: (.*?) of virtual time; digest ([0-9a-f]{64})", user.shown)
    assert live
    result, digest = session(tmp_path, machine, "one-process", "--input", str(typed))
    assert result.status == 0
    assert digest == live[2].decode(), result.err
    assert f"baonet: {live[1].decode()} of" in result.err
