"""A hart of which the memory system is modelled."""

from __future__ import annotations

from typing import Any, Final

from baonet.hyp.riscv.cpu import RiscvExit
from tests.core import plain_memory
from tests.core.riscv import asm
from tests.core.riscv.asm import A2, ZERO
from tests.core.riscv.bench import Hart

LINE: Final = 64
L2, DRAM = 13, 100
PLAIN: Final = plain_memory.PLAIN | {"l2_latency": L2, "dram_latency": DRAM}
VA: Final = 0x10_0000_0000
PBMT_NC, PBMT_IO, NAPOT = 1 << 61, 2 << 61, 1 << 63


def hart_with(parameters: dict[str, int] | None = None, **arguments: Any) -> Hart:
    return Hart("virtual", memory_system=PLAIN | (parameters or {}), **arguments)


def counts(hart: Hart) -> dict[str, int]:
    """Of the guest."""
    return plain_memory.counts_of_guest(hart.core)


def spent(hart: Hart, *code: bytes, **registers: Any) -> dict[str, int]:
    """What is counted while it runs to its ECALL."""
    before = counts(hart)
    assert hart.go(*code, **registers) == RiscvExit.ECALL, hart.trap
    assert hart.taken is None
    after = counts(hart)
    return {name: after[name] - before[name] for name in after}


def stalls(found: dict[str, int]) -> int:
    return sum(count for name, count in found.items() if name.startswith("stall_"))


def walks(found: dict[str, int]) -> int:
    return found["tlb_d_misses"] + found["tlb_i_misses"]


def loop(*body: bytes) -> tuple[bytes, ...]:
    """x12 times."""
    length = sum(map(len, body)) + 4
    return (*body, asm.addi(A2, A2, -1), asm.bne(A2, ZERO, -length))
