"""Where vCPUs stand: affinities, in the device tree too, and how many Bao can reach."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baonet.config.devicetree import generate
from baonet.config.loader import load
from baonet.document.errors import ConfigError
from baonet.machine import Machine
from baonet.machine.armv8.affinity import affinity, vcpu_at
from tests.config.machines import BASE, write


@given(st.integers(0, 0xFF_FFFF), st.integers(1, 1024))
def test_an_affinity_is_that_of_one_vcpu_or_of_none(place: int, vcpus: int) -> None:
    vcpu = vcpu_at(place, vcpus)
    assert vcpu == next((each for each in range(vcpus) if affinity(each) == place), None)


def test_up_to_16_are_numbered_as_bao_numbers_them() -> None:
    assert [affinity(vcpu) for vcpu in range(16)] == list(range(16))
    assert [affinity(vcpu) for vcpu in (16, 17, 31, 32)] == [0x100, 0x101, 0x10F, 0x200]


def with_cpus(directory: Path, cpus: int, faithful: str) -> Machine:
    platform = f"faithful: {faithful}\nplatform: {{extends: qemu-aarch64-virt, cpus: {cpus + 1}}}"
    text = BASE.replace("platform: qemu-aarch64-virt", platform).replace("cpus: 2", f"cpus: {cpus}")
    return load(write(directory, text))


@pytest.mark.parametrize("vcpus", [17, 63])
def test_strict_bao_refuses_what_its_sgis_do_not_reach(tmp_path: Path, vcpus: int) -> None:
    with pytest.raises(ConfigError) as caught:
        with_cpus(tmp_path, vcpus, "strict")
    (problem,) = caught.value.problems
    assert problem.field == "vms[1].cpus"
    assert f"{vcpus} vCPUs under 'faithful: strict'" in problem.message
    assert "'faithful: practical'" in str(problem)


def test_strict_bao_takes_16(tmp_path: Path) -> None:
    assert with_cpus(tmp_path, 16, "strict").vms[1].cpus == 16


def test_the_device_tree_names_affinities(tmp_path: Path) -> None:
    machine = with_cpus(tmp_path, 18, "practical")
    tree = generate(machine, machine.vms[1])
    assert all(f"cpu@{place}\0".encode() in tree for place in ("0", "f", "100", "101"))
    assert b"cpu@10\0" not in tree
