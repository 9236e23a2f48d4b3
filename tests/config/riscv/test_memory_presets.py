"""RISC-V's memory systems: what is known of them, and what a user is told that cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from baonet.config.loader import load
from baonet.config.riscv.memory_presets import PRESETS
from baonet.document.errors import Problem

U74 = PRESETS["sifive-u74"].system
MACHINE = """\
version: 1
platform: {extends: qemu-riscv64-virt, memory_system: SYSTEM}
clock: {mhz: 1500}
vms:
  - name: guest
    cpus: 1
    image: {path: guest.bin, base: 0x80200000}
    memory: [{base: 0x80200000, size: 4MiB}]
"""


def loaded(directory: Path, system: str) -> tuple[object, list[Problem]]:
    (directory / "guest.bin").write_bytes(bytes(16))
    path = directory / "machine.yaml"
    path.write_text(MACHINE.replace("SYSTEM", system))
    found: list[Problem] = []
    return load(path, (), found).platform.memory_system, found


OWN = "ipa_cache: {entries: 16, ways: 16}"
EXIT = "{hypercall: {instructions: 90}}"


@pytest.mark.parametrize(
    ("system", "guessed"),
    [
        ("sifive-u74", "ipa_cache and hypervisor"),
        (f"{{preset: sifive-u74, {OWN}}}", "hypervisor"),
        (f"{{preset: sifive-u74, hypervisor: {EXIT}}}", "ipa_cache"),
        (f"{{preset: sifive-u74, {OWN}, hypervisor: {EXIT}}}", None),
        ("off", None),
    ],
)
def test_who_takes_what_cannot_be_known_is_told(tmp_path: Path, system: str, guessed: str | None) -> None:
    _, found = loaded(tmp_path, system)
    told = [each.message for each in found if "guessed" in each.message]
    expected = f"{guessed} of 'sifive-u74' can only be guessed: its core has nothing of the kind"
    assert told == ([] if guessed is None else [expected])


def test_the_delays_are_of_a_board_at_its_clock(tmp_path: Path) -> None:
    """What is measured in nanoseconds at 1.5 GHz: a hit of the second level, one of the second TLB, memory."""
    system, _ = loaded(tmp_path, "sifive-u74")
    assert system == U74
    assert U74.l2_latency / 1.5 == pytest.approx(13.35 - 2.00, abs=0.1)
    first_tlb = 1 - 160 / 512  # of 512 KiB, what 40 pages do not have
    assert U74.utlb_miss / 1.5 * first_tlb == pytest.approx(18.70 - 13.35, abs=0.3)
    assert U74.dram_latency + 13.35 + (U74.utlb_miss + U74.tlb_miss + U74.l2_latency) / 1.5 == pytest.approx(175, abs=4)
