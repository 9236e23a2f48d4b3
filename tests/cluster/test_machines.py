"""What of a machine is sent to a node: that which its VMs need."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.waiting import WaitingNode
from tests.system.machine import UART, baonet, vm, write

SILENT = {key: value for key, value in UART.items() if key != "interrupts"}


def _kept(cache: Path) -> set[str]:
    return {path.name for path in (cache / "baonet" / "images").iterdir() if len(path.name) == 64}


def _sha(machine: dict[str, Any], number: int) -> str:
    return hashlib.sha256(Path(machine["vms"][number]["image"]["path"]).read_bytes()).hexdigest()


@pytest.mark.parametrize("apart", [True, False], ids=["of their own", "of an island that they share"])
def test_a_node_has_the_images_of_its_vms_alone(tmp_path: Path, apart: bool) -> None:
    """And of all VMs of an island on several nodes, whose memory each of these has."""
    nowhere = {"devices": [], "memory": [{"base": base, "size": "16MiB"} for base in (0x40000000, UART["pa"])]}
    vms = [vm("hello"), vm("spin", **(nowhere if apart else {"devices": [SILENT]}))]
    machine = {"vms": vms, "clock": {"mode": "virtual"}}
    shas = [_sha(machine, 0), _sha(machine, 1)]
    caches = [tmp_path / "a", tmp_path / "b"]
    with WaitingNode(None, cache=caches[0]) as one, WaitingNode(None, cache=caches[1]) as other:
        where = f"127.0.0.1:{one.port},127.0.0.1:{other.port}"
        file = write(tmp_path, machine)
        done = baonet("run", file, "--on", where, "--place", "hello=0,spin=1", "--for", "1ms", "--insecure")
    assert done.status == 0, done.err
    assert [_kept(cache) for cache in caches] == ([{shas[0]}, {shas[1]}] if apart else [set(shas), set(shas)])
