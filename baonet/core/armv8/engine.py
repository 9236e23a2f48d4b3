"""``native``: the engine of Armv8, loaded when it is first asked for.

So its wing can be there before it is known which process is to have the engine: a process has that of one architecture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from baonet.core.engine import load

if TYPE_CHECKING:
    from baonet.core.armv8 import _engine as native
else:

    def __getattr__(name):
        if name == "native":
            return load("armv8")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = ["native"]
