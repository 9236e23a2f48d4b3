"""What is run on hosts: a machine whose VMs are on two of them and talk, and one that does not end."""

from __future__ import annotations

import re
from pathlib import Path

from tests.launchers.namespaces import Hosts
from tests.launchers.waiting import within
from tests.system.machine import Result, baonet, vm, write

TALK = ("run", "configs/ping-pong.yaml", "--clock", "virtual", "--for", "2ms", "--place", "spread")


def same(done: Result) -> None:
    """What ``TALK`` does on one host: it ends, and has the same consoles and the same digest."""
    here = baonet(*TALK[:-2])
    assert done.status == 0, done.err
    assert done.out == here.out
    digest = re.search("digest [0-9a-f]{64}", here.err)
    assert digest is not None
    assert digest[0] in done.err


def endless(directory: Path) -> tuple[str, ...]:
    """Words of a run of two VMs, each on its own node, until somebody ends it. They say something first."""
    machine = {"clock": {"mode": "virtual"}, "vms": [vm("flood-forever", "left"), vm("spin", "right", devices=[])]}
    return ("run", str(write(directory, machine)), "--place", "spread", "--console", "left")


def end_all(there: Hosts) -> None:
    """No node is left on any host."""
    within(10, lambda: not any(there.nodes(number) for number in range(len(there.addresses))))
