"""The vAPLIC against a simple one, by Hypothesis, in both delivery modes, with its messages in any order."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from baonet.machine import Faithful
from baonet.machine.riscv import Aia
from tests.hyp.riscv.board import APLIC, IMSIC, LEFT_ALONE, UART, Board
from tests.hyp.riscv.crossing import HARTS, Crossing

DEVICES = (UART, 20)
SOURCES = (UART, 20, 52, 53)
NUMBERS = (*SOURCES, 0, 1023, 1024, 0xFFFF_FFFF)
RISING, FALLING, HIGH, LOW = 4, 5, 6, 7
sources = st.sampled_from(SOURCES)
SET, CLEAR, ENABLE, DISABLE = 0x1C00, 0x1D00, 0x1E00, 0x1F00
BITS = st.sampled_from([SET, CLEAR, ENABLE, DISABLE])
NUMBER = {SET: 0x1CDC, CLEAR: 0x1DDC, ENABLE: 0x1EDC, DISABLE: 0x1FDC}


class AplicModel:
    """As AIA has it, with what Bao leaves out: priorities, and registers that are loaded for nothing.

    ``strict``: a source of a device that is level-sensitive and is set pending while its line is down shows so, and one
    that is pending stays so when its line goes down.
    """

    def __init__(self, harts: int, *, direct: bool, strict: bool) -> None:
        self.harts, self.direct, self.strict = harts, direct, strict
        self.lines = [False] * harts
        self.sent: list[tuple[int, int]] = []
        self.open = False
        self.mode = dict.fromkeys(range(1024), 0)
        self.target = dict.fromkeys(range(1024), (0, 0))
        self.pending: set[int] = set()
        self.shown: set[int] = set()
        self.enabled: set[int] = set()
        self.up: set[int] = set()
        self.delivery, self.forced = [False] * harts, [False] * harts

    def rectified(self, source: int) -> bool:
        if source not in DEVICES:
            return False
        mode = self.mode[source]
        return source in self.up if mode in (RISING, HIGH) else mode in (FALLING, LOW) and source not in self.up

    def level(self, source: int) -> bool:
        return source in DEVICES and self.mode[source] in (HIGH, LOW)

    def waiting(self) -> set[int]:
        """What is pending: in direct mode a level-sensitive source is as its line is."""
        if not self.direct:
            return self.pending
        return {s for s in range(1024) if (self.rectified(s) if self.level(s) else s in self.pending)}

    def top(self, hart: int) -> int:
        if not (self.open and self.delivery[hart]):
            return 0
        return min((s for s in self.waiting() & self.enabled if self.target[s][0] == hart), default=0)

    def settle(self) -> None:
        if self.direct:
            for hart in range(self.harts):
                forced = self.open and self.delivery[hart] and self.forced[hart]
                self.lines[hart] = bool(self.top(hart) or forced)
        elif self.open:
            for source in self.pending & self.enabled:
                hart, kept = self.target[source]
                if 0 < kept & 0x7FF <= 255:
                    self.sent.append((hart, kept & 0x7FF))
            self.pending -= self.enabled

    def pend(self, source: int, *, by_guest: bool) -> None:
        if not self.mode[source]:
            return
        if by_guest and self.level(source) and not self.rectified(source):
            if self.strict:
                self.shown.add(source)
            return
        self.pending.add(source)

    def unpend(self, source: int) -> None:
        self.pending.discard(source)
        self.shown.discard(source)

    def line(self, source: int, level: bool) -> None:
        (self.up.add if level else self.up.discard)(source)
        if self.rectified(source):
            self.pend(source, by_guest=False)
            self.shown.discard(source)
        elif self.level(source) and not self.strict:
            self.pending.discard(source)
        self.settle()

    def inject(self, source: int) -> None:
        self.pend(source, by_guest=False)
        self.settle()

    def read(self, ipa: int) -> int:
        if ipa >= IMSIC:
            return 0
        offset = ipa - APLIC
        if offset in NUMBER.values() or DISABLE <= offset < DISABLE + 0x80:
            return LEFT_ALONE
        if offset == 0:
            return 0x8000_0000 | self.open << 8 | (0 if self.direct else 4)
        if offset < 0x1000:
            return self.mode[offset // 4]
        if offset >= 0x4000:
            return self._read_idc(offset - 0x4000)
        if offset >= 0x3000:
            hart, identity = self.target[(offset - 0x3000) // 4]
            return hart << 18 | identity
        shown = self.pending | self.shown if self.strict or not self.direct else self.waiting()
        by_offset = {SET: shown, CLEAR: {s for s in DEVICES if self.rectified(s)}, ENABLE: self.enabled}
        members = by_offset[offset & ~0x7F]
        return sum(1 << bit for bit in range(32) if (offset & 0x7F) * 8 + bit in members)

    def _read_idc(self, offset: int) -> int:
        hart, register = divmod(offset, 0x20)
        top = self.top(hart)
        if register == 0x1C:
            if top:
                self.unpend(top)
            else:
                self.forced[hart] = False
            self.settle()
        values = {0: int(self.delivery[hart]), 4: int(self.forced[hart])}
        return values.get(register, top << 16 | 1 if top and register >= 0x18 else 0)

    def write(self, ipa: int, value: int) -> None:
        if ipa >= IMSIC:
            if (ipa - IMSIC) % 0x1000 == 0 and 0 < value <= 255:
                self.sent.append(((ipa - IMSIC) // 0x1000, value))
            return
        offset = ipa - APLIC
        if offset == 0:
            self.open = bool(value & 0x100)
        elif offset < 0x1000:
            self._configure(offset // 4, value)
        elif offset >= 0x4000:
            hart, register = divmod(offset - 0x4000, 0x20)
            if register in (0, 4):
                (self.forced if register else self.delivery)[hart] = bool(value & 1)
        elif offset >= 0x3000:
            self._retarget((offset - 0x3000) // 4, value)
        elif offset in (0x2000, 0x2004):
            if not self.strict:
                self._change(SET, value if offset == 0x2000 else int.from_bytes(value.to_bytes(4, "big"), "little"))
        elif offset in NUMBER.values():
            self._change(next(what for what, number in NUMBER.items() if number == offset), value)
        else:
            for bit in range(32):
                if value >> bit & 1:
                    self._change(offset & ~0x7F, (offset & 0x7F) * 8 + bit)
        self.settle()

    def _change(self, what: int, source: int) -> None:
        if not 0 < source < 1024:
            return
        if what == SET:
            self.pend(source, by_guest=True)
        elif what == CLEAR:
            self.unpend(source)
        elif what == DISABLE:
            self.enabled.discard(source)
        elif self.mode[source]:
            self.enabled.add(source)

    def _configure(self, source: int, value: int) -> None:
        mode = 0 if value & 0x400 or value & 7 in (2, 3) else value & 7
        if mode == self.mode[source]:
            return
        self.mode[source] = mode
        if not mode:
            self.unpend(source)
            self.enabled.discard(source)
            self.target[source] = 0, 0
        elif self.rectified(source):
            self.pend(source, by_guest=False)
            self.shown.discard(source)

    def _retarget(self, source: int, value: int) -> None:
        if self.mode[source]:
            hart = value >> 18 if value >> 18 < self.harts else 0
            self.target[source] = hart, 1 if self.direct else value & 0x3F7FF


class VaplicOnANetwork(Crossing):
    """Not strict in direct mode with levels: under Bao that is the end of a hart."""

    @initialize(
        harts=st.integers(1, 3), home=st.integers(0, 2), direct=st.booleans(), strict=st.booleans(), modes=st.data()
    )
    def start(self, harts: int, home: int, direct: bool, strict: bool, modes: st.DataObject) -> None:
        faithful = Faithful.STRICT if strict else Faithful.PRACTICAL
        irqc = Aia(APLIC) if direct else Aia(APLIC, IMSIC)
        self.direct, self.strict = direct, strict
        self.begin(
            Board(irqc, harts=harts, home=home % harts, faithful=faithful),
            AplicModel(harts, direct=direct, strict=strict),
        )
        home %= harts
        for source in SOURCES:
            self.configure(home, source, modes.draw(st.sampled_from([RISING, FALLING, HIGH, LOW])))
            self.aim(home, source, home + modes.draw(st.integers(0, 2)), 5)
            self.store(home, APLIC + NUMBER[ENABLE], source)
        self.store(home, APLIC, 0x100)
        for hart in range(harts if direct else 0):
            self.control(home, hart, 0, 1)
        self.rest()

    @rule(hart=HARTS, source=sources, mode=st.sampled_from([0, 1, 2, 4, 5, 6, 7, 0x404, 0xF6]))
    def configure(self, hart: int, source: int, mode: int) -> None:
        if self.direct and self.strict and source in DEVICES and mode & 6 == 6:
            mode = RISING
        self.store(hart, APLIC + 4 * source, mode)

    @rule(hart=HARTS, source=sources, at=st.integers(0, 3), identity=st.sampled_from([0, 1, 5, 6, 7, 255, 256, 0x1005]))
    def aim(self, hart: int, source: int, at: int, identity: int) -> None:
        """Also at a hart that is not there."""
        self.store(hart, APLIC + 0x3000 + 4 * source, at << 18 | identity)

    @rule(hart=HARTS, what=BITS, number=st.sampled_from(NUMBERS))
    def change(self, hart: int, what: int, number: int) -> None:
        self.store(hart, APLIC + NUMBER[what], number)

    @rule(hart=HARTS, what=BITS, chosen=st.sets(sources), word=st.integers(0, 1))
    def change_several(self, hart: int, what: int, chosen: set[int], word: int) -> None:
        value = sum(1 << source % 32 for source in chosen if source // 32 == word)
        self.store(hart, APLIC + what + 4 * word, value | (word == 0))

    @rule(hart=HARTS, source=sources, big=st.booleans())
    def set_by_message(self, hart: int, source: int, big: bool) -> None:
        self.store(hart, APLIC + (0x2004 if big else 0x2000), source << 24 if big else source)

    @rule(hart=HARTS, is_open=st.booleans())
    def open(self, hart: int, is_open: bool) -> None:
        self.store(hart, APLIC, 0x100 if is_open else 0)

    @precondition(lambda self: self.direct)
    @rule(hart=HARTS, of=HARTS, register=st.sampled_from([0, 4, 8, 0x18, 0x1C]), value=st.integers(0, 1))
    def control(self, hart: int, of: int, register: int, value: int) -> None:
        self.store(hart, APLIC + 0x4000 + 0x20 * (of % self.harts) + register, value)

    @precondition(lambda self: self.direct)
    @rule(hart=HARTS, of=HARTS, register=st.sampled_from([0, 4, 8, 0x18, 0x1C, 0x1C, 0x1C]))
    def claim(self, hart: int, of: int, register: int) -> None:
        self.load(hart, APLIC + 0x4000 + 0x20 * (of % self.harts) + register)

    @precondition(lambda self: not self.direct)
    @rule(hart=HARTS, to=HARTS, identity=st.sampled_from([0, 5, 6, 255, 256]), offset=st.sampled_from([0, 0, 4, 8]))
    def send(self, hart: int, to: int, identity: int, offset: int) -> None:
        """A hart's own page is the core's affair."""
        if hart % self.harts != to % self.harts:
            self.store(hart, IMSIC + 0x1000 * (to % self.harts) + offset, identity)

    @rule(
        hart=HARTS,
        offset=st.sampled_from([0, 40, 208, SET, SET + 4, CLEAR, ENABLE + 4, 0x1CDC, DISABLE, 0x3028, 0x30D0]),
    )
    def look(self, hart: int, offset: int) -> None:
        self.load(hart, APLIC + offset)


TestVaplicOnANetwork = VaplicOnANetwork.TestCase
TestVaplicOnANetwork.settings = settings(max_examples=25, stateful_step_count=60)
