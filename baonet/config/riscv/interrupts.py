"""Interrupts of a machine file: the sources of a PLIC or an APLIC, 1 to 1023. Source 0 is none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from baonet.config.architecture import Mention
from baonet.document.errors import Problem
from baonet.machine.riscv import Aia, Plic

SOURCES: Final = range(1, 1024)
OWN: Final = range(1024, 4096)
"""What a hart's own interrupts are called in traces (``baonet.hyp.riscv.cpu``): no file names one of them."""


def problems(use: Mention, physical: Plic | Aia) -> Iterator[Problem]:
    """A device's is a source of the platform; a notification is virtual, and any that an APLIC or a PLIC can have."""
    if use.interrupt not in SOURCES:
        hint = f"sources are numbered from {SOURCES.start} to {SOURCES.stop - 1}"
        yield use.node.problem(f"there is no interrupt {use.interrupt}", hint)
    elif use.what == "device" and use.interrupt > physical.sources:
        hint = f"the last source of the platform is {physical.sources}"
        yield use.node.problem(f"there is no interrupt {use.interrupt}", hint)
