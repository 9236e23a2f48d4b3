"""Debian's riscv64 kernel on several nodes: a whole session is the same as in one process."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from tests.guests.riscv import PLATFORMS, TROUBLE, linux
from tests.guests.test_boot import Running
from tests.guests.test_virtual_boot import session

pytestmark = [pytest.mark.guests, pytest.mark.timeout(600)]


@pytest.mark.parametrize("irqc", list(PLATFORMS))
def test_linux_on_four_nodes_does_what_it_does_in_one_process(tmp_path: Path, guest_cache: Path, irqc: str) -> None:
    """From its start to its end, with work in which its harts and its UART are used from all."""
    work = "dd if=/dev/zero bs=64k count=20 2>/dev/null | md5sum; seq 1 500 | sort | sha1sum"
    random = "head -c 16 /dev/urandom | md5sum"
    typed = f"nproc; {work}; taskset -c 3 sh -c '{work}'; {random}; cat /proc/interrupts; poweroff\n"
    machine = {
        "platform": PLATFORMS[irqc],
        "vms": [linux(guest_cache, cpus=4)],
        "input": [{"vm": "linux", "at": "4s", "text": typed}],
    }
    here, digest = session(tmp_path, machine, "one-process")
    there, again = session(tmp_path, machine, "process-per-island", "--on", "local:4", "--place", "spread")
    assert here.status == there.status == 0, there.out[-2000:] + there.err
    assert there.out == here.out
    assert again == digest
    assert re.search(r"\n4\r?\n", there.out[there.out.index("shell ready") :])
    assert not re.search(TROUBLE, there.out), there.out


@pytest.mark.parametrize("irqc", list(PLATFORMS))
def test_linux_on_two_nodes_under_the_hosts_clock(tmp_path: Path, guest_cache: Path, irqc: str) -> None:
    """From its start to its end, with work on harts of both nodes at once, whose result is that of one."""
    options = ("--clock", "host", "--on", "local:2", "--place", "spread", "--console", "linux")
    run = Running(tmp_path, {"platform": PLATFORMS[irqc], "vms": [linux(guest_cache, cpus=2)]}, *options)
    run.wait_for("shell ready")
    work = "(dd if=/dev/zero bs=64k count=20 2>/dev/null; seq 1 500 | sort) | md5sum"
    run.type(f'for n in 0 1; do taskset -c $n sh -c "{work}" & done; wait; echo END-OF-$((6*7))')
    run.wait_for("END-OF-42")
    shown = run.text[run.text.rindex("shell ready") :]
    expected = hashlib.md5(bytes(20 << 16) + b"".join(b"%s\n" % n for n in sorted(b"%d" % n for n in range(1, 501))))
    assert re.findall("([0-9a-f]{32})  -", shown) == [expected.hexdigest()] * 2, shown
    run.type("poweroff")
    assert run.end() == 0, run.text[-2000:]
    assert "between nodes" in run.text
    assert not re.search(TROUBLE, run.text), run.text
