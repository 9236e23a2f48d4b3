"""A host that has no more memory ends a process in the middle of a guest's store: the word that is left tells why."""

from __future__ import annotations

import itertools
import os
import signal
from pathlib import Path

import pytest

from tests.launch.live import Live, run
from tests.system.machine import vm


@pytest.mark.parametrize(
    ("number", "why"),
    [
        (signal.SIGKILL, "was killed by SIGKILL: the host had no more memory"),
        (signal.SIGBUS, "was killed by SIGBUS: the host had no page for what is in the machine's memory"),
    ],
)
def test_the_cause_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals, why: str) -> None:
    counts = itertools.count()
    monkeypatch.setattr("baonet.launch.local.killings", lambda: next(counts))

    async def script(live: Live) -> None:
        await live.wait_for("echo", "type a line")
        os.kill(live.processes()[0], number)

    outcome, _ = run(tmp_path, {"vms": [vm("echo")]}, "process-per-cpu", script)
    assert f"pcpu 0 (VM 'echo', vcpu 0) {why}" in outcome.failures  # and the stack of the crash
