"""What goes between nodes is told, and which page they fight for."""

from __future__ import annotations

import json
from pathlib import Path

from tests.system.machine import pair, run, vm

SPREAD = ("--clock", "virtual", "--on", "local:2", "--place", "spread")


def test_the_page_that_nodes_fight_for_is_named(tmp_path: Path) -> None:
    result = run(tmp_path, pair(), *SPREAD, "--for", "2ms", "--stats", str(tmp_path / "stats.json"))
    assert "; most often shared memory 'mailbox', 0x0: " in result.err
    stats = json.loads((tmp_path / "stats.json").read_text())
    nodes = stats["nodes"]
    assert nodes.keys() == {"local-0", "local-1"}
    assert sum(node["pages"] for node in nodes.values()) == sum(node["given"] for node in nodes.values())
    assert nodes["local-0"]["orders"] > 100
    first = stats["hottest_pages"][0]
    assert (first["what"], first["address"]) == ("shared memory 'mailbox'", 0)
    assert sum(first["nodes"].values()) > 10


def test_a_page_of_a_split_vm_is_told_by_its_address_and_whom_it_came_to(tmp_path: Path) -> None:
    stats = ("--for", "2ms", "--stats", str(tmp_path / "stats.json"))
    result = run(tmp_path, {"vms": [vm("sgi", cpus=2)]}, *SPREAD, *stats)
    assert "most often VM 'sgi', 0x40" in result.err
    pages = json.loads((tmp_path / "stats.json").read_text())["hottest_pages"]
    assert min(pages[0]["nodes"]["local-0"], pages[0]["nodes"]["local-1"]) > 100


def test_whole_vms_have_nothing_to_tell(tmp_path: Path) -> None:
    result = run(tmp_path, {"vms": [vm("hello")]}, "--clock", "virtual", "--on", "local:2")
    assert "between nodes" not in result.err
