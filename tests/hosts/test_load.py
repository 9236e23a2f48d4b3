"""A host that is busy is not one that is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.hosts.bench import Bench, needs_namespaces
from tests.system.machine import vm, write

pytestmark = [pytest.mark.long, needs_namespaces]
BUSY = """\
import os, sys
begin, hold = os.pipe()
for _ in range(int(sys.argv[1])):
    if os.fork() == 0:
        os.close(hold)
        os.read(begin, 1)
        while True:
            pass
print("busy", flush=True)
os.close(hold)
sys.stdin.read()
"""
SECONDS = 15
Make = Callable[..., Bench]


@contextmanager
def _busy(count: int) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, "-S", "-c", BUSY, str(count)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@pytest.mark.parametrize("wrapped", [(), ("setpriv", "--bounding-set=-sys_nice")], ids=["privileged", "ordinary"])
def test_a_thousand_busy_processes_lose_nobody(bench: Make, tmp_path: Path, wrapped: tuple[str, ...]) -> None:
    """With the heartbeat that there is by default, whether its thread may come before others or not."""
    hosts = bench("a", "b", wrapped=wrapped)
    file = write(tmp_path, {"vms": [vm("spin", cpus=2)], "clock": {"mode": "virtual"}})
    lead = hosts.lead(file, "--place", "spin=0:1")
    assert lead.out is not None
    lead.out.wait_for("spin: 2 vCPUs")
    with _busy(1000), pytest.raises(subprocess.TimeoutExpired):
        lead.status(SECONDS)
    lead.popen.send_signal(signal.SIGINT)
    assert lead.status() == 130
    assert "WARNING: node" not in lead.err.all()
