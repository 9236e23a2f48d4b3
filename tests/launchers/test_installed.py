"""Nodes of a wheel, as containers have it: each waits on a host, a network namespace, for one run after another."""

from __future__ import annotations

import os

import pytest

from tests.launchers.machines import TALK, same
from tests.launchers.namespaces import hosts, possible
from tests.launchers.waiting import within

INSTALLED = os.environ.get("BAONET_INSTALLED", "")
"""The command of a wheel that is installed: what the Dockerfile does, .ci/run does."""
pytestmark = [
    pytest.mark.hosts,
    pytest.mark.skipif(not INSTALLED, reason="needs BAONET_INSTALLED, the command of a wheel that is installed"),
    pytest.mark.skipif(not possible(), reason="needs the right to make network namespaces"),
]


def test_nodes_that_wait_serve_one_run_after_another() -> None:
    with hosts(2) as there:
        places = [f"{address}:7470" for address in there.addresses]
        for number, place in enumerate(places):
            there.start(number, INSTALLED, "node", "--listen", place, "--insecure")
        words = [INSTALLED, *TALK, "--on", ",".join(places)]
        within(20, lambda: "cannot be reached" not in there.execute(words).err)
        for _ in range(2):
            same(there.execute(words))
