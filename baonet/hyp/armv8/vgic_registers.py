"""Registers of distributor and redistributors, as objects: which widths each takes, where it lives, what it does.

The generic accesses of Bao's ``vgic.c``: a register of one field per interrupt works on a ``Bank``, which is the
private interrupts of a vcpu or the SPIs of the VM. Alignment is natural and checked by the caller. Fields of
interrupts that do not exist are RAZ/WI.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol, final

from baonet.hyp.armv8 import gic
from baonet.hyp.armv8.vgic_words import WORD_BITS, RegisterWords

BYTE_OR_WORD: Final = 1 | 4
WORD: Final = 4
WORD_OR_LONG: Final = 4 | 8

_CONFIGURABLE = 512

ANYWHERE: Final = -1
"""The home of a register that every pcpu of the VM knows."""


class Bank(Protocol):
    """Interrupts by INTID, and what registers of them show. What is pending or active depends on where each is: it is
    found for the 32 of a word, the first lowest. ``priority_mask``: what is kept of one. ``vcpu`` is who writes.
    """

    words: RegisterWords
    priority_mask: int

    def pending_of(self, word: int) -> int: ...
    def active_of(self, word: int) -> int: ...
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


class _Bits:
    """One bit for each of at most 32 interrupts, those of a word: a 1 that is written may change its interrupt."""

    __slots__ = ("_change", "_index", "_mask", "home", "widths")

    def __init__(self, home: int, interrupts: range, change: Callable[[int, int], None]) -> None:
        self.home = home
        self.widths = WORD
        self._index = interrupts.start // WORD_BITS
        self._mask = (1 << len(interrupts)) - 1
        self._change = change

    def _change_each(self, bits: int, vcpu: int) -> None:
        """Of each bit, the lowest first, the interrupt."""
        first = WORD_BITS * self._index
        while bits:
            lowest = bits & -bits
            bits ^= lowest
            self._change(first + lowest.bit_length() - 1, vcpu)


@final
class Enables(_Bits):
    """ISENABLER, or with ``on`` False ICENABLER: it changes what is not so yet."""

    __slots__ = ("_on", "_words")

    def __init__(
        self, home: int, interrupts: range, words: list[int], on: bool, change: Callable[[int, int], None]
    ) -> None:
        super().__init__(home, interrupts, change)
        self._words = words
        self._on = on

    def read(self, address: int, size: int) -> int:
        return self._words[self._index]

    def write(self, address: int, size: int, value: int, vcpu: int) -> None:
        enabled = self._words[self._index]
        bits = value & self._mask & (~enabled if self._on else enabled)
        if bits:
            self._change_each(bits, vcpu)


@final
class States(_Bits):
    """What is pending or active: with ``on`` False a 1 that is written ends that, of those alone that may be so."""

    __slots__ = ("_get", "_on", "_stirred")

    def __init__(
        self,
        home: int,
        interrupts: range,
        stirred: list[int],
        get: Callable[[int], int],
        change: Callable[[int, int], None],
        *,
        on: bool,
    ) -> None:
        super().__init__(home, interrupts, change)
        self._stirred = stirred
        self._get = get
        self._on = on

    def read(self, address: int, size: int) -> int:
        return self._get(self._index) if self._stirred[self._index] else 0

    def write(self, address: int, size: int, value: int, vcpu: int) -> None:
        bits = value & self._mask if self._on else value & self._stirred[self._index]
        if bits:
            self._change_each(bits, vcpu)


@final
class Fields:
    """``bits`` bits for each of the interrupts of a word; those of 8 bits may be accessed by themselves.

    ``kept``: the bits that stay of a word that is written. To write what is there does nothing, unless it ``repeats``.
    """

    __slots__ = ("_bits", "_index", "_interrupts", "_kept", "_repeats", "_set", "_words", "home", "widths")

    def __init__(
        self,
        home: int,
        bits: int,
        interrupts: range,
        words: list[int],
        change: Callable[[int, int, int], None],
        *,
        kept: int,
        repeats: bool = False,
    ) -> None:
        self.home = home
        self.widths = BYTE_OR_WORD if bits == 8 else WORD
        self._bits = bits
        self._index = interrupts.start * bits // 32
        self._interrupts = interrupts
        self._words = words
        self._set = change
        self._kept = kept
        self._repeats = repeats

    def read(self, address: int, size: int) -> int:
        word = self._words[self._index]
        return word if size == WORD else word >> 8 * (address & 3) & 0xFF

    def write(self, address: int, size: int, value: int, vcpu: int) -> None:
        if value & self._kept == self.read(address, size) and not self._repeats:
            return
        first, mask = 8 * (address & 3) // self._bits, (1 << self._bits) - 1
        for place, intid in enumerate(self._interrupts[first : first + 8 * size // self._bits]):
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
    words = bank.words
    if gic.GICD_ISENABLER <= offset < gic.GICD_IPRIORITYR:
        intid = offset % _BIT_WORDS * 8
        if intid not in interrupts:
            return None
        some = range(intid, min(intid + 32, interrupts.stop))
        match offset - offset % _BIT_WORDS:
            case gic.GICD_ISENABLER:
                return Enables(home, some, words.enabled, True, bank.enable)
            case gic.GICD_ICENABLER:
                return Enables(home, some, words.enabled, False, bank.disable)
            case gic.GICD_ISPENDR:
                return States(home, some, words.stirred, bank.pending_of, bank.pend, on=True)
            case gic.GICD_ICPENDR:
                return States(home, some, words.stirred, bank.pending_of, bank.unpend, on=False)
            case gic.GICD_ISACTIVER:
                return States(home, some, words.stirred, bank.active_of, bank.activate, on=True)
            case _:
                return States(home, some, words.stirred, bank.active_of, bank.deactivate, on=False)
    if (intid := offset - gic.GICD_IPRIORITYR) in interrupts:
        some = range(intid, min(intid + 4, interrupts.stop))
        return Fields(home, 8, some, words.priorities, bank.set_priority, kept=bank.priority_mask * 0x0101_0101)
    if offset >= gic.GICD_ICFGR and (intid := (offset - gic.GICD_ICFGR) * 4) < _CONFIGURABLE and intid in interrupts:
        some = range(intid, min(intid + 16, interrupts.stop))
        return Fields(home, 2, some, words.configs, bank.set_config, kept=0xFFFF_FFFF)
    return None
