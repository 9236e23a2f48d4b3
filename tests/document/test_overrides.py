"""Overrides: they count as if they stood in the file, and their problems name them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from baonet.config.loader import load
from baonet.config.platforms import builtin
from baonet.document.errors import ConfigError, Problem
from baonet.document.overrides import Overrides
from baonet.machine import (
    Cache,
    Clock,
    ClockMode,
    CrashFault,
    Disturbance,
    Latency,
    Machine,
    MessageFault,
    MessageKind,
    RamBank,
)
from tests.config.machines import BASE, write
from tests.examples import examples

QEMU = builtin()["qemu-aarch64-virt"]
CRASH = {"clock": {"mode": "virtual"}, "faults": [{"fault": "crash", "pcpu": 1, "at": "1ms"}]}


def with_overrides(directory: Path, overrides: Overrides, text: str = BASE) -> Machine:
    return load(write(directory, text), overrides)


def told(directory: Path, overrides: Overrides, text: str = BASE) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        with_overrides(directory, overrides, text)
    return caught.value.problems


def test_without_overrides_a_file_is_as_it_is(tmp_path: Path) -> None:
    assert with_overrides(tmp_path, {}) == with_overrides(tmp_path, []) == load(write(tmp_path))


def test_a_field_that_is_there(tmp_path: Path) -> None:
    for path in ("vms.1.cpus", "vms[1].cpus", "vms.linux.cpus", "vms[linux].cpus"):
        assert [vm.cpus for vm in with_overrides(tmp_path, {path: 3}).vms] == [1, 3]
        assert [vm.cpus for vm in with_overrides(tmp_path, [f"{path}=3"]).vms] == [1, 3]


def test_mappings_on_the_way_are_made(tmp_path: Path) -> None:
    found = with_overrides(tmp_path, {"clock.latency.ipc": "2us", "clock.mode": "virtual", "clock.window": "500ns"})
    assert found.clock == Clock(ClockMode.VIRTUAL, window=500, latency=Latency(ipc=2000))


def test_a_text_that_stands_for_a_mapping_becomes_it(tmp_path: Path) -> None:
    found = with_overrides(tmp_path, {"platform.costs.hypercall": "1us", "vms.linux.device_tree.base": 0x68000000})
    assert found.platform == replace(QEMU, costs=replace(QEMU.costs, hypercall=1000))
    assert found.vms[1].device_tree == 0x68000000


def test_a_text_that_stands_for_a_mapping_is_replaced(tmp_path: Path) -> None:
    text = BASE.replace("platform: qemu-aarch64-virt", "platform: {extends: zcu104, cpus: 2}")
    assert with_overrides(tmp_path, {"platform": "qemu-aarch64-virt"}, text).platform == QEMU


def test_whole_lists_and_mappings(tmp_path: Path) -> None:
    found = with_overrides(
        tmp_path,
        {
            "platform.cache": {"llc_size": "2MiB", "llc_ways": 16, "l1_size": "32KiB", "l1_ways": 4},
            "platform.ram": [{"base": 0x40000000, "size": "1GiB"}],
            "platform.ram[0].size": "2GiB",
            "vms.0.cpu_affinity": [3],
            "vms.ping.memory.0.size": "32MiB",
            **CRASH,
        },
    )
    assert found.platform.cache == Cache(2 << 20, 16, 32 << 10, 4)
    assert found.platform.ram == (RamBank(0x40000000, 2 << 30),)
    assert found.vms[0].cpu_affinity == (3,)
    assert found.vms[0].regions[0].size == 32 << 20
    assert found.faults == (CrashFault(1, 1_000_000),)


def test_texts_have_values_in_yaml(tmp_path: Path) -> None:
    found = with_overrides(
        tmp_path,
        [
            "vms.linux.command_line=console=ttyAMA0 quiet",
            'vms.ping.cpu_affinity=[2, "0x3"]',
            "platform.standby=false",
            "clock={mode: virtual, window: 256ns}",
            'faults=[{"fault": "drop", "probability": 0.25}]',
        ],
    )
    assert found.vms[1].command_line == "console=ttyAMA0 quiet"
    assert found.vms[0].cpu_affinity == (2, 3)
    assert not found.platform.standby
    assert found.clock.window == 256
    assert found.faults == (MessageFault(Disturbance.DROP, MessageKind.IPC, probability=0.25),)


def test_a_number_with_a_fraction(tmp_path: Path) -> None:
    found = with_overrides(tmp_path, {"clock.mode": "virtual", "faults": [{"fault": "drop", "probability": 0.5}]})
    assert found.faults == (MessageFault(Disturbance.DROP, MessageKind.IPC, probability=0.5),)


def test_a_name_with_dots(tmp_path: Path) -> None:
    text = BASE.replace("name: ping", "name: ping.1")
    assert with_overrides(tmp_path, {"vms[ping.1].cpu_affinity": [2]}, text).vms[0].cpu_affinity == (2,)


def test_files_are_relative_to_the_machine_file(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "ping.bin").write_bytes(b"other")
    found = with_overrides(tmp_path, {"vms.ping.image": {"path": "other/ping.bin", "base": 0x40000000}})
    assert found.vms[0].segments[0].path == str(tmp_path / "other" / "ping.bin")


def test_an_aliased_part_is_changed_in_one_place(tmp_path: Path) -> None:
    text = BASE.replace("{pa: 0x09000000, size: 4KiB}", "&uart {pa: 0x09000000, size: 4KiB}, *uart", 1)
    text = text.replace("*uart]", "{<<: *uart, va: 0x1000}]")
    found = with_overrides(tmp_path, {"vms.linux.devices.1.va": 0x2000}, text)
    assert [device.va for device in found.vms[1].devices] == [0x09000000, 0x2000]


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (["clock.window=soon"], ("clock.window=soon", "clock.window", "'soon' is not a duration", "10us")),
        ({"clock.window": "soon"}, ("clock.window=soon", "clock.window", "'soon' is not a duration", "10us")),
        (["vms[ping].cpus=9"], ("vms[ping].cpus=9", "vms[0].cpus", "9 vCPUs, and the platform has 4", "")),
        (["clock.windo=1us"], ("clock.windo=1us", "clock.windo", "unknown key 'windo'", "did you mean 'window'?")),
        (["clok.window=1us"], ("clok.window=1us", "clok", "unknown key 'clok'", "did you mean 'clock'?")),
        (["version=2"], ("version=2", "version", "2 is not known here", "it can be 1")),
        (["vms.0.cpus"], ("vms.0.cpus=", "vms[0].cpus", "'cpus' has no value", "give it one")),
        (["vms.0.cpus=# no"], ("vms.0.cpus=# no", "vms[0].cpus", "'cpus' has no value", "give it one")),
        (["vms.0.cpus=[1"], ("vms.0.cpus=[1", "vms.0.cpus", "not YAML", "")),
        ({"vms.0.cpus": [True, None]}, ("vms.0.cpus=[true, null]", "vms[0].cpus", "a list is not a whole number", "")),
        ({"vms.0.image": {"path": "x"}}, ("vms.0.image={...}", "vms[0].image.path", "cannot be read", "")),
        (["=1"], ("=1", "", "'' is not a field path", "vms[ping].command_line")),
        (["vms..cpus=1"], ("vms..cpus=1", "vms..cpus", "'vms..cpus' is not a field path", "write it as clock.window")),
        (["vms[0=1"], ("vms[0=1", "vms[0", "'vms[0' is not a field path", "write it as clock.window")),
        (["vms.2.cpus=1"], ("vms.2.cpus=1", "vms.2.cpus", "'vms' has no item 2", "numbered from 0 to 1")),
        (["vms.pong.cpus=1"], ("vms.pong.cpus=1", "vms.pong.cpus", "'vms' has no item named 'pong'", "'ping'?")),
        (
            ["vms.x.cpus=1"],
            ("vms.x.cpus=1", "vms.x.cpus", "'vms' has no item named 'x'", "the names are ping and linux"),
        ),
        (
            ["vms.0.memory.x.size=1"],
            ("vms.0.memory.x.size=1", "vms.0.memory.x.size", "no item named 'x'", "its number"),
        ),
        (["input.0.at=1"], ("input.0.at=1", "input.0.at", "there is no list 'input' to change", "give the whole list")),
        (["vms.0.cpus.x=1"], ("vms.0.cpus.x=1", "vms.0.cpus.x", "'vms[0].cpus' is 1, which has no fields", "")),
        (["vms.0.name.x.y=1"], ("vms.0.name.x.y=1", "vms.0.name.x.y", "is 'ping', which has no fields", "")),
        (
            ["vms.1.name=ping"],
            ("vms.1.name=ping", "vms[1].name", "two VMs are named 'ping'", "is on line 6: rename one"),
        ),
    ],
)
def test_problems_name_the_override(tmp_path: Path, overrides: Overrides, expected: tuple[str, str, str, str]) -> None:
    title, field, message, hint = expected
    found = told(tmp_path, overrides)[0]
    assert (found.path, found.line, found.field) == (f"{tmp_path}/machine.yaml with {title}", 0, field)
    assert message in found.message
    assert hint in found.hint
    assert str(found).startswith(f"{tmp_path}/machine.yaml with {title}: ")


def test_a_mistake_in_the_file_that_an_override_brings_out(tmp_path: Path) -> None:
    (found,) = told(tmp_path, {"vms.0.devices.0.interrupts": [34], "vms.1.devices.0.interrupts": [34]})
    assert "VM 'ping' has it by an override" in found.message


def test_a_long_value_is_cut(tmp_path: Path) -> None:
    found = told(tmp_path, {"vms.0.name": "x " * 100})[0]
    assert found.path == f"{tmp_path}/machine.yaml with vms.0.name=x x x x x x x x x x x x x x x x x x x..."


def test_every_override_and_the_file_are_checked_at_once(tmp_path: Path) -> None:
    text = BASE.replace("cpus: 2", "cpus: two")
    found = told(tmp_path, ["vms.5.cpus=1", "clock.mhz=0", "vms.0.cpu_affinity=x"], text)
    assert [each.message for each in found] == [
        "'two' is not a whole number",
        "0 is out of range",
        "'x' is not a set of CPUs",
        "'vms' has no item 5",
    ]


steps = st.sampled_from(
    [
        "vms",
        "0",
        "1",
        "ping",
        "linux",
        "cpus",
        "clock",
        "window",
        "platform",
        "costs",
        "memory",
        "base",
        "device_tree",
        "input",
        "faults",
        "fault",
        "stall",
        "flip",
        "at",
        "pcpu",
        "text",
        "interrupts",
        "extends",
        "mode",
        "virtual",
    ]
)
paths = st.lists(steps | st.text("ab.[]0=", max_size=3), max_size=5).map(".".join)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 1 << 65) | st.floats() | st.text(max_size=5) | steps,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(steps, inner, max_size=3),
    max_leaves=5,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples(300))
@given(overrides=st.dictionaries(paths, values, max_size=3) | st.lists(paths | st.text(max_size=9), max_size=3))
def test_anything_is_a_machine_or_a_config_error(tmp_path: Path, overrides: dict[str, object] | Sequence[str]) -> None:
    with suppress(ConfigError):
        load(write(tmp_path), overrides)
