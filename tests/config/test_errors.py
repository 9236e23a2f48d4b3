"""Every kind of error: its place, its field, what is wrong and what would be right.

A case replaces a part of the valid machine file; the mark § is where the error has to be found.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from baonet.config.loader import load
from baonet.document.errors import SHOWN, ConfigError, Problem
from tests.config import mistakes_between_fields, mistakes_in_time, mistakes_of_form, mistakes_with_images
from tests.config.machines import BASE, marked, problems, write
from tests.config.mistakes_of_form import Case

ALL = {
    **mistakes_of_form.CASES,
    **mistakes_between_fields.CASES,
    **mistakes_in_time.CASES,
    **mistakes_with_images.CASES,
}


@pytest.mark.parametrize("case", ALL.values(), ids=ALL)
def test_one_mistake_is_one_problem_at_its_place(tmp_path: Path, case: Case) -> None:
    assert case.old in BASE
    text, places = marked(BASE.replace(case.old, case.new, 1))
    path = write(tmp_path, text)
    (found,) = problems(path)
    assert [(found.line, found.column)] == places
    assert (found.path, found.field) == (str(path), case.field)
    assert case.message in found.message
    assert case.hint in found.hint


def test_all_problems_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = BASE.replace("{path: ping.elf}", "{path: §missing.elf}").replace("cpus: 1", "cpus: 1\n    §color: [0]")
    text = text.replace("0x70000000", "§0x40000000").replace("interrupts: [84]}]\n  -", "interrupts: [§20]}]\n  -")
    text = text.replace("cpus: 2", "cpus: §9").replace("0x60200000", "§0x60200001").replace("version: 1", "version: §3")
    text, places = marked(text)
    found = problems(write(tmp_path, text))
    assert [(each.line, each.column) for each in found] == places


def test_what_could_not_be_read_has_no_consequences(tmp_path: Path) -> None:
    """No "unknown shared memory" when its definition is what is wrong, no overlap with a default that is not meant."""
    text = BASE.replace("size: 64KiB}\n", "size: §64KB}\n", 1).replace("va: 0x09000000", "va: §nine")
    text, places = marked(text)
    assert [(each.line, each.column) for each in problems(write(tmp_path, text))] == places


def test_a_vm_with_a_mistake_is_still_compared_with_the_others(tmp_path: Path) -> None:
    text = BASE.replace("size: 64MiB", "size: §64MB").replace("name: linux", "name: §ping")
    text = text.replace("{pa: 0x09000000, size: 4KiB}", "{pa: 0x09000000, size: 4KiB, interrupts: [§33]}")
    text, places = marked(text.replace("cpus: 2", "cpus: §4"))
    assert [(each.line, each.column) for each in problems(write(tmp_path, text))] == places


def test_str_shows_the_line_and_what_would_be_right(tmp_path: Path) -> None:
    path = write(tmp_path, BASE.replace("0x40000000,", "0x40000800,"))
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert str(caught.value) == (
        f"{path}:10:21: vms[0].memory[0].base: 0x40000800 is not a multiple of 4KiB\n"
        "    memory: [{base: 0x40000800, size: 64MiB}]\n"
        "                    ^^^^^^^^^^\n"
        "    use 0x40000000 or 0x40001000"
    )


def test_what_is_wrong_is_one_line_whatever_is_in_it() -> None:
    assert str(Problem("a\nb", 1, 1, "f", "'\x1b\r\n' is no path")) == "a\\x0ab:1:1: f: '\\x1b\\x0d\\x0a' is no path"


def test_a_long_line_is_cut_around_the_place() -> None:
    source = "vms: [" + "x" * 300 + "bad" + "y" * 300 + "]"
    shown = str(Problem("m.yaml", 1, 307, "f", "wrong", source=source, width=3)).split("\n")
    assert len(shown[1]) <= 120
    assert shown[1][shown[2].index("^") :].startswith("bad")
    assert shown[2].count("^") == 3


def test_many_regions_and_many_mistakes_take_no_longer_than_they_are_read(tmp_path: Path) -> None:
    """Not the square of them."""
    regions = ", ".join(f"{{base: {0x50000000 + 0x1000 * n:#x}, size: 4KiB}}" for n in range(12_000))
    one = "{base: 0x40000000, size: 64MiB}"
    path = write(tmp_path, BASE.replace(one, f"{one}, {regions}"))
    began = time.process_time()
    problems(path)
    overlapping = write(tmp_path, path.read_text().replace("size: 4KiB}", "size: 8KiB}"))
    with pytest.raises(ConfigError) as caught:
        load(overlapping)
    assert time.process_time() - began < 15
    lines = str(caught.value).splitlines()
    assert sum(" overlap" in line for line in lines) == SHOWN
    assert lines[-1] == f"{path}: and more"
