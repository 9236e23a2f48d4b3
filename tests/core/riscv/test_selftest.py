"""RISC-V's start-up self-test: it passes here, and what is wrong is told with the name of its part."""

from __future__ import annotations

import time

import pytest

from baonet.core import selftest
from baonet.core.errors import EngineError, LitmusError
from baonet.core.riscv.testbed import RiscvShared, RiscvSide
from baonet.core.riscv.wing import RISCV
from baonet.core.trial_bed import Part, PartsTrial


def test_the_engine_holds_here() -> None:
    before = time.monotonic()
    selftest.test(RISCV.trial())
    assert time.monotonic() - before < selftest.DEADLINE


def test_what_is_wrong_is_told() -> None:
    def fail(side: RiscvSide, block: int) -> None:
        if side.number:
            raise LitmusError("3, not 4")

    trial = PartsTrial(RiscvShared, RiscvSide, (Part("first", lambda side, block: None), Part("second", fail)))
    with pytest.raises(EngineError, match="second: 3, not 4"):
        selftest.test(trial)


def test_a_change_of_any_of_its_files_has_it_tried_again() -> None:
    names = {path.name.partition(".")[0] for path in RISCV.trial_files}
    assert names == {"_engine", "trial", "litmus", "traps", "testbed", "selftest_code"}
