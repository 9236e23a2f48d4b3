"""The architectures that cores can be made for: the one place that knows them by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Final

from baonet.core.architecture import CoreWing
from baonet.machine import Machine


def _armv8() -> CoreWing:
    from baonet.core.armv8.wing import ARMV8  # noqa: PLC0415 - a machine has one, and each is milliseconds

    return ARMV8


def _riscv() -> CoreWing:
    from baonet.core.riscv.wing import RISCV  # noqa: PLC0415 - as above

    return RISCV


_WINGS: Final[Mapping[str, Callable[[], CoreWing]]] = {"armv8": _armv8, "riscv": _riscv}


@cache
def load(architecture: str) -> CoreWing:
    """Its engine is loaded when it first makes something, which raises what ``baonet.core.engine.load`` does."""
    return _WINGS[architecture]()


def of(machine: Machine) -> CoreWing:
    """A machine has one."""
    return load(machine.platform.architecture)
