"""Where a guest finds the registers of its interrupt controller, as one vcpu does: which of them an access is for."""

from __future__ import annotations

from typing import Final, Protocol, final

from baonet.hyp.armv8 import gic
from baonet.hyp.armv8.vgic_registers import ANYWHERE, WORD, Constant, Register
from baonet.machine.armv8 import Gic

_RAZ_WI: Final = Constant()
_SIZES: Final = (1, 2, 4, 8)


class RegisterMap(Protocol):
    """Of a version of the architecture."""

    def at(self, ipa: int) -> Register | None: ...


@final
class RegisterWindows:
    """``here``: by size and address of an access, registers that this pcpu may access and has found before. ``known``:
    what those that never change are read as, by the same; and GICD_CTLR of who is home to it.
    """

    __slots__ = ("_at", "_frame", "_gicd", "_map", "_pcpu", "_window", "here", "known", "ranges")

    def __init__(self, config: Gic, registers: RegisterMap, vcpu: int, vcpus: int, pcpu: int) -> None:
        self._gicd = config.gicd
        self._map = registers
        self._pcpu = pcpu
        self._window = range(config.gicd, config.gicd + gic.GICD_SIZE)
        self._frame = range(0)
        if config.gicr is not None:
            frame = config.gicr + vcpu * gic.GICR_SIZE
            self._frame = range(frame, frame + gic.GICR_SIZE)
        self._at: dict[int, Register] = {}
        self.here: list[dict[int, Register]] = [{} for _ in range(_SIZES[-1] + 1)]
        self.known: list[dict[int, int]] = [{} for _ in range(_SIZES[-1] + 1)]
        self.ranges: tuple[tuple[int, int], ...] = ((config.gicd, gic.GICD_SIZE),)
        if config.version == 3:
            assert config.gicr is not None
            self.ranges += ((config.gicr, gic.GICR_SIZE * vcpus),)

    def covers(self, ipa: int) -> bool:
        """Whether an address is in a window."""
        return any(0 <= ipa - base < size for base, size in self.ranges)

    def find(self, ipa: int, size: int) -> Register | None:
        """The register at an address, if it takes an access of ``size`` bytes; a message may say any number."""
        if size not in _SIZES:
            return None
        word = ipa & ~3
        register = self._at.get(word)
        if register is None:
            if not self.covers(ipa):
                return None
            register = self._map.at(word)
            if register is None:
                register = _RAZ_WI
            elif self._wanted_again(word):
                self._at[word] = register
        return None if ipa & size - 1 or not register.widths & size else register

    def _wanted_again(self, word: int) -> bool:
        """Those of other vcpus are not: with many vcpus they are many."""
        return word in self._window or word in self._frame

    def find_here(self, ipa: int, size: int) -> Register | None:
        register = self.find(ipa, size)
        if register is None or register.home not in (ANYWHERE, self._pcpu):
            return None
        if self._wanted_again(ipa & ~3):
            self.here[size][ipa] = register
            if isinstance(register, Constant):
                self.known[size][ipa] = register.read(ipa, size)
        return register

    def find_away(self, ipa: int, size: int) -> Register | None:
        register = self.find(ipa, size)
        return None if register is None or register.home in (ANYWHERE, self._pcpu) else register

    def note_control(self) -> None:
        """Keep the value of GICD_CTLR where it is found first, on the pcpu that is home to it."""
        control = self._gicd + gic.GICD_CTLR
        register = self._map.at(control)
        assert register is not None
        self.known[WORD][control] = register.read(control, WORD)
