"""A page that another host has, without guests: what a courier's client in Python waits for it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median, quantiles

from benchmarks.hosts.wire import Host
from benchmarks.process import RunFailedError


def pages(hosts: Sequence[Host], count: int, keys: Path | None) -> tuple[float, float]:
    """Seconds for one of ``count``: median, p99. ``keys`` has those of ``alpha`` and ``beta``."""
    giver, taker = hosts
    of = {end: [] if keys is None else [str(keys / end)] for end in ("alpha", "beta")}
    module = [sys.executable, "-m"]
    with subprocess.Popen(
        giver.command(*module, "benchmarks.hosts.giver", giver.address, *of["alpha"]),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as serving:
        assert serving.stdin is not None
        assert serving.stdout is not None
        port = serving.stdout.readline().strip()
        if not port:
            raise RunFailedError("the giver has not begun")
        asked = taker.command(*module, "benchmarks.hosts.taker", giver.address, port, str(count), *of["beta"])
        done = subprocess.run(asked, stdout=subprocess.PIPE, text=True, check=False)
        serving.stdin.close()
    if done.returncode:
        raise RunFailedError("the taker has failed")
    taken: list[float] = json.loads(done.stdout)
    return median(taken) / 1e6, quantiles(taken, n=100)[98] / 1e6
