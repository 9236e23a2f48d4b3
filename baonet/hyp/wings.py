"""The architectures that there are: the one place that knows them by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from baonet.hyp.architecture import Architecture
from baonet.machine import Machine
from baonet.machine.wings import Wings


def _armv8() -> Architecture:
    from baonet.hyp.armv8.wing import ARMV8  # noqa: PLC0415 - machines of a process are of one architecture

    return ARMV8


def _riscv() -> Architecture:
    from baonet.hyp.riscv.wing import RISCV  # noqa: PLC0415 - as above

    return RISCV


ARCHITECTURES: Final[Mapping[str, Architecture]] = Wings({"armv8": _armv8, "riscv": _riscv})
FIRST: Final = "armv8"
"""Of what was written before it named its architecture."""


def of(machine: Machine) -> Architecture:
    """A machine has one."""
    return ARCHITECTURES[machine.platform.architecture]
