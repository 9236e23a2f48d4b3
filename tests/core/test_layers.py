"""The native engine's layers: its files include as the table at the head of ``core.h`` says, and in no circle."""

from __future__ import annotations

import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import baonet.core.native

NATIVE = Path(next(iter(baonet.core.native.__path__)))
FILES = sorted(path for path in NATIVE.rglob("*") if path.suffix in {".c", ".h"})
LAYERS = [
    set(units.split())
    for units in re.findall(r"^ \*   \w+ +(\w+(?: \w+)*)$", (NATIVE / "core.h").read_text(), re.MULTILINE)
]


def included(path: Path) -> set[str]:
    """The units (a .c file and its header are one) whose headers this file includes, but for its own."""
    names = re.findall(r'^#include "(?:[\w/]*/)?(\w+)\.h"', path.read_text(), re.MULTILINE)
    return set(names) - {path.stem}


def test_every_file_is_in_one_layer() -> None:
    listed = [unit for layer in LAYERS for unit in layer]
    assert sorted(listed) == sorted({path.stem for path in FILES})
    architecture = {path.stem for path in FILES if path.parent.name == "armv8"}
    assert architecture == LAYERS[2] | LAYERS[4] | {"offsets"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_an_include_never_goes_up(path: Path) -> None:
    (layer,) = (n for n, units in enumerate(LAYERS) if path.stem in units)
    assert included(path) <= set().union(*LAYERS[layer:])


def test_no_circle() -> None:
    graph: dict[str, set[str]] = {}
    for path in FILES:
        graph.setdefault(path.stem, set()).update(included(path))
    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(f"{' -> '.join(error.args[1])} include one another")
    assert order.index("library") < order.index("core") < order.index("run") < order.index("module")
