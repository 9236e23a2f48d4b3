"""One SPI of a VM, as its distributor has it."""

from __future__ import annotations

from typing import Final, final

from baonet.hyp.armv8.gic import LOWEST_PRIORITY
from baonet.machine.saved import StateRow

_INITIAL_ROUTE: Final = 0xFFFF_0000
"""Bao's, of an SPI. Its IRM bit makes an SPI that was never routed deliverable."""
NOBODY: Final = -1
"""Holds it."""

SPI: Final = StateRow(
    "an SPI",
    level=bool,
    sequence=int,
    latched=bool,
    enabled=bool,
    pending=bool,
    active=bool,
    priority=int,
    config=int,
    route=int,
    targets=int,
    evaluator=int,
    holder=int,
    only_active=bool,
    recalled=bool,
    drop_pending=bool,
    drop_active=bool,
)
"""What is saved of one, beside its INTID."""


@final
class Spi:
    """``pending`` and ``active`` are what the holder does not have; while it is held, what comes on top of that.

    ``evaluator`` is the vcpu that last had it evaluated, to which an SPI for any vcpu goes. ``only_active``: the
    holder has said that it has the active state, and no pending one. ``recalled``: the answer to a recall is due;
    with it, ``drop_pending`` and ``drop_active`` tell what of the holder's state the guest has cleared.
    """

    __slots__ = (
        "active",
        "config",
        "drop_active",
        "drop_pending",
        "enabled",
        "evaluator",
        "hardware",
        "holder",
        "intid",
        "latched",
        "level",
        "only_active",
        "pending",
        "priority",
        "recalled",
        "route",
        "sequence",
        "targets",
    )

    def __init__(self, intid: int, hardware: bool, evaluator: int) -> None:
        self.intid = intid
        self.hardware = hardware
        self.level = self.latched = False
        self.sequence = 0
        self.reset(evaluator)

    def reset(self, evaluator: int) -> None:
        """All but the line, which the device drives."""
        self.enabled = self.pending = self.active = self.latched = False
        self.priority = LOWEST_PRIORITY
        self.config = 0
        self.route = _INITIAL_ROUTE
        self.targets = 0
        self.evaluator = evaluator
        self.holder = NOBODY
        self.only_active = self.recalled = self.drop_pending = self.drop_active = False
