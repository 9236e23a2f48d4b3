"""A report shows the instruction at its PC, as one of the set that the guest is in."""

from __future__ import annotations

import pytest

from baonet.run.disassembly import instruction
from tests.hyp.armv8.test_execution_state import A32, A64, T32, report


@pytest.mark.parametrize(
    ("pstate", "code", "text"),
    [
        (A64, "030040f9", "ldr x3, [x0]"),
        (A32, "003090e5", "ldr r3, [r0]"),
        (A32, "9f3e90e1", "ldaex r3, [r0]"),
        (T32, "0368", "ldr r3, [r0]"),
        (T32, "d0f80030", "ldr.w r3, [r0]"),
    ],
)
def test_the_instruction_is_disassembled_as_what_it_is(pstate: int, code: str, text: str) -> None:
    assert instruction(report(pstate), bytes.fromhex(code) + bytes(4)) == f"=> 0x10000: {text}"
