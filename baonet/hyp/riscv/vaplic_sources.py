"""Sources of a virtual APLIC: which are active, enabled and pending, and what the lines of devices do to them.

Sources of devices have a physical APLIC in front, which mirrors what the guest sets and, in MSI mode, sends the
messages itself: Bao has no part in that. So they are here as AIA has them (RISC-V AIA 1.0, 4.5.2, 4.7, 4.9.2):

    edge-sensitive   pending from an edge of the line on, until the message is sent or the source claimed
    level-sensitive  in MSI mode pending from when the line goes up until the message is sent, and when the guest sets
                     it pending while the line is up, behind its handler; in direct mode while the line is up

``strict`` keeps what Bao and its platform were seen to do otherwise: a source that is set pending shows that whatever
its line does, and one that was pending stays so when its line goes down.
"""

from __future__ import annotations

from typing import Final, final

from baonet.hyp.riscv.sources import SOURCES, mask, members
from baonet.machine.saved import Saved, StateForm, row

_DELEGATED: Final = 1 << 10
_MODES: Final = 7
_INACTIVE: Final = 0
_RESERVED: Final = (2, 3)
_RISING: Final = 4
_FALLING: Final = 5
_HIGH: Final = 6
_LOW: Final = 7

_FORM: Final = StateForm(
    "a vAPLIC's sources",
    1,
    modes=list,
    enabled=list,
    pending=list,
    idle=list,
    up=list,
    sequences=list,
)


@final
class VaplicSources:
    """As masks: those that are ``active``, ``enabled``, ``pending``; ``levels`` are of devices and level-sensitive.

    ``modes``: sourcecfg of each. ``hardware``: the sources of devices. ``direct``: the delivery mode.
    """

    __slots__ = (
        "_direct",
        "_hardware",
        "_idle",
        "_sequences",
        "_strict",
        "_up",
        "active",
        "enabled",
        "levels",
        "modes",
        "pending",
    )

    def __init__(self, hardware: int, *, direct: bool, strict: bool) -> None:
        self._hardware = hardware
        self._direct = direct
        self._strict = strict
        self._up = 0  # lines of devices, and how often each has changed
        self._sequences: dict[int, int] = {}
        self.reset()

    def reset(self) -> None:
        """All but the lines, which the devices drive."""
        self.modes = [_INACTIVE] * SOURCES
        self.active = self.enabled = self.pending = self.levels = 0
        self._idle = 0  # set pending, and shown so, but not by the device

    def configure(self, source: int, value: int) -> None:
        """sourcecfg: no source can be delegated, and none is active in a mode that is reserved."""
        mode = _INACTIVE if value & _DELEGATED else value & _MODES
        if mode in _RESERVED:
            mode = _INACTIVE
        if mode == self.modes[source]:
            return
        bit = 1 << source
        self.modes[source] = mode
        self.levels &= ~bit
        if mode == _INACTIVE:
            self.active &= ~bit
            self.clear_pending(bit)
            self.clear_enabled(bit)
            return
        self.active |= bit
        if mode in (_HIGH, _LOW):
            self.levels |= bit & self._hardware
        if self.rectified() & bit:
            self.pend(bit)

    def set_pending(self, bits: int) -> None:
        """By the guest; nothing happens for a level-sensitive source whose line is down."""
        bits &= self.active & ~1
        idle = bits & self.levels & ~self.rectified()
        self.pend(bits & ~idle)
        if self._strict:
            self._idle |= idle & ~self.pending

    def is_idle(self, bit: int) -> bool:
        """Active and enabled, and nothing of it, or of another that is enabled, is pending."""
        return bool(self.active & self.enabled & bit) and not (self._idle & bit or self.pending & (self.enabled | bit))

    def pend(self, bits: int) -> None:
        self.pending |= bits
        self._idle &= ~bits

    def clear_pending(self, bits: int) -> None:
        self.pending &= ~bits
        self._idle &= ~bits

    def set_enabled(self, bits: int) -> None:
        self.enabled |= bits & self.active & ~1

    def clear_enabled(self, bits: int) -> None:
        self.enabled &= ~bits

    def rectified(self) -> int:
        """Lines of devices as their modes have them: those that ask for an interrupt."""
        found = 0
        for source in members(self._hardware & self.active):
            mode, up = self.modes[source], bool(self._up >> source & 1)
            if mode in (_RISING, _HIGH, _FALLING, _LOW) and up is (mode in (_RISING, _HIGH)):
                found |= 1 << source
        return found

    def shown(self) -> int:
        """What is pending to who looks."""
        if not self._direct or self._strict or not self.levels:
            return self.pending | self._idle
        return self.pending & ~self.levels | self.rectified() & self.levels

    def line(self, source: int, level: bool, sequence: int) -> bool:
        """Whether that is news. Between two changes that are heard the line may have been up, or down."""
        if not 0 <= source < SOURCES or not self._hardware >> source & 1:
            return False
        changes = sequence - self._sequences.get(source, 0)
        if changes <= 0:
            return False
        self._sequences[source] = sequence
        bit, mode = 1 << source, self.modes[source]
        before = bool(self._up & bit)
        self._up = self._up & ~bit | level << source
        if mode in (_RISING, _FALLING):
            if changes > 1 or (before is not level and level is (mode == _RISING)):
                self.pend(bit)
        elif mode in (_HIGH, _LOW):
            if level is (mode == _HIGH):
                self.pend(bit)
            elif not self._strict:
                self.pending &= ~bit
        return True

    def waiting(self) -> int:
        """What is pending, and whatever a device holds its line up for, active or not."""
        return self.pending | self._up

    def save(self) -> Saved:
        """Of the sources those that are active."""
        return _FORM.save(
            modes=[[source, self.modes[source]] for source in members(self.active)],
            enabled=members(self.enabled),
            pending=members(self.pending),
            idle=members(self._idle),
            up=members(self._up),
            sequences=[[source, sequence] for source, sequence in sorted(self._sequences.items())],
        )

    def load(self, data: object) -> None:
        """Raises StateError for what is not its state."""
        fields = _FORM.load(data)
        self.reset()
        with _FORM.reading():
            self._up = mask(fields["up"])
            for each in fields["modes"]:
                source, mode = row(each, int, int)
                mask((source,))
                self.configure(source, mode)
            self.enabled, self.pending, self._idle = (mask(fields[name]) for name in ("enabled", "pending", "idle"))
            self._sequences = dict(row(each, int, int) for each in fields["sequences"])
