"""What is said of a ``memory_system`` that is wrong holds: who does it has a right one, or the next thing to do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from baonet.config.loader import load
from baonet.document.errors import ConfigError, Problem
from baonet.document.overrides import Overrides
from tests.config.machines import BASE, problems, write
from tests.config.test_memory_system import with_system


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("snoop: {dirty: 1e9}", "'1e9' is not a whole number; it can be from 0 to 10000"),
        ("l2: {ways: 0.5}", "'0.5' is not a whole number; write 1"),
        ("l2: {ways: 17.0}", "'17.0' is not a whole number; it can be from 1 to 16"),
        ("l2: {ways: 100U}", "'100U' is not a whole number; it can be from 1 to 16"),
        ("dram: {line: 0.0001ns}", "0.0001ns is not a whole number of nanoseconds; write 1ns"),
        ("dram: {line: 10000.5ns}", "10000.5ns is not a whole number of nanoseconds; write 10000ns"),
        ("dram: {line: 1.0000000001s}", "1.0000000001s is not a whole number of nanoseconds; it can be from 0 to 10us"),
    ],
)
def test_a_number_of_another_form_is_told_with_one_that_can_be_there(tmp_path: Path, text: str, wanted: str) -> None:
    (found,) = problems(write(tmp_path, with_system(f"{{preset: cortex-a53, {text}}}")))
    assert f"{found.message}; {found.hint}" == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("false", "its 'preset': cortex-a53 (of armv8), sifive-u74 (of riscv) or off; or the keys 'preset', 'cpi'"),
        ("cortex-A53", "it can be cortex-a53 (of armv8), sifive-u74 (of riscv) or off"),
        ("{preset: cortex-a53, hypervisor: 1}", "its 'preset': bao, jailhouse, xen or sel4; or the keys 'preset',"),
        ("{preset: cortex-a53, l2.size: 2MiB}", "write 'l2: {size: ...}'"),
        ("{preset: cortex-a53, prefetch: off}", "for none write '{streams: 0}'"),
        ("{preset: cortex-a53, streaming: false}", "for none write '{l1: 0}'"),
        ("{preset: cortex-a53, l2: {latency: 10ns}}", "from 0 to 10000 cycles"),
        ("{preset: cortex-a53, utlb: {data: ten}}", "from 1 to 64 entries"),
        ("{preset: cortex-a53, hypervisor.direct.text: 3}", "write 'hypervisor: {direct: {text: ...}}'"),
    ],
)
def test_what_can_stand_there_is_named(tmp_path: Path, text: str, wanted: str) -> None:
    (found,) = problems(write(tmp_path, with_system(text)))
    assert wanted in found.hint


@pytest.mark.parametrize("given", ["xen", "{preset: xen}"])
def test_a_hypervisor_by_its_name_is_of_the_platform(tmp_path: Path, given: str) -> None:
    (found,) = problems(write(tmp_path, f"{BASE}\nhypervisor: {given}\n"))
    assert "'memory_system: {hypervisor: ...}'" in found.hint


def warned(directory: Path, text: str, overrides: Overrides = ()) -> list[str]:
    found: list[Problem] = []
    load(write(directory, text), overrides, found)
    return [f"{each.field}: {each.message}" for each in found if "console" not in each.field]


def test_times_that_are_shorter_than_a_cycle(tmp_path: Path) -> None:
    text = with_system("cortex-a53").replace("version: 1\n", "version: 1\nclock: {mhz: 30}\n")
    short = "a cycle is 34ns, and device.store, dram.line and dram.store of the memory system take one"
    assert f"clock.mhz: at 30 MHz {short}" in warned(tmp_path, text)
    assert not any("a cycle is" in each for each in warned(tmp_path, text, ["clock.mhz=200"]))


def test_what_tells_in_the_time_of_memory_where_it_takes_none(tmp_path: Path) -> None:
    text = BASE.replace("    cpus: 1\n", "    huge_pages: false\n    cpus: 1\n", 1) + "\nhypervisor: {colors: 1}\n"
    both = {"vms[0].huge_pages: nothing comes of it", "hypervisor.colors: nothing comes of it"}
    assert both <= set(warned(tmp_path, text))
    for system in ("cortex-a53", "off"):
        assert not both & set(warned(tmp_path, text, [f"platform.memory_system={system}"]))


def sizes(hint: str) -> list[str]:
    """What a hint says to use."""
    return re.findall(r"\d+(?:KiB|MiB)?(?= or |$| to )", hint.rpartition(":")[2].rpartition("use")[2])


@pytest.mark.parametrize("ways", [1, 3, 16])
@pytest.mark.parametrize(
    ("cache", "size", "given"),
    [
        ("l1i", "size", ["1KiB", "20KiB", "48KiB", "100KiB", "2MiB"]),
        ("l1d", "size", ["1KiB", "20KiB", "48KiB", "100KiB", "2MiB"]),
        ("l2", "size", ["1KiB", "100KiB", "3MiB", "63MiB", "512MiB"]),
        ("tlb", "entries", ["1", "500", "769", "1024"]),
        ("ipa_cache", "entries", ["7", "129", "250", "256"]),
    ],
)
def test_a_size_that_a_hint_says_is_right(
    tmp_path: Path, cache: str, size: str, given: list[object], ways: int
) -> None:
    (tmp_path / "right").mkdir()
    for each in given:
        text = with_system(f"{{preset: cortex-a53, {cache}: {{ways: {ways}, {size}: §}}}}")
        try:
            load(write(tmp_path, text.replace("§", str(each))))
        except ConfigError as error:
            (found,) = error.problems
            said = sizes(found.hint)
            assert said, found
            for right in said:
                load(write(tmp_path / "right", text.replace("§", right)))
