"""The pages of a VM's guest interrupt files, as far as they are of other harts: their stores go by message.

Bao maps the physical pages into the VM, so that such a store never enters it. A hart's own page is native in the core;
what it registers with each file (identities, eidelivery, what is pending) is the core's too.
"""

from __future__ import annotations

from typing import Final, Protocol, final

from baonet.hyp.cpu import FROM_CPU
from baonet.machine import PAGE_SIZE

_SETEIPNUM_LE: Final = 0
_WIDTH: Final = 4


class Files(Protocol):
    """How a message reaches a hart's file."""

    def forward(self, vcpu: int, identity: int, origin: int, *, hardware: bool = False) -> None: ...


@final
class ImsicPages:
    """A page of each of ``harts``, from ``base`` on. ``identities``: the highest of a file."""

    __slots__ = ("_base", "_end", "identities")

    def __init__(self, base: int, harts: int, identities: int) -> None:
        self._base = base
        self._end = base + PAGE_SIZE * harts
        self.identities = identities

    def holds(self, ipa: int) -> bool:
        return self._base <= ipa < self._end

    def store(self, files: Files, ipa: int, size: int, value: int) -> None:
        """What is no store of an identity to seteipnum_le is ignored (AIA, 3.5)."""
        hart, offset = divmod(ipa - self._base, PAGE_SIZE)
        if offset == _SETEIPNUM_LE and size == _WIDTH:
            self.send(files, hart, value & 0xFFFF_FFFF, FROM_CPU)

    def send(self, files: Files, hart: int, identity: int, origin: int, *, hardware: bool = False) -> None:
        """An identity that the file has not goes nowhere."""
        if 0 < identity <= self.identities:
            files.forward(hart, identity, origin, hardware=hardware)
