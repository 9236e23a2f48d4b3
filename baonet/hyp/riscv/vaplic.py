"""The virtual APLIC of a VM, in MSI delivery mode or, without an IMSIC, in direct mode. Mirrors Bao's ``vaplic.c``.

On the VM's master pcpu. What is pending and enabled leaves at once: in MSI mode as a message to the interrupt file of
its target, after which it is not pending any more; in direct mode it stays, and the line of its target hart follows.

Sources of devices have a physical APLIC in front, which mirrors what the guest sets and, in MSI mode, sends the
messages itself: Bao has no part in that. So they are here as AIA has them, by edge or level:

    edge-sensitive   pending from an edge of the line on, until the message is sent or the source claimed
    level-sensitive  in MSI mode pending from when the line goes up until the message is sent (AIA, 4.9.2: the guest
                     sets it pending again, behind its handler); in direct mode while the line is up

``strict`` keeps what Bao and its platform were seen to do otherwise: a source that is set pending shows that whatever
its line does, and one that was pending stays so when its line goes down; setipnum_le and setipnum_be are ignored; and a
level-sensitive source in direct mode is the end of its hart.

Registers: RISC-V AIA 1.0, 4.5 and 4.8. Sources have no priorities in direct mode: Bao finds that they have no bits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, final

from baonet.hyp.cpu import FROM_IPC, FROM_LINE, FROM_SGI, NOTE_ACKNOWLEDGED, NOTE_ENDED, NOTE_PENDING, NOTE_RAISED
from baonet.hyp.riscv.imsic import ImsicPages
from baonet.hyp.riscv.shared_controller import MASK32, Harts
from baonet.hyp.riscv.sources import SOURCES, mask, members
from baonet.hyp.riscv.vaplic_idc import CLAIMI, FORCED, IDC_SIZE, IDELIVERY, IFORCE, TOPI, Idcs
from baonet.machine.saved import Saved, StateForm, row

_SIZE: Final = 0x4000
_WORD: Final = 4
_BITS: Final = 0x80
"""Of a register of one bit for each source."""

_DOMAINCFG: Final = 0
_SOURCECFG: Final = 4
_SOURCECFG_END: Final = 0x1000
_SETIP: Final = 0x1C00
_SETIPNUM: Final = 0x1CDC
_IN_CLRIP: Final = 0x1D00
_CLRIPNUM: Final = 0x1DDC
_SETIE: Final = 0x1E00
_SETIENUM: Final = 0x1EDC
_CLRIE: Final = 0x1F00
_CLRIENUM: Final = 0x1FDC
_SETIPNUM_LE: Final = 0x2000
_SETIPNUM_BE: Final = 0x2004
_TARGET: Final = 0x3004

_DOMAINCFG_ONES: Final = 0x8000_0000
_IE: Final = 1 << 8
_DM: Final = 1 << 2

_DELEGATED: Final = 1 << 10
_MODES: Final = 7
_INACTIVE: Final = 0
_RESERVED: Final = (2, 3)
_RISING: Final = 4
_FALLING: Final = 5
_HIGH: Final = 6
_LOW: Final = 7

_HART_SHIFT: Final = 18
_GUEST: Final = 0x3F000
_EIID: Final = 0x7FF
_PRIORITY: Final = 1
_IDENTITY_SHIFT: Final = 16

_FORM: Final = StateForm(
    "a VM's vAPLIC",
    1,
    open=bool,
    modes=list,
    enabled=list,
    pending=list,
    idle=list,
    up=list,
    sequences=list,
    hung=list,
    idcs=dict | None,
)


@final
class Vaplic:
    """At ``base``, for ``vcpus`` harts. ``hardware``: the sources of devices. ``pages``: in MSI mode, else None."""

    __slots__ = (
        "_active",
        "_base",
        "_enabled",
        "_end",
        "_hardware",
        "_harts",
        "_hung",
        "_idcs",
        "_idle",
        "_levels",
        "_modes",
        "_noted",
        "_of_numbers",
        "_open",
        "_pages",
        "_pending",
        "_sequences",
        "_strict",
        "_targets",
        "_up",
        "_vcpus",
        "completes",
        "source",
        "windows",
    )

    def __init__(
        self,
        harts: Harts,
        base: int,
        pages: ImsicPages | None,
        *,
        vcpus: int,
        hardware: Iterable[int],
        strict: bool,
    ) -> None:
        self._harts = harts
        self._base = base
        self._pages = pages
        self._vcpus = vcpus
        self.completes = False
        self._hardware = mask(hardware)
        self._strict = strict
        self._idcs = Idcs(vcpus) if pages is None else None
        self._end = _SIZE if pages is not None else _SIZE + IDC_SIZE * vcpus
        self.windows: tuple[tuple[int, int], ...] = ((base, self._end),)
        self._of_numbers: dict[int, Callable[[int], None]] = {
            _SETIPNUM: self._set_pending,
            _CLRIPNUM: self._clear_pending,
            _SETIENUM: self._set_enabled,
            _CLRIENUM: self._clear_enabled,
        }
        self._up = 0  # lines of devices, and how often each has changed
        self._sequences: dict[int, int] = {}
        self.reset()

    def reset(self) -> None:
        self._open = False  # domaincfg.IE
        self._modes = [_INACTIVE] * SOURCES
        self._targets = [0] * SOURCES
        self._active = self._enabled = self._pending = 0
        self._idle = 0  # set pending, and shown so, but not by the device
        self._levels = 0  # which are level-sensitive, and of a device
        self._hung = 0
        self._noted = 0  # what the trace knows to be pending
        self.source = 0
        if self._idcs is not None:
            self._idcs.reset()

    # Registers

    def takes(self, ipa: int, size: int) -> bool:
        offset = ipa - self._base
        return size == _WORD and not offset % _WORD and 0 <= offset < self._end

    def leaves_alone(self, ipa: int) -> bool:
        """Registers that are only written: Bao's load has no result."""
        offset = ipa - self._base
        return offset in self._of_numbers or _CLRIE <= offset < _CLRIE + _BITS

    def breaks(self, ipa: int, value: int) -> str | None:
        return None

    def read(self, ipa: int) -> int:
        offset = ipa - self._base
        if offset >= _SIZE:
            return self._read_idc(offset - _SIZE)
        if offset == _DOMAINCFG:
            return _DOMAINCFG_ONES | (_IE if self._open else 0) | (0 if self._pages is None else _DM)
        if offset < _SOURCECFG_END:
            return self._modes[offset // _WORD]
        if offset >= _TARGET:
            return self._targets[_target_of(offset)]
        for first, bits in ((_SETIP, self._shown), (_IN_CLRIP, self._rectified), (_SETIE, self._enabled_bits)):
            if first <= offset < first + _BITS:
                return bits() >> 8 * (offset - first) & MASK32
        return 0

    def write(self, ipa: int, value: int) -> None:
        offset = ipa - self._base
        if offset >= _SIZE:
            self._write_idc(offset - _SIZE, value)
            return
        if offset == _DOMAINCFG:
            self._open = bool(value & _IE)
        elif offset < _SOURCECFG_END:
            self._set_mode(offset // _WORD, value)
        elif offset >= _TARGET:
            self._set_target(_target_of(offset), value)
        elif offset in (_SETIPNUM_LE, _SETIPNUM_BE) and not self._strict:
            number = value if offset == _SETIPNUM_LE else int.from_bytes(value.to_bytes(4, "little"), "big")
            self._set_pending(_bit(number))
        elif offset in self._of_numbers:
            self._of_numbers[offset](_bit(value))
        else:
            self._write_bits(offset, value)
        self._evaluate(FROM_SGI)

    def _write_bits(self, offset: int, value: int) -> None:
        for first, change in (
            (_SETIP, self._set_pending),
            (_IN_CLRIP, self._clear_pending),
            (_SETIE, self._set_enabled),
            (_CLRIE, self._clear_enabled),
        ):
            if first <= offset < first + _BITS:
                change(value << 8 * (offset - first))

    def _set_mode(self, source: int, value: int) -> None:
        mode = _INACTIVE if value & _DELEGATED else value & _MODES
        if mode in _RESERVED:
            mode = _INACTIVE
        if mode == self._modes[source]:
            return
        bit = 1 << source
        self._modes[source] = mode
        self._levels &= ~bit
        if mode == _INACTIVE:
            self._active &= ~bit
            self._clear_pending(bit)
            self._enabled &= ~bit
            self._targets[source] = 0
            return
        self._active |= bit
        if mode in (_HIGH, _LOW):
            self._levels |= bit & self._hardware
        if self._rectified() & bit:
            self._pend(bit)

    def _set_target(self, source: int, value: int) -> None:
        """A hart that is not there is hart 0."""
        if not self._active >> source & 1:
            return
        hart = value >> _HART_SHIFT
        if hart >= self._vcpus:
            hart = 0
        kept = _PRIORITY if self._pages is None else value & (_GUEST | _EIID)
        self._targets[source] = hart << _HART_SHIFT | kept

    def _set_pending(self, bits: int) -> None:
        """By the guest; nothing happens for a level-sensitive source whose line is down."""
        bits &= self._active & ~1
        idle = bits & self._levels & ~self._rectified()
        self._pend(bits & ~idle)
        if self._strict:
            self._idle |= idle & ~self._pending

    def _pend(self, bits: int) -> None:
        self._pending |= bits
        self._idle &= ~bits

    def _clear_pending(self, bits: int) -> None:
        self._pending &= ~bits
        self._idle &= ~bits

    def _set_enabled(self, bits: int) -> None:
        self._enabled |= bits & self._active & ~1

    def _clear_enabled(self, bits: int) -> None:
        self._enabled &= ~bits

    def _enabled_bits(self) -> int:
        return self._enabled

    def _rectified(self) -> int:
        """Lines of devices as their modes have them: up is active."""
        found = 0
        for source in members(self._hardware & self._active):
            mode, up = self._modes[source], bool(self._up >> source & 1)
            if mode in (_RISING, _HIGH, _FALLING, _LOW) and up is (mode in (_RISING, _HIGH)):
                found |= 1 << source
        return found

    def _shown(self) -> int:
        """What is pending."""
        if self._pages is not None or self._strict or not self._levels:
            return self._pending | self._idle
        return self._pending & ~self._levels | self._rectified() & self._levels

    # Delivery

    def _evaluate(self, origin: int, *, hardware: bool = False) -> None:
        """Something has changed. ``origin``: by what, of the trace's sources."""
        if self._idcs is not None:
            self._note_pending(self._pending)
            self._signal(hardware=hardware)
            return
        if self._open:
            self._send(origin, hardware=hardware)
        self._note_pending(self._pending)

    def _note_pending(self, pending: int) -> None:
        """Tell the trace of what stays pending, or comes to its end from being so."""
        for source in members(pending & ~self._noted):
            self._harts.note(NOTE_PENDING, source)
        self._noted = pending

    def _send(self, origin: int, *, hardware: bool) -> None:
        """What the guest sees of a source is its message, which the trace is told of as raised.

        The source itself has come to its end with that. A notification that leaves at once is a message and no source.
        """
        leaving = self._pending & self._enabled
        if not leaving:
            return
        assert self._pages is not None
        seen = leaving if origin == FROM_LINE else leaving & self._noted
        self._note_pending(self._noted | seen)
        self._pending &= ~leaving
        for source in members(leaving):
            if seen >> source & 1:
                self._harts.note(NOTE_ACKNOWLEDGED, source)
                self._harts.note(NOTE_ENDED, source)
            target = self._targets[source]
            self._pages.send(self._harts, target >> _HART_SHIFT, target & _EIID, origin, hardware=hardware)

    def _signal(self, *, hardware: bool, again: int | None = None) -> None:
        """Tell harts what has changed for them; hart ``again`` is told anyway: it may have been started anew."""
        assert self._idcs is not None
        if self._strict:
            self._hang()
        for hart, before in enumerate(self._idcs.lines):
            signalled = self._top(hart) or self._forced(hart)
            if signalled != before or hart == again:
                self._idcs.lines[hart] = signalled
                self._harts.signal(hart, signalled, hardware=hardware)

    def _hang(self) -> None:
        stuck = self._levels & self._enabled & self._rectified() & ~self._hung
        self._hung |= stuck
        for source in members(stuck):
            self._harts.hang(self._targets[source] >> _HART_SHIFT, source)

    def _delivers(self, hart: int) -> bool:
        return self._idcs is not None and self._open and self._idcs.delivery[hart]

    def _top(self, hart: int) -> int:
        """The source that a hart is to take, 0 for none: the first, as all have one priority."""
        if not self._delivers(hart):
            return 0
        waiting = self._shown() & self._enabled
        return next((source for source in members(waiting) if self._targets[source] >> _HART_SHIFT == hart), 0)

    def _forced(self, hart: int) -> int:
        return FORCED if self._idcs is not None and self._idcs.forced[hart] and self._delivers(hart) else 0

    def _read_idc(self, offset: int) -> int:
        assert self._idcs is not None
        hart, register = divmod(offset, IDC_SIZE)
        if register == IDELIVERY:
            return int(self._idcs.delivery[hart])
        if register == IFORCE:
            return int(self._idcs.forced[hart])
        if register not in (TOPI, CLAIMI):
            return 0
        source = self._top(hart)
        if register == CLAIMI:
            self._claim(hart, source)
        return source << _IDENTITY_SHIFT | _PRIORITY if source else 0

    def _claim(self, hart: int, source: int) -> None:
        """A spurious interrupt, and no other, is over when it is claimed."""
        assert self._idcs is not None
        if source:
            self._clear_pending(1 << source)
            self.source = source
        else:
            self._idcs.forced[hart] = False
        self._signal(hardware=False, again=hart)

    def _write_idc(self, offset: int, value: int) -> None:
        assert self._idcs is not None
        hart, register = divmod(offset, IDC_SIZE)
        if register == IDELIVERY:
            self._idcs.delivery[hart] = bool(value & 1)
        elif register == IFORCE:
            self._idcs.forced[hart] = bool(value & 1)
        self._signal(hardware=False, again=hart)

    # Sources

    def inject(self, source: int) -> None:
        if not 0 < source < SOURCES or not self._active >> source & 1:
            return
        if self._idcs is not None:
            self._harts.note(NOTE_RAISED, source, FROM_IPC)
        self._pend(1 << source)
        self._evaluate(FROM_IPC)

    def line(self, source: int, level: bool, sequence: int) -> None:
        """Between two changes that are heard the line may have been up, or down."""
        if not 0 <= source < SOURCES or not self._hardware >> source & 1:
            return
        changes = sequence - self._sequences.get(source, 0)
        if changes <= 0:
            return
        self._sequences[source] = sequence
        bit, mode = 1 << source, self._modes[source]
        before = bool(self._up & bit)
        self._up = self._up & ~bit | level << source
        if mode in (_RISING, _FALLING):
            if changes > 1 or (before is not level and level is (mode == _RISING)):
                self._pend(bit)
        elif mode in (_HIGH, _LOW):
            if level is (mode == _HIGH):
                self._pend(bit)
            elif not self._strict:
                self._pending &= ~bit
        self._evaluate(FROM_LINE, hardware=True)

    def held(self) -> int:
        """A claimed source is pending no more, and that is all."""
        return 0

    # As data

    def save(self) -> Saved:
        """Of the sources those that are active."""
        return _FORM.save(
            open=self._open,
            modes=[[source, self._modes[source], self._targets[source]] for source in members(self._active)],
            enabled=members(self._enabled),
            pending=members(self._pending),
            idle=members(self._idle),
            up=members(self._up),
            sequences=[[source, sequence] for source, sequence in sorted(self._sequences.items())],
            hung=members(self._hung),
            idcs=None if self._idcs is None else self._idcs.save(),
        )

    def load(self, data: object) -> None:
        fields = _FORM.load(data)
        if (fields["idcs"] is None) is not (self._idcs is None):
            raise _FORM.damaged("it is of another delivery mode")
        self.reset()
        with _FORM.reading():
            self._open = fields["open"]
            self._up = mask(fields["up"])
            for each in fields["modes"]:
                source, mode, target = row(each, int, int, int)
                self._set_mode(source, mode)
                self._set_target(source, target)
            self._enabled, self._pending, self._idle, self._hung = (
                mask(fields[name]) for name in ("enabled", "pending", "idle", "hung")
            )
            self._sequences = dict(row(each, int, int) for each in fields["sequences"])
        self._noted = self._pending
        if self._idcs is not None:
            self._idcs.load(fields["idcs"])


def _target_of(offset: int) -> int:
    return (offset - _TARGET) // _WORD + 1


def _bit(source: int) -> int:
    return 1 << source if source < SOURCES else 0
