"""The native engine of Armv8, loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baonet.core.engine import load

if TYPE_CHECKING:
    from baonet.core.armv8 import _engine as native
else:
    native = load("armv8")

__all__ = ["native"]
