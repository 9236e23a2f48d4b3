"""Debian's kernel on several nodes: a whole session is the same as on one host."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

import baonet
from tests.guests.test_boot import FIRST_UART, SECOND_UART, Running, linux
from tests.guests.test_virtual_boot import session
from tests.system.machine import write

pytestmark = [pytest.mark.guests, pytest.mark.timeout(600)]


def test_linux_on_two_nodes_does_what_it_does_on_one(tmp_path: Path, guest_cache: Path) -> None:
    """From its start to its end, with work in which its CPUs and its UART are used from both."""
    work = "dd if=/dev/zero bs=64k count=20 2>/dev/null | md5sum; seq 1 500 | sort | sha1sum"
    random = "head -c 16 /dev/urandom | md5sum"
    typed = f"nproc; {work}; taskset -c 3 sh -c '{work}'; {random}; cat /proc/interrupts; poweroff\n"
    machine = {
        "vms": [linux(guest_cache, cpus=4)],
        "input": [{"vm": "linux", "at": "2s", "text": typed}],
    }
    here, digest = session(tmp_path, machine, "process-per-island")
    there, again = session(tmp_path, machine, "process-per-island", "--on", "local:2", "--place", "spread")
    assert here.status == there.status == 0, there.out[-2000:] + there.err
    assert there.out == here.out
    assert again == digest
    assert re.search(r"\n4\r?\n", there.out[there.out.index("shell ready") :])
    assert not re.search(r"Oops|BUG:|WARNING:|rcu.*stall", there.out), there.out


def test_linux_on_two_nodes_does_the_same_where_memory_takes_time(tmp_path: Path, guest_cache: Path) -> None:
    """Whose caches have what, and which TLBs are to forget what, both nodes know alike."""
    work = "taskset -c 1 sh -c 'seq 1 500 | sort | sha1sum'; head -c 16 /dev/urandom | md5sum"
    machine = {
        "platform": {"extends": "qemu-aarch64-virt", "memory_system": "cortex-a53"},
        "clock": {"mhz": 1200},
        "vms": [linux(guest_cache, cpus=2)],
        "input": [{"vm": "linux", "at": "2s", "text": f"nproc; {work}; poweroff\n"}],
    }
    here, digest = session(tmp_path, machine, "process-per-island")
    there, again = session(tmp_path, machine, "process-per-island", "--on", "local:2", "--place", "spread")
    assert here.status == there.status == 0, there.out[-2000:] + there.err
    assert (there.out, again) == (here.out, digest)
    assert re.search(r"\n2\r?\n", there.out[there.out.index("shell ready") :])


@pytest.mark.parametrize("cpus", [2, 4])
def test_linux_on_two_nodes_under_the_hosts_clock(tmp_path: Path, guest_cache: Path, cpus: int) -> None:
    """From its start to its end, with work on CPUs of both nodes at once, whose result is that of one."""
    options = ("--clock", "host", "--on", "local:2", "--place", "spread", "--console", "linux")
    run = Running(tmp_path, {"vms": [linux(guest_cache, cpus=cpus)]}, *options)
    run.wait_for("shell ready")
    work = "(dd if=/dev/zero bs=64k count=20 2>/dev/null; seq 1 500 | sort) | md5sum"
    each = f'for n in $(seq 0 {cpus - 1}); do taskset -c $n sh -c "{work}" & done; wait'
    run.type(f"nproc; {each}; usleep 20000; cat /proc/interrupts; echo END-OF-$((6*7))")
    run.wait_for("END-OF-42")
    shown = run.text[run.text.rindex("shell ready") :]
    assert re.search(rf"\n{cpus}\r?\n", shown), shown
    expected = hashlib.md5(bytes(20 << 16) + b"".join(b"%s\n" % n for n in sorted(b"%d" % n for n in range(1, 501))))
    assert re.findall("([0-9a-f]{32})  -", shown) == [expected.hexdigest()] * cpus, shown
    timers = re.search(r"GICv3\s+\d+\s+Level\s+arch_timer", shown)
    assert timers, shown
    run.type("poweroff")
    assert run.end() == 0, run.text[-2000:]
    assert "between nodes" in run.text
    assert not re.search(r"Oops|BUG:|WARNING:|rcu.*stall", run.text), run.text


def test_two_linux_vms_on_nodes_of_their_own(tmp_path: Path, guest_cache: Path) -> None:
    """Islands have nothing to say to each other, so nothing goes between nodes."""
    second = linux(guest_cache, "second", cpus=2) | {
        "devices": [{"pa": 0x09040000, "va": 0x09000000, "size": 0x1000, "interrupts": [40]}]
    }
    machine = {
        "platform": {"extends": "qemu-aarch64-virt", "devices": [FIRST_UART, SECOND_UART]},
        "vms": [linux(guest_cache, cpus=2), second],
    }
    options = ("--for", "1200ms")
    _, digest = session(tmp_path, machine, "process-per-island", *options)
    place = ("--on", "local:2", "--place", "linux=0,second=1")
    there, again = session(tmp_path, machine, "process-per-island", *options, *place)
    assert again == digest
    assert "between nodes" not in there.err


async def test_linux_is_saved_on_nodes_and_goes_on_anywhere(tmp_path: Path, guest_cache: Path) -> None:
    """While it boots, and amid work; each time the bytes are those that one host saves."""
    typed = "cat /proc/interrupts; head -c 16 /dev/urandom | md5sum; seq 1 3000 | sort | sha1sum; poweroff\n"
    machine = {
        "vms": [linux(guest_cache, cpus=4)],
        "input": [{"vm": "linux", "at": "2s", "text": typed}],
        "placement": "spread",
    }
    loaded = baonet.load(write(tmp_path, machine), set={"clock.mode": "virtual"})
    moments = ["1200ms", "2050ms"]
    async with baonet.open_run(loaded, timeout="300s") as run:
        for moment in moments:
            await run.for_(f"{int(moment.removesuffix('ms')) * 1_000_000 - run.time}ns")
            await run.save(tmp_path / moment)
        left = await run.finished()
    state = None
    for moment in moments:
        async with baonet.open_run(loaded, on="local:2", state=state, timeout="300s") as run:
            await run.for_(f"{int(moment.removesuffix('ms')) * 1_000_000 - run.time}ns")
            state = tmp_path / f"{moment} of nodes"
            await run.save(state)
        assert state.read_bytes() == (tmp_path / moment).read_bytes()
    for on in (None, "local:4"):
        async with baonet.open_run(loaded, on=on, state=state, timeout="300s") as run:
            assert (await run.finished()).digest == left.digest is not None
            assert "Power down" in run.console("linux").text
