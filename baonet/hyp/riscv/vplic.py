"""The virtual PLIC of a VM. Mirrors Bao's ``vplic.c``; on the VM's master pcpu.

A hart has two contexts, for M mode, which has nothing, and for S mode. What the guest would be told there is ``_next``:
the source of the highest priority, then of the lowest number, that is pending, enabled and not claimed, if its priority
is above the threshold. A hart's line follows it **only when Bao looks**, which is less often than it changes:

    claim, completion, threshold                     the context that is used
    priority; of a source without a device           every context that has the source enabled
    enable bit; of a source without a device         its context
    notification                                     every context that has the source enabled, below its priority
    device                                           the context of the hart that takes the physical interrupt

Sources of devices have a physical PLIC in front. Their enable bits, priorities and thresholds are its own too, of which
it keeps fewer bits; what it signals to a hart, Bao claims there at once, and completes when the guest does. Until then
it does not signal it again; a line that is still up afterwards fires again.

Registers: RISC-V PLIC specification 1.0.0, chapters 3 to 9.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, final

from baonet.hyp.cpu import FROM_IPC, NOTE_PENDING, NOTE_RAISED
from baonet.hyp.riscv.shared_controller import MASK32, NOTHING, Harts, IrqcRegister, ignore
from baonet.hyp.riscv.sources import SOURCES, mask, members
from baonet.machine import PAGE_SIZE
from baonet.machine.saved import Saved, StateForm, row

_PENDING: Final = 0x1000
_ENABLES: Final = 0x2000
_ENABLES_SIZE: Final = 0x80
"""Of one context, and of the pending bits."""
_HARTS: Final = 0x20_0000
_CONTEXT_SHIFT: Final = 12
_CONTEXT_REGISTERS: Final = 0xF
"""Bao looks at no other bits of an address in a context's page."""
_THRESHOLD: Final = 0
_CLAIM: Final = 4
_WORD: Final = 4
_WORDS: Final = SOURCES // 32
"""Of a hart's enable bits."""

_HARMLESS: Final = 1 << 24
"""A completion of a source that does not exist clears a bit that far behind Bao's bitmaps. Up to 100000 was seen to do
no harm, 0x7fffffff to be the end; where between them Bao's memory ends is not known."""

_FORM: Final = StateForm(
    "a VM's vPLIC",
    1,
    priorities=list,
    enabled=list,
    thresholds=list,
    pending=list,
    active=list,
    taken=list,
    up=list,
    sequences=list,
)


@final
class Vplic:
    """At ``base``. ``cpus`` are the platform's, ``vcpus`` the VM's, ``hardware`` the sources of devices.

    ``strict``: it breaks where Bao's does.
    """

    __slots__ = (
        "_active",
        "_base",
        "_enabled",
        "_hardware",
        "_hart_of",
        "_harts",
        "_lines",
        "_pending",
        "_physical",
        "_priorities",
        "_sequences",
        "_shown",
        "_sizes",
        "_strict",
        "_taken",
        "_thresholds",
        "_up",
        "_vcpus",
        "completes",
        "harmless",
        "source",
        "windows",
    )

    def __init__(
        self,
        harts: Harts,
        base: int,
        *,
        cpus: int,
        vcpus: int,
        hardware: Iterable[int],
        priority_bits: int,
        strict: bool,
    ) -> None:
        self._harts = harts
        self._lines = harts.lines
        self._base = base
        self._vcpus = vcpus
        self.completes = True
        self.harmless = _HARMLESS
        self._hart_of = {2 * hart + 1: hart for hart in range(vcpus)}  # whose S mode has a context
        self._hardware = mask(hardware)
        self._physical = (1 << priority_bits) - 1
        self._strict = strict
        first = _ENABLES + _ENABLES_SIZE * 2 * cpus
        self._sizes = -(-first // PAGE_SIZE) * PAGE_SIZE, 2 * vcpus << _CONTEXT_SHIFT
        self.windows: tuple[tuple[int, int], ...] = ((base, self._sizes[0]), (base + _HARTS, self._sizes[1]))
        self._up = 0  # lines of devices, and how often each has changed
        self._sequences: dict[int, int] = {}
        self._shown: dict[int, int] = {}  # words of enable bits that there was an access to: of all harts, by places
        self.reset()

    def reset(self) -> None:
        self._priorities = [0] * SOURCES
        self._enabled = [0] * self._vcpus
        self._show()
        self._thresholds = [0] * self._vcpus
        self._pending = self._active = 0
        self._taken = 0  # claimed from the physical PLIC, and not completed there
        self.source = 0

    # Registers

    def takes(self, ipa: int, size: int) -> bool:
        offset = ipa - self._base
        if offset % _WORD:
            return False
        first, second = self._sizes
        return (size == _WORD and 0 <= offset < first) or (size <= _WORD and 0 <= offset - _HARTS < second)

    def leaves_alone(self, ipa: int) -> bool:
        return False

    def breaks(self, ipa: int, value: int) -> str | None:
        offset = ipa - self._base - _HARTS
        if not self._strict or value < _HARMLESS or offset < 0 or offset & _CONTEXT_REGISTERS != _CLAIM:
            return None
        if offset >> _CONTEXT_SHIFT not in self._hart_of:
            return None
        return (
            f"the guest completed source {value:#x} of the PLIC, which has {SOURCES}: Bao does not look how many there "
            "are, and goes wrong in its own memory"
        )

    def at(self, ipa: int) -> IrqcRegister:
        offset = ipa - self._base
        if offset >= _HARTS:
            hart = self._hart_of.get(offset - _HARTS >> _CONTEXT_SHIFT)
            register = offset & _CONTEXT_REGISTERS
            if hart is not None and register == _CLAIM:
                return self._claim, self._complete, hart
            if hart is not None and register == _THRESHOLD:
                return self._threshold, self._set_threshold, hart
            return NOTHING
        if offset < _PENDING:
            return self._priority, self._set_priority, offset // _WORD
        if offset < _ENABLES:
            return self._pending_word, ignore, 8 * (offset - _PENDING)
        context, byte = divmod(offset - _ENABLES, _ENABLES_SIZE)
        hart = self._hart_of.get(context)
        if hart is None:
            return NOTHING
        place = _WORDS * hart + byte // _WORD
        self._shown[place] = self._enabled_word(place)
        return self._shown.__getitem__, self._set_enabled, place

    def _priority(self, source: int) -> int:
        return self._priorities[source]

    def _threshold(self, hart: int) -> int:
        return self._thresholds[hart]

    def _pending_word(self, first: int) -> int:
        return self._pending >> first & MASK32

    def _enabled_word(self, place: int) -> int:
        hart, word = divmod(place, _WORDS)
        return self._enabled[hart] >> 32 * word & MASK32

    def _show(self) -> None:
        for place in self._shown:
            self._shown[place] = self._enabled_word(place)

    def _set_priority(self, source: int, value: int) -> None:
        if value == self._priorities[source]:
            return
        self._priorities[source] = value
        if self._hardware >> source & 1:
            self._fire()
            return
        for hart, enabled in enumerate(self._enabled):
            if enabled >> source & 1:
                self._update(hart)

    def _set_enabled(self, place: int, value: int) -> None:
        """Bao looks at each bit that changes, one after the other; the last look is what stays."""
        before = self._shown[place]
        if value == before:
            return
        self._shown[place] = value
        hart, word = divmod(place, _WORDS)
        changed = (before ^ value) << 32 * word
        self._enabled[hart] ^= changed
        if changed & ~self._hardware:
            self._update(hart)
        if changed & self._hardware:
            self._fire()

    def _set_threshold(self, hart: int, value: int) -> None:
        self._thresholds[hart] = value
        if self._pending or self._lines[hart]:
            self._update(hart)
        if self._up:
            self._fire()

    def _claim(self, hart: int) -> int:
        source = self._next(hart) if self._pending else 0
        if source:
            self._pending &= ~(1 << source)
            self._active |= 1 << source
            self.source = source
            self._update(hart)
        elif self._lines[hart]:
            self._harts.signal(hart, 0)
        return source

    def _complete(self, hart: int, source: int) -> None:
        """A physical completion comes from the hart that the guest is on: the physical PLIC takes it from any."""
        if self._active and self._active >> source & 1:
            self._active ^= 1 << source
            self.source = source
        if self._pending or self._lines[hart]:
            self._update(hart)
        if self._taken and self._taken >> source & 1:
            self._taken ^= 1 << source
            self._fire()

    # What a hart is told

    def _next(self, hart: int) -> int:
        waiting = self._pending & ~self._active & self._enabled[hart] & ~1
        if not waiting:
            return 0
        found, highest = 0, self._thresholds[hart]
        while waiting:
            lowest = waiting & -waiting
            waiting ^= lowest
            source = lowest.bit_length() - 1
            if self._priorities[source] > highest:
                found, highest = source, self._priorities[source]
        return found

    def _update(self, hart: int) -> None:
        """Bao tells a hart again what it was told; that it is told nothing once more makes no difference to it."""
        source = self._next(hart)
        if source or self._lines[hart]:
            self._harts.signal(hart, source)

    # Sources

    def expects(self, source: int) -> tuple[int, int, int, int] | None:
        """Of a source without a device that would interrupt one hart, which has nothing else to claim: so it is again
        when that has completed it.
        """
        bit = 1 << source if 0 < source < SOURCES else 0
        if not bit & ~(self._hardware | self._pending | self._active):
            return None
        told = [hart for hart, enabled in enumerate(self._enabled) if enabled & bit and self._passes(hart, source)]
        if len(told) != 1 or self._next(told[0]):
            return None
        context = 2 * told[0] + 1
        return told[0], source, 0, self._base + _HARTS + (context << _CONTEXT_SHIFT) + _CLAIM

    def inject(self, source: int) -> None:
        self._harts.note(NOTE_RAISED, source, FROM_IPC)
        if not 0 < source < SOURCES or self._pending >> source & 1:
            return
        self._pend(source)
        for hart, enabled in enumerate(self._enabled):
            if enabled >> source & 1 and self._passes(hart, source):
                self._update(hart)

    def _passes(self, hart: int, source: int) -> bool:
        return self._priorities[source] > self._thresholds[hart]

    def _pend(self, source: int) -> None:
        self._pending |= 1 << source
        self._harts.note(NOTE_PENDING, source)

    def line(self, source: int, level: bool, sequence: int) -> None:
        if not 0 <= source < SOURCES or not self._hardware >> source & 1:
            return
        if sequence <= self._sequences.get(source, 0):
            return
        self._sequences[source] = sequence
        self._up = self._up & ~(1 << source) | level << source
        self._fire()

    def _fire(self) -> None:
        """The physical PLIC signals what it can, and Bao claims it. Where several harts could, the first does."""
        while waiting := self._up & self._hardware & ~self._taken:
            for hart in range(self._vcpus):
                source = self._physical_next(hart, waiting)
                if source:
                    self._taken |= 1 << source
                    if not self._pending >> source & 1:
                        self._pend(source)
                        self._harts.signal(hart, self._next(hart), hardware=True)
                    break
            else:
                return

    def _physical_next(self, hart: int, waiting: int) -> int:
        found, highest = 0, self._thresholds[hart] & self._physical
        for source in members(waiting & self._enabled[hart]):
            priority = self._priorities[source] & self._physical
            if priority > highest:
                found, highest = source, priority
        return found

    def held(self) -> int:
        return self._active.bit_count()

    def unheard(self) -> int:
        waiting = (self._pending | self._up) & ~self._active
        for enabled, threshold in zip(self._enabled, self._thresholds, strict=True):
            waiting &= ~mask(each for each in members(waiting & enabled) if self._priorities[each] > threshold)
        return waiting

    # As data

    def save(self) -> Saved:
        """Of the priorities those that are not 0."""
        return _FORM.save(
            priorities=[[source, priority] for source, priority in enumerate(self._priorities) if priority],
            enabled=[members(enabled) for enabled in self._enabled],
            thresholds=list(self._thresholds),
            pending=members(self._pending),
            active=members(self._active),
            taken=members(self._taken),
            up=members(self._up),
            sequences=[[source, sequence] for source, sequence in sorted(self._sequences.items())],
        )

    def load(self, data: object) -> None:
        fields = _FORM.load(data)
        self.reset()
        with _FORM.reading():
            if len(fields["enabled"]) != self._vcpus or len(fields["thresholds"]) != self._vcpus:
                raise _FORM.damaged("it is of another number of harts")
            for each in fields["priorities"]:
                source, priority = row(each, int, int)
                mask((source,))
                self._priorities[source] = priority & MASK32
            self._enabled = [mask(sources) for sources in fields["enabled"]]
            self._show()
            self._thresholds = [threshold & MASK32 for threshold in fields["thresholds"]]
            self._pending, self._active, self._taken, self._up = (
                mask(fields[name]) for name in ("pending", "active", "taken", "up")
            )
            self._sequences = dict(row(each, int, int) for each in fields["sequences"])
