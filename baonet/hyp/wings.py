"""The architectures that there are: the one place that knows them by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from baonet.hyp.architecture import Architecture
from baonet.hyp.armv8.wing import ARMV8
from baonet.hyp.riscv.wing import RISCV
from baonet.machine import Machine

ARCHITECTURES: Final[Mapping[str, Architecture]] = {each.name: each for each in (ARMV8, RISCV)}
FIRST: Final = ARMV8.name
"""Of what was written before it named its architecture."""


def of(machine: Machine) -> Architecture:
    """A machine has one."""
    return ARCHITECTURES[machine.platform.architecture]
