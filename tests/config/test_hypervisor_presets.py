"""What exits take under a hypervisor that a file names: as published, and nothing where nothing is."""

from __future__ import annotations

from pathlib import Path

import pytest

from baonet.config.hypervisor_preset import NAMES
from baonet.config.loader import load
from baonet.config.wings import ARCHITECTURES
from baonet.document.errors import ConfigError
from baonet.machine import Costs, Platform
from baonet.study import published

GUEST = Path(__file__).parents[2] / "examples" / "guests" / "bin" / "hello.elf"
MACHINE = """\
version: 1
platform: {{extends: {platform}, {more}}}
vms: [{{name: guest, image: {{path: {guest}}}, cpus: 1, memory: [{{size: 16MiB}}]}}]
"""
PRESETS = ARCHITECTURES["armv8"].hypervisors()
MEGAHERTZ, CPI, L2_HIT = 1200, 0.7, 13


def platform(tmp_path: Path, more: str, extends: str = "qemu-aarch64-virt") -> Platform:
    file = tmp_path / "machine.yaml"
    file.write_text(MACHINE.format(platform=extends, more=more, guest=GUEST))
    return load(file).platform


def test_each_name_has_figures() -> None:
    assert list(PRESETS) == list(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_costs_are_the_published_ones(tmp_path: Path, name: str) -> None:
    costs = platform(tmp_path, f"costs: {name}").costs
    latencies, ipis = published.interrupt_latencies(), published.interprocessor_interrupts()
    bare = latencies[published.BARE, "solo"].mean_ns
    assert costs.interrupt == pytest.approx(latencies[name, "solo"].mean_ns - bare, abs=6)
    assert costs.access == pytest.approx(ipis[name].trap_ns - ipis[published.BARE].trap_ns, abs=6)
    if (name, "direct+solo") in latencies:
        assert costs.direct == pytest.approx(latencies[name, "direct+solo"].mean_ns - bare, abs=1)


@pytest.mark.parametrize("name", NAMES)
def test_a_footprint_in_the_second_level_takes_what_its_cost_is(name: str) -> None:
    preset = PRESETS[name]
    for kind in ("hypercall", "access", "interrupt", "direct"):
        exit_ = getattr(preset.footprint, kind)
        cycles = exit_.instructions * CPI + exit_.cycles + L2_HIT * (exit_.text + exit_.private + exit_.shared)
        assert cycles / MEGAHERTZ * 1000 == pytest.approx(getattr(preset.costs, kind), rel=0.02, abs=5), kind


@pytest.mark.parametrize("name", ["jailhouse", "xen", "sel4"])
def test_lines_are_those_that_were_counted(name: str) -> None:
    counted = published.interrupt_latencies()[name, "solo"]
    exit_ = PRESETS[name].footprint.interrupt
    assert exit_.instructions == pytest.approx(counted.instructions_hypervisor, abs=1)
    assert exit_.text == pytest.approx(counted.l1i_refills_hypervisor, abs=1)
    assert exit_.private + exit_.shared == pytest.approx(counted.l1d_refills_hypervisor, abs=4 if name == "sel4" else 1)


def test_what_stands_beside_a_name_goes_before(tmp_path: Path) -> None:
    found = platform(tmp_path, "costs: {preset: xen, hypercall: 1us}").costs
    assert found == Costs(hypercall=1000, access=2950, interrupt=3110, direct=0)


def test_a_memory_system_has_the_footprint_of_a_name(tmp_path: Path) -> None:
    named = platform(tmp_path, "memory_system: {preset: cortex-a53, hypervisor: xen}").memory_system
    assert named is not None
    assert named.hypervisor == PRESETS["xen"].footprint
    more = "memory_system: {preset: cortex-a53, hypervisor: {preset: xen, interrupt: {text: 7}}}"
    changed = platform(tmp_path, more).memory_system
    assert changed is not None
    assert changed.hypervisor is not None
    assert changed.hypervisor.interrupt.text == 7
    assert changed.hypervisor.interrupt.private == PRESETS["xen"].footprint.interrupt.private
    assert changed.hypervisor.access == PRESETS["xen"].footprint.access


@pytest.mark.parametrize(
    "more", ["costs: xen", "costs: {preset: xen}", "memory_system: {preset: sifive-u74, hypervisor: xen}"]
)
def test_where_nothing_is_published_the_line_is_told(tmp_path: Path, more: str) -> None:
    with pytest.raises(ConfigError) as error:
        platform(tmp_path, more, "qemu-riscv64-virt")
    told = str(error.value)
    assert "machine.yaml:2:" in told
    assert "no figures of xen are known for riscv" in told


def test_a_name_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="jailhouse"):
        platform(tmp_path, "costs: jailhose")
