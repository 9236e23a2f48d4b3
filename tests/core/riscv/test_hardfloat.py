"""What the host computes for a guest, as of Armv8 (``tests.core.test_hardfloat``), in the engine of RISC-V."""

from __future__ import annotations

import ctypes
from pathlib import Path
from types import ModuleType

import pytest

from tests.core import hardfloat
from tests.core.hardfloat import Comparison

needs_compiler = pytest.mark.skipif(hardfloat.COMPILER is None, reason="no C compiler")


@needs_compiler
def test_thousands_of_operands(native: ModuleType, tmp_path: Path) -> None:
    engine = Path(native.__file__ or "")
    compared = Comparison(hardfloat.compiled(tmp_path), ctypes.CDLL(str(engine)), "riscv64")
    functions = list(hardfloat.functions(engine))
    assert len(functions) > 40
    for function in functions:
        compared.check(function, 5_000, 4)
