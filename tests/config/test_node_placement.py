"""``placement`` as a record, and what is told of several mistakes at once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from baonet.config.loader import load
from baonet.config.schema import json_schema
from baonet.document.document import Form, parse
from baonet.machine import NodePlacement, NodePolicy, VmNodes
from tests.config.json_schema import violations
from tests.config.machines import BASE, marked, problems, write

SCHEMA = json.loads(json_schema())


def placed(text: str) -> str:
    return BASE.replace("version: 1\n", f"version: 1\nplacement: {text}\n")


@pytest.mark.parametrize(
    ("text", "record"),
    [
        ("pack", NodePlacement()),
        ("spread", NodePlacement(NodePolicy.SPREAD)),
        ("{linux: 1}", NodePlacement(given=(VmNodes("linux", (1,)),))),
        ("{linux: host-b, ping: 0}", NodePlacement(given=(VmNodes("ping", (0,)), VmNodes("linux", ("host-b",))))),
        ("{ping: [3], linux: [0, host-b:7000]}",
         NodePlacement(given=(VmNodes("ping", (3,)), VmNodes("linux", (0, "host-b:7000"))))),
        ("{ping: '[fe80::1]:7000', linux: ['1', user@10.0.0.1]}",
         NodePlacement(given=(VmNodes("ping", ("[fe80::1]:7000",)), VmNodes("linux", (1, "user@10.0.0.1"))))),
    ],
)  # fmt: skip
def test_a_placement_and_its_record(tmp_path: Path, text: str, record: NodePlacement) -> None:
    file = write(tmp_path, placed(text))
    assert load(file).placement == record
    root, _ = parse(file, Form())
    assert list(violations(SCHEMA, root.plain(), SCHEMA)) == []


def test_a_machine_without_one_is_packed(tmp_path: Path) -> None:
    assert load(write(tmp_path)).placement == NodePlacement()


def test_an_override_is_a_placement_too(tmp_path: Path) -> None:
    file = write(tmp_path, placed("{linux: [0, 1]}"))
    assert load(file, ["placement=spread"]).placement == NodePlacement(NodePolicy.SPREAD)
    assert load(file, ["placement.linux=2"]).placement.given == (VmNodes("linux", (2,)),)
    assert load(write(tmp_path), ["placement.ping=2"]).placement.given == (VmNodes("ping", (2,)),)


def test_mistakes_at_once(tmp_path: Path) -> None:
    text, places = marked(placed("{§lunix: [0, §true], ping: §1024, linux: §[1, 2, 3]}"))
    found = problems(write(tmp_path, text))
    assert [(each.line, each.column) for each in found] == places


def test_a_vm_that_cannot_be_read_hides_no_vm_of_the_map(tmp_path: Path) -> None:
    """It may be the one that is meant."""
    text, places = marked(placed("{pong: 0}").replace("name: ping", "name: §[pong]"))
    assert [(each.line, each.column) for each in problems(write(tmp_path, text))] == places
