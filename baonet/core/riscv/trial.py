"""What two processes try of RISC-V's engine, behind the protocol of ``baonet.core.architecture``."""

from __future__ import annotations

from typing import cast, final

from baonet.core.architecture import TrialMemory
from baonet.core.riscv import litmus, testbed


@final
class RiscvTrial:
    def shared(self) -> TrialMemory:
        return testbed.RiscvShared()

    def run(self, shared: TrialMemory, number: int) -> bool:
        return litmus.run(cast(testbed.RiscvShared, shared), number)

    def part_of(self, reached: int) -> str:
        return litmus.part_of(reached)
