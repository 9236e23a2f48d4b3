"""Reports of a guest in AArch32 state."""

from __future__ import annotations

import pytest

from baonet.hyp.armv8.execution_state import InstructionSet, instruction_set
from baonet.hyp.armv8.report import Armv8Report

A64, A32, T32 = 0x6000_03C5, 0x6000_0010, 0x6000_0030


def report(pstate: int) -> Armv8Report:
    registers = tuple(0x1_0000_0000 * (n > 14) + n for n in range(31))
    return Armv8Report("guest", 0, 0, 0, "reason", "why", 0x1_0000, 0, 0, 0, registers, pstate, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("pstate", "named"), [(A64, InstructionSet.A64), (A32, InstructionSet.A32), (T32, InstructionSet.T32)]
)
def test_the_instruction_set(pstate: int, named: InstructionSet) -> None:
    assert instruction_set(pstate) is named
    assert f"pstate {pstate:#010x} ({named.value})" in "\n".join(report(pstate).lines())


@pytest.mark.parametrize("pstate", [A32, T32])
def test_registers_of_user_mode(pstate: int) -> None:
    text = "\n".join(report(pstate).lines())
    assert "r12 0x0000000c   sp 0x0000000d   lr 0x0000000e" in text
    assert "x1" not in text


def test_registers_of_aarch64() -> None:
    assert "x29 0x000000010000001d" in "\n".join(report(A64).lines())
