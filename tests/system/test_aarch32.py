"""A guest that goes to EL0 in AArch32 state, run by the command that users type."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.system.machine import run, vm

BASE = 0x4000_0000
# ADR x0 to what follows ERET, MSR ELR_EL1, MOV x1, MSR SPSR_EL1, ERET
ENTER = (0x1000_00A0, 0xD518_4020, None, 0xD518_4001, 0xD69F_03E0)
A32, T32 = 0xD280_0201, 0xD280_0601  # MOV x1, #0x10, #0x30
NOT_THERE = 0x2000_0000


def guest(directory: Path, state: int, code: bytes) -> dict[str, object]:
    """One VM whose image goes to ``code``."""
    image = directory / "guest.bin"
    words = [state if word is None else word for word in ENTER]
    image.write_bytes(b"".join(word.to_bytes(4, "little") for word in words) + code)
    return {"vms": [vm("guest") | {"image": {"path": str(image), "base": BASE}}]}


@pytest.mark.parametrize("clock", ["host", "virtual"])
@pytest.mark.parametrize(
    ("state", "code", "shown"),
    [  # MOV r0, #0x20000000; LDR r3, [r0]
        (A32, bytes.fromhex("0202a0e3 003090e5"), ("(A32)", f"=> {BASE + 0x18:#x}: ldr r3, [r0]", "r0 0x20000000")),
        (T32, bytes.fromhex("4ff00050 0368"), ("(T32)", f"=> {BASE + 0x18:#x}: ldr r3, [r0]", "IL 16-bit")),
    ],
    ids=["a32", "t32"],
)
def test_the_report_is_of_what_ran(tmp_path: Path, state: int, code: bytes, shown: tuple[str, ...], clock: str) -> None:
    result = run(tmp_path, guest(tmp_path, state, code), "--clock", clock)
    assert result.status == 3, result.err
    assert f"no emulation handler for abort({NOT_THERE:#x} at {BASE + 0x18:#x})" in result.err
    for text in shown:
        assert text in result.err, result.err


@pytest.mark.parametrize("clock", ["host", "virtual"])
def test_a_lone_call_does_not_hang(tmp_path: Path, clock: str) -> None:
    """SVC, to a vector that is not there: the fetch from it parks the guest."""
    result = run(tmp_path, guest(tmp_path, A32, bytes.fromhex("000000ef")), "--clock", clock)
    assert result.status == 3, result.err
    assert "no handler for abort ec = 0x20" in result.err
    assert "pc 0x0000000000000600" in result.err
