"""What the pcpus of one VM say to each other about its interrupt controller."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from baonet.hyp.messages import HypMessage


@final
@dataclass(frozen=True, slots=True)
class IrqcResult(HypMessage):
    """The access of a paused vcpu is done; ``value`` is what a load gets, 0 for a store."""

    value: int
