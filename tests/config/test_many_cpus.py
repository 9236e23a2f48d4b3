"""Machines of very many CPUs: what bounds them, and where their redistributors find room."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from baonet.config.devicetree import generate
from baonet.config.loader import load
from baonet.document.errors import ConfigError, Problem
from baonet.machine.armv8 import Armv8Platform
from tests.config.machines import BASE, write

ROOM = ", gic: {gicr: 0x10000000}"


def machine(platform: str, *, cpus: str = "cpus: 2", faithful: str = "practical") -> str:
    head = f"faithful: {faithful}\nplatform: {{extends: qemu-aarch64-virt, {platform}}}"
    return BASE.replace("platform: qemu-aarch64-virt", head).replace("cpus: 2", cpus)


def problem(directory: Path, text: str) -> Problem:
    with pytest.raises(ConfigError) as caught:
        load(write(directory, text))
    (found,) = caught.value.problems
    return found


def test_a_machine_has_up_to_1024_cpus_and_all_may_be_of_one_vm(tmp_path: Path) -> None:
    made = load(write(tmp_path, machine(f"cpus: 1024{ROOM}", cpus="cpus: 1023\n    cpu_affinity: [1023, 64]")))
    assert (made.platform.cpus, made.vms[1].cpus, made.vms[1].cpu_affinity) == (1024, 1023, (1023, 64))
    tree = generate(made, made.vms[1])
    nodes = {int(name, 16) for name in re.findall(rb"cpu@([0-9a-f]+)\0", tree)}
    assert nodes == {vcpu // 16 << 8 | vcpu % 16 for vcpu in range(1023)}


def test_baos_sets_have_64_bits(tmp_path: Path) -> None:
    found = problem(tmp_path, machine("cpus: 65", faithful="strict"))
    assert found.field == "platform.cpus"
    assert "65 CPUs under 'faithful: strict': Bao's sets of CPUs have 64 bits" in found.message
    assert "'faithful: practical'" in str(found)
    assert load(write(tmp_path, machine("cpus: 64", faithful="strict"))).platform.cpus == 64


def test_redistributors_that_reach_into_a_device_are_told_where_there_is_room(tmp_path: Path) -> None:
    """Of QEMU's board there is room for 123 below its UART."""
    assert load(write(tmp_path, machine("cpus: 123"))).platform.cpus == 123
    found = problem(tmp_path, machine("cpus: 1024"))
    assert found.field == "platform.cpus"
    assert "with so many CPUs the GIC's redistributors" in found.message
    assert "device 'uart0'" in found.message
    proposed = re.search(r"'(gic: {gicr: (0x[0-9a-f]+)})'", str(found))
    assert proposed is not None
    made = load(write(tmp_path, machine(f"cpus: 1024, {proposed[1]}")))
    assert Armv8Platform.of(made.platform).gic.gicr == int(proposed[2], 16)
