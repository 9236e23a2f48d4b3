"""docs/architecture.md says what is so: its floors, its picture, and every function that its walks name."""

from __future__ import annotations

import importlib
import re

import pytest

from tests.architecture.picture import PAGE, floors, page

TEXT = PAGE.read_text(encoding="utf-8")
WALKS = ("From a file to a running pcpu", "An SGI from one vCPU to another", "One round of virtual time")
PACKAGES = "|".join(name for floor in floors() for name in floor)


def named(walk: str) -> list[str]:
    """What stands in backquotes and begins with a package."""
    section = re.search(rf"^## {walk}\n(.*?)^## ", TEXT, re.MULTILINE | re.DOTALL)
    assert section is not None, f"the page has no walk {walk!r}"
    return re.findall(rf"`((?:{PACKAGES})(?:\.\w+)+)`", section[1])


@pytest.mark.parametrize(("walk", "name"), [(walk, name) for walk in WALKS for name in named(walk)])
def test_what_a_walk_names_is_there(walk: str, name: str) -> None:
    parts = name.split(".")
    modules = 0
    for length in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(("baonet", *parts[:length])))
        except ModuleNotFoundError:
            continue
        modules = length
        break
    for attribute in parts[modules:]:
        assert hasattr(found, attribute), f"{walk}: {name} has no {attribute}"
        found = getattr(found, attribute)


def test_a_walk_names_what_it_passes() -> None:
    assert all(len(named(walk)) >= 10 for walk in WALKS)


def test_the_table_has_the_floors_of_the_contract() -> None:
    table = re.findall(r"^\| (\d+) \| `baonet/(\w+)` \|", TEXT, re.MULTILINE)
    assert table == [
        (str(number), name)
        for number, floor in zip(range(len(floors()) - 1, -1, -1), floors(), strict=True)
        for name in floor
    ]


def test_the_picture_is_that_of_the_imports() -> None:
    pytest.importorskip("grimp", reason="of the group 'check'")

    assert page() == TEXT, "run `make docs`"
