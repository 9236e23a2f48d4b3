"""Registers of distributor and redistributors, as objects: which widths each takes, where it lives, what it does.

The generic accesses of Bao's ``vgic.c``: a register of one field per interrupt works on a ``Bank``, which is the
private interrupts of a vcpu or the SPIs of the VM. Alignment is natural and checked by the caller. Fields of
interrupts that do not exist are RAZ/WI.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol, final

from baonet.hyp.armv8 import gic

BYTE_OR_WORD: Final = 1 | 4
WORD: Final = 4
WORD_OR_LONG: Final = 4 | 8

_CONFIGURABLE = 512

ANYWHERE: Final = -1
"""The home of a register that every pcpu of the VM knows."""


class Bank(Protocol):
    """Interrupts by INTID. What is read is a bit, a priority of 8 bits or a configuration of 2 for each of some, the
    first lowest. ``vcpu`` is who writes.
    """

    def enabled_of(self, interrupts: range) -> int: ...
    def pending_of(self, interrupts: range) -> int: ...
    def active_of(self, interrupts: range) -> int: ...
    def priorities_of(self, interrupts: range) -> int: ...
    def configs_of(self, interrupts: range) -> int: ...
    def enable(self, intid: int, vcpu: int) -> None: ...
    def disable(self, intid: int, vcpu: int) -> None: ...
    def pend(self, intid: int, vcpu: int) -> None: ...
    def unpend(self, intid: int, vcpu: int) -> None: ...
    def activate(self, intid: int, vcpu: int) -> None: ...
    def deactivate(self, intid: int, vcpu: int) -> None: ...
    def set_priority(self, intid: int, value: int, vcpu: int) -> None: ...
    def set_config(self, intid: int, value: int, vcpu: int) -> None: ...


class Register(Protocol):
    """A 32-bit word of an emulated window; ``widths`` is the set of access sizes it takes, in bytes, as a bit mask.

    ``home`` is the pcpu that an access must be done on. The other methods are called there only.
    """

    @property
    def widths(self) -> int: ...
    @property
    def home(self) -> int: ...
    def read(self, address: int, size: int) -> int: ...
    def write(self, address: int, size: int, value: int, vcpu: int) -> None: ...


@final
class Constant:
    """Read-only, and known everywhere. With ``WORD_OR_LONG`` the word at offset 4 is the upper half."""

    __slots__ = ("home", "value", "widths")

    def __init__(self, value: int = 0, widths: int = WORD) -> None:
        self.home = ANYWHERE
        self.widths = widths
        self.value = value

    def read(self, address: int, size: int) -> int:
        if self.widths != WORD_OR_LONG or size == 8:
            return self.value
        return self.value >> 32 if address & 4 else self.value & 0xFFFF_FFFF

    def write(self, address: int, size: int, value: int, vcpu: int) -> None:
        """Ignored."""


@final
class Bits:
    """One bit for each of at most 32 interrupts: a 1 that is written changes its interrupt, a 0 does nothing."""

    __slots__ = ("_change", "_first", "_get", "_interrupts", "_mask", "home", "widths")

    def __init__(
        self, home: int, interrupts: range, get: Callable[[range], int], change: Callable[[int, int], None]
    ) -> None:
        self.home = home
        self.widths = WORD
        self._interrupts = interrupts
        self._first = interrupts.start
        self._mask = (1 << len(interrupts)) - 1
        self._get = get
        self._change = change

    def read(self, address: int, size: int) -> int:
        return self._get(self._interrupts)

    def write(self, address: int, size: int, value: int, vcpu: int) -> None:
        value &= self._mask
        while value:
            lowest = value & -value
            value ^= lowest
            self._change(self._first + lowest.bit_length() - 1, vcpu)


@final
class Fields:
    """``bits`` bits for each of the interrupts of a word; those of 8 bits may be accessed by themselves."""

    __slots__ = ("_bits", "_get", "_interrupts", "_set", "home", "widths")

    def __init__(
        self,
        home: int,
        bits: int,
        interrupts: range,
        get: Callable[[range], int],
        change: Callable[[int, int, int], None],
    ) -> None:
        self.home = home
        self.widths = BYTE_OR_WORD if bits == 8 else WORD
        self._bits = bits
        self._interrupts = interrupts
        self._get = get
        self._set = change

    def _part(self, address: int, size: int) -> range:
        """The interrupts that an access covers."""
        if size == WORD:
            return self._interrupts
        first = (address & 3) * 8 // self._bits
        return self._interrupts[first : first + size * 8 // self._bits]

    def read(self, address: int, size: int) -> int:
        return self._get(self._part(address, size))

    def write(self, address: int, size: int, value: int, vcpu: int) -> None:
        mask = (1 << self._bits) - 1
        for place, intid in enumerate(self._part(address, size)):
            self._set(intid, value >> place * self._bits & mask, vcpu)


@final
class Control:
    """GICD_CTLR: one enable bit is kept, and ARE_NS reads as one, whatever the version."""

    __slots__ = ("_always", "_bit", "_get", "_set", "home", "widths")

    def __init__(
        self, home: int, bit: int, always: int, get: Callable[[], bool], change: Callable[[bool], None]
    ) -> None:
        self.home = home
        self.widths = WORD
        self._bit = bit
        self._always = always
        self._get = get
        self._set = change

    def read(self, address: int, size: int) -> int:
        return self._always | (self._bit if self._get() else 0)

    def write(self, address: int, size: int, value: int, vcpu: int) -> None:
        self._set(value & self._bit != 0)


_BIT_WORDS = 0x80
"""Bytes of a register of one bit for each INTID."""


def interrupt_word(offset: int, bank: Bank, home: int, interrupts: range) -> Register | None:
    """One that both versions have, for some INTIDs, the first of which is a multiple of 32; None: there is none.

    ``offset`` is in a GICD, or in the second page of a GICR frame. What configures an interrupt from 512 on is not
    there, because Bao does not decode it.
    """
    if gic.GICD_ISENABLER <= offset < gic.GICD_IPRIORITYR:
        intid = offset % _BIT_WORDS * 8
        if intid not in interrupts:
            return None
        some = range(intid, min(intid + 32, interrupts.stop))
        match offset - offset % _BIT_WORDS:
            case gic.GICD_ISENABLER:
                return Bits(home, some, bank.enabled_of, bank.enable)
            case gic.GICD_ICENABLER:
                return Bits(home, some, bank.enabled_of, bank.disable)
            case gic.GICD_ISPENDR:
                return Bits(home, some, bank.pending_of, bank.pend)
            case gic.GICD_ICPENDR:
                return Bits(home, some, bank.pending_of, bank.unpend)
            case gic.GICD_ISACTIVER:
                return Bits(home, some, bank.active_of, bank.activate)
            case _:
                return Bits(home, some, bank.active_of, bank.deactivate)
    if (intid := offset - gic.GICD_IPRIORITYR) in interrupts:
        some = range(intid, min(intid + 4, interrupts.stop))
        return Fields(home, 8, some, bank.priorities_of, bank.set_priority)
    if offset >= gic.GICD_ICFGR and (intid := (offset - gic.GICD_ICFGR) * 4) < _CONFIGURABLE and intid in interrupts:
        some = range(intid, min(intid + 16, interrupts.stop))
        return Fields(home, 2, some, bank.configs_of, bank.set_config)
    return None
