"""A far host changes how long a run takes, and nothing else."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.hosts.bench import Bench, needs_namespaces
from tests.hosts.split import SplitVm
from tests.patience import LIMIT
from tests.system.machine import baonet, pair, write

pytestmark = [pytest.mark.hosts, needs_namespaces]
Make = Callable[..., Bench]
OPTIONS = ["--clock", "virtual", "--for", "200us"]


def _digest(said: str) -> str:
    found = re.search(r"digest ([0-9a-f]{64});", said)
    assert found, said
    return found[1]


def test_the_digest_is_that_of_one_host_and_the_time_that_of_the_cable(bench: Make, tmp_path: Path) -> None:
    hosts = bench("a", "b", wired=("b",))
    file = write(tmp_path, pair())
    here = baonet("run", file, *OPTIONS)
    took = {}
    for delay in (0, 1000, 10000):
        hosts.tell_wire("b", f"delay {delay}")
        lead = hosts.lead(file, "--place", "spread", *OPTIONS)
        assert lead.out is not None
        began = time.monotonic()
        assert lead.status(60) == 0
        took[delay] = time.monotonic() - began
        assert _digest(lead.err.all()) == _digest(here.err)
    assert took[10000] > 20 * 0.02  # each window waits for a way there and back


def test_who_waits_for_pages_looks_around_all_the_same(bench: Make, tmp_path: Path) -> None:
    """What its guest says comes, and it does what it is told to, though a few instructions take a second."""
    hosts = bench("a", "b", wired=("b",))
    hosts.tell_wire("b", "delay 10000")
    split = SplitVm("host")
    lead = hosts.lead(split.file(tmp_path), "--place", split.place, "--timeout", LIMIT)
    assert lead.out is not None
    lead.out.wait_for(split.begun, 20)
    lead.popen.send_signal(signal.SIGINT)
    assert lead.status(5) == 130
    assert "did not answer" not in lead.err.all()
