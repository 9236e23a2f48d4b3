"""The native engine of RISC-V, loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baonet.core.engine import load

if TYPE_CHECKING:
    from baonet.core.riscv import _engine as native
else:
    native = load("riscv")

__all__ = ["native"]
