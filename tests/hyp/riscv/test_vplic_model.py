"""The vPLIC against a simple one, by Hypothesis, with its messages in any order."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from baonet.machine.riscv import Plic
from tests.hyp.riscv.board import UART, Board
from tests.hyp.riscv.crossing import HARTS, Crossing
from tests.hyp.riscv.fabric import PLIC

DEVICES = (UART, 20)
SOURCES = (UART, 20, 52, 53)
priorities = st.sampled_from([0, 1, 2, 3, 8, 9])
sources = st.sampled_from(SOURCES)
CLAIM = 0x20_0004


class PlicModel:
    """One state. ``look`` is when Bao has a hart's line follow; ``physical`` what the physical PLIC then signals."""

    def __init__(self, harts: int) -> None:
        self.lines = [False] * harts
        self.sent: list[tuple[int, int]] = []
        self.priority = dict.fromkeys(range(1024), 0)
        self.threshold = [0] * harts
        self.enabled: list[set[int]] = [set() for _ in range(harts)]
        self.pending: set[int] = set()
        self.active: set[int] = set()
        self.up: set[int] = set()
        self.taken: set[int] = set()

    def next(self, hart: int) -> int:
        able = (self.pending & self.enabled[hart]) - self.active - {0}
        able = {source for source in able if self.priority[source] > self.threshold[hart]}
        return min(able, key=lambda source: (-self.priority[source], source), default=0)

    def look(self, hart: int) -> None:
        self.lines[hart] = self.next(hart) != 0

    def physical(self) -> None:
        """With three bits of priority; the first hart takes what several could."""
        while True:
            offers = [
                (hart, -(self.priority[source] & 7), source)
                for hart, enabled in enumerate(self.enabled)
                for source in self.up & enabled - self.taken
                if self.priority[source] & 7 > self.threshold[hart] & 7
            ]
            if not offers:
                return
            hart, _, source = min(offers)
            self.taken.add(source)
            if source not in self.pending:
                self.pending.add(source)
                self.look(hart)

    def line(self, source: int, level: bool) -> None:
        (self.up.add if level else self.up.discard)(source)
        self.physical()

    def inject(self, source: int) -> None:
        if source in self.pending:
            return
        self.pending.add(source)
        for hart, enabled in enumerate(self.enabled):
            if source in enabled and self.priority[source] > self.threshold[hart]:
                self.look(hart)

    def read(self, ipa: int) -> int:
        offset = ipa - PLIC
        if offset < 0x1000:
            return self.priority[offset // 4]
        if offset < 0x2000:
            return word(self.pending, offset - 0x1000)
        if offset < 0x20_0000:
            context, byte = divmod(offset - 0x2000, 0x80)
            return word(self.enabled[context // 2], byte) if context % 2 else 0
        context, register = divmod(offset - 0x20_0000, 0x1000)
        if not context % 2:
            return 0
        hart = context // 2
        if register == 0:
            return self.threshold[hart]
        source = self.next(hart)
        if source:
            self.pending.remove(source)
            self.active.add(source)
        self.look(hart)
        return source

    def write(self, ipa: int, value: int) -> None:
        offset = ipa - PLIC
        if offset < 0x1000:
            self._prioritize(offset // 4, value)
        elif 0x2000 <= offset < 0x20_0000:
            context, byte = divmod(offset - 0x2000, 0x80)
            if context % 2:
                self._enable(context // 2, byte, value)
        elif offset >= 0x20_0000:
            context, register = divmod(offset - 0x20_0000, 0x1000)
            if context % 2:
                (self._complete if register else self._threshold)(context // 2, value)
        self.physical()

    def _prioritize(self, source: int, value: int) -> None:
        changed = self.priority[source] != value
        self.priority[source] = value
        for hart, enabled in enumerate(self.enabled):
            if changed and source in enabled and source not in DEVICES:
                self.look(hart)

    def _enable(self, hart: int, byte: int, value: int) -> None:
        for bit in range(32):
            source = byte * 8 + bit
            if bool(value >> bit & 1) is (source in self.enabled[hart]):
                continue
            self.enabled[hart] ^= {source}
            if source not in DEVICES:
                self.look(hart)

    def _threshold(self, hart: int, value: int) -> None:
        self.threshold[hart] = value
        self.look(hart)

    def _complete(self, hart: int, source: int) -> None:
        self.active.discard(source)
        self.taken.discard(source)
        self.look(hart)


def word(members: set[int], byte: int) -> int:
    return sum(1 << bit for bit in range(32) if byte * 8 + bit in members)


class VplicOnANetwork(Crossing):
    @initialize(harts=st.integers(1, 3), home=st.integers(0, 2), priority=st.lists(priorities, min_size=4, max_size=4))
    def start(self, harts: int, home: int, priority: list[int]) -> None:
        """All that can be enabled is."""
        self.begin(Board(Plic(PLIC), harts=harts, home=home % harts), PlicModel(harts))
        for source, each in zip(SOURCES, priority, strict=True):
            self.prioritize(home, source, each)
        for hart in range(harts):
            for word in range(2):
                self.store(home % harts, PLIC + 0x2080 + 0x100 * hart + 4 * word, 0xFFFF_FFFF)
        self.rest()

    @rule(hart=HARTS, source=sources, priority=priorities)
    def prioritize(self, hart: int, source: int, priority: int) -> None:
        self.store(hart, PLIC + 4 * source, priority)

    @rule(hart=HARTS, of=HARTS, chosen=st.sets(sources), word=st.integers(0, 1))
    def enable(self, hart: int, of: int, chosen: set[int], word: int) -> None:
        value = sum(1 << source % 32 for source in chosen if source // 32 == word)
        self.store(hart, PLIC + 0x2080 + 0x100 * (of % self.harts) + 4 * word, value)

    @rule(hart=HARTS, of=HARTS, threshold=priorities)
    def set_threshold(self, hart: int, of: int, threshold: int) -> None:
        self.store(hart, PLIC + 0x20_1000 + 0x2000 * (of % self.harts), threshold)

    @rule(hart=HARTS, offset=st.sampled_from([0, 4, 0x2000, 0x2004, 0x20_0000, 0x20_0004]), value=priorities)
    def meddle(self, hart: int, offset: int, value: int) -> None:
        """With source 0, and with contexts for M mode."""
        self.store(hart, PLIC + offset, value)

    @rule(hart=HARTS, of=HARTS)
    def claim(self, hart: int, of: int) -> None:
        self.load(hart, PLIC + CLAIM + 0x2000 * (of % self.harts) + 0x1000)

    @rule(hart=HARTS, of=HARTS, which=st.integers(0, 3))
    def complete(self, hart: int, of: int, which: int) -> None:
        """One of those that are claimed."""
        assert isinstance(self.model, PlicModel)
        active = sorted(self.model.active)
        if active:
            self.complete_any(hart, of, active[which % len(active)])

    @rule(hart=HARTS, of=HARTS, source=st.sampled_from((*SOURCES, 0, 1023, 1024, 100_000)))
    def complete_any(self, hart: int, of: int, source: int) -> None:
        self.store(hart, PLIC + CLAIM + 0x2000 * (of % self.harts) + 0x1000, source)

    @rule(hart=HARTS, offset=st.sampled_from([0x28, 208, 0x1000, 0x1004, 0x2080, 0x2084, 0x2100, 0x20_1000, 0x20_0004]))
    def look(self, hart: int, offset: int) -> None:
        self.load(hart, PLIC + offset)

    @rule(hart=HARTS, of=HARTS, word=st.integers(0, 1))
    def look_at_enabled(self, hart: int, of: int, word: int) -> None:
        self.load(hart, PLIC + 0x2080 + 0x100 * (of % self.harts) + 4 * word)

    @rule(hart=HARTS, of=HARTS)
    def look_at_threshold(self, hart: int, of: int) -> None:
        self.load(hart, PLIC + 0x20_1000 + 0x2000 * (of % self.harts))

    @rule(changed=st.booleans())
    def load_what_was_saved(self, changed: bool) -> None:
        """Also by one that has something else in all its registers meanwhile."""
        wing = self.board.guest(0, self.board.home).pcpu.wing
        saved = wing.save()
        if changed:
            wing.reset()
        wing.load(saved)
        self.board.guest(0, self.board.home).cpu.external = self.model.lines[self.board.home]


TestVplicOnANetwork = VplicOnANetwork.TestCase
TestVplicOnANetwork.settings = settings(max_examples=25, stateful_step_count=80)
