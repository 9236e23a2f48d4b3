"""What two processes try of RISC-V's engine, behind the protocol of ``baonet.core.architecture``."""

from __future__ import annotations

from typing import Final

from baonet.core.architecture import Trial
from baonet.core.riscv.litmus import PARTS
from baonet.core.riscv.testbed import RiscvShared, RiscvSide
from baonet.core.trial_bed import PartsTrial

TRIAL: Final[Trial] = PartsTrial(RiscvShared, RiscvSide, PARTS)
