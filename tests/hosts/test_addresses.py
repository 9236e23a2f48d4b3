"""Hosts that have no address but those of their link, and interfaces of different names."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.hosts.bench import LEAD, Bench, eventually, needs_namespaces
from tests.patience import LIMIT
from tests.system.machine import pair, write

pytestmark = [pytest.mark.hosts, needs_namespaces]
Make = Callable[..., Bench]
PORT = 7471


def _ip(bench: Bench, name: str, *words: str) -> str:
    return subprocess.run(["ip", "-n", bench.space(name), *words], capture_output=True, text=True, check=True).stdout


def _of_link(bench: Bench, name: str, interface: str) -> str:
    def found() -> list[str]:
        told = _ip(bench, name, "-6", "-o", "addr", "show", "dev", interface, "scope", "link")
        return [] if "tentative" in told else re.findall(r"inet6 (fe80::[0-9a-f:]+)/", told)

    eventually(lambda: bool(found()), "it has an address of its link", 10)
    return found()[0]


@pytest.mark.parametrize("clock", ["host", "virtual"])
def test_a_machine_over_hosts_of_one_link(bench: Make, tmp_path: Path, clock: str) -> None:
    hosts = bench("a", "b")
    for words in (["down"], ["name", "lan0"], ["up"]):
        _ip(hosts, "b", "link", "set", "lan0" if words == ["up"] else "eth0", *words)
    where = []
    for name, interface in (("a", "eth0"), ("b", "lan0")):
        address = _of_link(hosts, name, interface)
        node = hosts.start(name, ["node", "--listen", f"[{address}%{interface}]:{PORT}", "--insecure"])
        node.err.wait_for(f"waits at [{address}%{interface}]:{PORT}")
        where.append(f"[{address}%eth0]:{PORT}")
    file = write(tmp_path, pair())
    options = ["--clock", clock, "--place", "spread", "--timeout", LIMIT]
    lead = hosts.start(
        LEAD, ["run", str(file), "--on", ",".join(where), *options, *(["--for", "1ms"] if clock == "virtual" else [])]
    )
    assert lead.status(90) == 0, lead.err.all()
    assert all(name in lead.err.all() for name in where)
