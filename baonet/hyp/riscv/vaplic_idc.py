"""Interrupt delivery controls of a virtual APLIC in direct mode: one for each hart, behind the domain's registers."""

from __future__ import annotations

from typing import Final, final

from baonet.hyp.riscv.sources import SOURCES
from baonet.machine.saved import Saved, StateForm

IDC_SIZE: Final = 0x20
IDELIVERY: Final = 0x00
IFORCE: Final = 0x04
TOPI: Final = 0x18
CLAIMI: Final = 0x1C

FORCED: Final = SOURCES
"""What a hart is signalled for that is so by iforce alone: no source."""

_FORM: Final = StateForm("a vAPLIC's delivery to harts", 1, delivery=list, forced=list, lines=list)


@final
class Idcs:
    """Of each hart: ``delivery`` and ``forced`` are its registers, ``lines`` what it was signalled for last."""

    __slots__ = ("delivery", "forced", "lines")

    def __init__(self, harts: int) -> None:
        self.lines = [0] * harts
        self.reset()

    def reset(self) -> None:
        harts = len(self.lines)
        self.delivery = [False] * harts
        self.forced = [False] * harts
        self.lines = [0] * harts

    def save(self) -> Saved:
        return _FORM.save(delivery=list(self.delivery), forced=list(self.forced), lines=list(self.lines))

    def load(self, data: object) -> None:
        """Raises StateError for what is not its state."""
        fields = _FORM.load(data)
        if any(len(fields[name]) != len(self.lines) for name in ("delivery", "forced", "lines")):
            raise _FORM.damaged("it is of another number of harts")
        with _FORM.reading():
            self.delivery = [bool(each) for each in fields["delivery"]]
            self.forced = [bool(each) for each in fields["forced"]]
            self.lines = [int(each) for each in fields["lines"]]
