"""Reference model of first levels that are kept coherent, line by line, by what the cluster knows of who has which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from .caches import Ask, Held
from .pcpu import ALL, Pcpu, What
from .translation import Stage2, Walk

SETTLES = {Ask.LOAD, Ask.STORE, Ask.PREFETCH, Ask.USE, Ask.WRITEBACK, Ask.VICTIM}


@dataclass
class Word:
    """Of a line that somebody has had: who has it, whose is dirty, whether anybody had it at the last edge."""

    holders: set[int] = field(default_factory=set)
    owner: int | None = None
    held: bool = False


class Coherent(Pcpu):
    def __init__(self, p: dict[str, int], walk: Walk, stage2: Stage2, words: dict[int, Word], party: int) -> None:
        super().__init__(p, walk, stage2)
        self.words, self.party = words, party
        self.asks: list[tuple[int, bool]] = []
        self.due: list[tuple[int, bool]] = []

    def _word(self, line: int) -> Word:
        return self.words.setdefault(line, Word())

    def _look(self, line: int) -> None:
        if self.party in self._word(line).holders:
            return
        for where in self.l1d.of_line(line):
            where.ways = [None if held and held.line == line else held for held in where.ways]
        if self.writing == line and not self.passing:
            self.writing, self.full = None, 0

    def _snooped(self, transfer: bool) -> int:
        self.n["snoops"] += 1
        return self.stall("coherence", self.p["snoop_dirty" if transfer else "snoop_shared"])

    def _claim(self, line: int, *, keeps: bool) -> int | None:
        """Cycles for which a store waits, if others had the line."""
        word = self._word(line)
        others, owner = word.holders - {self.party}, word.owner
        self.words[line] = Word({self.party}, self.party, True) if keeps else Word()
        return self._snooped(owner is not None and owner != self.party) if others else None

    def _join(self, line: int) -> int | None:
        """Cycles for which a load that has missed waits, if another first level has the line."""
        word = self._word(line)
        dirty = word.owner is not None and word.owner != self.party
        here = self.l2.sets[line % len(self.l2.sets)].find(line) is not None
        clean = word.held and line not in self.ahead and not here
        word.holders.add(self.party)
        return self._snooped(True) if dirty or clean else None

    def _leaves(self, now: int, held: Held) -> int:
        told = held.dirty or self.p["l2_on_eviction"] or held.line not in self.words
        return super()._leaves(now, held) if told else self.charge("store", self.ask(now, Ask.VICTIM, held.line))

    def _load(self, now: int, va: int, line: int, own: bool) -> int:
        if self.hypervisor:
            return super()._load(now, va, line, own)
        total = self._stop_writing(now) if self.writing == line and self.passing else 0
        self._look(line)
        held = self.l1d.held(va, line)
        if held:
            held.dirty |= own
            return total + ((self._claim(line, keeps=True) or 0) if own else 0)
        late = self._claim(line, keeps=True) if own else self._join(line)
        if late is not None:
            self.ahead.take(line)
            self.n["l1d_misses"] += 1
        else:
            late = self._take_ahead(now, line)
        if late is None:
            self.n["l1d_misses"] += 1
            late = self.charge("data", self.ask(now, Ask.LOAD, line))
        total += late + self._fill(now, va, Held(line, own))
        for each in self.prefetcher.see(line):
            self._prefetch(now, va + (each - line) * 64, each)
        return total

    def _store(self, now: int, va: int, line: int, written: int) -> int:
        if self.hypervisor:
            return super()._store(now, va, line, written)
        self._look(line)
        if self.writing == line:
            waits = self._claim(line, keeps=not self.passing) or 0
            self.bytes |= written
            return waits + (self._full(now) if self.bytes == ALL else 0)
        held = self.l1d.held(va, line)
        if held:
            held.dirty = True
            return self._claim(line, keeps=True) or 0
        total = self._stop_writing(now) if self.writing is not None else 0
        passing = 0 < self.p["streaming_l1"] <= self.full and line not in self.ahead
        snooped = self._claim(line, keeps=not passing)
        total += snooped or 0
        if snooped is not None:
            self.ahead.take(line)
        late = self._take_ahead(now, line)
        if late is not None:
            return total + late + self._fill(now, va, Held(line, True))
        self.n["l1d_misses"] += 1
        if not passing:
            if written != ALL and snooped is None:
                total += self.charge("store", self.ask(now, Ask.STORE, line))
            total += self._fill(now, va, Held(line, True))
        self.writing, self.bytes, self.passing = line, written, passing
        return total + (self._full(now) if written == ALL else 0)

    def maintain(self, now: int, va: int, what: What) -> int:
        if what not in {What.CODE, What.CLEAN_UNIFICATION}:
            self.asks.append((va // 64, what.drops))
        return super().maintain(now, va, what)

    def _drop(self, line: int, *, keeps: bool) -> bool:
        """From the first level, or its being dirty; whether it was."""
        dirty = False
        for where in self.l1d.of_line(line):
            for way, held in enumerate(where.ways):
                if held and held.line == line:
                    dirty |= held.dirty
                    where.ways[way] = Held(line) if keeps else None
        if self.writing == line and not self.passing:
            self.writing, self.full = None, 0
        return dirty

    def hear_losses(self) -> None:
        """At a window's end, before anything is settled."""
        held = {each.line for where in self.l1d.sets for each in where.ways if each}
        for line in held & self.words.keys():
            if self.party not in self.words[line].holders:
                self._drop(line, keeps=False)

    def obey(self, line: int, *, drops: bool) -> None:
        """As others have asked."""
        if self._drop(line, keeps=not drops):
            self.n["l1d_writebacks"] += 1
            self.due.append((line, drops))

    def begin(self, now: int) -> None:
        for line, drops in self.due:
            self.ask(now, Ask.STREAM_PAST, line)
            self.ask(now, Ask.FLUSH if drops else Ask.CLEAN, line)
        self.due.clear()

    def settle(self) -> None:
        """At a window's end."""
        for line, _, request, *_ in self.records:
            if request not in SETTLES or line not in self.words:
                continue
            word = self.words[line]
            here = [held for where in self.l1d.of_line(line) for held in where.ways if held and held.line == line]
            if self.party in word.holders:
                if not here:
                    word.holders.remove(self.party)
                if word.owner == self.party and not any(held.dirty for held in here):
                    word.owner = None
            word.held = bool(word.holders)


def hear(pcpus: Sequence[Coherent]) -> None:
    """Of one another, at a window's end, before anything is settled."""
    for pcpu in pcpus:
        pcpu.hear_losses()
    for asking in pcpus:
        for line, drops in asking.asks:
            if line not in asking.words:
                continue
            if drops:
                asking.words[line] = Word()
            asking.words[line].owner = None
            for pcpu in pcpus:
                pcpu.obey(line, drops=drops)
        asking.asks.clear()
