"""The virtual APLIC of a VM, in MSI delivery mode or, without an IMSIC, in direct mode. Mirrors Bao's ``vaplic.c``.

On the VM's master pcpu. What is pending and enabled leaves at once: in MSI mode as a message to the interrupt file of
its target, after which it is not pending any more; in direct mode it stays, and the line of its target hart follows.

``strict`` keeps what Bao does otherwise: setipnum_le and setipnum_be are ignored, and a level-sensitive source of a
device in direct mode is the end of its hart; and what ``vaplic_sources`` says.

Registers: RISC-V AIA 1.0, 4.5 and 4.8. Sources have no priorities in direct mode: Bao finds that they have no bits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, final

from baonet.hyp.cpu import FROM_CPU, FROM_IPC, FROM_LINE, NOTE_ACKNOWLEDGED, NOTE_ENDED, NOTE_PENDING, NOTE_RAISED
from baonet.hyp.riscv.cpu import MESSAGES
from baonet.hyp.riscv.imsic import ImsicPages
from baonet.hyp.riscv.shared_controller import MASK32, Harts, IrqcRegister
from baonet.hyp.riscv.sources import SOURCES, mask, members
from baonet.hyp.riscv.vaplic_idc import CLAIMI, FORCED, IDC_SIZE, IDELIVERY, IFORCE, TOPI, Idcs
from baonet.hyp.riscv.vaplic_sources import VaplicSources
from baonet.machine.saved import Saved, StateForm, row

_SIZE: Final = 0x4000
_WORD: Final = 4
_BITS: Final = 0x80
"""Of a register of one bit for each source."""

_DOMAINCFG: Final = 0
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

_HART_SHIFT: Final = 18
_GUEST: Final = 0x3F000
_EIID: Final = 0x7FF
_PRIORITY: Final = 1
_IDENTITY_SHIFT: Final = 16

_FORM: Final = StateForm(
    "a VM's vAPLIC",
    1,
    open=bool,
    sources=dict,
    targets=list,
    hung=list,
    idcs=dict | None,
)


@final
class Vaplic:
    """At ``base``, for ``vcpus`` harts. ``hardware``: the sources of devices. ``pages``: in MSI mode, else None."""

    __slots__ = (
        "_base",
        "_end",
        "_harts",
        "_hung",
        "_idcs",
        "_noted",
        "_of_numbers",
        "_open",
        "_pages",
        "_sources",
        "_strict",
        "_targets",
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
        self.harmless = 1 << 32
        self._strict = strict
        self._sources = sources = VaplicSources(mask(hardware), direct=pages is None, strict=strict)
        self._idcs = Idcs(vcpus) if pages is None else None
        self._end = _SIZE if pages is not None else _SIZE + IDC_SIZE * vcpus
        self.windows: tuple[tuple[int, int], ...] = ((base, self._end),)
        self._of_numbers: dict[int, Callable[[int], None]] = {
            _SETIPNUM: sources.set_pending,
            _CLRIPNUM: sources.clear_pending,
            _SETIENUM: sources.set_enabled,
            _CLRIENUM: sources.clear_enabled,
        }
        self.reset()

    def reset(self) -> None:
        self._open = False  # domaincfg.IE
        self._sources.reset()
        self._targets = [0] * SOURCES
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

    def at(self, ipa: int) -> IrqcRegister:
        return self._read, self._write, ipa

    def _read(self, ipa: int) -> int:
        offset = ipa - self._base
        if offset >= _SIZE:
            return self._read_idc(offset - _SIZE)
        if offset == _DOMAINCFG:
            return _DOMAINCFG_ONES | (_IE if self._open else 0) | (0 if self._pages is None else _DM)
        if offset < _SOURCECFG_END:
            return self._sources.modes[offset // _WORD]
        if offset >= _TARGET:
            return self._targets[_target_of(offset)]
        return self._read_bits(offset)

    def _read_bits(self, offset: int) -> int:
        first = offset & ~(_BITS - 1)
        if first == _SETIP:
            bits = self._sources.shown()
        elif first == _IN_CLRIP:
            bits = self._sources.rectified()
        elif first == _SETIE:
            bits = self._sources.enabled
        else:
            return 0
        return bits >> 8 * (offset - first) & MASK32

    def _write(self, ipa: int, value: int) -> None:
        offset = ipa - self._base
        if offset >= _SIZE:
            self._write_idc(offset - _SIZE, value)
            return
        if offset == _DOMAINCFG:
            self._open = bool(value & _IE)
        elif offset < _SOURCECFG_END:
            self._configure(offset // _WORD, value)
        elif offset >= _TARGET:
            self._set_target(_target_of(offset), value)
        elif offset in (_SETIPNUM_LE, _SETIPNUM_BE) and not self._strict:
            number = value if offset == _SETIPNUM_LE else int.from_bytes(value.to_bytes(4, "little"), "big")
            self._sources.set_pending(_bit(number))
        elif offset in self._of_numbers:
            self._of_numbers[offset](_bit(value))
        else:
            self._write_bits(offset, value)
        self._evaluate(FROM_CPU)

    def _write_bits(self, offset: int, value: int) -> None:
        first = offset & ~(_BITS - 1)
        bits = value << 8 * (offset - first)
        if first == _SETIP:
            self._sources.set_pending(bits)
        elif first == _IN_CLRIP:
            self._sources.clear_pending(bits)
        elif first == _SETIE:
            self._sources.set_enabled(bits)
        elif first == _CLRIE:
            self._sources.clear_enabled(bits)

    def _configure(self, source: int, value: int) -> None:
        self._sources.configure(source, value)
        if not self._sources.active >> source & 1:
            self._targets[source] = 0

    def _set_target(self, source: int, value: int) -> None:
        """A hart that is not there is hart 0."""
        if not self._sources.active >> source & 1:
            return
        hart = value >> _HART_SHIFT
        if hart >= self._vcpus:
            hart = 0
        kept = _PRIORITY if self._pages is None else value & (_GUEST | _EIID)
        self._targets[source] = hart << _HART_SHIFT | kept

    # Delivery

    def _evaluate(self, origin: int, *, hardware: bool = False) -> None:
        """Something has changed. ``origin``: by what, of the trace's sources."""
        if self._idcs is not None:
            self._note_pending(self._sources.pending)
            self._signal(hardware=hardware)
            return
        if self._open:
            self._send(origin, hardware=hardware)
        self._note_pending(self._sources.pending)

    def _note_pending(self, pending: int) -> None:
        """Tell the trace of what stays pending, or comes to its end from being so."""
        for source in members(pending & ~self._noted):
            self._harts.note(NOTE_PENDING, source)
        self._noted = pending

    def _send(self, origin: int, *, hardware: bool) -> None:
        """What the guest sees of a source is its message, which the trace is told of as raised.

        The source itself has come to its end with that. A notification that leaves at once is a message and no source.
        """
        leaving = self._sources.pending & self._sources.enabled
        if not leaving:
            return
        assert self._pages is not None
        seen = leaving if origin == FROM_LINE else leaving & self._noted
        self._note_pending(self._noted | seen)
        self._sources.clear_pending(leaving)
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
        sources = self._sources
        stuck = sources.levels & sources.enabled & sources.rectified() & ~self._hung
        self._hung |= stuck
        for source in members(stuck):
            self._harts.hang(self._targets[source] >> _HART_SHIFT, source)

    def _delivers(self, hart: int) -> bool:
        return self._idcs is not None and self._open and self._idcs.delivery[hart]

    def _top(self, hart: int) -> int:
        """The source that a hart is to take, 0 for none: the first, as all have one priority."""
        if not self._delivers(hart):
            return 0
        waiting = self._sources.shown() & self._sources.enabled
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
            self._sources.clear_pending(1 << source)
            self._note_pending(self._sources.pending)
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

    def expects(self, source: int) -> tuple[int, int, int, int] | None:
        """In MSI mode, of a source that is enabled and not pending: so it is again when its message has left."""
        if self._pages is None or not self._open or not 0 < source < SOURCES or not self._sources.is_idle(1 << source):
            return None
        target = self._targets[source]
        identity = target & _EIID
        if not 0 < identity <= self._pages.identities:
            return None
        return target >> _HART_SHIFT, MESSAGES + identity, identity, 0

    def inject(self, source: int) -> None:
        if not 0 < source < SOURCES or not self._sources.active >> source & 1:
            return
        if self._idcs is not None:
            self._harts.note(NOTE_RAISED, source, FROM_IPC)
        self._sources.pend(1 << source)
        self._evaluate(FROM_IPC)

    def line(self, source: int, level: bool, sequence: int) -> None:
        if self._sources.line(source, level, sequence):
            self._evaluate(FROM_LINE, hardware=True)

    def held(self) -> int:
        """A claimed source is pending no more, and that is all."""
        return 0

    def unheard(self) -> int:
        sources = self._sources
        return sources.waiting() & ~(sources.active & sources.enabled if self._open else 0)

    # As data

    def save(self) -> Saved:
        """Of the targets those of active sources."""
        return _FORM.save(
            open=self._open,
            sources=self._sources.save(),
            targets=[[source, self._targets[source]] for source in members(self._sources.active)],
            hung=members(self._hung),
            idcs=None if self._idcs is None else self._idcs.save(),
        )

    def load(self, data: object) -> None:
        fields = _FORM.load(data)
        if (fields["idcs"] is None) is not (self._idcs is None):
            raise _FORM.damaged("it is of another delivery mode")
        self.reset()
        self._open = fields["open"]
        self._sources.load(fields["sources"])
        with _FORM.reading():
            for each in fields["targets"]:
                source, target = row(each, int, int)
                if not 0 < source < SOURCES or not 0 <= target >> _HART_SHIFT < self._vcpus:
                    raise _FORM.damaged(f"source {source} has the target {target:#x}")
                self._targets[source] = target  # as it is: one that was never written has no priority either
            self._hung = mask(fields["hung"])
        self._noted = self._sources.pending
        if self._idcs is not None:
            self._idcs.load(fields["idcs"])


def _target_of(offset: int) -> int:
    return (offset - _TARGET) // _WORD + 1


def _bit(source: int) -> int:
    return 1 << source if source < SOURCES else 0
